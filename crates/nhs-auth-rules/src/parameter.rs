//! A parameter of the form, or of the query, as the rules look at it.

use crate::rule::{Fault, Need, Outcome, Place};
use crate::{Evidence, Jwt, Span};

/// The parameter is there. An empty value is there.
pub(crate) fn is_given(evidence: &Evidence<'_>, name: &str) -> Outcome {
    match evidence.form {
        None => Outcome::CannotTell(Need::Form),
        Some(form) if form.get(name).is_some() => Outcome::Pass,
        Some(_) => fault(format!("there is no {name}")),
    }
}

/// The parameter that brings this token is there. Who has the token alone needs no form.
pub(crate) fn brings(evidence: &Evidence<'_>, name: &str, token: Option<&Jwt<'_>>) -> Outcome {
    match (evidence.form, token) {
        (None, Some(_)) => Outcome::Pass,
        _ => is_given(evidence, name),
    }
}

/// The parameter's value. Of one that isn't there another rule speaks.
pub(crate) fn value<'a>(evidence: &Evidence<'a>, name: &str) -> Result<&'a str, Outcome> {
    evidence.form.ok_or(Outcome::CannotTell(Need::Form))?.get(name).ok_or(Outcome::Pass)
}

/// A fault of the request.
pub(crate) fn fault(message: impl Into<String>) -> Outcome {
    Fault::fail(Place::Request, Span::default(), message)
}
