//! `--live`: the key set at its URL, as it looks from outside.

use std::time::Duration;

use nhs_auth::{
    ClockSkew, HostKind, HostedKeySet, HostedKeySetError, LocalCrypto, Served, SystemClock,
    Unserved,
};
use nhs_auth_rules::diagnosis::{self, Diagnosed, Inputs, JwksInput, Report, RootCause, Severity};
use nhs_auth_rules::{Rule, json};

use super::gather::Gathered;
use crate::commands;
use crate::console::Console;
use crate::failure::Failure;

/// From how long on an answer is slow.
const SLOW: Duration = Duration::from_secs(10);

/// How long the platform keeps a key set.
const HOUR_S: u64 = 3600;

/// Looks at the URL that was given. Nothing else is asked.
pub(super) fn look(gathered: &Gathered, console: Console) -> Result<HostedKeySet, Failure> {
    let Some(url) = gathered.jwks_url() else {
        return Err(Failure::usage("--live looks at a hosted key set, and no URL was given")
            .hint("give it with --jwks URL, as the developer portal shows it"));
    };
    console.note(format_args!("fetching {} twice", shown_url(url)));
    let clock = SystemClock::default();
    let look = HostedKeySet::look(url, &clock);
    let hosted = commands::small_runtime()?.block_on(look).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        match error {
            HostedKeySetError::Credential => failure.hint(
                "the platform sends no credential, so a key set must be public; give the URL \
                 without it",
            ),
            _ => failure,
        }
    })?;
    if let Err(error @ Unserved::NoHttpClient { .. }) = &hosted.first.served {
        return Err(Failure::usage(error.to_string()).hint(
            "install the package ca-certificates, or name a file of certificate authorities with \
             SSL_CERT_FILE",
        ));
    }
    console.note(format_args!("seen in {:.1} s at most", hosted.slowest().as_secs_f64()));
    Ok(hosted)
}

/// What was served, if it can be judged as a key set.
pub(super) fn document(hosted: &HostedKeySet) -> Option<String> {
    let served = hosted.good().filter(|served| !is_web_page(served))?;
    Some(String::from_utf8_lossy(&served.body).into_owned())
}

/// Adds what was seen to a report.
pub(super) fn add(report: &mut Report, hosted: &HostedKeySet, inputs: &Inputs<'_>) {
    let mut findings = Vec::new();
    let shape = shape(hosted, inputs);
    let is_shape_wrong = shape.as_ref().is_some_and(|it| it.severity == Severity::Error);
    findings.extend(shape);
    findings.extend(availability(hosted).map(|mut finding| {
        // One fact, one error: from a place like that the platform fetches nothing anyway.
        if is_shape_wrong && finding.severity == Severity::Error {
            finding.severity = Severity::Note;
            finding.rule = None;
        }
        finding
    }));
    if let Some(served) = hosted.good() {
        let is_told = report
            .findings
            .iter()
            .any(|it| it.cause == RootCause::JwksShape && it.severity == Severity::Error);
        let content = content(served).filter(|_| !is_told);
        findings.extend(content);
        findings.extend(media_type(served));
        findings.extend(max_age(served));
    }
    findings.extend(change(hosted));
    findings.extend(slowness(hosted.slowest()));
    findings.extend(hosted.skew.and_then(skew));
    merge(report, findings);
}

/// What the URL alone says, by the same rule as without `--live`.
fn shape(hosted: &HostedKeySet, inputs: &Inputs<'_>) -> Option<Diagnosed> {
    let url = Inputs {
        jwks: Some(JwksInput::Url(&hosted.url)),
        now: inputs.now,
        profile: inputs.profile,
        ..Inputs::default()
    };
    let judged = diagnosis::diagnose(&url, &LocalCrypto::default());
    let mut finding =
        judged.findings.into_iter().find(|it| it.cause == RootCause::JwksUnreachable)?;
    // They point into the other report's sources.
    finding.labels.clear();
    finding.first = false;
    let is_local = |url: &str| {
        ["http://127.", "http://localhost", "http://[::1]"]
            .iter()
            .any(|local| url.to_ascii_lowercase().starts_with(local))
    };
    if hosted.shape.host == HostKind::Loopback && inputs.token_url.is_some_and(is_local) {
        finding.severity = Severity::Note;
        finding.rule = None;
        "the key set's URL is on this machine, where a mock can fetch it and the platform can't"
            .clone_into(&mut finding.message);
    }
    Some(finding)
}

