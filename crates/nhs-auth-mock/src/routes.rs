//! Which part of the platform answers which path.

use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::{echo, gateway, identity, oauth};

/// The platform's answer, faults aside. The control API is elsewhere.
pub(crate) async fn answer(state: &State, call: &Call) -> Reply {
    if let Some((base, endpoint)) = oauth::endpoint(&state.settings, call.path()) {
        return oauth::answer(state, call, base, endpoint).await;
    }
    if let Some(reply) = identity::answer(state, call).await {
        return reply;
    }
    gateway::answer(state, call)
        .or_else(|| echo::answer(state, call))
        .unwrap_or_else(oauth::not_found)
}

/// The application that a request is from, as far as it says, before anything is judged.
pub(crate) fn application_id(state: &State, call: &Call) -> Option<String> {
    let app = match oauth::endpoint(&state.settings, call.path()) {
        Some((_, "/userinfo")) | None => gateway::caller(state, call),
        Some((_, endpoint)) => oauth::claimed_client(state, call, endpoint),
    };
    app.map(|app| app.identity.application_id().to_owned())
}

/// The `jti` of a token request, as it was sent, before anything is judged.
pub(crate) fn jti(state: &State, call: &Call) -> Option<String> {
    let (_, endpoint) = oauth::endpoint(&state.settings, call.path())?;
    (endpoint == "/token").then(|| oauth::claimed_jti(&call.body)).flatten()
}
