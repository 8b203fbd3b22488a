//! The user info of a provider (OpenID Connect Core §5.3), and NHS login's notes in it.

use std::collections::HashMap;
use std::sync::Mutex;

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::claims;
use super::realm::Realm;
use super::refusal::{Refusal, invalid_token};
use super::signed_in::SignedIn;
use crate::answer::Reply;
use crate::call::Call;
use crate::oauth;
use crate::random;
use crate::state::{State, lock};

/// The most users of whom something is noted.
const MOST: usize = 10_000;

/// The longest note, in characters (NHS login's interface specification, §3.6.3).
const LONGEST: usize = 1024;

/// What each client has noted of each of its users: `client_user_metadata`.
#[derive(Debug, Default)]
pub(crate) struct Metadata(Mutex<HashMap<(String, String), String>>);

impl Metadata {
    fn get(&self, signed_in: &SignedIn) -> Option<String> {
        lock(&self.0).get(&name(signed_in)).cloned()
    }

    /// An empty note takes the old one away, and `auto` makes one.
    fn note(&self, signed_in: &SignedIn, note: &str) {
        let mut notes = lock(&self.0);
        let name = name(signed_in);
        match note {
            "" => {
                notes.remove(&name);
            }
            _ if notes.len() >= MOST && !notes.contains_key(&name) => {}
            "auto" => {
                notes.insert(name, random::uuid());
            }
            _ => {
                notes.insert(name, note.to_owned());
            }
        }
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

fn name(signed_in: &SignedIn) -> (String, String) {
    (signed_in.request.client_id.clone(), signed_in.user.username.clone())
}

/// What the provider says of the user, to whoever has the access token.
pub(super) fn answer(state: &State, call: &Call, realm: Realm) -> Reply {
    let is_noted = realm.is_nhs_login() && !realm.is_hosted() && call.method == Method::PATCH;
    if !is_noted && ![Method::GET, Method::HEAD, Method::POST].contains(&call.method) {
        return oauth::not_found();
    }
    let signed_in = state.identity.access_tokens.get(call.bearer_token(), call.now);
    let Some(signed_in) = signed_in.filter(|signed_in| signed_in.request.realm == realm) else {
        return invalid_token();
    };
    if is_noted {
        return noted(state, call, &signed_in);
    }
    let mut claims = claims::of_user_info(&signed_in);
    if realm.is_nhs_login() && signed_in.request.has_scope("client_metadata") {
        let note = state.identity.metadata.get(&signed_in);
        claims.extend(note.map(|note| ("client_user_metadata".to_owned(), json!(note))));
    }
    Reply::json(StatusCode::OK, &claims)
        .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// Notes something of the user (NHS login's interface specification, §3.6.3 and §3.6.4).
fn noted(state: &State, call: &Call, signed_in: &SignedIn) -> Reply {
    #[derive(Deserialize)]
    struct Note {
        client_user_metadata: String,
    }
    if !signed_in.request.has_scope("client_metadata") {
        let mut reply = Refusal::new("insufficient_scope", "the scope client_metadata is missing")
            .into_reply(signed_in.request.realm);
        reply.status = StatusCode::FORBIDDEN;
        return reply;
    }
    match serde_json::from_slice::<Note>(&call.body) {
        Ok(note) if note.client_user_metadata.chars().count() <= LONGEST => {
            state.identity.metadata.note(signed_in, &note.client_user_metadata);
            Reply::no_content()
        }
        Ok(_) | Err(_) => Refusal::new(
            "invalid_request",
            "the body must have client_user_metadata, a string of at most 1,024 characters",
        )
        .into_reply(signed_in.request.realm),
    }
}
