//! One request in the list.

use maud::{Markup, html};

use super::filter::has_failed;
use super::href;
use super::secrets::Secrets;
use crate::clock::rfc3339;
use crate::recorded::RecordedRequest;
use crate::state::State;

/// The longest path that is shown whole.
const LONGEST: usize = 120;

/// One request in the list: a link to its page.
pub(super) fn of(state: &State, request: &RecordedRequest) -> Markup {
    html! {
        li.row data-id=(request.id) {
            a.what href=(href::request(request.id)) {
                span.method { (request.method) } " " span.path { (path(request)) }
            }
            (status(request))
            span.why {
                @if let Some(rule) = request.rule { span.rule { (rule) } " " }
                (why(request))
            }
            span.who { (who(state, request)) }
            (when(request))
        }
    }
}

/// The status, in a number and in a word.
pub(super) fn status(request: &RecordedRequest) -> Markup {
    let (kind, sign, word) = match request.status {
        _ if request.answered_by().is_some() => ("fault", "⚡", "Fault"),
        0 => ("error", "!", "No answer"),
        1..300 => ("ok", "✓", "OK"),
        300..400 if !has_failed(request) => ("ok", "→", "Redirect"),
        300..500 => ("refused", "✕", "Refused"),
        _ => ("error", "!", "Error"),
    };
    html! {
        span class={ "status " (kind) } {
            span aria-hidden="true" { (sign) } " "
            @if request.status > 0 { b { (request.status) } " " }
            (word)
        }
    }
}

/// The path, as far as it can be shown at a glance.
pub(super) fn path(request: &RecordedRequest) -> String {
    short(&Secrets::Masked.path(&request.path))
}

/// When it was answered, by the platform's clock.
pub(super) fn when(request: &RecordedRequest) -> Markup {
    let whole = rfc3339(request.at);
    let time = whole.get(11..23).unwrap_or_default();
    html! { time.when datetime=(whole) title=(whole) { (time) } }
}

/// What the platform or the fault said.
fn why(request: &RecordedRequest) -> String {
    if let Some(fault) = request.answered_by() {
        return format!("fault {fault}");
    }
    if let Some(remark) = &request.remark {
        return remark.clone();
    }
    match (&request.error_description, &request.error) {
        (Some(description), _) => description.clone(),
        (None, Some(error)) => error.clone(),
        (None, None) if has_failed(request) => String::new(),
        (None, None) => {
            request.jti.as_deref().map(|jti| format!("jti {}", short(jti))).unwrap_or_default()
        }
    }
}

/// The application's name, or its ID where it is gone.
pub(super) fn who(state: &State, request: &RecordedRequest) -> String {
    let Some(id) = &request.application_id else { return String::new() };
    state.apps.by_id(id).map_or_else(|| id.clone(), |app| app.settings.name.clone())
}

/// The text, without its middle where it is long.
pub(super) fn short(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(LONGEST / 2);
    let tail = text.ceil_char_boundary(text.len() - LONGEST / 4);
    format!("{}…{}", &text[..head], &text[tail..])
}
