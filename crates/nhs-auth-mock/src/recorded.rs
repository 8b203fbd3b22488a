//! A request as the platform remembers it.

use nhs_auth_rules::UnixMillis;
use serde::{Serialize, Serializer};

use crate::answer::Reply;
use crate::call::Call;
use crate::clock;
use crate::fault::FaultKind;

/// The longest path or `jti` that is remembered whole.
const LONGEST: usize = 2048;

/// A request that the platform answered, or that a fault kept it from answering. Calls of the
/// control API and of the inspector are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Its number, which only grows: no two requests of a platform have one number.
    pub id: u64,
    /// When it was answered, by the platform's clock.
    #[serde(serialize_with = "as_rfc3339")]
    pub at: UnixMillis,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The application, where the request let it be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// The status of the answer; 0 when a fault left the request without one.
    pub status: u16,
    /// `error` of an OAuth error, or `errorcode` of a gateway's fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `error_description` of an OAuth error, or `faultstring` of a gateway's fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// `message_id` of an OAuth error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The rule that refused it, such as `A14`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// The assertion's `jti`, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// What an identity provider saw where its answer doesn't say it: CIS2's "JWT is not valid"
    /// stands for many things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The name of the fault that it met: one that answered in the platform's place, or one that
    /// changed how it was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

impl RecordedRequest {
    pub(crate) fn new(at: UnixMillis, call: &Call, reply: &Reply) -> Self {
        let note = &reply.note;
        let owned =
            |text: &Option<std::borrow::Cow<'static, str>>| text.as_deref().map(str::to_owned);
        Self {
            id: 0,
            at,
            method: shortened(call.method.as_str()),
            path: shortened(call.path()),
            application_id: note.application_id.clone(),
            status: reply.status.as_u16(),
            error: owned(&note.error),
            error_description: owned(&note.error_description),
            message_id: note.message_id.clone(),
            rule: note.rule.map(|rule| rule.id.as_str()),
            jti: note.jti.as_deref().map(shortened),
            remark: note.remark.as_deref().map(shortened),
            fault: note.fault,
        }
    }

    /// A request that got no answer.
    pub(crate) fn unanswered(at: UnixMillis, call: &Call, fault: &'static str) -> Self {
        Self {
            id: 0,
            at,
            method: shortened(call.method.as_str()),
            path: shortened(call.path()),
            application_id: None,
            status: 0,
            error: None,
            error_description: None,
            message_id: None,
            rule: None,
            jti: None,
            remark: None,
            fault: Some(fault),
        }
    }
}

impl RecordedRequest {
    /// The fault that answered in the platform's place; one that changed how the request was
    /// served is none.
    pub(crate) fn answered_by(&self) -> Option<&'static str> {
        self.fault.filter(|name| FaultKind::parse(name).is_ok_and(FaultKind::answers))
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST)])
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_rfc3339<S: Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&clock::rfc3339(*at))
}
