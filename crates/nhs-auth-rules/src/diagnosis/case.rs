//! A diagnosis from its inputs to its report.

use super::key_lint::{self, Lint};
use super::key_set::KeySet;
use super::repair::{self, Repaired};
use super::request::{self, Request};
use super::source::Sources;
use super::view::{Context, View, failed};
use super::{
    Crypto, Diagnosed, Fixed, Inputs, JwksInput, PrivateKeyInput, Profile, Repair, Report,
    RootCause, Severity, answered, assertion, client, damaged_copy, form_faults, one_fact,
    platform_only, profile, signature, subject_token, unchecked, url_shape,
};
use crate::{Evidence, JtiHistory, Jwt, Outcome, Rule, SignatureAlgorithm, UnixMillis, findings};

/// A token, and whether it was pasted or stands in a request as it was sent.
struct Token {
    text: String,
    repairs: Vec<Repair>,
    name: String,
}

pub(super) fn diagnose(inputs: &Inputs<'_>, crypto: &dyn Crypto) -> Report {
    let mut sources = Sources::default();
    let mut report = Report::default();
    let request = inputs.request.map(Request::read).unwrap_or_default();
    let profile = profile_of(inputs, &request);
    let inputs = &Inputs { profile, ..inputs.clone() };
    let now = inputs.at.unwrap_or(inputs.now);
    let token_url = token_url(inputs, &request);

    let (set, mut lints, unreachable) = key_set(inputs, &mut sources, &mut report);
    let tokens = tokens(inputs, &request, set.as_ref(), crypto);
    let latest = tokens.len().checked_sub(1);

    let mut history: Vec<(String, String)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let jwt = Jwt::decode(&token.text);
        let is_latest = Some(index) == latest;
        let identity = identity(&jwt);
        let seen = identity.as_ref().is_some_and(|identity| history.contains(identity));
        let context = Context {
            inputs,
            crypto,
            set: set.as_ref(),
            unreachable,
            token_url: token_url.as_deref(),
            method: request.method.as_deref().filter(|_| is_latest),
            content_type: request.content_type.as_ref().map(Option::as_deref).filter(|_| is_latest),
            form: request.form.as_ref().filter(|_| is_latest),
            history: seen.then_some(JtiHistory::Seen),
            now,
            at_known: inputs.at.is_some(),
        };
        let unknown = client::is_unknown(&jwt, inputs.api_key, profile);
        let view = View::new(context, &jwt, unknown, &token.name, &mut sources);
        if is_latest || tokens.len() <= 1 {
            judge_latest(&view, token, &request, &mut lints, &mut sources, &mut report);
        } else {
            report.repairs.extend(token.repairs.iter().cloned());
        }
        if burns(&view) {
            history.extend(identity);
        }
    }
    if tokens.is_empty() {
        without_assertion(inputs, &request, token_url.as_deref(), &mut report);
    }
    report.findings.extend(lints.into_iter().map(|lint| lint.finding));
    report.findings.extend(inputs.private_key.as_ref().and_then(signature::private_key));
    let is_explained = report.findings.iter().any(|finding| {
        matches!(finding.cause, RootCause::KeyMismatch | RootCause::JwkN)
            || (finding.cause == RootCause::KidMismatch && finding.rule.is_some())
    });
    if !is_explained {
        report.findings.extend(signature::pair(inputs.private_key.as_ref(), set.as_ref()));
    }
    if profile.is_platform() {
        let said = report.findings.iter().any(|finding| finding.cause == RootCause::IsssubWrongid);
        report.findings.extend(inputs.api_key.and_then(|key| client::api_key(key, said)));
    }
    report.findings.extend(environment(inputs, &request, &mut sources));
    let exchanged = subject_token::judge(
        inputs,
        &request,
        now,
        token_url.as_deref(),
        &mut sources,
        &mut report,
    );
    answered::judge(inputs, now, &mut report);
    platform_only::list(inputs, !tokens.is_empty(), exchanged, now, &mut report);
    one_fact::once(&mut report);
    finish(&mut report, &sources);
    report.sources = sources.0;
    report
}

/// A request with a subject token in it is a token exchange.
fn profile_of(inputs: &Inputs<'_>, request: &Request) -> Profile {
    let exchanges = inputs.subject_token.is_some()
        || request.form.as_ref().is_some_and(|form| {
            form.is_token_exchange() || form.grant_type() == Some(crate::GrantType::TokenExchange)
        });
    match inputs.profile {
        Profile::Platform if exchanges => Profile::TokenExchange,
        profile => profile,
    }
}

fn token_url(inputs: &Inputs<'_>, request: &Request) -> Option<String> {
    let own = inputs.token_url.map(|url| url.trim().to_owned());
    own.or_else(|| request.url.clone()).or_else(|| {
        let environment = inputs.environment?;
        match inputs.profile {
            Profile::Cis2 | Profile::NhsLogin => profile::token_url(inputs.profile, environment),
            _ => Some(environment.token_url()),
        }
    })
}

