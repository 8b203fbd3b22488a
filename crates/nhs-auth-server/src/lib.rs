//! What runs in production beside an application of NHS England's APIs. It is not an official NHS
//! product.
//!
//! - **The JWKS endpoint**: the URL at which the platform fetches an application's public keys.
//! - **The sidecar**: a reverse proxy that turns each request into an authorised one, for programs in
//!   any language.
//!
//! # The JWKS endpoint
//!
//! The platform asks with a plain GET, waits 55 seconds at most, keeps the answer for an hour by its
//! URL, whatever the headers say, and doesn't ask again for a key id that it has not seen. So a wrong
//! answer costs an hour, and an error is better than half a key set.
//!
//! - [`JwksEndpoint`] is what is served. Give it key sets with [`publish`](JwksEndpoint::publish),
//!   take them back with [`withdraw`](JwksEndpoint::withdraw), or let it
//!   [`follow`](JwksEndpoint::follow) a key ring.
//! - [`JwksLayer`] serves it inside a web server that is there already (axum, or anything of tower's).
//! - [`JwksServer`] is a server of its own, with TLS and a second listener for health and metrics.
//!
//! ```no_run
//! use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};
//! use nhs_auth_server::{JwksEndpoint, JwksServer};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let key = PrivateKey::load("int-1.pem".as_ref(), None)?.key;
//! let key = PublishedKey::new(Kid::parse("int-1")?, key.public().clone());
//! let keys = KeySet::new(vec![key])?;
//!
//! let endpoint = JwksEndpoint::new();
//! endpoint.publish(&keys)?;
//!
//! let server = JwksServer::builder(endpoint).listen(([0, 0, 0, 0], 8080).into()).bind().await?;
//! server.run_until(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await;
//! # Ok(())
//! # }
//! ```
//!
//! Left out there, and why:
//!
//! - **Compression.** A set of two keys is 1.5 KB of random base64, which hardly shrinks, and a body
//!   that depends on `Accept-Encoding` is one more thing that a cache can get wrong.
//! - **CORS.** Browsers have no business here: no `Access-Control-*` header is ever sent.
//! - **Ranges.** `Range` is ignored, as RFC 9110 allows: part of a key set is of no use.
//!
//! # The sidecar
//!
//! [`ProxyServer`] serves [`ProxyRoutes`]: requests whose path begins with a [`Route`]'s prefix go to
//! its [`Upstream`], with an access token of a [`ProxyApp`]. Everything else of a request and of its
//! answer is passed on as it is, and streamed. A 401 that blames the token costs that token, and one
//! more attempt. Its own answers are `application/problem+json` and say whose they are. `POST /token`
//! gives the token alone.
//!
//! ```no_run
//! use nhs_auth::{
//!     ApiKey, Application, Destinations, Environment, Kid, LocalSigner, PrivateKey, TokenClient,
//!     TokenEndpoint,
//! };
//! use nhs_auth_server::{ProxyApp, ProxyRoutes, ProxyServer, Route, RouteAccess, Upstream};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let application = Application::new(
//!     TokenEndpoint::of(Environment::INT),
//!     ApiKey::parse("ExampleApiKeyExampleApiKey000001")?,
//!     Kid::parse("int-1")?,
//!     LocalSigner::new(PrivateKey::load("int-1.pem".as_ref(), None)?.key),
//! );
//! let app = ProxyApp::new("mine", &application, TokenClient::new(), |cache| cache);
//! let upstream =
//!     Upstream::parse("https://int.api.service.nhs.uk", &Destinations::nhs_only())?;
//! let route = Route::new("/", upstream, RouteAccess::SignedJwt { app: "mine".into() })?;
//! let routes = ProxyRoutes::new(vec![route], vec![app])?;
//!
//! let server = ProxyServer::builder(routes).bind().await?;
//! server.run_until(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await;
//! # Ok(())
//! # }
//! ```
//!
//! Left out there, and why:
//!
//! - **A forward proxy.** A CONNECT tunnel can't have a header put in it, and looking into its TLS is
//!   no business of ours: programs call the sidecar's address in place of the API's.
//! - **`Via` and `X-Forwarded-*`.** The API sees what the program sent, and where it runs is its own
//!   affair. (RFC 9110 §7.6.3 asks gateways for `Via`; the platform's gateway adds its own headers.)
//! - **Informational answers**, but for `100 Continue`: `103 Early Hints` are not passed on.
//! - **Upgrades.** No NHS API has WebSockets.

#![forbid(unsafe_code)]

mod jwks;
mod proxy;
mod serving;
mod tls;

pub use crate::jwks::{
    EmptyKeySet, InvalidJwksPath, JwksBody, JwksEndpoint, JwksFuture, JwksLayer, JwksPath,
    JwksServer, JwksServerBuilder, JwksService, JwksState, ServedKeySet,
};
pub use crate::proxy::{
    EgressProxies, InvalidRoutes, InvalidUpstream, ProxyAddress, ProxyApp, ProxyListen,
    ProxyMetrics, ProxyReloader, ProxyRoutes, ProxyServer, ProxyServerBuilder, Route, RouteAccess,
    TrustError, Upstream,
};
pub use crate::serving::ServeError;
pub use crate::tls::{Reloaded, TlsFiles, TlsFilesError, TlsReloader};
