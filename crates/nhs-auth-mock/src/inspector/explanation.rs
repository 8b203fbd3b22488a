//! Why a request was answered as it was: the diagnosis, asked when a page is opened.

use std::sync::Arc;

use nhs_auth_rules::diagnosis::{self, Diagnosed, Inputs, JwksInput, Report, Severity};
use nhs_auth_rules::{Evidence, Fault, Form, JtiHistory, Jwt, KeySetRecord, Outcome, Quota, Rule};

use super::crypto::OwnCrypto;
use crate::app::KeySource;
use crate::recorded::RecordedRequest;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::requests::Remembered;
use crate::transcript::Transcript;

/// What there is to say of a judged request.
pub(super) struct Explanation {
    /// What the rule that refused finds wrong, where it still does.
    pub(super) fault: Option<Fault>,
    pub(super) report: Report,
    /// Whether the request was refused by a rule.
    is_refused: bool,
}

impl Explanation {
    /// What explains the refusal, the first to be named first.
    pub(super) fn causes(&self, rule: &Rule) -> Vec<&Diagnosed> {
        let is_cause = |finding: &&Diagnosed| {
            finding.severity == Severity::Error
                && finding.rule.is_some_and(|other| other.answer == rule.answer)
        };
        self.report.findings.iter().filter(is_cause).collect()
    }

    /// Everything else that was found: further errors in a refused request, and what works and
    /// should not be left.
    pub(super) fn beside(&self, causes: &[&Diagnosed]) -> Vec<&Diagnosed> {
        let is_cause =
            |finding: &Diagnosed| causes.iter().any(|cause| std::ptr::eq(*cause, finding));
        let is_told = |finding: &&Diagnosed| {
            !is_cause(finding) && (self.is_refused || finding.severity != Severity::Error)
        };
        self.report.findings.iter().filter(is_told).collect()
    }
}

/// The explanation of a request that rules were held against. It sees the application as it is
/// registered now.
pub(super) fn of(state: &State, request: &Remembered, form: &Form) -> Option<Explanation> {
    let transcript = request.transcript.as_deref()?;
    if transcript.judged.is_empty() || transcript.request.is_shortened() {
        return None;
    }
    let app = addressee(state, &request.record, form);
    let url = called_url(&request.record, transcript);
    let document = app.as_deref().and_then(|app| key_set(state, app));
    let raw = as_http(&request.record, transcript);
    let report = diagnosis::diagnose(
        &Inputs {
            request: Some(&raw),
            jwks: match &document {
                Some(KeySource::Uploaded(document)) => Some(JwksInput::Document(document)),
                Some(KeySource::Url(url)) => Some(JwksInput::Url(url)),
                Some(KeySource::Nowhere) | None => None,
            },
            api_key: app.as_deref().map(|app| app.identity.api_key()),
            token_url: Some(&url),
            at: Some(transcript.judged_at),
            now: transcript.judged_at,
            ..Inputs::default()
        },
        &OwnCrypto,
    );
    let fault =
        transcript.refused_by.and_then(|rule| fault(rule, form, &url, transcript, app.as_deref()));
    Some(Explanation { fault, report, is_refused: transcript.refused_by.is_some() })
}

/// The URL as it was called.
pub(super) fn called_url(record: &RecordedRequest, transcript: &Transcript) -> String {
    let host = transcript.request.field("host").unwrap_or_default();
    ["http://", host, &record.path].concat()
}

/// The application that a request is from, or seems to be meant to be from: one whose ID stands
/// where the API key belongs, or the only one there is.
fn addressee(state: &State, record: &RecordedRequest, form: &Form) -> Option<Arc<Registered>> {
    if let Some(id) = &record.application_id {
        return state.apps.by_id(id);
    }
    let jwt = Jwt::decode(form.get("client_assertion")?);
    let payload = jwt.payload.content.as_ref().ok()?;
    let named = ["sub", "iss"].into_iter().find_map(|claim| {
        let name = payload.get(claim)?.as_str()?;
        state.apps.by_id(&name).or_else(|| state.apps.by_key(&name))
    });
    named.or_else(|| match &state.apps.all()[..] {
        [only] => Some(Arc::clone(only)),
        _ => None,
    })
}

/// The key set of an application: the document where it is at hand, else its URL.
fn key_set(state: &State, app: &Registered) -> Option<KeySource> {
    match &app.settings.keys {
        KeySource::Nowhere => None,
        KeySource::Uploaded(document) => Some(KeySource::Uploaded(document.clone())),
        KeySource::Url(url) => Some(match state.key_sets.document(url) {
            Some(document) => KeySource::Uploaded(document),
            None => KeySource::Url(url.clone()),
        }),
    }
}

/// The request as it came over the wire, which is how the diagnosis reads one.
fn as_http(record: &RecordedRequest, transcript: &Transcript) -> String {
    let mut raw = format!("{} {} HTTP/1.1\r\n", record.method, record.path);
    for (name, value) in transcript.request.fields() {
        raw.extend([name, ": ", value, "\r\n"]);
    }
    raw.push_str("\r\n");
    raw.push_str(&String::from_utf8_lossy(&transcript.request.body));
    raw
}

/// The first request that used this one's `jti`, if it is remembered.
pub(super) fn earlier_with_jti(state: &State, record: &RecordedRequest) -> Option<u64> {
    let jti = record.jti.as_deref()?;
    let same = |other: &RecordedRequest| {
        other.jti.as_deref() == Some(jti) && other.application_id == record.application_id
    };
    state.requests.newest(0, record.id, usize::MAX, same).last().map(|other| other.id)
}

/// What the rule that refused finds wrong. It is told what it must have been told to refuse.
fn fault(
    rule: &Rule,
    form: &Form,
    url: &str,
    transcript: &Transcript,
    app: Option<&Registered>,
) -> Option<Fault> {
    let jwt = form.get("client_assertion").map(Jwt::decode);
    let is_known = rule.id.as_str() != "A15";
    let evidence = Evidence {
        form: Some(form),
        assertion: jwt.as_ref(),
        now: Some(transcript.judged_at),
        token_url: Some(url),
        jti: Some(JtiHistory::Seen),
        application: Some(app.filter(|_| is_known).map(|app| &app.record)),
        quota: Some(Quota::Exceeded),
        key_set: Some(KeySetRecord::Unreachable),
        ..Evidence::default()
    };
    match rule.check(&evidence) {
        Outcome::Fail(fault) => Some(fault),
        Outcome::Pass | Outcome::CannotTell(_) => None,
    }
}
