//! Where the faults of a subject token are shown.

use crate::diagnosis::SourceId;
use crate::diagnosis::source::{Shown, Sources};
use crate::diagnosis::view::place;
use crate::json::Object;
use crate::rule::{Fault, Place};
use crate::subject_token::delegated_token;
use crate::{Jwt, Part, Span};

/// The decoded texts of a subject token, and of the delegated token in it, as the report shows
/// them. What can't be decoded isn't shown.
#[derive(Debug, Default)]
pub(super) struct Texts {
    header: Option<Shown>,
    payload: Option<(Object, Shown)>,
    delegated_header: Option<Shown>,
    delegated_payload: Option<Shown>,
}

impl Texts {
    pub(super) fn new(jwt: &Jwt<'_>, sources: &mut Sources) -> Self {
        let mut shown = |name: &str, part: &Part<Object>| {
            Some(sources.object(name, part.content.as_ref().ok()?))
        };
        let header = shown("subject_token (header)", &jwt.header);
        let payload = shown("subject_token (payload)", &jwt.payload);
        let payload = jwt.payload.content.as_ref().ok().cloned().zip(payload);
        let compact = payload.as_ref().and_then(|(payload, _)| delegated_token(payload));
        let delegated = compact.as_deref().map(Jwt::decode);
        Self {
            header,
            payload,
            delegated_header: delegated
                .as_ref()
                .and_then(|jwt| shown("act.sub (header)", &jwt.header)),
            delegated_payload: delegated
                .as_ref()
                .and_then(|jwt| shown("act.sub (payload)", &jwt.payload)),
        }
    }

    /// The place of a fault.
    pub(super) fn fault(&self, fault: &Fault) -> Option<(SourceId, Span)> {
        let shown = match fault.place {
            Place::IdTokenHeader => self.header.as_ref(),
            Place::IdTokenPayload => self.payload.as_ref().map(|(_, shown)| shown),
            Place::DelegatedTokenHeader => self.delegated_header.as_ref(),
            Place::DelegatedTokenPayload => self.delegated_payload.as_ref(),
            Place::DelegatedToken => return self.claim_of("act", "sub"),
            _ => None,
        }?;
        Some((shown.id, shown.span(fault.span)))
    }

    /// The place of a claim; the whole payload for one that is missing.
    pub(super) fn claim(&self, name: &str) -> Option<(SourceId, Span)> {
        let (payload, shown) = self.payload.as_ref()?;
        Some(place(payload, shown, name))
    }

    fn claim_of(&self, object: &str, name: &str) -> Option<(SourceId, Span)> {
        let (payload, shown) = self.payload.as_ref()?;
        let object = payload.get(object)?.as_object()?;
        Some(place(&object, shown, name))
    }
}
