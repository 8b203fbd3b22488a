//! What people see.

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use nhs_auth::{CallError, ErrorClass, Role, Session, SessionCallError, SessionError, SignInError};

use crate::application::WebApp;
use crate::browser::SessionCookie;

/// The first page: who you are, and what you can do.
pub(crate) async fn home(
    State(app): State<Arc<WebApp>>,
    cookie: Option<SessionCookie>,
) -> Result<Response, Problem> {
    let session = match cookie {
        Some(SessionCookie(id)) => app.sessions.find(&id).await?,
        None => None,
    };
    Ok(page(
        StatusCode::OK,
        "Hello World",
        &match session {
            Some(session) => signed_in(&session),
            None => signed_out(),
        },
    ))
}

fn signed_out() -> Markup {
    html! {
        p { "An example of an application that calls NHS APIs, as you and as itself." }
        form method="post" action="/sign-in" { button { "Sign in with CIS2" } }
        p { a href="/hello/application" { "Call the API as the application" } }
    }
}

fn signed_in(session: &Session) -> Markup {
    html! {
        p { "You are signed in as " strong { (session.name().unwrap_or("somebody")) } "." }
        @match session.role() {
            Some(role) => p { "You act as " strong { (role_in_words(role)) } "." },
            None if session.roles().is_empty() => p .problem {
                "You have no role that can be used here. Ask your organisation's registration \
                 authority for one."
            },
            None => p { a href="/role" { "Choose one of your roles" } },
        }
        ul {
            li { a href="/hello/user" { "Call the API as you" } }
            li { a href="/hello/application" { "Call the API as the application" } }
            @if session.roles().len() > 1 { li { a href="/role" { "Act in another role" } } }
        }
        form method="post" action="/sign-out" { button { "Sign out" } }
    }
}

/// In which of your roles?
pub(crate) async fn choose_role(
    State(app): State<Arc<WebApp>>,
    SessionCookie(id): SessionCookie,
) -> Result<Response, Problem> {
    let Some(session) = app.sessions.find(&id).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let chosen = session.role().map(|role| role.person_roleid.as_str());
    Ok(page(
        StatusCode::OK,
        "Choose a role",
        &html! {
            form method="post" action="/role" {
                fieldset {
                    legend { "Which of your roles do you act in?" }
                    @for role in session.roles() {
                        label {
                            input type="radio" name="role" value=(role.person_roleid) required
                                checked[chosen == Some(role.person_roleid.as_str())];
                            " " (role_in_words(&role))
                        }
                    }
                }
                button { "Continue" }
            }
        },
    ))
}

fn role_in_words(role: &Role) -> String {
    let name = role.short_name().unwrap_or("a role without a name");
    match &role.org_code {
        Some(organisation) => format!("{name} at {organisation}"),
        None => name.to_owned(),
    }
}

/// What the API answered.
pub(crate) fn answer(title: &str, (status, body): (u16, String)) -> Response {
    let content = html! {
        p { "The API answered " strong { (status) } ":" }
        pre tabindex="0" { (body) }
        p { a href="/" { "Back" } }
    };
    page(StatusCode::OK, title, &content)
}

pub(crate) fn no_sign_in_under_way() -> Response {
    problem_page(
        StatusCode::BAD_REQUEST,
        "No sign-in is under way in this browser, or this page was loaded twice.",
    )
}

pub(crate) async fn not_found() -> Response {
    problem_page(StatusCode::NOT_FOUND, "There is no such page.")
}

fn problem_page(status: StatusCode, what: impl Display) -> Response {
    let content = html! {
        p .problem role="alert" { (what) }
        p { a href="/" { "Back to the first page" } }
    };
    page(status, "That did not work", &content)
}

/// What ends a request early, as its user is told of it.
pub(crate) struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        problem_page(self.0, self.1)
    }
}

/// What the user can't mend is for the log, and for whoever runs this.
fn unavailable(error: &dyn Display) -> Problem {
    tracing::error!("{error}");
    let told = "That can't be done just now. Please try again later.";
    Problem(StatusCode::SERVICE_UNAVAILABLE, told.to_owned())
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        if error.class() != ErrorClass::Refused {
            return unavailable(&error);
        }
        tracing::warn!("{error}");
        Self(StatusCode::BAD_REQUEST, format!("You are not signed in: {error}."))
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            error if error.needs_sign_in() => {
                Self(StatusCode::UNAUTHORIZED, "Please sign in again.".to_owned())
            }
            SessionError::NoSuchRole => {
                Self(StatusCode::BAD_REQUEST, "That is none of your roles.".to_owned())
            }
            error => unavailable(&error),
        }
    }
}

impl From<SessionCallError> for Problem {
    fn from(error: SessionCallError) -> Self {
        match error {
            SessionCallError::Session(error) => error.into(),
            SessionCallError::Call(error) => error.into(),
            other => unavailable(&other),
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        unavailable(&error)
    }
}

impl From<http::Error> for Problem {
    fn from(error: http::Error) -> Self {
        unavailable(&error)
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--accent:#005eb8;--on-accent:#fff;--ground:#fff;--text:#212b32}\
@media(prefers-color-scheme:dark){\
:root{--accent:#8ac4ff;--on-accent:#00264d;--ground:#11161a;--text:#e8edee}}\
html{background:var(--ground);color:var(--text)}\
body{background:inherit;font:1.125rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1rem}\
header{border-bottom:.25rem solid var(--accent);padding:.5rem 0;font-weight:600}\
a{color:var(--accent)}\
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:.25rem;\
background:var(--accent);color:var(--on-accent);cursor:pointer}\
:focus-visible{outline:.2rem solid;outline-offset:.15rem}\
fieldset{border:0;padding:0;margin:0 0 1rem}label{display:block;padding:.5rem 0}\
pre{overflow:auto;padding:.75rem;border:1px solid}\
.problem{border-left:.3rem solid #d4351c;padding-left:.75rem}\
footer{margin-top:3rem;font-size:.9rem}";

fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – web-app" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { "web-app" }
                main { h1 { (title) } (content) }
                footer { p { "An example of nhs-auth. Not an official NHS page." } }
            }
        }
    };
    (status, Html(markup.into_string())).into_response()
}
