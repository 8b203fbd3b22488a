//! What every page has around it.

use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::secrets::PARAMETER;
use super::{Asked, href};
use crate::answer::Reply;
use crate::clock::rfc3339;

/// A page before it is sent.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) title: String,
    pub(super) body: Markup,
    /// Whether there are secrets on it that can be shown or masked.
    pub(super) has_secrets: bool,
}

impl Page {
    pub(super) fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { status: StatusCode::OK, title: title.into(), body, has_secrets: true }
    }

    /// A page that says what is wrong.
    pub(super) fn problem(status: StatusCode, what: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        let body = html! {
            div.narrow {
                h1 { (title) }
                p { (super::prose::sentence(what)) }
                p { a href="/" { "All requests" } }
            }
        };
        Self { status, has_secrets: false, ..Self::new(title, body) }
    }

    /// The page as it is sent.
    pub(super) fn reply(self, asked: &Asked<'_>) -> Reply {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (self.title) " · nhs-auth mock" }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href=(href::own("icon.svg")) type="image/svg+xml";
                    link rel="stylesheet" href=(href::own("style.css"));
                    script src=(href::own("live.js")) defer {}
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    (header(asked, self.has_secrets))
                    main #content { (self.body) }
                    footer {
                        p { "The API platform in a box, for tests. Not an official NHS product." }
                    }
                }
            }
        };
        Reply::new(self.status, "text/html; charset=utf-8", page.into_string())
    }
}

fn header(asked: &Asked<'_>, has_secrets: bool) -> Markup {
    let clock = &asked.state.clock;
    let now = rfc3339(clock.now());
    let (date, time) = now.split_once('T').unwrap_or_default();
    let time = time.split('.').next().unwrap_or_default();
    let origin = asked.state.origin_of(asked.call);
    html! {
        header.top {
            a.brand href="/" {
                span.logo aria-hidden="true" {}
                "nhs-auth " span { "mock" }
            }
            dl.facts {
                div {
                    dt { "Token endpoint" }
                    dd { code.copy { (origin) "/oauth2/token" } }
                }
                div {
                    dt { "Platform’s clock" }
                    dd {
                        time datetime=(now) { (date) " " (time) " UTC" }
                        @if let Some(offset) = offset(clock.offset_ms()) {
                            " " span.offset { (offset) }
                        }
                    }
                }
            }
            @if has_secrets { (secrets_switch(asked)) }
        }
    }
}

/// The clock's distance from the machine's, where there is one.
fn offset(millis: i64) -> Option<String> {
    let seconds = millis / 1000;
    let (ahead, seconds) = (seconds > 0, seconds.unsigned_abs());
    let (number, unit) = match seconds {
        0 => return None,
        1..600 => (seconds, "s"),
        600..36_000 => (seconds / 60, "min"),
        36_000..864_000 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    Some(format!("{number} {unit} {}", if ahead { "ahead" } else { "behind" }))
}

/// The same page with its secrets, or without them.
fn secrets_switch(asked: &Asked<'_>) -> Markup {
    let query = asked.call.uri.query().unwrap_or_default();
    let (name, value) = PARAMETER;
    let others: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let others = others.into_iter().filter(|pair| !pair.starts_with(&format!("{name}=")));
    let mut parameters: Vec<_> = others.map(str::to_owned).collect();
    let is_shown = asked.secrets.are_shown();
    if !is_shown {
        parameters.push(format!("{name}={value}"));
    }
    let target = match parameters.join("&") {
        empty if empty.is_empty() => asked.call.path().to_owned(),
        parameters => format!("{}?{parameters}", asked.call.path()),
    };
    html! {
        a.button.quiet href=(target) rel="nofollow" {
            @if is_shown { "Mask secrets" } @else { "Show secrets" }
        }
    }
}
