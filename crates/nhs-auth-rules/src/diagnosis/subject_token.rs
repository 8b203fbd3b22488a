//! The subject token of a token exchange, row by row in the platform's order.

use super::issuer::{Issuer, issuer_of};
use super::moment::duration;
use super::repair::{self, Repaired};
use super::request::Request;
use super::source::{Shown, Sources, quotable};
use super::{Diagnosed, Fixed, Inputs, Profile, Report, RootCause, delegation, encoding};
use crate::environment::Provider;
use crate::javascript::is_truthy;
use crate::json::Object;
use crate::rule::Answer;
use crate::{Environment, Jwt, UnixMillis};

pub(super) const fn bad(text: &'static str) -> Answer {
    Answer::new(400, "invalid_request", text)
}

const MISSING: Answer = bad("Missing subject_token");
const MALFORMED: Answer = bad("Malformed JWT in subject_token");
const NO_AUD: Answer =
    Answer::new(401, "invalid_request", "Missing 'aud' claim in subject_token JWT");
const OTHER_ISS: Answer = bad("Missing or non-matching 'iss' claim in subject_token JWT");

/// A value of the header or the payload, and how the platform says that it is wrong.
struct Row {
    place: Place,
    name: &'static str,
    message: String,
    cause: RootCause,
    answer: Answer,
    fix: &'static str,
}

#[derive(Clone, Copy)]
enum Place {
    Header,
    Payload,
}

pub(super) fn judge(
    inputs: &Inputs<'_>,
    request: &Request,
    now: UnixMillis,
    token_url: Option<&str>,
    sources: &mut Sources,
    report: &mut Report,
) {
    if inputs.profile != Profile::TokenExchange {
        return;
    }
    let sent = request.parameter("subject_token");
    let Repaired { text, repairs } = match (inputs.subject_token, sent) {
        (Some(pasted), _) => repair::token("subject_token", pasted, |text| {
            u8::from(Jwt::decode(text).is_well_formed())
        }),
        (None, Some(sent)) => Repaired { text: sent.to_owned(), repairs: Vec::new() },
        (None, None) => {
            if request.form.as_ref().is_some_and(crate::Form::is_token_exchange) {
                report.findings.push(
                    Diagnosed::error(RootCause::ReqForm, "there is no `subject_token` in the form")
                        .answered(MISSING)
                        .why("a token exchange exchanges a subject token: the user's ID token")
                        .fix("add `subject_token=<the ID token>`"),
                );
            }
            return;
        }
    };
    let jwt = Jwt::decode(&text);
    if !repairs.is_empty() && jwt.is_well_formed() {
        report.repairs.extend(repairs);
        report.fixed.get_or_insert(Fixed(text.clone()));
    }
    if let Some(finding) = encoding::finding(&jwt, "subject_token", sources) {
        report.findings.push(malformed(finding, &jwt));
        return;
    }
    let (Ok(header), Ok(payload)) = (&jwt.header.content, &jwt.payload.content) else { return };
    let header_shown = sources.object("subject_token (header)", header);
    let payload_shown = sources.object("subject_token (payload)", payload);
    let rows = rows(header, payload, now, inputs.at.is_some());
    for row in rows {
        let (object, shown) = match row.place {
            Place::Header => (header, &header_shown),
            Place::Payload => (payload, &payload_shown),
        };
        let finding = Diagnosed::error(row.cause, row.message)
            .answered(row.answer)
            .why(
                "the platform takes an ID token of the sign-in service that its environment trusts",
            )
            .fix(row.fix);
        report.findings.push(at(finding, object, shown, row.name, "here"));
    }
    let environment = environment(inputs, token_url);
    report.findings.extend(issuer(payload, &payload_shown, environment, token_url));
    report.findings.extend(access_token(payload, &payload_shown));
    report.findings.extend(level(payload, &payload_shown));
    report.findings.extend(delegation::findings(payload, &payload_shown, sources));
}

pub(super) fn at(
    finding: Diagnosed,
    object: &Object,
    shown: &Shown,
    name: &str,
    text: impl Into<String>,
) -> Diagnosed {
    let span = object.get(name).map_or(object.span(), |value| value.span());
    finding.at(shown, span, text)
}

fn malformed(finding: Diagnosed, jwt: &Jwt<'_>) -> Diagnosed {
    let is_opaque = jwt.part_count == 1 && !jwt.compact.trim().is_empty();
    let mut finding = finding.answered(MALFORMED);
    finding.cause = RootCause::SubjectToken;
    finding.fixes.clear();
    if is_opaque {
        "the subject token is not a JWT but an opaque token, such as an access token is"
            .clone_into(&mut finding.message);
    }
    finding
        .why(
            "sign-in gives two tokens: the `id_token`, a JWT that says who the user is, and an \
             `access_token` for the sign-in service alone. Until 2023-11-30 the platform blamed the \
             client assertion for an undecodable subject token",
        )
        .fix("send the `id_token` of the sign-in's token answer as `subject_token`")
}

