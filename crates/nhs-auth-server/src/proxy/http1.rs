//! HTTP/1.1 as it is spoken to APIs (RFC 9112): one exchange after the other over one connection,
//! driven by the task that the caller is answered in.
//!
//! A request's head is written from the caller's own, and an answer is read into the memory that it
//! is passed on from: no channel, task or second copy is between the two.

mod answer;
mod chunks;
mod connection;
mod error;
mod request;
mod sending;

pub(super) use self::connection::Connection;
pub(super) use self::error::ExchangeError;
