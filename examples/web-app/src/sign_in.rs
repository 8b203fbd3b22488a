//! Sign in, choose a role, sign out; and CIS2's word that a session is over.

use std::sync::Arc;

use axum::Form;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use nhs_auth::{Callback, Cis2SignIn, EndedSessions, ErrorClass, RoleChoice, SignInError};
use serde::Deserialize;

use crate::application::WebApp;
use crate::browser::{SessionCookie, forgetting, remembering};
use crate::pages::{self, Problem};

/// The button "Sign in with CIS2".
pub(crate) async fn begin(
    State(app): State<Arc<WebApp>>,
    cookie: Option<SessionCookie>,
) -> Result<Response, Problem> {
    if let Some(SessionCookie(id)) = cookie {
        app.sessions.end(&id).await?;
    }
    let begun = app.users.provider().begin(&Cis2SignIn::new()).await?;
    // What protects the sign-in stays here; the browser gets a name for it.
    let id = app.sessions.begin(begun.pending).await?;
    Ok((remembering(&id), Redirect::to(&begun.url)).into_response())
}

/// The browser comes back from CIS2.
pub(crate) async fn complete(
    State(app): State<Arc<WebApp>>,
    cookie: Option<SessionCookie>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pending = match cookie {
        Some(SessionCookie(id)) => app.sessions.take_pending(&id).await?,
        None => None,
    };
    let Some(pending) = pending else {
        return Ok(pages::no_sign_in_under_way());
    };
    let callback =
        Callback::parse(query.as_deref().unwrap_or_default()).map_err(SignInError::from)?;
    let signed_in = app.users.provider().complete(pending, &callback).await?;
    // A new name, so that nobody who knew the old one is signed in too.
    let id = app.sessions.start(&signed_in).await?;
    let next = match signed_in.user.role_choice() {
        RoleChoice::Choose(_) => "/role",
        RoleChoice::None | RoleChoice::Settled(_) => "/",
    };
    Ok((remembering(&id), Redirect::to(next)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct ChosenRole {
    role: String,
}

/// The user has chosen one of their roles.
pub(crate) async fn choose_role(
    State(app): State<Arc<WebApp>>,
    SessionCookie(id): SessionCookie,
    Form(chosen): Form<ChosenRole>,
) -> Result<Redirect, Problem> {
    app.sessions.choose_role(&id, &chosen.role).await?;
    Ok(Redirect::to("/"))
}

/// The button "Sign out". CIS2 has none of its own: the next sign-in asks the user again.
pub(crate) async fn sign_out(
    State(app): State<Arc<WebApp>>,
    cookie: Option<SessionCookie>,
) -> Result<Response, Problem> {
    if let Some(SessionCookie(id)) = cookie {
        app.sessions.end(&id).await?;
    }
    Ok((forgetting(), Redirect::to("/")).into_response())
}

#[derive(Deserialize)]
pub(crate) struct LogoutForm {
    logout_token: String,
}

/// CIS2 says that a session is over: a smartcard was taken out, say.
pub(crate) async fn ended_by_cis2(
    State(app): State<Arc<WebApp>>,
    Form(form): Form<LogoutForm>,
) -> impl IntoResponse {
    let status = match app.users.provider().logout_token(&form.logout_token).await {
        Ok(token) => match app.sessions.end_by(&token).await.map(EndedSessions::or_stale) {
            Ok(Ok(_)) => StatusCode::OK,
            Ok(Err(_)) => StatusCode::BAD_REQUEST,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        },
        Err(error) if error.class() == ErrorClass::Refused => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(CACHE_CONTROL, "no-store")])
}
