//! The first page: the list of requests, and the applications.

use http::StatusCode;
use maud::{Markup, html};

use super::filter::Filter;
use super::layout::Page;
use super::secrets::{self, Secrets};
use super::{Asked, href, row};
use crate::answer::Reply;
use crate::app::KeySource;
use crate::recorded::RecordedRequest;
use crate::state::apps::Registered;

/// How many requests a page lists.
pub(super) const ROWS: usize = 200;

/// How many applications it lists beside them.
const APPS: usize = 50;

pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let filter = Filter::read(&asked.query);
    let before = asked.query.get("before").map_or(Some(u64::MAX), |before| before.parse().ok());
    let Some(before) = before else {
        return asked.problem(StatusCode::BAD_REQUEST, "`before` must be the number of a request");
    };
    let wanted = |request: &RecordedRequest| filter.takes(request);
    let mut requests = asked.state.requests.newest(0, before, ROWS + 1, wanted);
    let has_older = requests.len() > ROWS;
    requests.truncate(ROWS);
    let body = html! {
        div.columns {
            section.main aria-labelledby="requests" {
                (list_head(asked, &filter, before))
                (search(asked, &filter))
                (list(asked, &filter, &requests, before))
                (pager(&filter, &requests, before, has_older))
            }
            section.aside aria-labelledby="apps" { (apps(asked)) }
        }
    };
    Page::new("Requests", body).reply(asked)
}

fn list_head(asked: &Asked<'_>, filter: &Filter, before: u64) -> Markup {
    let has_any = !asked.state.requests.newest(0, u64::MAX, 1, |_| true).is_empty();
    html! {
        div.head {
            h1 #requests { "Requests" }
            @if before == u64::MAX {
                p.live #live role="status" { "Reload the page to see new requests" }
                button.quiet #pause type="button" hidden { "Pause" }
            }
            @if has_any {
                a.button.quiet href=(filter.href("/", &[])) { "Reload" }
                form method="post" action=(href::own("requests/forget")) {
                    button.quiet type="submit" { "Forget all" }
                }
            }
        }
    }
}

fn search(asked: &Asked<'_>, filter: &Filter) -> Markup {
    html! {
        form.search method="get" action="/" role="search" {
            @if asked.secrets.are_shown() {
                input type="hidden" name=(secrets::PARAMETER.0) value=(secrets::PARAMETER.1);
            }
            div.field {
                label for="q" { "Search" }
                input #q type="search" name="q" value=(filter.words)
                    placeholder="path, error, jti, message ID";
            }
            div.field {
                label for="app" { "App" }
                select #app name="app" {
                    option value="" { "Every app" }
                    @for app in asked.state.apps.all() {
                        @let id = app.identity.application_id();
                        option value=(id) selected[filter.app == id] { (app.settings.name) }
                    }
                }
            }
            div.check {
                input #failed type="checkbox" name="failed" value="yes" checked[filter.only_failed];
                label for="failed" { "Failed only" }
            }
            button type="submit" { "Filter" }
            @if !filter.is_empty() { a.button.quiet href="/" { "Show all" } }
        }
    }
}

fn list(asked: &Asked<'_>, filter: &Filter, requests: &[RecordedRequest], before: u64) -> Markup {
    let latest = asked.state.requests.latest();
    // Only the newest page grows.
    let events = (before == u64::MAX).then(|| filter.href(&href::own("events"), &[]));
    html! {
        ol.requests #list role="list" data-events=[events] data-latest=(latest) data-most=(ROWS) {
            @for request in requests { (row::of(asked.state, request)) }
        }
        @if requests.is_empty() { (nothing(asked, filter)) }
    }
}

