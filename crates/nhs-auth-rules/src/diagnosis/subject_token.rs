//! The subject token of a token exchange, and the delegated token in it, by the rulebook's rows.

mod texts;

use texts::Texts;

use super::finding::rule;
use super::moment::duration;
use super::repair::{self, Repaired};
use super::request::Request;
use super::source::Sources;
use super::view::failed;
use super::{
    Diagnosed, Fixed, Inputs, Profile, Report, RootCause, encoding, form_faults, unchecked,
};
use crate::issuer::{Issuer, Trust};
use crate::json::{Object, Value};
use crate::logout_token::LOGOUT_EVENT;
use crate::quotable::quotable;
use crate::rule::Fault;
use crate::subject_token::RULES;
use crate::{Environment, Evidence, IdentityProvider, Jwt, Outcome, Rule, UnixMillis, javascript};

const SEND_THE_ID_TOKEN: &str = "send the `id_token` of the sign-in's token answer";

/// Judges the subject token of a token exchange, and says whether there is one.
pub(super) fn judge(
    inputs: &Inputs<'_>,
    request: &Request,
    now: UnixMillis,
    token_url: Option<&str>,
    sources: &mut Sources,
    report: &mut Report,
) -> bool {
    if inputs.profile != Profile::TokenExchange {
        return false;
    }
    let token = token(inputs, request);
    let jwt = token.as_ref().map(|token| Jwt::decode(&token.text));
    if let (Some(Repaired { text, repairs }), Some(jwt)) = (&token, &jwt)
        && !repairs.is_empty()
        && jwt.is_well_formed()
    {
        report.repairs.extend(repairs.iter().cloned());
        report.fixed.get_or_insert(Fixed(text.clone()));
    }
    let texts = jwt.as_ref().map(|jwt| Texts::new(jwt, sources)).unwrap_or_default();
    let case = Case::open(inputs, request, now, token_url, jwt.as_ref(), texts);
    for (rule, outcome) in &case.outcomes {
        if let Outcome::Fail(fault) = outcome {
            report.findings.push(case.finding(rule, fault, sources));
        }
    }
    report.findings.extend(case.other_kind_of_token());
    report.findings.extend(case.level_of_cis2());
    unchecked::list(&case.outcomes, report);
    token.is_some()
}

/// The token that was given, repaired where it was pasted, or the one that was sent.
fn token(inputs: &Inputs<'_>, request: &Request) -> Option<Repaired> {
    if let Some(pasted) = inputs.subject_token {
        let score = |text: &str| u8::from(Jwt::decode(text).is_well_formed());
        return Some(repair::token("subject_token", pasted, score));
    }
    let sent = request.parameter("subject_token")?;
    Some(Repaired { text: sent.to_owned(), repairs: Vec::new() })
}

/// A subject token beside its request, with what every rule says of it.
struct Case<'c> {
    request: &'c Request,
    now: UnixMillis,
    at_known: bool,
    jwt: Option<&'c Jwt<'c>>,
    texts: Texts,
    issuer: Option<Issuer>,
    trust: Trust,
    outcomes: Vec<(&'static Rule, Outcome)>,
}

