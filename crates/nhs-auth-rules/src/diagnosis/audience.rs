//! Row 21: `aud`, and what it differs in from the endpoint's URL.

use std::borrow::Cow;

use super::view::View;
use super::{Diagnosed, Profile, RootCause};
use crate::Environment;
use crate::json::{Kind, Value};
use crate::quotable::quotable;

pub(super) fn findings(view: &View<'_>) -> Vec<Diagnosed> {
    let mut findings = Vec::new();
    if let Some(expected) = view.context.token_url {
        if is_refused(view, expected) {
            findings.push(refused(view, expected));
        }
    } else {
        findings.extend(of_no_endpoint(view));
    }
    findings
}

fn is_refused(view: &View<'_>, expected: &str) -> bool {
    if view.context.inputs.profile.is_platform() {
        return view.fault("A21").is_some();
    }
    let Some(aud) = view.claim("aud") else { return view.payload.is_some() };
    !audiences(&aud).iter().any(|one| one == expected)
}

fn refused(view: &View<'_>, expected: &str) -> Diagnosed {
    let rule =
        if view.context.inputs.profile.is_platform() { view.first_of(&["A21"]) } else { None };
    let Some(aud) = view.claim("aud") else {
        let finding = Diagnosed::error(RootCause::Aud, "there is no `aud`").rule_if(rule);
        return label(view, finding, "these claims have no `aud`")
            .fix(format!("add `\"aud\": \"{}\"`", quotable(expected)));
    };
    let given = audiences(&aud);
    let nearest = given.first().cloned().unwrap_or_default();
    let (cause, what) = explain(&nearest, expected);
    let message = match aud.kind() {
        Kind::String | Kind::Array if given.is_empty() => "`aud` is empty".to_owned(),
        Kind::String => format!("`aud` is not the endpoint's URL: {what}"),
        Kind::Array => format!("none of the audiences is the endpoint's URL: {what}"),
        _ => format!("`aud` is {} and not a string", quotable(aud.text())),
    };
    let finding = Diagnosed::error(cause, message).rule_if(rule).why(match cause {
        RootCause::EnvMismatch => {
            "each environment has its own host; `aud` must be the URL that the request is posted \
             to. If the URL is the one that is wrong, the API key will not be known there either"
        }
        _ => "`aud` is compared as text with the URL that the request was posted to",
    });
    // The environment alone says the usual base path, and there are others.
    let inputs = view.context.inputs;
    let is_assumed = inputs.token_url.is_none() && inputs.request.is_none();
    let is_another_base = is_assumed
        && cause == RootCause::Aud
        && given.iter().any(|one| endpoints().any(|endpoint| &endpoint == one));
    let finding = if is_another_base { finding.likely() } else { finding };
    let finding = label(view, finding, format!("must be `{}`", quotable(expected)));
    let finding = match &view.payload {
        Some((_, shown)) => {
            finding.patch("use the endpoint's URL", shown, aud.span(), format!("{expected:?}"))
        }
        None => finding,
    };
    if is_another_base {
        return finding.fix(
            "or, if the request is posted to the URL in `aud`, give that as the token URL: it is an \
             endpoint of this environment, too",
        );
    }
    finding
}

/// With no endpoint to compare with: whether it is any at all.
fn of_no_endpoint(view: &View<'_>) -> Option<Diagnosed> {
    if view.context.inputs.profile != Profile::Platform {
        return None;
    }
    let aud = view.claim("aud");
    let given = aud.as_ref().map(audiences)?;
    let known = |url: &String| endpoints().any(|endpoint| &endpoint == url);
    let first = given.first()?;
    // A mock, or a proxy of one's own, may be anywhere.
    let is_ours = first.contains("service.nhs.uk") || !first.contains("://");
    if given.iter().any(known) || !is_ours {
        return None;
    }
    let nearest = endpoints().min_by_key(|endpoint| explain(first, endpoint).1.len())?;
    let (cause, what) = explain(first, &nearest);
    let message = format!("`aud` is no environment's token endpoint: {what}");
    let finding = Diagnosed::error(cause, message)
        .likely()
        .rule(super::finding::rule("A21"))
        .why("`aud` is compared as text with the URL that the request is posted to");
    Some(
        label(view, finding, "not a token endpoint of the platform")
            .fix(format!("use the URL that you post to, such as `{nearest}`")),
    )
}

fn endpoints() -> impl Iterator<Item = String> {
    Environment::ALL.iter().flat_map(|environment| {
        environment
            .base_paths
            .iter()
            .map(|base| format!("{}{}/token", environment.origin, base.path))
    })
}

fn label(view: &View<'_>, finding: Diagnosed, text: impl Into<String>) -> Diagnosed {
    match view.claim_place("aud") {
        Some((source, span)) => finding.label(source, span, text),
        None => finding,
    }
}

pub(super) fn audiences(aud: &Value<'_>) -> Vec<String> {
    let text = |value: &Value<'_>| value.as_str().map(Cow::into_owned);
    match aud.kind() {
        Kind::Array => aud.elements().unwrap_or_default().iter().filter_map(text).collect(),
        _ => text(aud).into_iter().collect(),
    }
}