fn nothing(asked: &Asked<'_>, filter: &Filter) -> Markup {
    let origin = asked.state.origin_of(asked.call);
    html! {
        div.nothing #nothing {
            @if filter.is_empty() {
                h2 { "No requests yet" }
                p { "Point your software at this address, and what it sends will stand here." }
                dl.fields {
                    div { dt { "Base URL" } dd { code.copy { (origin) } } }
                    div {
                        dt { "Token endpoint, and " code { "aud" } }
                        dd { code.copy { (origin) "/oauth2/token" } }
                    }
                }
            } @else {
                h2 { "No such requests" }
                p { "None of those that are remembered fits the filter." }
            }
        }
    }
}

fn pager(filter: &Filter, requests: &[RecordedRequest], before: u64, has_older: bool) -> Markup {
    let last = requests.last().map(|request| request.id.to_string());
    html! {
        @if has_older || before != u64::MAX {
            nav.pager aria-label="Pages" {
                @if before != u64::MAX { a.button.quiet href=(filter.href("/", &[])) { "Newest" } }
                @if let Some(last) = last.filter(|_| has_older) {
                    a.button.quiet href=(filter.href("/", &[("before", &last)])) { "Older" }
                }
            }
        }
    }
}

fn apps(asked: &Asked<'_>) -> Markup {
    let apps = asked.state.apps.all();
    html! {
        div.head {
            h2 #apps { "Apps" }
            a.button href=(href::own("apps")) { "New app" }
        }
        @if apps.is_empty() {
            p.none { "There is no app yet. Make one, and give its API key to your software." }
        }
        ul.apps {
            @for app in apps.iter().take(APPS) { li.panel { (app_card(asked, app)) } }
        }
        @if apps.len() > APPS { p.none { "And " (apps.len() - APPS) " more, by the control API." } }
    }
}

fn app_card(asked: &Asked<'_>, app: &Registered) -> Markup {
    let (identity, settings) = (&app.identity, &app.settings);
    html! {
        h3 { a href=(href::app(identity.application_id())) { (settings.name) } }
        @if !settings.approved {
            p { span.status.refused { span aria-hidden="true" { "✕" } " Not approved" } }
        }
        dl.fields.tight {
            div { dt { "Application ID" } dd { code.copy { (identity.application_id()) } } }
            div { dt { "API key" } dd { code.copy { (identity.api_key()) } } }
            div {
                dt { "Client secret" }
                dd { code.copy { (asked.secrets.secret(identity.client_secret())) } }
            }
            div { dt { "Public key" } dd { (keys(app)) } }
            @if !settings.products.is_empty() {
                div { dt { "API products" } dd { (settings.products.join(", ")) } }
            }
            div { dt { "Scopes" } dd { (scopes(app)) } }
            @if let Some(url) = &settings.callback_url {
                div { dt { "Callback URL" } dd { code { (url) } } }
            }
        }
    }
}

/// Where the key set is, and which keys are in it.
pub(super) fn keys(app: &Registered) -> Markup {
    let kids: Vec<_> = app
        .uploaded
        .iter()
        .flat_map(|set| &set.jwks.keys)
        .map(|key| {
            key.text("kid").map_or_else(|| "(no kid)".to_owned(), std::borrow::Cow::into_owned)
        })
        .collect();
    html! {
        @match &app.settings.keys {
            KeySource::Nowhere => span.none { "none registered" },
            KeySource::Url(url) => code { (row::short(&Secrets::Masked.url(url))) },
            KeySource::Uploaded(_) if kids.is_empty() => "uploaded, with no key in it",
            KeySource::Uploaded(_) => {
                "uploaded: "
                @for (index, kid) in kids.iter().take(8).enumerate() {
                    @if index > 0 { ", " }
                    code { (row::short(kid)) }
                }
                @if kids.len() > 8 { " and more" }
            },
        }
    }
}

fn scopes(app: &Registered) -> Markup {
    html! {
        @match app.record.scopes.as_deref() {
            None => span.none { "not subscribed to any API" },
            Some([]) => span.none { "none" },
            Some([only]) => code { (only) },
            Some(scopes) => { (scopes.len()) " scopes" },
        }
    }
}
