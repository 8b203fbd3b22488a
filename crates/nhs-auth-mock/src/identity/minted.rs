//! Tokens of the identity providers that are made on request, so that a test needs no browser.

use nhs_auth_rules::logout_token::LOGOUT_EVENT;
use nhs_auth_rules::{Environment, IdentityProvider, UnixMillis};
use serde_json::{Map, Value, json};

use super::client::{HOSTED_CLIENT_ID, platform_client_id};
use super::keys::overlay;
use super::realm::Realm;
use super::signed_in::{AuthorizationRequest, SignedIn};
use super::{claims, issuer};
use crate::random;
use crate::state::State;

/// An ID token to be made, as of a sign-in just now.
#[derive(Clone, Debug)]
pub struct NewIdToken {
    realm: Realm,
    username: Option<String>,
    claims: Map<String, Value>,
    headers: Map<String, Value>,
}

/// Nobody of that name can sign in there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no user `{username}` at {provider}")]
#[non_exhaustive]
pub struct UnknownUser {
    /// The name.
    pub username: String,
    /// Where.
    pub provider: IdentityProvider,
}

impl NewIdToken {
    /// Of CIS2: for `656005750104`, whose level is 3, unless told otherwise.
    pub fn cis2() -> Self {
        Self::of(Realm::CIS2)
    }

    /// Of NHS login: for `9912003071`, whose level is P9, unless told otherwise.
    pub fn nhs_login() -> Self {
        Self::of(Realm::NHS_LOGIN)
    }

    /// Of the platform's hosted mock of that provider for that environment, as its base paths for
    /// tests want it.
    pub fn hosted(provider: IdentityProvider, environment: Environment) -> Self {
        Self::of(Realm::hosted(provider, environment))
    }

    pub(crate) fn of(realm: Realm) -> Self {
        Self { realm, username: None, claims: Map::new(), headers: Map::new() }
    }

    /// The user who it is for.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// A claim in place of its own; null leaves it out.
    pub fn claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    /// A member of the header in place of its own; null leaves it out.
    pub fn header(mut self, name: impl Into<String>, value: Value) -> Self {
        self.headers.insert(name.into(), value);
        self
    }

    /// The token, by an issuer that is called by that scheme and host.
    pub(crate) fn issue(
        &self,
        state: &State,
        origin: &str,
        now: UnixMillis,
    ) -> Result<String, UnknownUser> {
        let provider = self.realm.provider;
        let usual = if self.realm.is_nhs_login() { "9912003071" } else { "656005750104" };
        let username = self.username.as_deref().unwrap_or(usual);
        let user = state
            .identity
            .users
            .find(provider, username)
            .ok_or_else(|| UnknownUser { username: username.to_owned(), provider })?;
        let role = user.roles.first().map(|role| role.person_roleid.clone());
        let signed_in = SignedIn::new(self.request(origin), user, role, now);
        let issuer = issuer(state, self.realm, origin);
        let mut claims = claims::of_id_token(&signed_in, &issuer, None, now);
        overlay(&mut claims, &self.claims);
        Ok(state.identity.keys.current(provider).sign(&self.headers, &claims))
    }

    /// As a client asks that wants to know everything.
    fn request(&self, origin: &str) -> AuthorizationRequest {
        AuthorizationRequest {
            realm: self.realm,
            origin: origin.to_owned(),
            client_id: HOSTED_CLIENT_ID.to_owned(),
            redirect_uri: String::new(),
            scope: "openid profile email nationalrbacaccess selectedrole".to_owned(),
            state: None,
            nonce: None,
            acr_values: None,
            vectors: Vec::new(),
            challenge: None,
        }
    }
}

/// A logout token to be made.
pub(crate) struct NewLogoutToken {
    pub(crate) sid: String,
    pub(crate) claims: Map<String, Value>,
}

impl NewLogoutToken {
    pub(crate) fn new(sid: &str) -> Self {
        Self { sid: sid.to_owned(), claims: Map::new() }
    }

    /// The token, for the client of that session: who nobody knows is the platform's.
    pub(crate) fn issue(&self, state: &State, origin: &str, now: UnixMillis) -> String {
        let now_s = now.to_seconds().0;
        let signed_in = state.identity.sessions.get(&self.sid, now);
        let (realm, client_id, sub) = match &signed_in {
            Some(it) => (it.request.realm, &*it.request.client_id, &*it.user.username),
            None => (Realm::CIS2, platform_client_id(IdentityProvider::Cis2), "656005750104"),
        };
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!(issuer(state, realm, origin))),
            ("aud", json!(client_id)),
            ("sub", json!(sub)),
            ("sid", json!(self.sid)),
            ("iat", json!(now_s)),
            ("exp", json!(now_s + 120)),
            ("jti", json!(random::uuid())),
            ("events", json!({LOGOUT_EVENT: {}})),
        ] {
            claims.insert(name.to_owned(), value);
        }
        overlay(&mut claims, &self.claims);
        state.identity.keys.current(IdentityProvider::Cis2).sign(&Map::new(), &claims)
    }
}
