//! The state as it stands in the file.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth_rules::{IdentityProvider, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::app::{App, NewApp};
use crate::identity::client::SavedClient;
use crate::identity::provider_named;
use crate::identity::realm::Realm;
use crate::identity::signed_in::{AuthorizationRequest, SignedIn};
use crate::state::State;
use crate::state::apps::Products;
use crate::state::expiring::Digest;
use crate::state::sessions::{Refresh, Session};
use crate::state::tokens::Grant;
use crate::user::User;

/// The form of the file. One of another form isn't read.
const SCHEMA: u32 = 1;

/// Everything that is in the file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    schema: u32,
    clock_offset_ms: i64,
    apps: Vec<(App, NewApp)>,
    products: Products,
    clients: Vec<SavedClient>,
    users: Vec<User>,
    /// The providers' private keys: PKCS#8 in base64url, and the `kid`.
    keys: Vec<SavedKey>,
    jtis: Vec<(Name, i64)>,
    sessions: Vec<SavedSession>,
    access_tokens: Vec<SavedToken>,
    refresh_tokens: Vec<SavedRefresh>,
}

#[derive(Serialize, Deserialize)]
struct SavedKey {
    provider: String,
    kid: String,
    pkcs8: String,
}

#[derive(Serialize, Deserialize)]
struct SavedSession {
    application_id: String,
    provider: String,
    scopes: Vec<String>,
    first_issued: i64,
    signed_in: Option<SavedSignIn>,
    /// Whether CIS2 can end it: when the session is forgotten.
    ends_by_sid_until: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct SavedSignIn {
    realm: String,
    origin: String,
    client_id: String,
    scope: String,
    user: User,
    role: Option<String>,
    at: i64,
    sid: String,
}

#[derive(Serialize, Deserialize)]
struct SavedToken {
    name: Name,
    application_id: String,
    expires_at: i64,
    forgotten_at: i64,
    /// Which of the sessions.
    session: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct SavedRefresh {
    name: Name,
    session: usize,
    expires_at: i64,
    forgotten_at: i64,
    count: u64,
}

/// What a thing is kept under: half a SHA-256, in base64url.
#[derive(Serialize, Deserialize)]
struct Name(String);

impl Saved {
    /// Reads what stands in the file, or says what is wrong with it.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        let form: Form = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if form.schema != SCHEMA {
            return Err(format!("it has the schema {}, and this is {SCHEMA}", form.schema));
        }
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    pub(super) fn of(state: &State) -> Self {
        let mut sessions = Sessions::default();
        // What has ended stays so.
        let mut by_sid = state.sessions.by_sid.all();
        by_sid.retain(|(_, _, session)| !session.has_ended());
        for (_, until, session) in &by_sid {
            let number = sessions.number(session);
            sessions.all[number].ends_by_sid_until = Some(until.0);
        }
        let mut grants = state.tokens.all();
        grants.retain(|(_, _, grant)| !grant.user.as_ref().is_some_and(|it| it.has_ended()));
        let access_tokens = grants.into_iter().map(|(digest, until, grant)| SavedToken {
            name: Name::of(&digest),
            application_id: grant.application_id.to_string(),
            expires_at: grant.expires_at.0,
            forgotten_at: until.0,
            session: grant.user.as_ref().map(|session| sessions.number(session)),
        });
        let access_tokens = access_tokens.collect();
        let mut refreshes = state.sessions.refresh_tokens.all();
        refreshes.retain(|(_, _, refresh)| !refresh.session.has_ended());
        let refresh_tokens = refreshes
            .into_iter()
            .map(|(digest, until, refresh)| SavedRefresh {
                name: Name::of(&digest),
                session: sessions.number(&refresh.session),
                expires_at: refresh.expires_at.0,
                forgotten_at: until.0,
                count: refresh.count,
            })
            .collect();
        Self {
            schema: SCHEMA,
            clock_offset_ms: state.clock.offset_ms(),
            apps: state
                .apps
                .all()
                .iter()
                .map(|it| (it.identity.clone(), it.settings.clone()))
                .collect(),
            products: state.apps.products(),
            clients: state.identity.clients.saved(),
            users: PROVIDERS.into_iter().flat_map(|it| state.identity.users.of(it)).collect(),
            keys: keys(state),
            jtis: state.jtis.all().iter().map(|(name, until)| (Name::of(name), until.0)).collect(),
            sessions: sessions.all,
            access_tokens,
            refresh_tokens,
        }
    }

    /// The identifiers of the application of that name.
    pub(crate) fn app_named(&self, name: &str) -> Option<App> {
        let found = self.apps.iter().find(|(_, settings)| settings.name == name);
        found.map(|(identity, _)| identity.clone())
    }

