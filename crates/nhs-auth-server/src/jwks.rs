//! The URL at which the platform fetches an application's public keys.

mod endpoint;
mod follow;
mod layer;
mod path;
mod server;

pub use self::endpoint::{EmptyKeySet, JwksEndpoint, JwksState, ServedKeySet};
pub use self::layer::{JwksBody, JwksFuture, JwksLayer, JwksService};
pub use self::path::{InvalidJwksPath, JwksPath};
pub use self::server::{JwksServer, JwksServerBuilder};
