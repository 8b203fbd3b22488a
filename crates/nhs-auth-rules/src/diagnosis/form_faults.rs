//! What is wrong with a token request beside its assertion.

use super::finding::rule;
use super::request::Request;
use super::{Diagnosed, RootCause};
use crate::quotable::quotable;
use crate::request::FORM_CONTENT_TYPE;
use crate::{CLIENT_ASSERTION_TYPE, Form, GrantType, Jwt};

/// What is wrong with the request itself, in the platform's order.
pub(super) fn findings(
    request: &Request,
    failed: &std::collections::BTreeMap<&'static str, &crate::Fault>,
) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    let mut refused = |id: &str, cause, message: String| {
        if failed.contains_key(id) {
            let finding = Diagnosed::error(cause, message).rule(rule(id));
            findings.push(finding.fix(rule(id).fix));
        }
    };
    let method = request.method.as_deref().map(quotable).unwrap_or_default();
    refused(
        "R8",
        RootCause::ReqForm,
        format!("the token endpoint is asked by {method} and not by POST"),
    );
    let is_form_type = !failed.contains_key("R1");
    refused("R1", RootCause::ReqContentType, content_type(request));
    // Without a form there are no parameters to be missing.
    if is_form_type || request.form.as_ref().is_some_and(|form| form.names().next().is_some()) {
        for id in ["R6", "R7", "R7b", "A1", "A1b", "A2"] {
            if let Some(fault) = failed.get(id) {
                let name = parameter_of(id);
                let message = parameter(request, name, &quotable(&fault.message));
                refused(id, cause_of_parameter(request, id), message);
            }
        }
    }
    findings.extend(doubled(request));
    findings.extend(pattern(request));
    findings
}

fn content_type(request: &Request) -> String {
    match request.content_type.as_ref().and_then(Option::as_deref) {
        None => "the request has no Content-Type".to_owned(),
        Some(given) if given.starts_with(FORM_CONTENT_TYPE) => {
            format!("the content type is `{}`: nothing may stand behind the type", quotable(given))
        }
        Some(given) if given.contains("json") => {
            "the parameters were sent as JSON and not as a form".to_owned()
        }
        Some(given) => format!("the content type is `{}` and not that of a form", quotable(given)),
    }
}

fn parameter_of(id: &str) -> &'static str {
    match id {
        "A1" => "client_assertion_type",
        "A2" => "client_assertion",
        "R6" => "subject_token_type",
        _ => "grant_type",
    }
}

fn cause_of_parameter(request: &Request, id: &str) -> RootCause {
    let grant = request.parameter("grant_type").unwrap_or_default();
    match id {
        "R7" if ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
            .contains(&grant) =>
        {
            RootCause::WrongPattern
        }
        _ => RootCause::ReqForm,
    }
}

/// Why a parameter is refused: what it nearly is.
pub(super) fn parameter(request: &Request, name: &str, fault: &str) -> String {
    let Some(form) = &request.form else { return fault.to_owned() };
    let Some(value) = form.get(name) else {
        let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' ', '\u{feff}'], "");
        return match form.names().find(|other| plain(other) == plain(name)) {
            Some(other) => format!("there is no `{name}`, but a `{}`", quotable(other)),
            None => format!("there is no `{name}` in the form"),
        };
    };
    let unquoted = value.trim().trim_matches(['"', '\'']);
    let twice = value.contains("%3A") || value.contains("%3a") || value.contains("%2F");
    if twice {
        format!("`{name}` was percent-encoded twice")
    } else if unquoted != value {
        format!("`{name}` has quotes or white space around it")
    } else if value.is_empty() {
        format!("`{name}` is empty")
    } else if name == "client_assertion_type" && value.eq_ignore_ascii_case(CLIENT_ASSERTION_TYPE) {
        format!("`{name}` is written in another case")
    } else {
        format!("`{name}` is `{}`", quotable(value))
    }
}

/// A parameter that stands twice.
fn doubled(request: &Request) -> Vec<Diagnosed> {
    let Some(form) = &request.form else { return Vec::new() };
    let names: Vec<&str> = form.names().take(64).collect();
    let mut findings = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let before = names[..index].iter().filter(|other| *other == name).count();
        if before == 1 {
            let message = format!("the parameter `{}` stands twice in the form", quotable(name));
            findings.push(
                Diagnosed::warning(RootCause::ReqForm, message)
                    .why("a parameter must not be repeated (RFC 6749 §3.2); the first is what counts here, by inference")
                    .fix("send it once"),
            );
        }
    }
    findings
}

/// An assertion where an access token belongs.
fn pattern(request: &Request) -> Option<Diagnosed> {
    let authorization = request.authorization.as_deref()?;
    let token = authorization.split_once(' ').map_or(authorization, |(_, token)| token.trim());
    let jwt = Jwt::decode(token);
    let payload = jwt.payload.content.as_ref().ok()?;
    let is_for_a_token_endpoint =
        payload.get("aud").is_some_and(|aud| aud.text().contains("token"));
    let is_id_token = payload.get("iss").is_some_and(|iss| iss.text().contains("://"));
    let (what, fix) = match (is_for_a_token_endpoint, is_id_token) {
        (true, _) => (
            "a client assertion is sent as the access token",
            "post the assertion to the token endpoint first, and send the `access_token` of the answer",
        ),
        (false, true) => (
            "an ID token is sent as the access token",
            "exchange the ID token for an access token at the token endpoint",
        ),
        _ => return None,
    };
    let is_token_request = request
        .form
        .as_ref()
        .and_then(Form::grant_type)
        .is_some_and(|grant| grant != GrantType::Unknown);
    let finding = Diagnosed::new(
        RootCause::WrongPattern,
        if is_token_request { super::Severity::Warning } else { super::Severity::Error },
        what,
    );
    let finding = if is_token_request { finding } else { finding.rule(rule("G2")) };
    Some(
        finding
            .why("an access token of the platform is 28 letters and digits, and no JWT")
            .fix(fix),
    )
}