    /// Puts a state that has just begun where it was. What is wrong with the file is said in words.
    /// What the configuration has goes on top.
    pub(super) fn restore(self, state: &State) -> Result<(), String> {
        let broken = || "it refers to something that isn't in it".to_owned();
        for key in self.keys {
            let der = URL_SAFE_NO_PAD.decode(&key.pkcs8).map_err(|error| error.to_string())?;
            state.identity.keys.restore(provider_named(&key.provider)?, key.kid, &der)?;
        }
        state.clock.advance(self.clock_offset_ms.saturating_sub(state.clock.offset_ms()));
        state.apps.restore(self.products, self.apps);
        let clients =
            self.clients.into_iter().map(SavedClient::into_new).collect::<Result<_, _>>()?;
        state.identity.clients.restore(clients);
        state.identity.users.restore(self.users);
        for (name, until) in self.jtis {
            state.jtis.restore(name.digest()?, UnixMillis(until));
        }
        let sessions = self
            .sessions
            .into_iter()
            .map(|saved| saved.restore(state))
            .collect::<Result<Vec<_>, String>>()?;
        for token in self.access_tokens {
            let user = match token.session {
                None => None,
                Some(number) => Some(sessions.get(number).cloned().ok_or_else(broken)?),
            };
            let grant = Grant {
                application_id: token.application_id.into(),
                expires_at: UnixMillis(token.expires_at),
                user,
            };
            state.tokens.restore(token.name.digest()?, grant, UnixMillis(token.forgotten_at));
        }
        for refresh in self.refresh_tokens {
            let session = sessions.get(refresh.session).cloned().ok_or_else(broken)?;
            let kept = Refresh {
                session,
                expires_at: UnixMillis(refresh.expires_at),
                count: refresh.count,
            };
            let until = UnixMillis(refresh.forgotten_at);
            state.sessions.refresh_tokens.put_digest(refresh.name.digest()?, kept, until);
        }
        Ok(())
    }
}

const PROVIDERS: [IdentityProvider; 2] = [IdentityProvider::Cis2, IdentityProvider::NhsLogin];

fn keys(state: &State) -> Vec<SavedKey> {
    PROVIDERS
        .into_iter()
        .filter_map(|provider| {
            let (kid, der) = state.identity.keys.saved(provider)?;
            let pkcs8 = URL_SAFE_NO_PAD.encode(der);
            Some(SavedKey { provider: provider.name().to_owned(), kid, pkcs8 })
        })
        .collect()
}

/// The sessions that things refer to, each once.
#[derive(Default)]
struct Sessions {
    all: Vec<SavedSession>,
    numbers: HashMap<*const Session, usize>,
    /// Kept while they are told apart by their addresses.
    alive: Vec<Arc<Session>>,
}

impl Sessions {
    fn number(&mut self, session: &Arc<Session>) -> usize {
        *self.numbers.entry(Arc::as_ptr(session)).or_insert_with(|| {
            self.alive.push(Arc::clone(session));
            self.all.push(SavedSession::of(session));
            self.all.len() - 1
        })
    }
}

impl SavedSession {
    fn of(session: &Session) -> Self {
        Self {
            application_id: session.application_id.to_string(),
            provider: session.provider.name().to_owned(),
            scopes: session.scopes.clone(),
            first_issued: session.first_issued().0,
            signed_in: session.signed_in.as_deref().map(SavedSignIn::of),
            ends_by_sid_until: None,
        }
    }

    fn restore(self, state: &State) -> Result<Arc<Session>, String> {
        let signed_in = self.signed_in.map(SavedSignIn::restore).transpose()?;
        let sid = signed_in.as_ref().map(|signed_in| signed_in.sid.clone());
        let session = Session::new(
            &self.application_id,
            provider_named(&self.provider)?,
            self.scopes,
            UnixMillis(self.first_issued),
            signed_in,
        );
        if let (Some(sid), Some(until)) = (sid, self.ends_by_sid_until) {
            state.sessions.by_sid.put(&sid, Arc::clone(&session), UnixMillis(until));
        }
        Ok(session)
    }
}

impl SavedSignIn {
    fn of(signed_in: &SignedIn) -> Self {
        let request = &signed_in.request;
        Self {
            realm: request.realm.path(),
            origin: request.origin.clone(),
            client_id: request.client_id.clone(),
            scope: request.scope.clone(),
            user: signed_in.user.clone(),
            role: signed_in.role.clone(),
            at: signed_in.at.0,
            sid: signed_in.sid.clone(),
        }
    }

    fn restore(self) -> Result<Arc<SignedIn>, String> {
        let realm = Realm::with_issuer_path(&self.realm)
            .ok_or_else(|| format!("there is no identity provider at {}", self.realm))?;
        let request = AuthorizationRequest {
            realm,
            origin: self.origin,
            client_id: self.client_id,
            redirect_uri: String::new(),
            scope: self.scope,
            state: None,
            nonce: None,
            acr_values: None,
            vectors: Vec::new(),
            challenge: None,
        };
        let (user, role, at, sid) = (self.user, self.role, UnixMillis(self.at), self.sid);
        Ok(Arc::new(SignedIn { request, user, role, at, sid }))
    }
}

impl Name {
    fn of(digest: &Digest) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    fn digest(&self) -> Result<Digest, String> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|error| error.to_string())?;
        bytes.try_into().map_err(|_| format!("`{}` is no name of 16 bytes", self.0))
    }
}
