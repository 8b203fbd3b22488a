//! The JWTs in a request, decoded.

use maud::{Markup, html};
use nhs_auth_rules::diagnosis::{Diagnosed, Report, Severity};
use nhs_auth_rules::json::Object;
use nhs_auth_rules::{Damage, Fault, Form, Jwt, Part, Place, Span, UnixMillis};

use super::annotated::{self, Lines, Mark};
use super::explanation::Explanation;
use super::secrets::Secrets;
use super::{findings, json_text};
use crate::transcript::Message;

/// The parameters that hold a JWT, in the order in which people look for them.
const PARAMETERS: [(&str, &str); 5] = [
    ("client_assertion", "Client assertion"),
    ("subject_token", "Subject token"),
    ("actor_token", "Actor token"),
    ("logout_token", "Logout token"),
    ("id_token_hint", "ID token hint"),
];

/// What a decoded token is shown with.
pub(super) struct Light<'a> {
    pub(super) explanation: Option<&'a Explanation>,
    /// The findings whose places are underlined.
    pub(super) findings: Vec<&'a Diagnosed>,
    /// What the rule that refused points at, where no finding does.
    pub(super) fault: Option<&'a Fault>,
    pub(super) judged_at: UnixMillis,
    pub(super) secrets: Secrets,
}

/// Every JWT in the request.
pub(super) fn of_request(form: &Form, light: &Light<'_>) -> Markup {
    html! {
        @for (name, title) in PARAMETERS {
            @if let Some(compact) = form.get(name).filter(|compact| !compact.is_empty()) {
                (panel(name, title, compact, light))
            }
        }
    }
}

/// The ID token in an identity provider's answer (OpenID Connect Core §3.1.3.3).
pub(super) fn of_answer(answer: &Message, light: &Light<'_>) -> Markup {
    let body = String::from_utf8_lossy(&answer.body);
    let object = Object::parse(&body).ok();
    let id_token = object.as_ref().and_then(|object| object.get("id_token")?.as_str());
    html! {
        @if let Some(compact) = id_token { (panel("id_token", "ID token", &compact, light)) }
    }
}

fn panel(name: &str, title: &str, compact: &str, light: &Light<'_>) -> Markup {
    html! {
        section.panel aria-labelledby=(name) {
            h2 id=(name) { (title) }
            (token(name, compact, light))
        }
    }
}

/// Whether [`of_request`] shows that parameter.
pub(super) fn is_decoded(parameter: &str) -> bool {
    PARAMETERS.iter().any(|(name, _)| *name == parameter)
}

fn token(name: &str, compact: &str, light: &Light<'_>) -> Markup {
    let jwt = Jwt::decode(compact);
    let signature = &compact[jwt.signature.span.start..jwt.signature.span.end];
    html! {
        div.parts {
            div { h3 { "Header" } (part(name, "header", &jwt.header, light)) }
            div { h3 { "Claims" } (part(name, "payload", &jwt.payload, light)) }
        }
        dl.fields {
            div {
                dt { "Signature" }
                dd {
                    @match &jwt.signature.content {
                        Ok(bytes) if bytes.is_empty() => "empty",
                        Ok(bytes) => {
                            (bytes.len()) " bytes "
                            code { (light.secrets.secret(signature)) }
                        },
                        Err(damage) => (cannot_be_decoded(damage)),
                    }
                }
            }
            @if jwt.part_count != 3 {
                div { dt { "Parts" } dd { (jwt.part_count) ", and a JWT has three" } }
            }
            @if light.secrets.are_shown() {
                div { dt { "As it was sent" } dd { code { (compact) } } }
            }
        }
        @if let Some(actor) = actor(&jwt) {
            h3 { "The actor’s own token, in " code { "act.sub" } }
            (token("act.sub", &actor, light))
        }
    }
}

fn part(name: &str, what: &str, part: &Part<Object>, light: &Light<'_>) -> Markup {
    let object = match &part.content {
        Ok(object) => object,
        Err(damage) => return html! { p.damage { (cannot_be_decoded(damage)) } },
    };
    let report = light.explanation.map(|explanation| &explanation.report);
    let source = report.and_then(|report| source(report, &format!("{name} ({what})")));
    let (text, mut marks) = match (report, source) {
        (Some(report), Some(index)) => {
            let marks = findings::marks(report, index, &light.findings);
            (report.sources[index].text.clone(), marks)
        }
        _ => (json_text::pretty(object.text(), light.secrets).unwrap_or_default(), Vec::new()),
    };
    if let Some(fault) = light.fault.filter(|fault| stands_in(fault.place) == Some((name, what))) {
        marks.extend(mark(fault, object, &text));
    }
    annotated::text(&text, &marks, Lines::All, Some(light.judged_at))
}

/// The token and the part of it that a rule points into.
fn stands_in(place: Place) -> Option<(&'static str, &'static str)> {
    Some(match place {
        Place::Header => ("client_assertion", "header"),
        Place::Payload => ("client_assertion", "payload"),
        Place::IdTokenHeader => ("subject_token", "header"),
        Place::IdTokenPayload => ("subject_token", "payload"),
        Place::DelegatedTokenHeader => ("act.sub", "header"),
        Place::DelegatedTokenPayload => ("act.sub", "payload"),
        Place::LogoutTokenHeader => ("logout_token", "header"),
        Place::LogoutTokenPayload => ("logout_token", "payload"),
        _ => return None,
    })
}

/// The place that a rule points at, in the text that is shown.
fn mark(fault: &Fault, object: &Object, text: &str) -> Option<Mark> {
    let mut members = object.members().iter();
    let holds = |span: Span| span.start <= fault.span.start && fault.span.end <= span.end;
    let member = members.find(|member| holds(member.value_span))?;
    let place = json_text::member_place(text, &member.name)?;
    let label = fault.message.clone();
    Some(Mark { span: place.into(), severity: Severity::Error, label })
}

fn source(report: &Report, name: &str) -> Option<usize> {
    report.sources.iter().position(|source| source.name == name)
}

/// The token of somebody who acts for the user (RFC 8693 §4.1), as NHS login's delegation has it.
fn actor(jwt: &Jwt<'_>) -> Option<String> {
    let act = jwt.payload.content.as_ref().ok()?.get("act")?.as_object()?;
    let sub = act.get("sub")?.as_str()?.into_owned();
    // Only what is a JWT itself, and no deeper than that.
    let nested = Jwt::decode(&sub);
    let is_jwt = nested.header.content.is_ok() && nested.payload.content.is_ok();
    let is_last = nested.payload.content.as_ref().is_ok_and(|claims| claims.get("act").is_none());
    (is_jwt && is_last).then_some(sub)
}

fn cannot_be_decoded(damage: &Damage) -> Markup {
    html! { "This part can’t be decoded: " (damage) }
}
