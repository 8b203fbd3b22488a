//! A request and its answer, word for word, for whoever wants to know what happened.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use nhs_auth_rules::{Rule, UnixMillis};

use crate::answer::Reply;
use crate::body::Body;
use crate::call::Call;

/// How much of a body is kept.
const LONGEST_BODY: usize = 64 * 1024;

/// What a transcript costs beside its texts, about.
const OVERHEAD: usize = 512;

/// A request and its answer, word for word, and how it was judged.
///
/// What came in is copied: a slice of it would keep the connection's whole read buffer.
pub(crate) struct Transcript {
    /// The path and the query.
    pub(crate) target: String,
    pub(crate) request: Message,
    /// `None` where a fault left the request without one.
    pub(crate) answer: Option<Message>,
    /// The time that it was judged by.
    pub(crate) judged_at: UnixMillis,
    /// The groups of rules that were gone through, in their order, to the first that refused.
    pub(crate) judged: Vec<&'static [Rule]>,
    /// The rule that refused it.
    pub(crate) refused_by: Option<&'static Rule>,
}

/// The header fields and the body of a request or an answer.
pub(crate) struct Message {
    /// Each field on a line of its own, `name: value`.
    head: String,
    /// The body, or its beginning.
    pub(crate) body: Bytes,
    /// The body's whole length.
    pub(crate) length: usize,
    /// Whether the connection ended within the body, on purpose.
    pub(crate) is_cut_off: bool,
}

impl Transcript {
    /// A request that was answered.
    pub(crate) fn answered(call: &Call, reply: &Reply) -> Self {
        Self {
            answer: Some(Message::sent(&reply.headers, &reply.body)),
            judged: reply.note.judged.clone(),
            refused_by: reply.note.rule,
            ..Self::unanswered(call)
        }
    }

    /// A request that got no answer.
    pub(crate) fn unanswered(call: &Call) -> Self {
        let target = call.uri.path_and_query().map_or(call.path(), |target| target.as_str());
        Self {
            target: target.to_owned(),
            request: Message::received(&call.headers, &call.body),
            answer: None,
            judged_at: call.now,
            judged: Vec::new(),
            refused_by: None,
        }
    }

    /// The memory that it takes, about, in bytes.
    pub(crate) fn size(&self) -> usize {
        let answer = self.answer.as_ref().map_or(0, Message::size);
        OVERHEAD + self.target.len() + self.request.size() + answer
    }
}

impl Message {
    fn received(headers: &HeaderMap, body: &Bytes) -> Self {
        Self {
            head: written(headers),
            body: Bytes::copy_from_slice(&body[..body.len().min(LONGEST_BODY)]),
            length: body.len(),
            is_cut_off: false,
        }
    }

    fn sent(headers: &HeaderMap, body: &Body) -> Self {
        let whole = body.bytes();
        let is_long = whole.len() > LONGEST_BODY;
        Self {
            head: written(headers),
            length: whole.len(),
            body: if is_long { Bytes::copy_from_slice(&whole[..LONGEST_BODY]) } else { whole },
            is_cut_off: matches!(body, Body::CutOff(_)),
        }
    }

    /// The header fields, in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().filter_map(|line| line.split_once(": "))
    }

    /// The first field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Whether only the beginning of the body was kept.
    pub(crate) fn is_shortened(&self) -> bool {
        self.length > self.body.len()
    }

    fn size(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

fn written(headers: &HeaderMap) -> String {
    let length = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum();
    let mut head = String::with_capacity(length);
    for (name, value) in headers {
        head.push_str(name.as_str());
        head.push_str(": ");
        head.push_str(&String::from_utf8_lossy(value.as_bytes()));
        head.push('\n');
    }
    head
}

impl fmt::Debug for Transcript {
    /// Without the texts: there are credentials in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript").field("size", &self.size()).finish_non_exhaustive()
    }
}
