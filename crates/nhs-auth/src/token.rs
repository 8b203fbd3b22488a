//! Access tokens: asking for one, and what comes back.

mod access_token;
mod client;
mod error;
mod failure;
mod form;
mod grant;
mod response;
mod retry;

pub use access_token::{AccessToken, IssuedToken};
pub use client::{TokenClient, TokenIssuer};
pub use error::{ErrorClass, RefusalBody, TokenError, TokenErrorKind};
pub(crate) use form::Form;
pub(crate) use grant::{Body, Grant, Means};
pub(crate) use response::seconds;
pub(crate) use retry::Backoff;
