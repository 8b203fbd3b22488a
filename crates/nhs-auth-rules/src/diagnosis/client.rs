//! Rows 10 and 15: whose assertion it says it is.

use super::view::View;
use super::{Diagnosed, Profile, RootCause};
use crate::quotable::quotable;
use crate::{ApiKey, IdentifierError, Jwt};

/// What a value that stands where the client's name belongs certainly is, if it isn't that.
pub(super) fn certainly_not_an_api_key(value: &str) -> Option<(RootCause, String)> {
    let trimmed = value.trim().trim_matches(['"', '\'', '“', '”', '‘', '’']);
    if trimmed != value && !trimmed.is_empty() {
        return Some((
            RootCause::IsssubWrongid,
            "it has white space or quotes around it".to_owned(),
        ));
    }
    match ApiKey::parse(value) {
        Ok(_) if value.contains("://") => {
            Some((RootCause::IsssubWrongid, "this is a URL and not an API key".to_owned()))
        }
        Ok(_) => None,
        Err(IdentifierError::Placeholder) => Some((
            RootCause::IsssubWrongid,
            "this is a placeholder that was not filled in".to_owned(),
        )),
        Err(IdentifierError::ApplicationIdAsApiKey) => Some((
            RootCause::IsssubWrongid,
            "this is a UUID, an application ID and not an API key".to_owned(),
        )),
        Err(error) => Some((RootCause::IsssubWrongid, error.to_string())),
    }
}

/// Whether the platform can't know the application of this `sub`.
pub(super) fn is_unknown(jwt: &Jwt<'_>, api_key: Option<&str>, profile: Profile) -> bool {
    let payload = jwt.payload.content.as_ref().ok();
    let Some(sub) = payload.and_then(|payload| payload.get("sub")) else { return false };
    profile.is_platform()
        && sub.as_str().is_none_or(|sub| {
            certainly_not_an_api_key(&sub).is_some()
                || api_key.is_some_and(|key| {
                    let key = key.trim();
                    certainly_not_an_api_key(key).is_none() && key != sub.as_ref()
                })
        })
}

const FIND_IT: &str = "in the developer portal open the application of this environment, then \
                       `Active API keys`, then `Edit`, and copy the value called `Key` into `iss` \
                       and `sub`";

pub(super) fn findings(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    if let Some(fault) = view.fault("A10") {
        let claim = ["iss", "sub"].into_iter().find(|name| view.claim(name).is_none());
        let message = match (view.text("iss"), view.text("sub")) {
            (Some(iss), Some(sub)) if !iss.is_empty() && !sub.is_empty() => differing(&iss, &sub),
            _ => fault.message.clone(),
        };
        let finding = Diagnosed::error(RootCause::SubMissing, message)
            .rule(super::finding::rule("A10"))
            .why("`iss` and `sub` are both the API key: the platform wants them equal");
        let finding =
            label(view, finding, claim.unwrap_or("sub"), "must be the API key, as the other");
        findings.push(finding.fix("set both `iss` and `sub` to the API key"));
    } else if view.fault("A15").is_some() {
        findings.push(unknown(view));
    } else if let Some(sub) = view.text("sub")
        && view.context.inputs.profile.is_platform()
        && let Ok(key) = ApiKey::parse(&sub)
        && let Some(oddity) = key.oddity()
    {
        let finding = Diagnosed::note(RootCause::IsssubWrongid, oddity.to_string())
            .possible()
            .why("the platform doesn't say what its API keys look like; all that were seen do so")
            .fix(FIND_IT);
        findings.push(label(view, finding, "sub", "an unusual API key"));
    }
    findings
}

fn differing(iss: &str, sub: &str) -> String {
    let of = |name: &str, value: &str| match certainly_not_an_api_key(value) {
        Some((_, what)) => format!("`{name}`: {what}"),
        None => String::new(),
    };
    let (first, second) = (of("iss", iss), of("sub", sub));
    let mut message = "`iss` and `sub` differ".to_owned();
    if iss.eq_ignore_ascii_case(sub) {
        message.push_str(" in the case of letters alone");
    } else if iss.trim() == sub.trim() {
        message.push_str(" in white space alone");
    }
    for detail in [first, second].into_iter().filter(|detail| !detail.is_empty()) {
        message = format!("{message}; {detail}");
    }
    message
}

fn unknown(view: &View<'_>) -> Diagnosed {
    let rule = super::finding::rule("A15");
    let Some(sub) = view.text("sub") else {
        let finding =
            Diagnosed::error(RootCause::IsssubWrongid, "`sub` is not a string").rule(rule);
        return label(view, finding, "sub", "must be the API key").fix(FIND_IT);
    };
    if let Some((cause, what)) = certainly_not_an_api_key(&sub) {
        let finding = Diagnosed::error(cause, format!("`iss` and `sub` hold no API key: {what}"))
            .rule(rule)
            .why(
                "the platform looks `sub` up among the API keys of its environment, and has one text \
                 for everything that it doesn't find there",
            );
        return label(view, finding, "sub", what).fix(FIND_IT);
    }
    let given = view.context.inputs.api_key.unwrap_or_default().trim();
    let message = if given.eq_ignore_ascii_case(&sub) {
        "`iss` and `sub` differ from the API key in the case of letters".to_owned()
    } else {
        "`iss` and `sub` are another API key than the one that was given".to_owned()
    };
    let finding = Diagnosed::error(RootCause::IsssubWrongid, message).likely().rule(rule).why(
        "the signature is checked with the key of the application that `sub` names; an API key of \
         another environment or application is not known here, or has another public key",
    );
    label(view, finding, "sub", "not the API key that was given").fix(format!(
        "set `iss` and `sub` to `{}`, if that is this environment's key",
        abbreviated(given)
    ))
}

/// As NHS support asks for it.
fn abbreviated(key: &str) -> String {
    let key = quotable(key);
    match (key.get(..4), key.get(key.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if key.len() >= 16 => format!("{first}…{last}"),
        _ => "…".to_owned(),
    }
}

fn label(view: &View<'_>, finding: Diagnosed, claim: &str, text: impl Into<String>) -> Diagnosed {
    match view.claim_place(claim) {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

/// An API key that was given beside the assertion, or alone.
pub(super) fn api_key(given: &str, already_said: bool) -> Option<Diagnosed> {
    let (cause, what) = certainly_not_an_api_key(given.trim())?;
    if already_said {
        return None;
    }
    Some(
        Diagnosed::error(cause, format!("the API key that was given: {what}"))
            .rule(super::finding::rule("A15"))
            .why("the application ID is shown before the API key in the portal, and is never part of a request")
            .fix(FIND_IT),
    )
}