/// A URL, taken apart as text.
struct Parts<'u> {
    scheme: &'u str,
    host: &'u str,
    port: Option<&'u str>,
    path: &'u str,
    query: &'u str,
}

fn parts(url: &str) -> Parts<'_> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let query_at = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, query) = rest.split_at(query_at);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    Parts { scheme, host, port, path, query }
}

/// What differs between two URLs, in words, and which root cause that is.
pub(super) fn explain(given: &str, expected: &str) -> (RootCause, String) {
    let trimmed = given.trim().trim_matches(['"', '\'', '<', '>']);
    if trimmed == expected {
        return (RootCause::Aud, "it has white space or quotes around it".to_owned());
    }
    let (ours, theirs) = (parts(trimmed), parts(expected));
    let mut differences = Vec::new();
    let mut cause = RootCause::Aud;
    if ours.scheme.is_empty() {
        differences.push(format!("it lacks `{}://`", theirs.scheme));
    } else if ours.scheme != theirs.scheme {
        differences.push(format!(
            "its scheme is `{}` and not `{}`",
            quotable(ours.scheme),
            theirs.scheme
        ));
    }
    if !ours.host.eq_ignore_ascii_case(theirs.host) {
        let name = |host: &str| Environment::of_host(host).map(|environment| environment.name);
        match (name(ours.host), name(theirs.host)) {
            (Some(ours), Some(theirs)) => {
                cause = RootCause::EnvMismatch;
                differences
                    .push(format!("its host is that of {ours}, and the request goes to {theirs}"));
            }
            (_, Some(_)) if ours.host.contains("cis2") || ours.host.contains("nhsidentity") => {
                differences
                    .push("it is CIS2's endpoint: this assertion is made for CIS2".to_owned());
            }
            (_, Some(_))
                if ours.host.contains("signin.nhs.uk") || ours.host.contains("login.nhs.uk") =>
            {
                differences.push(
                    "it is NHS login's endpoint: this assertion is made for NHS login".to_owned(),
                );
            }
            _ => differences.push(format!(
                "its host is `{}` and not `{}`",
                quotable(ours.host),
                theirs.host
            )),
        }
    } else if ours.host != theirs.host {
        differences.push("its host is written in another case".to_owned());
    }
    match (ours.port, theirs.port) {
        (None, Some(port)) => differences.push(format!("it lacks the port `:{port}`")),
        (Some(port), None) => {
            differences.push(format!("it has a port, `:{port}`, that the URL has not"));
        }
        (Some(ours), Some(theirs)) if ours != theirs => {
            differences.push(format!("its port is {ours} and not {theirs}"));
        }
        _ => {}
    }
    if ours.path != theirs.path {
        differences.push(path_difference(ours.path, theirs.path));
    }
    if ours.query != theirs.query {
        differences.push("it has a query or fragment that the URL has not".to_owned());
    }
    if differences.is_empty() {
        differences.push("it is written in another way".to_owned());
    }
    (cause, differences.join(", and "))
}

fn path_difference(ours: &str, theirs: &str) -> String {
    if ours.trim_end_matches('/') == theirs.trim_end_matches('/') {
        return if ours.len() > theirs.len() {
            "it has a slash at its end that the URL has not".to_owned()
        } else {
            "it lacks the slash at the URL's end".to_owned()
        };
    }
    if ours.eq_ignore_ascii_case(theirs) {
        return "its path is written in another case".to_owned();
    }
    if let Some(rest) = theirs.strip_prefix(ours.trim_end_matches('/')) {
        return format!(
            "its path lacks `{rest}`: it is the issuer or base URL and not the endpoint"
        );
    }
    format!("its path is `{}` and not `{}`", quotable(ours), quotable(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said() {
        let expected = "https://int.api.service.nhs.uk/oauth2/token";
        for (given, cause, what) in [
            ("int.api.service.nhs.uk/oauth2/token", RootCause::Aud, "lacks `https://`"),
            ("http://int.api.service.nhs.uk/oauth2/token", RootCause::Aud, "scheme is `http`"),
            ("https://api.service.nhs.uk/oauth2/token", RootCause::EnvMismatch, "that of prod"),
            ("https://int.api.service.nhs.uk:443/oauth2/token", RootCause::Aud, "a port, `:443`"),
            ("https://int.api.service.nhs.uk/oauth2/token/", RootCause::Aud, "slash at its end"),
            ("https://int.api.service.nhs.uk/oauth2", RootCause::Aud, "lacks `/token`"),
            (
                "https://int.api.service.nhs.uk/oauth2-mock/token",
                RootCause::Aud,
                "`/oauth2-mock/token`",
            ),
            ("https://int.api.service.nhs.uk/OAuth2/token", RootCause::Aud, "another case"),
            ("https://INT.api.service.nhs.uk/oauth2/token", RootCause::Aud, "another case"),
            ("https://int.api.service.nhs.uk/oauth2/token?x=1", RootCause::Aud, "query"),
            (" https://int.api.service.nhs.uk/oauth2/token ", RootCause::Aud, "white space"),
            ("https://example.org/token", RootCause::Aud, "host is `example.org`"),
        ] {
            let (found, text) = explain(given, expected);
            assert!(found == cause && text.contains(what), "{given}: {text}");
        }
    }
}
