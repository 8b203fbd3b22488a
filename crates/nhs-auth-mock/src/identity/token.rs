//! The token endpoint of a provider (OpenID Connect Core §3.1.3): a code becomes tokens.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use nhs_auth_rules::{Form, UnixMillis};
use serde_json::{Map, Value, json};

use super::claims::HandedOut;
use super::client::Client;
use super::client_auth::authenticate;
use super::realm::{Endpoint, Realm};
use super::refusal::Refusal;
use super::signed_in::{Challenge, SignedIn};
use super::{claims, issuer};
use crate::answer::Reply;
use crate::call::Call;
use crate::fault::IdTokenFault;
use crate::random;
use crate::state::State;

/// Lifetimes of access tokens, in seconds: CIS2's as seen, NHS login's by its interface
/// specification, table 18.
const CIS2_ACCESS_TOKEN_S: i64 = 3599;
const NHS_LOGIN_ACCESS_TOKEN_S: i64 = 300;

/// NHS login's refresh tokens live 30 days.
const REFRESH_TOKEN_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// How long a session is remembered after its sign-in: longer than the platform gives any user
/// access by one.
const SESSION_MS: i64 = 14 * 60 * 60 * 1000;

/// What a code becomes.
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    pub(crate) signed_in: Arc<SignedIn>,
}

/// The answer to a token request.
pub(super) async fn answer(state: &State, call: &Call, realm: Realm) -> Reply {
    if call.method != Method::POST {
        return Reply::new(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "").with_allow("POST");
    }
    let form = Form::parse(&call.body);
    match granted(state, call, realm, &form).await {
        Ok(body) => Reply::json(StatusCode::OK, &body)
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store")),
        Err(refusal) => refusal.into_reply(realm),
    }
}

async fn granted(state: &State, call: &Call, realm: Realm, form: &Form) -> Result<Value, Refusal> {
    let token_endpoint =
        [&state.origin_of(call), &*realm.path(), realm.endpoint_path(Endpoint::Token)].concat();
    let client = authenticate(state, call, realm, form, &token_endpoint).await?;
    match form.get("grant_type") {
        Some("authorization_code") => {
            let tokens = redeem(
                state,
                call,
                &client,
                &Redemption {
                    realm,
                    code: form.get("code").unwrap_or_default(),
                    redirect_uri: form.get("redirect_uri").unwrap_or_default(),
                    code_verifier: form.get("code_verifier"),
                },
            )?;
            Ok(answer_of(state, call, &tokens))
        }
        Some("refresh_token") if realm.is_nhs_login() && !realm.is_hosted() => {
            refreshed(state, call, &client, form)
        }
        Some(_) => Err(Refusal::new("unsupported_grant_type", "the grant_type is not one of here")),
        None => Err(Refusal::new("invalid_request", "the grant_type is missing")),
    }
}

/// A code to be redeemed, and what has to fit it.
pub(crate) struct Redemption<'a> {
    pub(crate) realm: Realm,
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) code_verifier: Option<&'a str>,
}

/// The tokens behind a code. It works once, for the client that it was given to.
pub(crate) fn redeem(
    state: &State,
    call: &Call,
    client: &Client,
    redemption: &Redemption<'_>,
) -> Result<Tokens, Refusal> {
    const INVALID: &str = "The provided access grant is invalid, expired, or revoked.";
    let refuse = |remark: &str| Refusal {
        remark: Some(remark.to_owned()),
        ..Refusal::new("invalid_grant", INVALID)
    };
    if redemption.code.is_empty() {
        return Err(Refusal::new("invalid_request", "the code is missing"));
    }
    let unknown = || refuse("the code is unknown, was used before, or has expired");
    // What another client brings is none of its own, and stays with whose it is. Of its own client
    // each attempt uses it up.
    let is_theirs = |signed_in: &Arc<SignedIn>| {
        let request = &signed_in.request;
        request.realm == redemption.realm && request.client_id == client.id
    };
    let codes = &state.identity.codes;
    let signed_in = codes.get(redemption.code, call.now).ok_or_else(unknown)?;
    if !is_theirs(&signed_in) {
        return Err(refuse("the code was given to another client"));
    }
    let signed_in = codes.take(redemption.code, call.now).ok_or_else(unknown)?;
    let request = &signed_in.request;
    if request.redirect_uri != redemption.redirect_uri {
        return Err(refuse("the `redirect_uri` is another than the one of the sign-in"));
    }
    if let Some(challenge) = &request.challenge
        && !challenge.is_met_by(redemption.code_verifier.unwrap_or_default())
    {
        return Err(refuse("the `code_verifier` doesn't fit the `code_challenge`"));
    }
    let until = call.now.plus(SESSION_MS);
    state.identity.sessions.put(&signed_in.sid, Arc::clone(&signed_in), until);
    let access_token = access_token(state, call, &signed_in);
    let with = HandedOut { access_token: &access_token, code: redemption.code };
    let id_token = id_token(state, &signed_in, with, call.now, call.id_token_fault);
    Ok(Tokens { access_token, id_token, signed_in })
}

