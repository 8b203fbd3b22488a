//! The pages that a user sees while signing in. They work without JavaScript, with a keyboard, and
//! read aloud; the form has the names that the hosted mocks' has, so that clients which fill it in
//! go on working.

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use maud::{DOCTYPE, Markup, html};

use super::realm::{Endpoint, Realm};
use super::signed_in::AuthorizationRequest;
use super::style;
use crate::answer::Reply;
use crate::state::State;
use crate::user::{Role, User};

/// Above this many roles there is a field to search them.
const ROLES_AT_A_GLANCE: usize = 5;

/// Nothing is said of `form-action`: browsers apply it to the redirect behind the form too, and
/// that leads to the client.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What was typed and doesn't do, and why.
#[derive(Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) typed: &'a str,
    pub(super) why: &'a str,
}

/// Who are you?
pub(super) fn sign_in(
    state: &State,
    request: &AuthorizationRequest,
    session: &str,
    refused: Option<Refused<'_>>,
) -> Reply {
    let error = refused.map(|refused| refused.why);
    let typed = refused.map_or("", |refused| refused.typed);
    let users = state.identity.users.of(request.realm.provider);
    let action = action(request, session);
    page(
        StatusCode::OK,
        request.realm,
        "Sign in",
        &html! {
            h1 { "Sign in" }
            p .lead {
                "Continue to " strong { (request.client_id) } ". "
                "This is a mock: a user name is enough, and nothing leaves your machine."
            }
            @if let Some(error) = error {
                p #username-error .error role="alert" { (error) }
            }
            form #kc-form-login action=(action) method="post" {
                label for="username" { "User name" }
                input #username name="username" type="text" value=(typed) autocomplete="username"
                    autocapitalize="none" spellcheck="false" autofocus
                    aria-invalid=[error.map(|_| "true")]
                    aria-describedby=[error.map(|_| "username-error")];
                div .buttons {
                    button .primary type="submit" { "Sign in" }
                    button type="submit" name="cancel" value="cancel" { "Cancel" }
                }
            }
            section aria-labelledby="users" {
                h2 #users { "Or sign in as" }
                ul .users {
                    @for user in &users {
                        li {
                            button type="submit" form="kc-form-login" name="username"
                                value=(user.username) {
                                span .who { (user.full_name()) }
                                span .level { (user.level_name()) }
                                span .username {
                                    (user.username)
                                    @if let Some(roles) = roles_in_words(&user.roles) {
                                        " · " (roles)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// In which of your roles?
pub(super) fn choose_role(
    request: &AuthorizationRequest,
    session: &str,
    user: &User,
    search: Option<&str>,
) -> Reply {
    let search = search.unwrap_or_default();
    let is_wanted = |role: &&Role| {
        let text = format!("{} {} {}", role.role_name, role.org_code, role.role_code);
        text.to_lowercase().contains(&search.to_lowercase())
    };
    let roles: Vec<_> = user.roles.iter().filter(is_wanted).collect();
    let action = action(request, session);
    page(
        StatusCode::OK,
        request.realm,
        "Choose a role",
        &html! {
            h1 { "Choose a role" }
            p .lead { (user.full_name()) ", which of your roles do you work in now?" }
            @if user.roles.len() > ROLES_AT_A_GLANCE {
                form .search role="search" action=(action_path(request)) method="get" {
                    input name="session_code" type="hidden" value=(session);
                    input name="username" type="hidden" value=(user.username);
                    label for="q" { "Search your roles" }
                    input #q name="q" type="search" value=(search);
                    button type="submit" { "Search" }
                }
            }
            form #kc-form-login action=(action) method="post" {
                input name="username" type="hidden" value=(user.username);
                fieldset {
                    legend { "Role" }
                    @if roles.is_empty() {
                        p { "No role has “" (search) "” in it." }
                    }
                    @for role in &roles {
                        label .choice {
                            input type="radio" name="role" value=(role.person_roleid) required;
                            span {
                                span .who { (role.short_name()) }
                                span .username {
                                    @if !role.area().is_empty() { (role.area()) " · " }
                                    (role.org_code) " · " (role.role_code)
                                }
                            }
                        }
                    }
                }
                div .buttons {
                    button .primary type="submit" { "Continue" }
                    button type="submit" name="cancel" value="cancel" formnovalidate { "Cancel" }
                }
            }
        },
    )
}

/// What can't go on, where there is nobody to send the browser back to.
pub(super) fn error(realm: Realm, error: &'static str, description: &'static str) -> Reply {
    let mut reply = page(
        StatusCode::BAD_REQUEST,
        realm,
        "This can't go on",
        &html! {
            h1 { "This can't go on" }
            p .error role="alert" { code { (error) } ": " (description) }
        },
    );
    reply.note.error = Some(error.into());
    reply.note.error_description = Some(description.into());
    reply
}

fn roles_in_words(roles: &[Role]) -> Option<String> {
    match roles {
        [] => None,
        [only] => Some(only.short_name().to_owned()),
        several => Some(format!("{} roles", several.len())),
    }
}

/// Where the form goes, as an absolute URL.
fn action(request: &AuthorizationRequest, session: &str) -> String {
    format!("{}?session_code={session}", action_path(request))
}

fn action_path(request: &AuthorizationRequest) -> String {
    let path = request.realm.path();
    format!("{}{path}{}", request.origin, request.realm.endpoint_path(Endpoint::SignIn))
}

fn page(status: StatusCode, realm: Realm, title: &str, content: &Markup) -> Reply {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – " (realm) " (mock)" }
                link rel="stylesheet" href=(style::PATH);
            }
            body {
                header { p { (realm) " " span .mock { "mock" } } }
                main { (content) }
                footer { p { "The API platform in a box. Not an official NHS page." } }
            }
        }
    };
    let mut reply = Reply::new(status, "text/html; charset=utf-8", markup.into_string());
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}