impl<'c> Case<'c> {
    fn open(
        inputs: &Inputs<'_>,
        request: &'c Request,
        now: UnixMillis,
        token_url: Option<&str>,
        jwt: Option<&'c Jwt<'c>>,
        texts: Texts,
    ) -> Self {
        let iss = jwt.and_then(|jwt| payload(jwt)?.get("iss"));
        let iss = iss.as_ref().map(javascript::to_string);
        let issuer = iss.as_deref().and_then(Issuer::of);
        let trust = match &iss {
            Some(iss) => Trust::of(iss, environment(inputs, token_url), token_url),
            None => Trust::Unknown,
        };
        let evidence = Evidence {
            form: request.form.as_ref().filter(|form| form.is_token_exchange()),
            id_token: jwt,
            now: Some(now),
            provider: match &trust {
                Trust::Refused { .. } => Some(None),
                Trust::Trusted(provider) => Some(Some(*provider)),
                Trust::Unknown => None,
            },
            ..Evidence::default()
        };
        // The level is looked at as its issuer's, trusted or not.
        let provider =
            issuer.map(Issuer::provider).or_else(|| jwt.and_then(payload).and_then(by_its_claims));
        let as_if_trusted = Evidence { provider: provider.map(Some), ..evidence };
        let outcome = |rule: &'static Rule| match rule.id.as_str() {
            "S15" | "S16" => (rule, rule.check(&as_if_trusted)),
            _ => (rule, rule.check(&evidence)),
        };
        let outcomes = RULES.iter().map(outcome).collect();
        Self { request, now, at_known: inputs.at.is_some(), jwt, texts, issuer, trust, outcomes }
    }

    fn finding(&self, rule: &'static Rule, fault: &Fault, sources: &mut Sources) -> Diagnosed {
        if rule.id.as_str() == "S2"
            && let Some(jwt) = self.jwt
            && let Some(finding) = malformed(jwt, sources)
        {
            return finding.rule(rule);
        }
        let (cause, message) = self.said(rule, fault);
        let finding = Diagnosed::error(cause, message).rule(rule);
        let finding = match self.texts.fault(fault) {
            Some((source, span)) => finding.label(source, span, "here"),
            None => finding,
        };
        if rule.id.as_str() == "S11" { finding.fix(self.remedy()) } else { finding }
    }

    /// The cause, and what is wrong in words.
    fn said(&self, rule: &Rule, fault: &Fault) -> (RootCause, String) {
        let message = quotable(&fault.message);
        match rule.id.as_str() {
            "S1" => {
                let message = form_faults::parameter(self.request, "subject_token", &message);
                (RootCause::ReqForm, message)
            }
            "S7" => (RootCause::ExpType, "the subject token's `exp` is not a number".to_owned()),
            "S8" => (RootCause::SubjectToken, self.expired()),
            "S9" => (RootCause::IssMissing, format!("in the subject token {message}")),
            "S10" => {
                let message =
                    format!("in the subject token {message}; CIS2's access tokens have none");
                (RootCause::SubjectToken, message)
            }
            "S11" => (RootCause::SubjectToken, self.refusal()),
            "S14" => (RootCause::SubjectToken, self.unverifiable()),
            "D1" => (RootCause::SubjectToken, "`act.sub` is a string and not a JWT".to_owned()),
            "D6" => {
                let message = "the `exp` of the delegated token in `act.sub` is not a number";
                (RootCause::ExpType, message.to_owned())
            }
            id if id.starts_with('D') => {
                (RootCause::SubjectToken, format!("in the delegated token in `act.sub` {message}"))
            }
            _ => (RootCause::SubjectToken, format!("in the subject token {message}")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
    fn expired(&self) -> String {
        let exp = self.payload().and_then(|payload| payload.get("exp")?.as_number());
        let ago = duration(self.now.0 as f64 / 1000.0 - exp.unwrap_or_default());
        let when = if self.at_known { "before the request" } else { "ago" };
        format!("the subject token expired {ago} {when}: the user must sign in again")
    }

    fn unverifiable(&self) -> String {
        let header = self.jwt.and_then(|jwt| jwt.header.content.as_ref().ok());
        let alg = header.and_then(|header| header.get("alg"));
        let alg = alg.map_or_else(String::new, |alg| quotable(alg.text()));
        format!("the subject token's `alg` is {alg}, and only RS256 and RS512 verify")
    }

    /// How to come to an issuer that is trusted.
    fn remedy(&self) -> String {
        match &self.trust {
            Trust::Refused { fix, .. } if self.payload().and_then(other_token).is_none() => {
                fix.clone()
            }
            _ => SEND_THE_ID_TOKEN.to_owned(),
        }
    }

    /// Why the issuer isn't trusted.
    fn refusal(&self) -> String {
        if let Some((_, message)) = self.payload().and_then(other_token) {
            return message.to_owned();
        }
        match &self.trust {
            Trust::Refused { message, .. } => message.clone(),
            Trust::Trusted(_) | Trust::Unknown => "the issuer is not trusted".to_owned(),
        }
    }

    /// A JWT, and not the ID token, where the issuer's row has not said it.
    fn other_kind_of_token(&self) -> Option<Diagnosed> {
        if failed(&self.outcomes).contains_key("S11") {
            return None;
        }
        let (name, message) = other_token(self.payload()?)?;
        let finding = Diagnosed::warning(RootCause::SubjectToken, message)
            .likely()
            .why("sign-in gives an ID token that says who the user is; that is what is exchanged")
            .fix(SEND_THE_ID_TOKEN);
        let (source, span) = self.texts.claim(name)?;
        Some(finding.label(source, span, "not an ID token"))
    }

    /// Without a level no scope is left, whatever the application's APIs allow.
    fn level_of_cis2(&self) -> Option<Diagnosed> {
        let provider = self.issuer?.provider();
        let payload = self.payload()?;
        let name = provider.level_claim();
        if provider != IdentityProvider::Cis2 || javascript::is_truthy(payload.get(name).as_ref()) {
            return None;
        }
        let message = format!("the subject token has no `{name}`");
        let finding = Diagnosed::warning(RootCause::NotSubscribed, message)
            .likely()
            .rule(rule("S16"))
            .why("the platform keeps the scopes of exactly this level, and without one keeps none")
            .fix("send the ID token as CIS2 issued it: each has its level");
        let (source, span) = self.texts.claim(name)?;
        Some(finding.label(source, span, "no level of assurance"))
    }

    fn payload(&self) -> Option<&'c Object> {
        payload(self.jwt?)
    }
}

fn payload<'c>(jwt: &'c Jwt<'_>) -> Option<&'c Object> {
    jwt.payload.content.as_ref().ok()
}

/// Whose token it looks like, where the issuer says nothing: NHS login's alone has a `vot`.
fn by_its_claims(payload: &Object) -> Option<IdentityProvider> {
    payload.get("vot").map(|_| IdentityProvider::NhsLogin)
}

fn environment(inputs: &Inputs<'_>, token_url: Option<&str>) -> Option<Environment> {
    let host = token_url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let host = host.and_then(|rest| rest.split(['/', ':']).next());
    host.and_then(Environment::of_host).or(inputs.environment)
}

/// What is wrong with a text that doesn't decode.
fn malformed(jwt: &Jwt<'_>, sources: &mut Sources) -> Option<Diagnosed> {
    let mut finding = encoding::finding(jwt, "subject_token", sources)?;
    finding.cause = RootCause::SubjectToken;
    finding.fixes.clear();
    if jwt.part_count == 1 && !jwt.compact.trim().is_empty() {
        "the subject token is not a JWT but an opaque token, such as an access token is"
            .clone_into(&mut finding.message);
    }
    Some(finding.why(rule("S2").why))
}

/// A JWT that is another kind of token: by which claim that shows, and what it is.
fn other_token(payload: &Object) -> Option<(&'static str, &'static str)> {
    let is_access = ["tokenName", "token_use", "typ"].into_iter().find(|name| {
        payload
            .get(name)
            .and_then(|value| value.as_str().map(|text| text.to_ascii_lowercase()))
            .is_some_and(|text| matches!(text.as_str(), "access_token" | "access" | "bearer"))
    });
    if let Some(name) = is_access {
        return Some((name, "the subject token is an access token and not an ID token"));
    }
    let events = payload.get("events");
    let events = events.as_ref().and_then(Value::as_object);
    if events.is_some_and(|events| events.get(LOGOUT_EVENT).is_some()) {
        return Some(("events", "the subject token is a logout token and not an ID token"));
    }
    let text = |name: &str| payload.get(name).map(|claim| claim.text());
    let is_by_itself = text("iss").is_some() && text("iss") == text("sub");
    is_by_itself.then_some(("iss", "the subject token is a client assertion and not an ID token"))
}
