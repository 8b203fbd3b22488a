//! A caller's request becomes the API's.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, TE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use hyper::body::Body as _;
use nhs_auth::{APIKEY, Entropy, X_REQUEST_ID};

use super::connections::Sent;
use super::gate::CALLER_SECRET;
use super::route::Lane;
use super::sent_body::SentBody;
use super::{expectation, hop};

/// The head of a request to an API, but for its credential. It can be sent more than once.
pub(super) struct Outgoing {
    pub(super) parts: Parts,
    pub(super) request_id: HeaderValue,
    /// Whether the caller's own `Authorization` goes in place of ours.
    pub(super) is_authorized: bool,
}

impl Outgoing {
    /// `None` when what is behind the route's prefix can't stand in a URL.
    pub(super) fn of(mut parts: Parts, lane: &Lane, entropy: &dyn Entropy) -> Option<Self> {
        let whole = parts.uri.path_and_query()?;
        parts.uri = lane.route.upstream().with(whole, lane.prefix_length())?;
        let was_http2 = parts.version == Version::HTTP_2;
        parts.version = Version::HTTP_11;
        let headers = &mut parts.headers;
        hop::strip(headers);
        headers.remove(HOST); // it is the API's own, and made of the URL
        headers.remove(CALLER_SECRET);
        for name in [AUTHORIZATION, APIKEY] {
            if !lane.passes(&name) {
                headers.remove(name);
            }
        }
        if was_http2 {
            join_cookies(headers);
        }
        set(headers, lane.headers());
        let request_id = headers.entry(X_REQUEST_ID).or_insert_with(|| {
            HeaderValue::try_from(entropy.uuid().to_string()).expect("a UUID is ASCII")
        });
        let request_id = request_id.clone();
        let is_authorized = headers.contains_key(AUTHORIZATION);
        Some(Self { parts, request_id, is_authorized })
    }

    /// Sets a header for the attempts that follow.
    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.parts.headers.insert(name, value);
    }

    /// One attempt at it.
    pub(super) fn sent(&self, body: SentBody) -> Sent<'_> {
        let (word, body) = if expectation::is_in(&self.parts.headers) && !body.is_end_stream() {
            let (word, go_ahead) = expectation::word();
            (Some(word), body.after(go_ahead))
        } else {
            (None, body)
        };
        Sent { head: &self.parts, body, word }
    }

    /// RFC 9110 §9.2.2.
    pub(super) fn may_be_repeated(&self) -> bool {
        self.parts.method.is_idempotent()
    }
}

/// Trailers come to the API with the headers: what is dropped there is dropped here.
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    hop::strip(trailers);
    for name in [AUTHORIZATION, APIKEY, CALLER_SECRET, CONTENT_LENGTH, HOST, TE] {
        trailers.remove(name);
    }
}

/// A route's own headers, in place of a caller's of the same names.
fn set(headers: &mut HeaderMap, own: &HeaderMap) {
    for name in own.keys() {
        headers.remove(name);
        for value in own.get_all(name) {
            headers.append(name, value.clone());
        }
    }
}

/// HTTP/2 may cut cookies into several fields, and HTTP/1.1 may not (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let cookies: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}
