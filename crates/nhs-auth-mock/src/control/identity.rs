//! `/_mock/id-tokens`, `/_mock/logout-tokens`, `/_mock/clients` and `/_mock/users`: what a test
//! arranges at the identity providers.

use http::{Method, StatusCode};
use nhs_auth_rules::IdentityProvider;
use serde_json::{Map, Value, json};

use super::Refusal;
use super::members::{Given, Members};
use crate::answer::Reply;
use crate::app::KeySource;
use crate::call::Call;
use crate::config::ClientConfig;
use crate::identity::client::{AuthMethod, Client};
use crate::identity::minted::{NewIdToken, NewLogoutToken};
use crate::identity::provider_named;
use crate::identity::realm::Realm;
use crate::state::State;
use crate::user::User;

const STRING: &str = "a string";
const OBJECT: &str = "an object, or null";
const LEVEL: &str = "a whole number or a string, such as 3 or \"P9\"";
const ROLES: &str = "a list of objects with `person_roleid`, `role_name` and `role_code`";
const SELECTED: &str = "absent, chosen or empty";

pub(super) fn id_tokens(state: &State, call: &Call) -> Result<Reply, Refusal> {
    if call.method != Method::POST {
        return Err(Refusal::method("POST"));
    }
    let mut members = Members::parse(&call.body)?;
    let provider = provider(&mut members)?;
    let realm: Option<String> = members.optional("realm", STRING)?;
    let mut token = NewIdToken::of(realm_named(provider, realm.as_deref())?);
    if let Given::Value(username) = members.nullable::<String>("username", STRING)? {
        token = token.username(username);
    }
    for (name, value) in object(&mut members, "claims")? {
        token = token.claim(name, value);
    }
    for (name, value) in object(&mut members, "headers")? {
        token = token.header(name, value);
    }
    members.finish()?;
    let id_token = token
        .issue(state, &state.origin_of(call), state.clock.now())
        .map_err(|error| Refusal::bad_request(error.to_string()))?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"id_token": id_token})))
}

pub(super) fn logout_tokens(state: &State, call: &Call) -> Result<Reply, Refusal> {
    if call.method != Method::POST {
        return Err(Refusal::method("POST"));
    }
    let mut members = Members::parse(&call.body)?;
    let sid: Option<String> = members.optional("sid", STRING)?;
    let sid = sid.ok_or_else(|| Refusal::bad_request("`sid` must be a string"))?;
    let claims = object(&mut members, "claims")?;
    members.finish()?;
    let token = NewLogoutToken { sid, claims };
    let logout_token = token.issue(state, &state.origin_of(call), state.clock.now());
    Ok(Reply::json(StatusCode::CREATED, &json!({"logout_token": logout_token})))
}

pub(super) fn clients(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {
            let clients: Vec<_> =
                state.identity.clients.all().iter().map(|client| shown(client)).collect();
            Ok(Reply::json(StatusCode::OK, &json!({"clients": clients})))
        }
        Method::POST => register(state, call),
        _ => Err(Refusal::method("GET, POST")),
    }
}

pub(super) fn client(
    state: &State,
    call: &Call,
    provider: &str,
    client_id: &str,
) -> Result<Reply, Refusal> {
    if call.method != Method::DELETE {
        return Err(Refusal::method("DELETE"));
    }
    let is_removed = provider_named(provider)
        .is_ok_and(|provider| state.identity.clients.remove(provider, client_id));
    if is_removed {
        Ok(Reply::no_content())
    } else {
        Err(Refusal::not_found(format!("there is no client `{client_id}` at `{provider}`")))
    }
}

