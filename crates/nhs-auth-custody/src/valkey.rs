//! What instances share in Valkey or Redis.

mod connection;
mod error;
mod server;
mod sessions;
mod tokens;

pub use server::{InvalidValkeyServer, ValkeyServer};
pub use sessions::ValkeySessionStore;
pub use tokens::ValkeyTokenStore;

/// What names in the server begin with unless told otherwise.
const PREFIX: &str = "nhs-auth:";