/// Whether a key set could be fetched at all.
fn availability(hosted: &HostedKeySet) -> Option<Diagnosed> {
    let problems = [&hosted.first, &hosted.second].map(|look| problem(look.served.as_ref()));
    match problems {
        [Some(finding), Some(_)] => Some(finding),
        [Some(mut finding), None] | [None, Some(mut finding)] => {
            finding.severity = Severity::Warning;
            finding.message = format!("of two requests one failed: {}", finding.message);
            Some(finding)
        }
        [None, None] => None,
    }
}

fn problem(served: Result<&Served, &Unserved>) -> Option<Diagnosed> {
    let unreachable = |message: String| {
        Diagnosed::new(RootCause::JwksUnreachable, Severity::Error, message).rule(rule("A18"))
    };
    let served = match served {
        Ok(served) => served,
        Err(error @ Unserved::TooLarge) => {
            let message = format!("what is served can't be a key set: {error}");
            let finding = Diagnosed::new(RootCause::JwksShape, Severity::Error, message);
            return Some(
                finding
                    .rule(rule("A18"))
                    .likely()
                    .why("a key set of a few keys has a few thousand bytes")
                    .fix("serve the key set alone at this URL"),
            );
        }
        Err(error) => {
            let message = format!("the key set can't be fetched: {}", plain(&error.to_string()));
            return Some(unreachable(message).likely().why(reason(error)).fix(
                "open the URL from a machine outside your network, with `curl -v` and without a \
                 proxy or a VPN",
            ));
        }
    };
    if served.is_success() {
        return None;
    }
    let status = served.status;
    Some(match (&served.redirect, status) {
        (Some(target), _) => {
            let target = shown_url(target);
            unreachable(format!("the key set's URL answers {status} and points to `{target}`"))
                .why("a redirect is not followed: the key set must be at the URL itself")
                .fix(format!("register `{target}`, if the key set is there and it is public"))
        }
        (None, 401 | 403 | 407) => {
            unreachable(format!("the key set's URL answers {status}: it wants a credential"))
                .why("the platform sends none, and comes from addresses of its own")
                .fix("publish the key set where anybody can read it: it holds public keys alone")
        }
        (None, 404 | 410) => {
            unreachable(format!("the key set's URL answers {status}: nothing is there"))
                .fix("compare the URL with where the key set was published, to the letter")
        }
        _ => unreachable(format!("the key set's URL answers {status}"))
            .fix("look into the server's own log for this request"),
    })
}

fn reason(error: &Unserved) -> &'static str {
    match error {
        Unserved::NameNotResolved { .. } => {
            "the platform resolves names in the public DNS: one that only a private network knows \
             is unknown to it"
        }
        Unserved::Tls { .. } => {
            "the platform checks the certificate by its own trust store; mostly one has expired, \
             is for another name, or is served without its intermediate"
        }
        Unserved::TimedOut { .. } => "the platform waits as long, and then gives up",
        _ => "the platform fetches the key set over the public internet",
    }
}

/// Whether it is JSON at all.
fn content(served: &Served) -> Option<Diagnosed> {
    let text = String::from_utf8_lossy(&served.body);
    let shape = |message: String| {
        Diagnosed::new(RootCause::JwksShape, Severity::Error, message).rule(rule("A19")).likely()
    };
    if is_web_page(served) {
        return Some(
            shape("a web page is served, and not a key set".to_owned())
                .why("mostly a login, an error page with status 200, or a page around the file")
                .fix("serve the JSON document itself at this URL, to anybody"),
        );
    }
    let error = json::Value::parse(&text).err()?;
    let what = if text.trim().is_empty() { "nothing".to_owned() } else { error.to_string() };
    Some(
        shape(format!("what is served is not JSON: {}", plain(&what)))
            .why("no key is found in what can't be read")
            .fix("serve the document as `nhs-auth generate-keys` wrote it"),
    )
}

fn is_web_page(served: &Served) -> bool {
    served.body.trim_ascii_start().starts_with(b"<")
}

