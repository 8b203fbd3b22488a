//! Why a request was answered as it was: the diagnosis, asked when a page is opened.

use std::sync::Arc;

use nhs_auth_rules::diagnosis::{self, Diagnosed, Inputs, JwksInput, Report, Severity};
use nhs_auth_rules::{
    CodeRecord, Evidence, Fault, Form, JtiHistory, Jwt, KeySetRecord, Outcome, Quota,
    RefreshTokenRecord, Rule, SecretRecord, SessionRecord, SignInRecord,
};

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
    let is_refused = transcript.refused_by.is_some();
    let url = called_url(state, &request.record, transcript);
    let app = addressee(state, &request.record, form);
    let is_token_request = request.record.path.ends_with("/token");
    let report = if is_token_request {
        diagnosed(state, request, transcript, &url, app.as_deref())
    } else {
        Report::default()
    };
    let refusing = transcript.refused_by;
    let fault = refusing.and_then(|rule| fault(rule, form, &url, transcript, app.as_deref()));
    Some(Explanation { fault, report, is_refused })
}

fn diagnosed(
    state: &State,
    request: &Remembered,
    transcript: &Transcript,
    url: &str,
    app: Option<&Registered>,
) -> Report {
    let document = app.and_then(|app| key_set(state, app));
    let raw = as_http(&request.record, transcript);
    let inputs = Inputs {
        request: Some(&raw),
        jwks: match &document {
            Some(KeySource::Uploaded(document)) => Some(JwksInput::Document(document)),
            Some(KeySource::Url(url)) => Some(JwksInput::Url(url)),
            Some(KeySource::Nowhere) | None => None,
        },
        api_key: app.map(|app| app.identity.api_key()),
        token_url: Some(url),
        at: Some(transcript.judged_at),
        now: transcript.judged_at,
        ..Inputs::default()
    };
    diagnosis::diagnose(&inputs, &OwnCrypto)
}

/// The request's parameters: its form, or its query where it has no body.
pub(super) fn parameters(record: &RecordedRequest, transcript: &Transcript) -> Form {
    if record.method == "GET" {
        let query = transcript.target.split_once('?').map_or("", |(_, query)| query);
        return Form::parse(query.as_bytes());
    }
    Form::parse(&transcript.request.body)
}

/// The URL as it was called.
fn called_url(state: &State, record: &RecordedRequest, transcript: &Transcript) -> String {
    let host = transcript.request.field("host").unwrap_or_default();
    let origin = state.settings.public_url.clone().unwrap_or_else(|| format!("http://{host}"));
    origin + &record.path
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
    let token = |name| form.get(name).map(Jwt::decode);
    let (assertion, id_token) = (token("client_assertion"), token("subject_token"));
    let logout_token = token("logout_token");
    let worst = Evidence {
        form: Some(form),
        assertion: assertion.as_ref(),
        id_token: id_token.as_ref(),
        logout_token: logout_token.as_ref(),
        now: Some(transcript.judged_at),
        token_url: Some(url),
        jti: Some(JtiHistory::Seen),
        application: Some(app.map(|app| &app.record)),
        quota: Some(Quota::Exceeded),
        key_set: Some(KeySetRecord::Unreachable),
        provider: Some(None),
        provider_key_set: Some(KeySetRecord::Unreachable),
        client_secret: Some(SecretRecord::Wrong),
        authorization_code: Some(CodeRecord::Unknown),
        refresh_token: Some(RefreshTokenRecord::Unknown),
        sign_in: Some(SignInRecord::Unknown),
        session: Some(SessionRecord::Unknown),
        ..Evidence::default()
    };
    let unknown_app = Evidence { application: Some(None), ..worst };
    let expired = Evidence { refresh_token: Some(RefreshTokenRecord::Expired), ..worst };
    [worst, unknown_app, expired].iter().find_map(|evidence| match rule.check(evidence) {
        Outcome::Fail(fault) => Some(fault),
        Outcome::Pass | Outcome::CannotTell(_) => None,
    })
}
