//! The inspector: what each request did, and why it was refused, as pages for a browser.
//!
//! It is for the machine's own people: what holds for the control API holds here, and a form needs
//! a proof of its own that it was sent from one of these pages. Everything is explained when a page
//! is opened, and nothing before. The pages are whole without JavaScript, which only adds new
//! requests to the list while it is looked at.

mod annotated;
mod app_form;
mod app_page;
mod assets;
mod crypto;
mod events;
mod explanation;
mod filter;
mod findings;
mod href;
mod json_text;
mod layout;
mod message;
mod overview;
mod prose;
mod request_page;
mod row;
mod rule_list;
mod secrets;
mod tokens;

use std::sync::Arc;

use http::header::{self, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use nhs_auth_rules::Form;
use percent_encoding::percent_decode_str;

use crate::answer::Reply;
use crate::call::Call;
use crate::control::origin;
use crate::server::Stop;
use crate::state::State;
use layout::Page;
use secrets::Secrets;

const PREFIX: &str = "/_mock/inspector";

/// Said with every answer. The pages load nothing from elsewhere, run no script that isn't a file
/// of theirs, stand in nobody's frame, and are nobody's to keep.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    // With `no-referrer` browsers say `Origin: null` of a form, which can't be told from a
    // stranger's. Other hosts learn nothing either way.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What a page is asked for.
struct Asked<'a> {
    state: &'a State,
    call: &'a Call,
    query: Form,
    secrets: Secrets,
}

/// Whether that request is the inspector's. The platform has nothing at `/`.
pub(crate) fn is_for(call: &Call) -> bool {
    (call.path() == "/" && is_read(call)) || below_prefix(call.path()).is_some()
}

/// The inspector's answer.
pub(crate) fn answer(state: &Arc<State>, stop: &Stop, call: &Call) -> Reply {
    let query = Form::parse(call.uri.query().unwrap_or_default().as_bytes());
    let secrets = Secrets::asked_for(&query);
    let asked = Asked { state, call, query, secrets };
    let mut reply = match origin::check(&state.settings, call) {
        Ok(()) if is_read(call) => read(state, stop, &asked),
        Ok(()) if call.method != Method::POST => asked.problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "pages are read by GET, and forms are sent by POST",
        ),
        Ok(()) if is_from_here(call) => written(&asked),
        Ok(()) => asked.problem(
            StatusCode::FORBIDDEN,
            "a form is taken from the inspector's own pages alone; programs have the control API",
        ),
        Err(refusal) => asked.problem(refusal.status, &refusal.description),
    };
    for (name, value) in HEADERS {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}

fn read(state: &Arc<State>, stop: &Stop, asked: &Asked<'_>) -> Reply {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        [] | [""] => overview::page(asked),
        ["apps"] => app_page::new(asked),
        ["apps", id] => app_page::page(asked, id),
        ["requests", id] => request_page::page(asked, id),
        ["events"] => events::answer(state, stop, asked),
        [name] => assets::answer(name).unwrap_or_else(|| asked.not_found()),
        _ => asked.not_found(),
    }
}

fn written(asked: &Asked<'_>) -> Reply {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        ["apps"] => app_page::create(asked),
        ["apps", id] => app_page::change(asked, id),
        ["apps", id, "delete"] => app_page::delete(asked, id),
        ["requests", "forget"] => {
            asked.state.requests.clear();
            see("/")
        }
        _ => asked.not_found(),
    }
}

impl Asked<'_> {
    /// What follows the inspector's prefix, taken apart and decoded.
    fn segments(&self) -> Vec<String> {
        let path = below_prefix(self.call.path()).unwrap_or_default();
        let segments = path.split('/').skip(1);
        segments.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
    }

    fn not_found(&self) -> Reply {
        self.problem(StatusCode::NOT_FOUND, "there is no such page, or what it showed is forgotten")
    }

    fn problem(&self, status: StatusCode, what: &str) -> Reply {
        Page::problem(status, what).reply(self)
    }
}

fn is_read(call: &Call) -> bool {
    call.method == Method::GET || call.method == Method::HEAD
}

/// Whether a browser says that a form comes from this platform's own pages. A foreign `Origin` has
/// been refused by now.
fn is_from_here(call: &Call) -> bool {
    call.header("origin").is_some()
        || matches!(call.header("sec-fetch-site"), Some("same-origin" | "none"))
}

fn below_prefix(path: &str) -> Option<&str> {
    path.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Sends the browser to another page, so that a form isn't sent again by a reload.
fn see(page: &str) -> Reply {
    let mut reply = Reply::new(StatusCode::SEE_OTHER, "text/plain", "");
    if let Ok(page) = HeaderValue::from_str(page) {
        reply.headers.insert(header::LOCATION, page);
    }
    reply
}
