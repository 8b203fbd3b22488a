//! The head of an API's answer becomes ours.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http::{Extensions, Version};
use hyper::ext::ReasonPhrase;

use super::hop;

/// Takes out what was for the connection to the API, and says the rest over again.
pub(super) fn pass_on(parts: &mut Parts) {
    // RFC 9112 §6.3: it is not the length, and another might believe it.
    if parts.headers.contains_key(TRANSFER_ENCODING) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    hop::strip(&mut parts.headers);
    // In the words of HTTP/1.0 the end of a body couldn't be told from a cut (RFC 9110 §2.5).
    parts.version = Version::HTTP_11;
    let reason = parts.extensions.remove::<ReasonPhrase>();
    parts.extensions = Extensions::new();
    if let Some(reason) = reason {
        parts.extensions.insert(reason);
    }
}
