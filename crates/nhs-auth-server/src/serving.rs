//! Connections: taken in, bounded in number and time, and brought to what answers.

pub(crate) mod accept;
pub(crate) mod admin;
mod connection;
mod error;
mod listener;
mod pulse;
mod seats;
mod service;
mod stop;
mod watched;
mod worker;

pub(crate) use self::connection::Limits;
pub use self::error::ServeError;
pub(crate) use self::listener::Listener;
pub(crate) use self::pulse::{Patience, Pulse, UnderWay};
pub(crate) use self::seats::Seats;
pub(crate) use self::service::Service;
pub(crate) use self::stop::{Stop, StopSwitch};
pub(crate) use self::worker::{Work, Workers, cores};
