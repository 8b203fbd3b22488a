//! Which part of the platform answers which path.

use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::{echo, gateway, oauth};

/// The platform's answer, faults aside. The control API is elsewhere.
pub(crate) async fn answer(state: &State, call: &Call) -> Reply {
    if let Some(endpoint) = oauth::endpoint(call.path()) {
        return oauth::answer(state, call, endpoint).await;
    }
    gateway::answer(state, call).or_else(|| echo::answer(call)).unwrap_or_else(oauth::not_found)
}

/// The application that a request is from, as far as it says, before anything is judged.
pub(crate) fn application_id(state: &State, call: &Call) -> Option<String> {
    let app = if oauth::endpoint(call.path()) == Some("/token") {
        oauth::claimed_client(state, &call.body)
    } else {
        gateway::caller(state, call)
    };
    app.map(|app| app.identity.application_id().to_owned())
}

/// The `jti` of a token request, as it was sent, before anything is judged.
pub(crate) fn jti(call: &Call) -> Option<String> {
    let is_token_request = oauth::endpoint(call.path()) == Some("/token");
    is_token_request.then(|| oauth::claimed_jti(&call.body)).flatten()
}
