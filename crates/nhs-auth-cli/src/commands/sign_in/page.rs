//! What the browser shows when it has come back.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

pub(super) fn signed_in() -> Response {
    page(
        StatusCode::OK,
        "Signed in",
        &html! {
            p { "You have signed in. You can close this page, and go on in the terminal." }
        },
    )
}

pub(super) fn failed(reason: &str) -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "Not signed in",
        &html! {
            p { "The sign-in could not be completed:" }
            p .reason { (reason) }
            p { "The terminal says what to do next." }
        },
    )
}

pub(super) fn twice() -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "Already answered",
        &html! {
            p { "This sign-in has been answered already. You can close this page." }
        },
    )
}

pub(super) fn not_here() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Not found",
        &html! {
            p { "Only the answer to a sign-in is expected here." }
        },
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}\
h1{font-size:1.75rem}\
.reason{border-left:.3rem solid #d4351c;padding-left:.75rem;overflow-wrap:anywhere}\
footer{margin-top:3rem;opacity:.7;font-size:.9rem}";

/// The address has a code in it, so nothing is loaded and nothing is told of it to others.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – nhs-auth" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                main { h1 { (title) } (content) }
                footer { p { "nhs-auth, on this machine. Not an official NHS page." } }
            }
        }
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page.into_string()).into_response()
}