fn register(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let mut members = Members::parse(&call.body)?;
    let provider = provider(&mut members)?;
    let keys = match (members.raw("jwks"), members.optional::<String>("jwks_uri", STRING)?) {
        (Given::Value(raw), None) => KeySource::Uploaded(super::apps::document(&raw)),
        (Given::Absent | Given::Null, Some(url)) => KeySource::Url(url),
        (Given::Absent | Given::Null, None) => KeySource::Nowhere,
        (Given::Value(_), Some(_)) => {
            return Err(Refusal::bad_request(
                "a client has one key set: give `jwks` or `jwks_uri`, and not both",
            ));
        }
    };
    let config = ClientConfig {
        provider: provider.name().to_owned(),
        client_id: members.optional("client_id", STRING)?,
        client_secret: members.optional("client_secret", STRING)?,
        redirect_uris: members.optional("redirect_uris", "a list of strings")?,
        token_endpoint_auth_method: members.optional("token_endpoint_auth_method", STRING)?,
        jwks: None,
        jwks_file: None,
        jwks_uri: None,
        jwks_uri_signing_algorithm: members.optional("jwks_uri_signing_algorithm", STRING)?,
    };
    members.finish()?;
    let client = config.registration(keys).map_err(Refusal::bad_request)?;
    let client =
        state.identity.clients.add(client).ok_or_else(|| Refusal::too_many("clients", "10,000"))?;
    let mut made = json!({"client_id": client.id});
    if client.method == AuthMethod::ClientSecretPost {
        made["client_secret"] = json!(client.secret);
    }
    Ok(Reply::json(StatusCode::CREATED, &made))
}

fn shown(client: &Client) -> Value {
    json!({
        "provider": client.settings.provider.name(),
        "client_id": client.id,
        "client_secret": client.secret,
        "redirect_uris": client.settings.redirect_uris,
        "token_endpoint_auth_method": client.method.name(),
        "jwks_uri_signing_algorithm": client.settings.algorithm.name(),
    })
}

pub(super) fn users(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {
            let users: Vec<User> = [IdentityProvider::Cis2, IdentityProvider::NhsLogin]
                .into_iter()
                .flat_map(|provider| state.identity.users.of(provider))
                .collect();
            Ok(Reply::json(StatusCode::OK, &json!({"users": users})))
        }
        Method::POST => {
            let user = user(Members::parse(&call.body)?)?;
            if !state.identity.users.add(user.clone()) {
                return Err(Refusal::too_many("users", "10,000"));
            }
            Ok(Reply::json(StatusCode::CREATED, &user))
        }
        _ => Err(Refusal::method("GET, POST")),
    }
}

fn user(mut members: Members) -> Result<User, Refusal> {
    let provider = provider(&mut members)?;
    let username = members.optional("username", STRING)?.filter(|name: &String| !name.is_empty());
    let username =
        username.ok_or_else(|| Refusal::bad_request("`username` must be a string, not empty"))?;
    let level: Option<Value> = members.optional("level", LEVEL)?;
    let level = level.filter(|level| level.is_string() || level.is_u64());
    let level = level.ok_or_else(|| Refusal::bad_request(format!("`level` must be {LEVEL}")))?;
    let mut user = User::of(provider, username, level);
    if let Some(name) = members.optional("given_name", STRING)? {
        user.given_name = name;
    }
    if let Some(name) = members.optional("family_name", STRING)? {
        user.family_name = name;
    }
    user.roles = members.optional("roles", ROLES)?.unwrap_or_default();
    user.selected_roleid = members.optional("selected_roleid", SELECTED)?.unwrap_or_default();
    user.claims = members.optional("claims", "an object")?.unwrap_or_default();
    members.finish()?;
    Ok(user)
}

fn provider(members: &mut Members) -> Result<IdentityProvider, Refusal> {
    let name: Option<String> = members.optional("provider", STRING)?;
    provider_named(&name.unwrap_or_default())
        .map_err(|_| Refusal::bad_request("`provider` must be cis2 or nhs-login"))
}

/// The realm that a token is to be of: the one in the shape of the real provider, unless told.
fn realm_named(provider: IdentityProvider, name: Option<&str>) -> Result<Realm, Refusal> {
    let found = match name {
        None => Realm::all().find(|realm| realm.provider == provider),
        Some(name) => Realm::named(name).filter(|realm| realm.provider == provider),
    };
    found.ok_or_else(|| {
        Refusal::bad_request(
            "`realm` must be the name of a hosted mock of that provider, such as Cis2-mock-int",
        )
    })
}

fn object(members: &mut Members, name: &str) -> Result<Map<String, Value>, Refusal> {
    match members.nullable(name, OBJECT)? {
        Given::Value(object) => Ok(object),
        Given::Absent | Given::Null => Ok(Map::new()),
    }
}