/// The rows that look at one value each, in their order.
fn rows(header: &Object, payload: &Object, now: UnixMillis, at_known: bool) -> Vec<Row> {
    const ANOTHER: &str = "send the ID token as the sign-in service made it; one made by hand needs \
                           all of `kid`, `typ`, `alg`, `exp`, `iss` and `aud`";
    let mut rows = Vec::new();
    let mut row = |place, name, message: String, cause, answer| {
        rows.push(Row { place, name, message, cause, answer, fix: ANOTHER });
    };
    if !is_truthy(header.get("kid").as_ref()) {
        let message = "the subject token's header has no `kid`".to_owned();
        row(
            Place::Header,
            "kid",
            message,
            RootCause::SubjectToken,
            bad("Missing 'kid' header in subject_token JWT"),
        );
    }
    let typ = header.get("typ").and_then(|typ| typ.as_str().map(|typ| typ.to_lowercase()));
    if typ.as_deref() != Some("jwt") {
        let message = "the subject token's `typ` is not `JWT`".to_owned();
        let answer = bad("Invalid 'typ' header in subject_token JWT - must be 'JWT'");
        row(Place::Header, "typ", message, RootCause::SubjectToken, answer);
    }
    match header.get("alg") {
        alg if !is_truthy(alg.as_ref()) => {
            let message = "the subject token's header has no `alg`".to_owned();
            row(
                Place::Header,
                "alg",
                message,
                RootCause::SubjectToken,
                bad("Missing 'alg' header in subject_token JWT"),
            );
        }
        Some(alg) if !matches!(alg.as_str().as_deref(), Some("RS256" | "RS512")) => {
            let message = format!(
                "the subject token is signed with {}, and only RS256 and RS512 verify",
                quotable(alg.text())
            );
            let answer = Answer::new(401, "public_key error", "JWT signature verification failed");
            row(Place::Header, "alg", message, RootCause::SubjectToken, answer);
        }
        _ => {}
    }
    let exp = payload.get("exp");
    if !is_truthy(exp.as_ref()) {
        let message = "the subject token has no `exp`".to_owned();
        row(
            Place::Payload,
            "exp",
            message,
            RootCause::SubjectToken,
            bad("Missing 'exp' claim in subject_token JWT"),
        );
    } else if let Some(exp) = exp {
        match exp.as_number() {
            None => {
                let message = "the subject token's `exp` is not a number".to_owned();
                let answer = bad("Invalid 'exp' claim in subject_token JWT - must be an integer");
                row(Place::Payload, "exp", message, RootCause::ExpType, answer);
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds until the year 287396 are exact"
            )]
            Some(at) if at < now.0 as f64 / 1000.0 => {
                let ago = duration(now.0 as f64 / 1000.0 - at);
                let when = if at_known { "before the request" } else { "ago" };
                let message =
                    format!("the subject token expired {ago} {when}: the user must sign in again");
                let answer = bad("Invalid 'exp' claim in subject_token JWT - JWT has expired");
                row(Place::Payload, "exp", message, RootCause::SubjectToken, answer);
            }
            Some(_) => {}
        }
    }
    if !is_truthy(payload.get("iss").as_ref()) {
        let message = "the subject token has no `iss`".to_owned();
        row(
            Place::Payload,
            "iss",
            message,
            RootCause::IssMissing,
            bad("Missing 'iss' claim in subject_token JWT"),
        );
    }
    if !is_truthy(payload.get("aud").as_ref()) {
        let message =
            "the subject token has no `aud`, as CIS2's access tokens have none".to_owned();
        row(Place::Payload, "aud", message, RootCause::SubjectToken, NO_AUD);
    }
    rows
}

fn environment(inputs: &Inputs<'_>, token_url: Option<&str>) -> Option<Environment> {
    let host = token_url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let host = host.and_then(|rest| rest.split(['/', ':']).next());
    host.and_then(Environment::of_host).or(inputs.environment)
}

