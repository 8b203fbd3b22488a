//! One request, opened: why it was answered as it was, and everything that was sent.

use maud::{Markup, html};
use nhs_auth_rules::Rule;

use super::explanation::{self, Explanation};
use super::layout::Page;
use super::prose::with_code;
use super::tokens::Light;
use super::{Asked, findings, href, message, row, rule_list, tokens};
use crate::answer::Reply;
use crate::recorded::RecordedRequest;
use crate::state::requests::Remembered;
use crate::transcript::Transcript;

pub(super) fn page(asked: &Asked<'_>, id: &str) -> Reply {
    let remembered = id.parse().ok().and_then(|id| asked.state.requests.find(id));
    let Some(request) = remembered else { return asked.not_found() };
    let record = &request.record;
    let title = format!("{} {}", record.method, row::path(record));
    let body = html! {
        (neighbours(asked, record))
        (head(asked, record))
        @match &request.transcript {
            Some(transcript) => (opened(asked, &request, transcript)),
            None => p.none {
                "What was sent and answered is no longer kept: that is remembered of the latest "
                "requests alone."
            },
        }
    };
    Page::new(title, body).reply(asked)
}

fn neighbours(asked: &Asked<'_>, record: &RecordedRequest) -> Markup {
    let requests = &asked.state.requests;
    let exists = |id: u64| requests.find(id).is_some();
    html! {
        nav.crumbs aria-label="Requests" {
            a href="/" { "All requests" }
            span.pager {
                @if exists(record.id + 1) { a href=(href::request(record.id + 1)) { "Newer" } }
                @if exists(record.id - 1) { a href=(href::request(record.id - 1)) { "Older" } }
            }
        }
    }
}

fn head(asked: &Asked<'_>, record: &RecordedRequest) -> Markup {
    html! {
        div.head {
            h1 { span.method { (record.method) } " " span.path { (row::path(record)) } }
            (row::status(record))
        }
        dl.facts.wide {
            div { dt { "Time" } dd { (row::when(record)) } }
            @if let Some(id) = &record.application_id {
                div {
                    dt { "App" }
                    dd { a href=(href::app(id)) { (row::who(asked.state, record)) } }
                }
            }
            @if let Some(fault) = record.fault { div { dt { "Fault" } dd { code { (fault) } } } }
            @if let Some(jti) = &record.jti {
                div { dt { "jti" } dd { code.copy { (row::short(jti)) } } }
            }
            @if let Some(id) = &record.message_id {
                div { dt { "Message ID" } dd { code.copy { (id) } } }
            }
        }
    }
}

fn opened(asked: &Asked<'_>, request: &Remembered, transcript: &Transcript) -> Markup {
    let form = explanation::parameters(&request.record, transcript);
    let explanation = explanation::of(asked.state, request, &form);
    let causes = match (&explanation, transcript.refused_by) {
        (Some(explanation), Some(rule)) => explanation.causes(rule),
        _ => Vec::new(),
    };
    let beside = explanation.as_ref().map(|told| told.beside(&causes)).unwrap_or_default();
    let light = Light {
        explanation: explanation.as_ref(),
        findings: causes.iter().chain(&beside).copied().collect(),
        fault: explanation
            .as_ref()
            .and_then(|told| told.fault.as_ref())
            .filter(|_| causes.is_empty()),
        judged_at: transcript.judged_at,
        secrets: asked.secrets,
    };
    let record = &request.record;
    let has_rules = !rule_list::is_empty(transcript);
    html! {
        div class=[has_rules.then_some("columns")] {
            div.main {
                section.panel.why aria-labelledby="why" {
                    (verdict(record, transcript))
                    (earlier(asked, record, transcript.refused_by))
                    @match (&explanation, transcript.refused_by) {
                        (Some(told), Some(_)) if !causes.is_empty() => {
                            @for cause in &causes { (findings::finding(&told.report, cause)) }
                        },
                        (told, Some(rule)) => {
                            @let fault = told.as_ref().and_then(|told| told.fault.as_ref());
                            (findings::refusal(rule, fault))
                        },
                        _ => {},
                    }
                    @if let Some(told) = &explanation { (further(told, &beside)) }
                }
                (tokens::of_request(&form, &light))
                section.panel aria-labelledby="request" {
                    h2 #request { "Request" }
                    (message::request(&record.method, transcript, asked.secrets))
                }
                section.panel aria-labelledby="answer" {
                    h2 #answer { "Answer " (row::status(record)) }
                    @match &transcript.answer {
                        Some(answer) => (message::answer(answer, &record.path, asked.secrets)),
                        None => p.none { "There was none." },
                    }
                }
                @if let Some(answer) = &transcript.answer { (tokens::of_answer(answer, &light)) }
            }
            @if has_rules {
                section.panel.aside aria-labelledby="rules" {
                    h2 #rules { "Rules, in the platform’s order" }
                    (rule_list::of(transcript))
                }
            }
        }
    }
}

/// What became of the request, in a line.
fn verdict(record: &RecordedRequest, transcript: &Transcript) -> Markup {
    let description = record.error_description.as_deref();
    html! {
        @match (record.answered_by(), transcript.refused_by) {
            (Some(fault), _) => {
                h2 #why { "A fault stood in the platform’s place" }
                p {
                    "The fault " code { (fault) } " met this request before any rule was looked at."
                    @if record.jti.is_some() { " Its " code { "jti" } " was not burnt." }
                }
            },
            (None, Some(rule)) => {
                h2 #why { "Refused by rule " a href="#refused-by" { (rule.id.as_str()) } }
                p.said {
                    b { (record.status) " " (record.error.as_deref().unwrap_or_default()) }
                    @if let Some(description) = description { " " q { (description) } }
                }
                p {
                    "The rule: " (with_code(rule.title)) ". "
                    code { "nhs-auth explain " (rule.id.as_str()) } " tells more."
                }
            },
            (None, None) if record.status >= 400 || record.error.is_some() => {
                h2 #why { "Answered " (record.status) }
                p.said {
                    b { (record.status) " " (record.error.as_deref().unwrap_or_default()) }
                    @if let Some(description) = description { " " q { (description) } }
                }
                @if let Some(remark) = &record.remark {
                    p { "What the provider saw, and doesn’t say: " (with_code(remark)) "." }
                }
            },
            (None, None) if transcript.judged.is_empty() => {
                h2 #why { "Answered" }
                p { "No rule stood in its way." }
            },
            (None, None) => {
                h2 #why { "Accepted" }
                p { "Every rule holds." }
            },
        }
        @if let Some(fault) = record.fault.filter(|_| record.answered_by().is_none()) {
            p { "The fault " code { (fault) } " changed how it was served." }
        }
    }
}

/// Where a `jti` was used before.
fn earlier(asked: &Asked<'_>, record: &RecordedRequest, rule: Option<&Rule>) -> Markup {
    let is_reuse = rule.is_some_and(|rule| rule.id.as_str() == "A13");
    let earlier = is_reuse.then(|| explanation::earlier_with_jti(asked.state, record)).flatten();
    html! {
        @if let Some(id) = earlier {
            p {
                "The same " code { "jti" } " came "
                a href=(href::request(id)) { "in an earlier request" } "."
            }
        }
    }
}

/// What else there is to say of it.
fn further(told: &Explanation, beside: &[&nhs_auth_rules::diagnosis::Diagnosed]) -> Markup {
    html! {
        @if !beside.is_empty() {
            details.further open {
                summary { "Also found (" (beside.len()) ")" }
                p.none { "Held against the app and its key set as they are registered now." }
                @for finding in beside { (findings::finding(&told.report, finding)) }
            }
        }
    }
}