fn key_set(
    inputs: &Inputs<'_>,
    sources: &mut Sources,
    report: &mut Report,
) -> (Option<KeySet>, Vec<Lint>, bool) {
    let (document, is_echo) = match inputs.jwks {
        None => return (None, Vec::new(), false),
        Some(JwksInput::Document(document)) => (document.to_owned(), false),
        Some(JwksInput::Url(url)) => {
            let Some(document) = request::key_set_in_url(url.trim()) else {
                let finding = url_shape::finding(url.trim(), sources);
                let refused = finding.as_ref().is_some_and(|f| f.severity == Severity::Error);
                report.findings.extend(finding);
                return (None, Vec::new(), refused);
            };
            (document, true)
        }
    };
    let Repaired { text, repairs } = if is_echo {
        Repaired { text: document, repairs: Vec::new() }
    } else {
        repair::document("jwks", &document)
    };
    if !repairs.is_empty() {
        report.fixed = Some(Fixed(text.clone()));
        report.repairs.extend(repairs);
    }
    let modulus = match &inputs.private_key {
        Some(PrivateKeyInput::Facts { modulus, .. }) => Some(*modulus),
        _ => None,
    };
    let set = KeySet::read(&text, modulus, sources);
    let lints = key_lint::lint(&text, &set, inputs.profile.is_platform());
    (Some(set), lints, false)
}

/// The assertions, repaired where they were pasted.
fn tokens(
    inputs: &Inputs<'_>,
    request: &Request,
    set: Option<&KeySet>,
    crypto: &dyn Crypto,
) -> Vec<Token> {
    let score = |text: &str| {
        let jwt = Jwt::decode(text);
        match (&jwt.signature.content, set) {
            _ if !jwt.is_well_formed() => 0,
            (Ok(signature), Some(set)) => {
                let algorithms = SignatureAlgorithm::ALL;
                let message = jwt.signing_input();
                let verifies =
                    |algorithm| set.signer(crypto, algorithm, message, signature).is_some();
                1 + u8::from(algorithms.iter().take(2).copied().any(verifies))
            }
            _ => 1,
        }
    };
    let in_form = request.parameter("client_assertion");
    let pasted = inputs.assertions.iter().copied();
    let lifted = request.lifted.as_deref().filter(|_| inputs.assertions.is_empty());
    let given: Vec<(&str, bool)> = pasted
        .chain(lifted)
        .map(|text| (text, false))
        .chain(in_form.map(|text| (text, true)))
        .take(16)
        .collect();
    // The one that was sent may be given twice over, once by itself and once in its request.
    let doubled = given.len() == 2 && given[1].1 && given[0].0.trim() == given[1].0.trim();
    let given = if doubled { vec![given[1]] } else { given };
    let count = given.len();
    given
        .into_iter()
        .enumerate()
        .map(|(index, (text, was_sent))| {
            let name = if count > 1 {
                format!("client_assertion {}", index + 1)
            } else {
                "client_assertion".to_owned()
            };
            // What was sent is judged as it was sent.
            let Repaired { text, repairs } = if was_sent {
                Repaired { text: text.to_owned(), repairs: Vec::new() }
            } else {
                repair::token("client_assertion", text, score)
            };
            Token { text, repairs, name }
        })
        .collect()
}

/// The latest assertion, with its request.
fn judge_latest(
    view: &View<'_>,
    token: &Token,
    request: &Request,
    lints: &mut [Lint],
    sources: &mut Sources,
    report: &mut Report,
) {
    let inputs = view.context.inputs;
    let failures = failed(&view.outcomes);
    if inputs.profile.is_platform() {
        report.findings.extend(form_faults::findings(request, &failures));
        let has_assertion = !failures.contains_key("A2");
        if has_assertion {
            report.findings.extend(assertion::findings(view, sources));
        }
        attach(view, lints, &mut report.findings);
        unchecked::list(&view.outcomes, report);
    } else {
        report.findings.extend(profile::findings(view, request, sources));
        attach(view, lints, &mut report.findings);
    }
    let is_whole = view.jwt.is_well_formed();
    if !token.repairs.is_empty() && is_whole {
        report.repairs.extend(token.repairs.iter().cloned());
        report.fixed = Some(Fixed(token.text.clone()));
        report.findings.extend(damaged_copy::finding(view, &token.repairs));
    }
}

/// Ties what is wrong with the key set to the assertion: of a key that the assertion doesn't use
/// nothing is an error, and what explains a refusal stands in its place.
fn attach(view: &View<'_>, lints: &mut [Lint], findings: &mut [Diagnosed]) {
    let named: Vec<usize> = view.named_keys().iter().map(|key| key.index).collect();
    let is_refused = |id: &str| view.fault(id).is_some();
    let says =
        |findings: &[Diagnosed], cause| findings.iter().any(|finding| finding.cause == cause);
    for lint in lints {
        let refusal = lint.finding.rule.map(|rule| rule.id.as_str());
        let remains = match (refusal, lint.key) {
            (Some("A20"), Some(key)) => named.contains(&key) && is_refused("A20"),
            (Some("A19"), Some(_)) => is_refused("A19"),
            _ => true,
        };
        if !remains && lint.finding.severity == Severity::Error {
            lint.finding.severity = Severity::Warning;
            lint.finding.rule = None;
        }
        let contradicts =
            lint.finding.cause == RootCause::KidMissing && says(findings, RootCause::KidMismatch);
        if contradicts {
            lint.finding.severity = Severity::Warning;
        }
    }
}