fn answer_of(state: &State, call: &Call, tokens: &Tokens) -> Value {
    let request = &tokens.signed_in.request;
    let mut body = json!({
        "access_token": tokens.access_token,
        "id_token": tokens.id_token,
        "token_type": "Bearer",
        "expires_in": lifetime_s(request.realm),
        "scope": request.scope,
    });
    if request.realm.is_nhs_login() && !request.realm.is_hosted() {
        body["refresh_token"] = json!(refresh_token(state, call, &tokens.signed_in));
    }
    body
}

/// NHS login's refresh: a new access token, and no ID token. Only the latest refresh token works.
fn refreshed(state: &State, call: &Call, client: &Client, form: &Form) -> Result<Value, Refusal> {
    let invalid = || Refusal::new("invalid_grant", "the refresh_token is invalid or expired");
    let token = form.get("refresh_token").unwrap_or_default();
    let tokens = &state.identity.refresh_tokens;
    let is_theirs = |it: &Arc<SignedIn>| it.request.client_id == client.id;
    tokens.get(token, call.now).filter(is_theirs).ok_or_else(invalid)?;
    // Of two who bring it at once, one gets the next.
    let signed_in = tokens.take(token, call.now).ok_or_else(invalid)?;
    Ok(json!({
        "access_token": access_token(state, call, &signed_in),
        "token_type": "Bearer",
        "expires_in": lifetime_s(signed_in.request.realm),
        "refresh_token": refresh_token(state, call, &signed_in),
        "scope": signed_in.request.scope,
    }))
}

fn refresh_token(state: &State, call: &Call, signed_in: &Arc<SignedIn>) -> String {
    let token = random::alphanumeric(43);
    let until = call.now.plus(REFRESH_TOKEN_MS);
    state.identity.refresh_tokens.put(&token, Arc::clone(signed_in), until);
    token
}

/// CIS2's access tokens are opaque, NHS login's are JWTs; both open the user info alone.
fn access_token(state: &State, call: &Call, signed_in: &Arc<SignedIn>) -> String {
    let realm = signed_in.request.realm;
    let lifetime_s = lifetime_s(realm);
    let token = if realm.is_nhs_login() {
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!(issuer(state, realm, &signed_in.request.origin))),
            ("aud", json!(signed_in.request.client_id)),
            ("sub", json!(claims::subject(&signed_in.user))),
            ("token_use", json!("access")),
            ("scope", json!(signed_in.request.scope)),
            ("iat", json!(call.now.to_seconds().0)),
            ("exp", json!(call.now.to_seconds().0 + lifetime_s)),
            ("jti", json!(random::uuid())),
        ] {
            claims.insert(name.to_owned(), value);
        }
        state.identity.keys.current(realm.provider).sign(&Map::new(), &claims)
    } else {
        random::alphanumeric(27)
    };
    let until = call.now.plus(lifetime_s * 1000);
    state.identity.access_tokens.put(&token, Arc::clone(signed_in), until);
    token
}

fn lifetime_s(realm: Realm) -> i64 {
    if realm.is_nhs_login() { NHS_LOGIN_ACCESS_TOKEN_S } else { CIS2_ACCESS_TOKEN_S }
}

/// The ID token of a sign-in, spoilt where a fault says so.
fn id_token(
    state: &State,
    signed_in: &SignedIn,
    with: HandedOut<'_>,
    now: UnixMillis,
    fault: Option<IdTokenFault>,
) -> String {
    let realm = signed_in.request.realm;
    let issuer = issuer(state, realm, &signed_in.request.origin);
    let mut claims = claims::of_id_token(signed_in, &issuer, Some(with), now);
    match fault {
        None => {}
        Some(IdTokenFault::Expired) => {
            claims.insert("exp".to_owned(), json!(now.to_seconds().0 - 60));
        }
        Some(IdTokenFault::WrongIssuer) => {
            claims.insert("iss".to_owned(), json!("https://issuer.of.another.environment.example"));
        }
    }
    state.identity.keys.current(realm.provider).sign(&Map::new(), &claims)
}

impl Challenge {
    /// RFC 7636 §4.6.
    fn is_met_by(&self, verifier: &str) -> bool {
        if !self.is_hashed {
            return self.text == verifier;
        }
        let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
        self.text == URL_SAFE_NO_PAD.encode(digest.as_ref())
    }
}
