//! Access tokens: asking for one, and what comes back.

mod access_token;
mod error;
mod request;
mod response;
mod retry;

pub use access_token::{AccessToken, IssuedToken};
pub use error::{ErrorClass, RefusalBody, TokenError, TokenErrorKind};
pub use request::{TokenClient, TokenIssuer};
pub(crate) use retry::Backoff;
