//! The endpoint inside a web server that is there already.

mod body;
mod future;

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::JwksBody;
pub use self::future::JwksFuture;
use super::endpoint::JwksEndpoint;
use super::path::JwksPath;

/// Serves the key set at one path, and leaves every other request to the service inside.
///
/// Put it outside of whatever asks users to sign in, limits requests or compresses bodies: the
/// platform does nothing but a plain GET. Since a service is called only when it is ready, one that
/// makes requests wait makes those for the key set wait too.
///
/// ```
/// use axum::{Router, routing::get};
/// use nhs_auth_server::{JwksEndpoint, JwksLayer};
///
/// let endpoint = JwksEndpoint::new();
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(JwksLayer::new(endpoint.clone()));
/// // `endpoint.publish(&keys)` whenever the keys change.
/// ```
#[derive(Clone, Debug)]
pub struct JwksLayer {
    endpoint: JwksEndpoint,
    path: JwksPath,
}

impl JwksLayer {
    /// Serves `endpoint` at `/.well-known/jwks.json`.
    pub fn new(endpoint: JwksEndpoint) -> Self {
        Self { endpoint, path: JwksPath::default() }
    }

    /// Serves it at another path.
    pub fn at(mut self, path: JwksPath) -> Self {
        self.path = path;
        self
    }
}

impl<S> Layer<S> for JwksLayer {
    type Service = JwksService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        JwksService { endpoint: self.endpoint.clone(), path: self.path.clone(), inner }
    }
}

/// A service with the key set in front. [`JwksLayer`] makes it.
#[derive(Clone, Debug)]
pub struct JwksService<S> {
    endpoint: JwksEndpoint,
    path: JwksPath,
    inner: S,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for JwksService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = Response<JwksBody<ResponseBody>>;
    type Error = S::Error;
    type Future = JwksFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        if request.uri().path() == self.path.as_str() {
            JwksFuture::ready(self.endpoint.respond(request.method(), request.headers()))
        } else {
            JwksFuture::inner(self.inner.call(request))
        }
    }
}