/// Only a request, or only keys.
fn without_assertion(
    inputs: &Inputs<'_>,
    request: &Request,
    token_url: Option<&str>,
    report: &mut Report,
) {
    if !inputs.profile.is_platform() {
        return;
    }
    let is_token_request = request.form.as_ref().is_some_and(|form| form.names().next().is_some())
        || (request.method.is_some() && token_url.is_some_and(|url| url.ends_with("/token")));
    if !is_token_request {
        report.findings.extend(form_faults::findings(request, &std::collections::BTreeMap::new()));
        return;
    }
    let evidence = Evidence {
        method: request.method.as_deref(),
        content_type: request.content_type.as_ref().map(Option::as_deref),
        form: request.form.as_ref(),
        now: Some(inputs.now),
        token_url,
        ..Evidence::default()
    };
    let is_other_grant =
        request.form.as_ref().and_then(crate::Form::grant_type).is_some_and(|grant| {
            matches!(grant, crate::GrantType::AuthorizationCode | crate::GrantType::RefreshToken)
        });
    let rules = findings(crate::request::RULES, &evidence);
    let outcomes: Vec<(&'static Rule, Outcome)> = if is_other_grant {
        rules.map(|finding| (finding.rule, finding.outcome)).collect()
    } else {
        rules
            .chain(findings(crate::assertion::RULES, &evidence))
            .map(|finding| (finding.rule, finding.outcome))
            .collect()
    };
    let found = form_faults::findings(request, &failed(&outcomes));
    report.findings.extend(found);
    unchecked::list(&outcomes, report);
}

/// The environment that was named against the URL that was called.
fn environment(inputs: &Inputs<'_>, request: &Request, sources: &mut Sources) -> Option<Diagnosed> {
    let named = inputs.environment?;
    let url = inputs.token_url.or(request.url.as_deref())?;
    let host = url.split_once("://")?.1.split(['/', ':', '?']).next()?;
    let called = crate::Environment::of_host(host)?;
    if called == named || !inputs.profile.is_platform() {
        return None;
    }
    let (source, span) = sources.plain("token_url", url);
    let message = format!("the environment is {named}, and the request goes to {called}");
    Some(
        Diagnosed::warning(RootCause::EnvMismatch, message)
            .label(source, span, format!("this is {called}"))
            .why("each environment has its own applications: an API key of one is unknown in another")
            .fix(format!("post to `{}`", named.token_url())),
    )
}

/// Whose assertion it is, and which.
fn identity(jwt: &Jwt<'_>) -> Option<(String, String)> {
    let payload = jwt.payload.content.as_ref().ok()?;
    let text = |name: &str| Some(payload.get(name)?.as_str()?.into_owned());
    Some((text("sub")?, text("jti").unwrap_or_default()))
}

/// Whether the platform has stored the `jti`: it does so once rows 1 to 14 have passed.
fn burns(view: &View<'_>) -> bool {
    const BEFORE: [&str; 11] =
        ["A3", "A4", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A14", "A2"];
    BEFORE.iter().all(|id| view.fault(id).is_none())
}

/// Marks what the platform names first, fills in what was left out, and sorts.
fn finish(report: &mut Report, sources: &Sources) {
    let order = |finding: &Diagnosed| {
        let id = finding.rule.map(|rule| rule.id);
        id.and_then(|id| crate::all().position(|rule| rule.id == id)).unwrap_or(usize::MAX)
    };
    for finding in &mut report.findings {
        if finding.fixes.is_empty()
            && let Some(rule) = finding.rule
        {
            *finding = finding.clone().fix(rule.fix);
        }
        if finding.why.is_empty() {
            finding.why = finding.cause.title().into();
        }
        // A label without its source would make a reader stumble; none is made, and this shows it.
        finding.labels.retain(|label| {
            sources
                .0
                .get(label.source.0)
                .is_some_and(|source| source.text.get(label.span.start..label.span.end).is_some())
        });
    }
    report.findings.sort_by_key(|finding| (finding.severity, order(finding)));
    let first = report
        .findings
        .iter_mut()
        .find(|finding| finding.severity == Severity::Error && finding.rule.is_some());
    if let Some(first) = first {
        first.first = true;
    }
}

/// When the hour of the platform's cache is over, at the latest.
pub(super) fn cache_ends(now: UnixMillis) -> crate::UnixSeconds {
    now.to_seconds().plus(crate::limits::JWKS_CACHE_S)
}
