//! What runs in production beside an application of NHS England's APIs. It is not an official NHS
//! product.
//!
//! Today that is the JWKS endpoint: the URL at which the platform fetches an application's public
//! keys. The platform asks with a plain GET, waits 55 seconds at most, keeps the answer for an hour
//! by its URL, whatever the headers say, and doesn't ask again for a key id that it has not seen.
//! So a wrong answer costs an hour, and an error is better than half a key set.
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
//! # What is left out, and why
//!
//! - **Compression.** A set of two keys is 1.5 KB of random base64, which hardly shrinks, and a body
//!   that depends on `Accept-Encoding` is one more thing that a cache can get wrong.
//! - **CORS.** Browsers have no business here: no `Access-Control-*` header is ever sent.
//! - **Ranges.** `Range` is ignored, as RFC 9110 allows: part of a key set is of no use.

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
