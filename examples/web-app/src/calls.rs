//! The same API called as the user, and as the application itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::Request;
use nhs_auth::ApiResponse;

use crate::application::WebApp;
use crate::browser::SessionCookie;
use crate::pages::{self, Problem};

/// What is shown of an answer at most, in bytes.
const MOST_SHOWN: usize = 4096;

/// User-restricted access: the user's token, and the role that they act in.
pub(crate) async fn hello_user(
    State(app): State<Arc<WebApp>>,
    SessionCookie(id): SessionCookie,
) -> Result<Response, Problem> {
    let Some(session) = app.sessions.find(&id).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let mut request = Request::get(format!("{}/user", app.api_url));
    if let Some(role) = session.role() {
        request = request.header("NHSD-Session-URID", &role.person_roleid);
    }
    let request = request.body(Bytes::new())?;
    let response = app.sessions.send(&id, &app.users, &app.api, request).await?;
    Ok(pages::answer("As you", shown(response).await?))
}

/// Application-restricted access: nobody has to be signed in.
pub(crate) async fn hello_application(State(app): State<Arc<WebApp>>) -> Result<Response, Problem> {
    let request = Request::get(format!("{}/application", app.api_url)).body(Bytes::new())?;
    let response = app.api.send(request).await?;
    Ok(pages::answer("As the application", shown(response).await?))
}

async fn shown(mut response: ApiResponse) -> Result<(u16, String), Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await?
        && body.len() < MOST_SHOWN
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MOST_SHOWN);
    Ok((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
}