fn media_type(served: &Served) -> Option<Diagnosed> {
    if is_web_page(served) {
        return None;
    }
    let message = match served.media_type() {
        Some(found) if found.ends_with("json") => return None,
        Some(found) => format!("the key set is served as `{}`", plain(&found)),
        None => "the key set is served without a content type".to_owned(),
    };
    Some(
        Diagnosed::new(RootCause::JwksShape, Severity::Note, message)
            .why("the platform reads the document all the same; other readers are stricter")
            .fix("serve it as `application/json` or `application/jwk-set+json`"),
    )
}

fn max_age(served: &Served) -> Option<Diagnosed> {
    let seconds = served.max_age_s().filter(|seconds| *seconds > HOUR_S)?;
    let message = format!("caches may keep the key set for {seconds} s, which is over an hour");
    Some(
        Diagnosed::new(RootCause::JwksCache, Severity::Note, message)
            .why(
                "the platform keeps its own copy for an hour, whatever this says; a cache on the \
                 way adds its time to that when a key is new",
            )
            .fix("serve it with `Cache-Control: max-age=3600` or less"),
    )
}

fn change(hosted: &HostedKeySet) -> Option<Diagnosed> {
    if hosted.is_stable() != Some(false) {
        return None;
    }
    Some(
        Diagnosed::new(
            RootCause::JwksShape,
            Severity::Warning,
            "two requests, one after the other, got different documents",
        )
        .why(
            "mostly several servers behind one name, not all of them with the same keys: which \
             one the platform meets is chance, and it keeps the answer for an hour",
        )
        .fix("bring every server and cache behind the URL to the same bytes"),
    )
}

fn slowness(took: Duration) -> Option<Diagnosed> {
    if took <= SLOW {
        return None;
    }
    let message = format!("the key set took {} s to be served", took.as_secs());
    Some(
        Diagnosed::new(RootCause::JwksUnreachable, Severity::Warning, message)
            .why("the platform gives up after 55 s, and whoever asks for a token waits as long")
            .fix("serve the key set as a file, with nothing to wake up or to compute behind it"),
    )
}

fn skew(skew: ClockSkew) -> Option<Diagnosed> {
    if !skew.is_remarkable() {
        return None;
    }
    let message = format!("{skew}, by the `Date` of the key set's server");
    Some(
        Diagnosed::new(RootCause::ExpClock, Severity::Warning, message)
            .likely()
            .why("`exp` is counted by this clock, and the platform judges it by its own")
            .fix("have the clock set by NTP; if it is right, the server's is wrong"),
    )
}

/// Sorts findings in where they belong, and marks anew what the platform names first.
fn merge(report: &mut Report, findings: Vec<Diagnosed>) {
    let order = |finding: &Diagnosed| {
        let id = finding.rule.map(|rule| rule.id);
        id.and_then(|id| nhs_auth_rules::all().position(|rule| rule.id == id)).unwrap_or(usize::MAX)
    };
    let refuses =
        |finding: &Diagnosed| finding.severity == Severity::Error && finding.rule.is_some();
    let is_refused = findings.iter().any(refuses);
    let before = report.first().map(&order);
    let new = findings.iter().filter(|it| refuses(it)).map(&order).min();
    report.findings.extend(findings);
    report.findings.sort_by_key(|finding| (finding.severity, order(finding)));
    if let Some(new) = new
        && before.is_none_or(|before| new < before)
    {
        let mut is_marked = false;
        for finding in &mut report.findings {
            finding.first = !is_marked && refuses(finding) && order(finding) == new;
            is_marked |= finding.first;
        }
    }
    if is_refused {
        report.unchecked.retain(|unchecked| unchecked.rule.id.as_str() != "A18");
    }
}

fn rule(id: &str) -> &'static Rule {
    nhs_auth_rules::explain(id).expect("every rule that is named here exists")
}

/// A URL without what may be a secret in it.
pub(super) fn shown_url(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let bare = match bare.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => bare.to_owned(),
    };
    plain(&bare)
}

/// A stranger's text, fit for a terminal.
fn plain(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_are_not_slow_and_more_are() {
        assert!(slowness(SLOW).is_none());
        let finding = slowness(Duration::from_secs(11)).unwrap();
        assert_eq!(finding.message, "the key set took 11 s to be served");
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let url = "https://me:hush@example.org/a?sig=hush#hush";
        assert_eq!(shown_url(url), "https://example.org/a");
        assert_eq!(shown_url("/next?sig=hush"), "/next");
    }
}
