//! A request or an answer as it went over the wire, made readable.

use std::collections::HashSet;

use maud::{Markup, html};
use nhs_auth_rules::Form;

use super::secrets::{Secrets, looks_like_a_token};
use super::{json_text, tokens};
use crate::transcript::{Message, Transcript};

/// The request: its parameters, its header fields and its body.
pub(super) fn request(method: &str, transcript: &Transcript, secrets: Secrets) -> Markup {
    let message = &transcript.request;
    let query = transcript.target.split_once('?').map(|(_, query)| Form::parse(query.as_bytes()));
    html! {
        p.line { code { (method) " " (secrets.url(&transcript.target)) } }
        @if let Some(query) = query { h3 { "Query" } (parameters(&query, secrets)) }
        @match kind(message) {
            Kind::Empty => {},
            Kind::Form(form) => { h3 { "Form" } (parameters(&form, secrets)) },
            Kind::Json(text) => { h3 { "Body" } (json(&text, secrets)) },
            Kind::Other(text) => { h3 { "Body" } (plain(&text, secrets)) },
        }
        (shortened(message))
        (fields(message, path(transcript), secrets))
    }
}

/// The answer: its body and its header fields.
pub(super) fn answer(message: &Message, path: &str, secrets: Secrets) -> Markup {
    html! {
        @match kind(message) {
            Kind::Empty => p.none { "The body is empty." },
            Kind::Json(text) => (json(&text, secrets)),
            Kind::Form(_) | Kind::Other(_) => {
                (plain(&String::from_utf8_lossy(&message.body), secrets))
            }
        }
        @if message.is_cut_off {
            p.none { "The connection ended here, before the whole was sent." }
        }
        (shortened(message))
        (fields(message, path, secrets))
    }
}

/// What a body turns out to be, whatever its content type says.
enum Kind {
    Empty,
    Form(Form),
    Json(String),
    Other(String),
}

fn kind(message: &Message) -> Kind {
    let text = String::from_utf8_lossy(&message.body);
    let is_json = || {
        text.trim_start().starts_with(['{', '['])
            && json_text::pretty(&text, Secrets::Masked).is_some()
    };
    if text.is_empty() {
        Kind::Empty
    } else if is_json() {
        Kind::Json(text.into_owned())
    } else if text.contains('=') && !text.trim().contains(|c: char| c.is_whitespace() || c == '<') {
        Kind::Form(Form::parse(&message.body))
    } else {
        Kind::Other(text.into_owned())
    }
}

fn parameters(form: &Form, secrets: Secrets) -> Markup {
    // Of a repeated parameter the platform takes the first, and so it is shown.
    let mut names: Vec<_> = form.names().collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    html! {
        dl.fields {
            @for name in names {
                @let value = form.get(name).unwrap_or_default();
                div { dt { (name) } dd { (parameter(name, value, secrets)) } }
            }
        }
    }
}

fn parameter(name: &str, value: &str, secrets: Secrets) -> Markup {
    html! {
        @if value.is_empty() {
            span.none { "empty" }
        } @else if tokens::is_decoded(name) {
            a href={ "#" (name) } { "decoded above" } " (" (value.len()) " characters)"
        } @else {
            code { (secrets.named(name, value)) }
        }
    }
}

fn fields(message: &Message, path: &str, secrets: Secrets) -> Markup {
    let is_status_key = |name: &str| name == "apikey" && path.ends_with("/_status");
    html! {
        details {
            summary { "Header fields (" (message.fields().count()) ")" }
            dl.fields {
                @for (name, value) in message.fields() {
                    div {
                        dt { (name) }
                        dd { code {
                            @if is_status_key(name) { (secrets.secret(value)) }
                            @else { (secrets.field(name, value)) }
                        } }
                    }
                }
            }
        }
    }
}

fn json(text: &str, secrets: Secrets) -> Markup {
    let pretty = json_text::pretty(text, secrets).unwrap_or_default();
    html! { pre.code { code { (pretty) } } }
}

/// A body that isn't JSON: an HTML page, or what a fault made of an answer.
fn plain(text: &str, secrets: Secrets) -> Markup {
    let text = if looks_like_a_token(text) && !text.contains(char::is_whitespace) {
        secrets.secret(text)
    } else {
        secrets.text(text)
    };
    html! { pre.code { code { (text) } } }
}

fn shortened(message: &Message) -> Markup {
    html! {
        @if message.is_shortened() {
            p.none {
                "Only the first " (message.body.len()) " bytes of " (message.length) " are kept."
            }
        }
    }
}

fn path(transcript: &Transcript) -> &str {
    transcript.target.split('?').next().unwrap_or_default()
}