/// Whether this environment's base path trusts the issuer.
fn issuer(
    payload: &Object,
    shown: &Shown,
    environment: Option<Environment>,
    token_url: Option<&str>,
) -> Option<Diagnosed> {
    let iss = payload.get("iss")?.as_str()?.into_owned();
    if iss.is_empty() {
        return None;
    }
    let refuse = |message: String, fix: String| {
        let finding = Diagnosed::error(RootCause::SubjectToken, message).answered(OTHER_ISS).why(
            "each base path of each environment trusts one issuer of CIS2 and one of NHS login, and \
             compares `iss` with them as text",
        );
        Some(at(finding, payload, shown, "iss", "not an issuer that is trusted there").fix(fix))
    };
    let Some(issuer) = issuer_of(&iss) else {
        // A mock on a laptop may be anywhere, and the platform's own hosts are known.
        let is_platform = environment.is_some();
        return is_platform.then(|| {
            let message = format!("`{}` is no issuer of CIS2 or NHS login", quotable(&iss));
            refuse(message, "send the ID token of CIS2 or NHS login, as it was issued".to_owned())
        })?;
    };
    if let Issuer::Cis2(_) = issuer
        && !iss.contains(":443/")
    {
        return refuse(
            "the issuer of the subject token lacks the port `:443` that CIS2 writes".to_owned(),
            "send the ID token as CIS2 issued it".to_owned(),
        );
    }
    let environment = environment?;
    let path = token_url
        .and_then(|url| url.strip_prefix(environment.origin))
        .and_then(|path| path.strip_suffix("/token"))
        .unwrap_or(crate::environment::OAUTH2);
    let base = environment.base_paths.iter().find(|base| base.path == path)?;
    let is_production = environment == Environment::PROD;
    let trusted = match issuer {
        Issuer::Mock => base.cis2 == Provider::Mock || base.nhs_login == Provider::Mock,
        Issuer::Cis2("deployment") => base.cis2 == Provider::Deployment,
        Issuer::Cis2("retired") => false,
        Issuer::Cis2(which) => {
            base.cis2 == Provider::Real && (which == "production") == is_production
        }
        Issuer::NhsLogin(which) => {
            base.nhs_login == Provider::Real && (which == "production") == is_production
        }
    };
    if trusted {
        return None;
    }
    let who = match issuer {
        Issuer::Mock => "the platform's mock of a sign-in service".to_owned(),
        Issuer::Cis2(which) => format!("CIS2's {which} environment"),
        Issuer::NhsLogin(which) => format!("NHS login's {which} environment"),
    };
    let message =
        format!("the subject token is of {who}, which {environment}'s `{path}` doesn't trust");
    let wanted = if is_production {
        "production trusts the live CIS2 and NHS login alone".to_owned()
    } else {
        let others: Vec<_> = environment
            .base_paths
            .iter()
            .map(|base| format!("`{}{}`", environment.origin, base.path))
            .collect();
        format!("pair token and base path: this environment has {}", others.join(", "))
    };
    refuse(message, wanted)
}

/// A JWT, and not the ID token.
fn access_token(payload: &Object, shown: &Shown) -> Option<Diagnosed> {
    let is_access = ["tokenName", "token_use", "typ"].into_iter().find(|name| {
        payload
            .get(name)
            .and_then(|value| value.as_str().map(|text| text.to_ascii_lowercase()))
            .is_some_and(|text| matches!(text.as_str(), "access_token" | "access" | "bearer"))
    });
    let is_assertion = payload.get("iss").is_some()
        && payload.get("iss").map(|iss| iss.text().to_owned())
            == payload.get("sub").map(|sub| sub.text().to_owned());
    let (name, message) = match (is_access, is_assertion) {
        (Some(name), _) => (name, "the subject token is an access token and not an ID token"),
        (None, true) => ("iss", "the subject token is a client assertion and not an ID token"),
        (None, false) => return None,
    };
    let finding = Diagnosed::error(RootCause::SubjectToken, message)
        .answered(OTHER_ISS)
        .why("sign-in gives an ID token that says who the user is; that is what is exchanged");
    Some(
        at(finding, payload, shown, name, "not an ID token")
            .fix("send the `id_token` of the sign-in's token answer"),
    )
}

/// The level of assurance decides which scopes are kept.
fn level(payload: &Object, shown: &Shown) -> Option<Diagnosed> {
    let iss = payload.get("iss")?.as_str()?.into_owned();
    let name = match issuer_of(&iss)? {
        Issuer::Cis2(_) => "authentication_assurance_level",
        Issuer::NhsLogin(_) => "identity_proofing_level",
        Issuer::Mock => return None,
    };
    if is_truthy(payload.get(name).as_ref()) {
        return None;
    }
    let message = format!("the subject token has no `{name}`");
    let finding = Diagnosed::warning(RootCause::NotSubscribed, message)
        .likely()
        .why("the platform keeps the scopes of exactly this level, and without one keeps none: `unauthorized_client`")
        .fix("ask for the scope that brings it when the user signs in (for NHS login `profile`)");
    Some(at(finding, payload, shown, name, "no level of assurance"))
}
