//! CIS2 and NHS login, in the shape of the real ones and of the platform's hosted mocks of them:
//! OpenID providers with discovery, key sets, a sign-in page and users who need no password.

mod authorize;
pub(crate) mod claims;
pub(crate) mod client;
mod client_auth;
mod discovery;
pub(crate) mod keys;
pub(crate) mod minted;
mod page;
pub(crate) mod realm;
pub(crate) mod refusal;
mod sign_in;
pub(crate) mod signed_in;
pub(crate) mod style;
pub(crate) mod token;
mod user_info;
pub(crate) mod users;

use std::sync::Arc;

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use nhs_auth_rules::IdentityProvider;

use crate::answer::Reply;
use crate::call::Call;
use crate::oauth;
use crate::state::State;
use crate::state::expiring::Expiring;
use crate::user::User;
use client::{Clients, NewClient};
use keys::Keys;
use realm::{Endpoint, Likeness, Realm};
use signed_in::{AuthorizationRequest, SignedIn};
use user_info::Metadata;
use users::Users;

/// The most sign-ins, codes and tokens of each kind that are remembered.
const MOST: usize = 65_536;

/// Everything that the providers remember.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) clients: Clients,
    pub(crate) users: Users,
    pub(crate) keys: Keys,
    /// Sign-in pages that wait for their user, by the session in the form's address.
    pub(crate) waiting: Expiring<AuthorizationRequest>,
    pub(crate) codes: Expiring<Arc<SignedIn>>,
    pub(crate) access_tokens: Expiring<Arc<SignedIn>>,
    pub(crate) refresh_tokens: Expiring<Arc<SignedIn>>,
    /// Sign-ins that a client has tokens of, by `sid`.
    pub(crate) sessions: Expiring<Arc<SignedIn>>,
    /// What clients of NHS login have noted of their users.
    pub(crate) metadata: Metadata,
}

impl Identity {
    pub(crate) fn new(clients: Vec<NewClient>, users: Vec<User>) -> Self {
        Self {
            clients: Clients::new(clients),
            users: Users::new(users),
            keys: Keys::default(),
            waiting: Expiring::new(MOST),
            codes: Expiring::new(MOST),
            access_tokens: Expiring::new(MOST),
            refresh_tokens: Expiring::new(MOST),
            sessions: Expiring::new(MOST),
            metadata: Metadata::default(),
        }
    }

    /// Back to the start. The keys stay: relying parties may keep them for a day.
    pub(crate) fn reset(&self) {
        self.clients.reset();
        self.users.reset();
        self.waiting.clear();
        self.codes.clear();
        self.access_tokens.clear();
        self.refresh_tokens.clear();
        self.sessions.clear();
        self.metadata.clear();
    }
}

/// The provider of that name, or what to say of another.
pub(crate) fn provider_named(name: &str) -> Result<IdentityProvider, String> {
    IdentityProvider::named(name).ok_or_else(|| "provider must be cis2 or nhs-login".to_owned())
}

/// The answer of a provider, if there is one at that path.
pub(crate) async fn answer(state: &State, call: &Call) -> Option<Reply> {
    let (realm, endpoint) = Realm::at(call.path())?;
    let is_read = call.method == Method::GET || call.method == Method::HEAD;
    let is_read_or_post = is_read || call.method == Method::POST;
    Some(match endpoint {
        Endpoint::Token => token::answer(state, call, realm).await,
        Endpoint::Authorize if is_read_or_post => authorize::answer(state, call, realm),
        Endpoint::SignIn if is_read_or_post => sign_in::answer(state, call, realm),
        Endpoint::UserInfo => user_info::answer(state, call, realm),
        Endpoint::Discovery if is_read => {
            let origin = state.origin_of(call);
            let issuer = issuer(state, realm, &origin);
            kept(Reply::json(StatusCode::OK, &discovery::document(realm, &issuer, &origin)))
        }
        Endpoint::Jwks if is_read => {
            kept(Reply::json(StatusCode::OK, &state.identity.keys.current(realm.provider).jwks()))
        }
        _ => oauth::not_found(),
    })
}

/// The issuer of a realm that is called by that scheme and host.
pub(crate) fn issuer(state: &State, realm: Realm, origin: &str) -> String {
    match &state.settings.cis2_issuer {
        Some(issuer) if realm.likeness == Likeness::Real && !realm.is_nhs_login() => issuer.clone(),
        _ => [origin, &realm.path()].concat(),
    }
}

/// The realm whose issuer that is, to the letter, by whichever of this machine's names.
pub(crate) fn realm_of_issuer(state: &State, iss: &str) -> Option<Realm> {
    if let Some(issuer) = &state.settings.cis2_issuer {
        if iss == issuer {
            return Some(Realm::CIS2);
        }
        let path = state.settings.own_path(iss)?;
        return Realm::with_issuer_path(path).filter(|realm| *realm != Realm::CIS2);
    }
    Realm::with_issuer_path(state.settings.own_path(iss)?)
}

/// What relying parties may keep for a while.
fn kept(reply: Reply) -> Reply {
    reply.with_header(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
}
