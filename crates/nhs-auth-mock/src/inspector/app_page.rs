//! One application: what is known of it, and the form that changes it.
//!
//! What is sent goes the way of the control API, so that both take and refuse the same.

use maud::{Markup, html};
use nhs_auth_rules::Form;
use nhs_auth_rules::diagnosis::{self, Inputs, JwksInput};

use super::app_form::Fields;
use super::crypto::OwnCrypto;
use super::layout::Page;
use super::prose::sentence;
use super::{Asked, findings, href, overview, see};
use crate::answer::Reply;
use crate::app::{KeySource, NewApp};
use crate::control::{self, Refusal};
use crate::state::apps::Registered;

/// The form for a new application.
pub(super) fn new(asked: &Asked<'_>) -> Reply {
    let fields = Fields::of(&NewApp::new(""), asked.secrets);
    Page { has_secrets: false, ..Page::new("New app", making(&fields, None)) }.reply(asked)
}

/// Makes an application, and shows it.
pub(super) fn create(asked: &Asked<'_>) -> Reply {
    let fields = Fields::sent(&Form::parse(&asked.call.body));
    match control::apps::create(asked.state, &fields.to_json()) {
        Ok(app) => see(&href::page(&href::app(app.application_id()), &[("done", "made")])),
        Err(refusal) => refused(asked, &refusal, making(&fields, Some(&refusal))),
    }
}

/// An application.
pub(super) fn page(asked: &Asked<'_>, id: &str) -> Reply {
    let Some(app) = asked.state.apps.by_id(id) else { return asked.not_found() };
    let fields = Fields::of(&app.settings, asked.secrets);
    Page::new(&*app.settings.name, changing(asked, &app, &fields, None)).reply(asked)
}

/// Changes an application, and shows it.
pub(super) fn change(asked: &Asked<'_>, id: &str) -> Reply {
    let fields = Fields::sent(&Form::parse(&asked.call.body));
    match control::apps::change(asked.state, id, &fields.to_json()) {
        Ok(Some(_)) => see(&href::page(&href::app(id), &[("done", "saved")])),
        Ok(None) => asked.not_found(),
        Err(refusal) => match asked.state.apps.by_id(id) {
            Some(app) => refused(asked, &refusal, changing(asked, &app, &fields, Some(&refusal))),
            None => asked.not_found(),
        },
    }
}

/// Removes an application.
pub(super) fn delete(asked: &Asked<'_>, id: &str) -> Reply {
    if asked.state.apps.remove(id) { see("/") } else { asked.not_found() }
}

fn refused(asked: &Asked<'_>, refusal: &Refusal, body: Markup) -> Reply {
    Page { status: refusal.status, has_secrets: false, ..Page::new("Not saved", body) }.reply(asked)
}

fn making(fields: &Fields, refusal: Option<&Refusal>) -> Markup {
    html! {
        div.narrow {
            (crumbs())
            h1 { "New app" }
            p { "It gets an application ID, an API key and a client secret of its own." }
            (problem(refusal))
            (fields.form(&href::own("apps"), "Make the app"))
        }
    }
}

fn changing(
    asked: &Asked<'_>,
    app: &Registered,
    fields: &Fields,
    refusal: Option<&Refusal>,
) -> Markup {
    let id = app.identity.application_id();
    html! {
        (crumbs())
        h1 { (app.settings.name) }
        (done(asked))
        (problem(refusal))
        div.columns {
            section.main.panel aria-labelledby="settings" {
                h2 #settings { "Settings" }
                (fields.form(&href::app(id), "Save"))
            }
            div.aside {
                section.panel aria-labelledby="identity" {
                    h2 #identity { "Identity" }
                    (identity(asked, app))
                    p { a href=(href::page("/", &[("app", id)])) { "Its requests" } }
                }
                (key_set(app))
                details.panel.danger {
                    summary { "Delete this app" }
                    p { "Its API key is then unknown. Requests that it made stay in the list." }
                    form method="post" action=(href::app(id) + "/delete") {
                        button.danger type="submit" { "Delete " (app.settings.name) }
                    }
                }
            }
        }
    }
}

fn identity(asked: &Asked<'_>, app: &Registered) -> Markup {
    let identity = &app.identity;
    html! {
        dl.fields.tight {
            div { dt { "Application ID" } dd { code.copy { (identity.application_id()) } } }
            div {
                dt { "API key, for " code { "iss" } " and " code { "sub" } }
                dd { code.copy { (identity.api_key()) } }
            }
            div {
                dt { "Client secret" }
                dd { code.copy { (asked.secrets.secret(identity.client_secret())) } }
            }
            div { dt { "Public key" } dd { (overview::keys(app)) } }
        }
    }
}

/// What the diagnosis says of the key set by itself.
fn key_set(app: &Registered) -> Markup {
    let jwks = match &app.settings.keys {
        KeySource::Nowhere => return html! {},
        KeySource::Uploaded(document) => JwksInput::Document(document),
        KeySource::Url(url) => JwksInput::Url(url),
    };
    let report = diagnosis::diagnose(&Inputs { jwks: Some(jwks), ..Inputs::default() }, &OwnCrypto);
    html! {
        section.panel aria-labelledby="lint" {
            h2 #lint { "Key set" }
            @if report.findings.is_empty() { p { "Nothing is wrong with it." } }
            @for finding in &report.findings { (findings::finding(&report, finding)) }
        }
    }
}

fn crumbs() -> Markup {
    html! { nav.crumbs aria-label="Back" { a href="/" { "Requests and apps" } } }
}

fn done(asked: &Asked<'_>) -> Markup {
    let said = match asked.query.get("done") {
        Some("made") => "The app is made.",
        Some("saved") => "Saved.",
        _ => return html! {},
    };
    html! { p.done role="status" { span aria-hidden="true" { "✓ " } (said) } }
}

fn problem(refusal: Option<&Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            div.problem role="alert" {
                h2 { "It was not saved" }
                p { (sentence(&refusal.description)) }
            }
        }
    }
}
