//! What answers.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};

use super::pulse::Pulse;

/// Answers requests, on every thread and for every connection.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// The bodies of its answers.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static;

    /// What one thread has of it: connections of its own to others, say.
    fn for_this_thread(&self) -> Self {
        self.clone()
    }

    /// Answers a request. The connection's times are kept in `pulse`: it has to hear that the
    /// request is [answered](Pulse::answered), or that it is [under way](Pulse::begin).
    fn answer(
        &self,
        request: Request<Incoming>,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Response<Self::Body>> + Send + use<Self>;
}
