//! What passes between here and a browser: one cookie, and headers that keep the pages to
//! themselves.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HeaderMap, HeaderName, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nhs_auth::SessionId;

use crate::application::WebApp;

/// The prefix has browsers refuse one that another host of the same domain sets (RFC 6265bis).
const COOKIE_NAME: &str = "__Host-session";

/// The session that the browser has the name of. A handler that must have one sends a browser
/// without it to the first page.
pub(crate) struct SessionCookie(pub(crate) SessionId);

type SetCookie = AppendHeaders<[(HeaderName, String); 1]>;

/// The cookie, which no script can read, that goes over TLS alone, and with no form of another
/// site's.
pub(crate) fn remembering(id: &SessionId) -> SetCookie {
    set_cookie(id.expose(), "")
}

/// Takes the cookie away.
pub(crate) fn forgetting() -> SetCookie {
    set_cookie("", "; Max-Age=0")
}

fn set_cookie(value: &str, more: &str) -> SetCookie {
    let cookie = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; Secure; SameSite=Lax{more}");
    AppendHeaders([(SET_COOKIE, cookie)])
}

fn session_id(headers: &HeaderMap) -> Option<SessionId> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE_NAME).then(|| value.parse().ok()).flatten())
}

impl<S: Sync> FromRequestParts<S> for SessionCookie {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Redirect> {
        session_id(&parts.headers).map(Self).ok_or_else(|| Redirect::to("/"))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SessionCookie {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(session_id(&parts.headers).map(Self))
    }
}

/// Refuses what another site has a browser post, and says how pages may be used.
pub(crate) async fn guard(
    State(app): State<Arc<WebApp>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
    if request.method() == Method::POST && origin != Some(app.public_url.as_bytes()) {
        return guarded((StatusCode::FORBIDDEN, "this form is not of this site\n").into_response());
    }
    guarded(next.run(request).await)
}

fn guarded(mut response: Response) -> Response {
    // A form may lead on to CIS2, wherever that is.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
                  base-uri 'none'";
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
