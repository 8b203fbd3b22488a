//! Who a client is, at a provider's token endpoint: its secret, or an assertion that it signed
//! (OpenID Connect Core §9, RFC 7523 §3). The rules are the provider's own, and never the
//! platform's.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_auth_rules::json::{Kind, Object, Value};
use nhs_auth_rules::{
    CLIENT_ASSERTION_TYPE, Form, Jwt, SignatureAlgorithm, SignatureVerifier as _, SigningAlgorithm,
};

use super::client::{AuthMethod, Client};
use super::realm::{Endpoint, Realm};
use super::refusal::Refusal;
use crate::call::Call;
use crate::state::State;

/// How far ahead the `exp` of an assertion has to be less than, at CIS2: half an hour.
const CIS2_LIMIT_S: f64 = 1800.0;

/// The same at NHS login, whose limit isn't public: an hour is known to be taken, and a second
/// more is given.
const NHS_LOGIN_LIMIT_S: f64 = 3601.0;

/// The client, if it is who it says.
pub(super) async fn authenticate(
    state: &State,
    call: &Call,
    realm: Realm,
    form: &Form,
    token_endpoint: &str,
) -> Result<Arc<Client>, Refusal> {
    match form.get("client_assertion") {
        Some(assertion) => by_assertion(state, call, realm, form, assertion, token_endpoint).await,
        None => by_secret(state, call, realm, form),
    }
}

fn by_secret(
    state: &State,
    call: &Call,
    realm: Realm,
    form: &Form,
) -> Result<Arc<Client>, Refusal> {
    let basic = if realm.is_hosted() { basic(call) } else { None };
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (form.get("client_id"), form.get("client_secret")),
    };
    let refuse = |remark: &str| {
        let description = if realm.is_hosted() {
            "Invalid client or Invalid client credentials"
        } else {
            "Client authentication failed"
        };
        Refusal { remark: Some(remark.to_owned()), ..Refusal::new("invalid_client", description) }
    };
    let id = id.ok_or_else(|| refuse("there is neither a `client_id` nor a `client_assertion`"))?;
    let client = state
        .identity
        .clients
        .find(realm.provider, id)
        .ok_or_else(|| refuse("no client of that `client_id` is registered here"))?;
    // NHS login takes no secret, whatever its hosted mock takes.
    if client.method != AuthMethod::ClientSecretPost || is_real_nhs_login(realm) {
        return Err(wrong_method());
    }
    let given = secret.ok_or_else(|| refuse("there is no `client_secret`"))?;
    constant_time::verify_slices_are_equal(given.as_bytes(), client.secret.as_bytes())
        .map_err(|_| refuse("the `client_secret` is another"))?;
    Ok(client)
}

/// `client_secret_basic` (RFC 6749 §2.3.1), which the hosted mocks take too.
fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let unescaped = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    Some((unescaped(id)?, unescaped(secret).unwrap_or_default()))
}

async fn by_assertion(
    state: &State,
    call: &Call,
    realm: Realm,
    form: &Form,
    assertion: &str,
    token_endpoint: &str,
) -> Result<Arc<Client>, Refusal> {
    if form.get("client_assertion_type") != Some(CLIENT_ASSERTION_TYPE) {
        return Err(Refusal::bad_assertion(
            "the `client_assertion_type` is missing or not the one of a JWT",
        ));
    }
    let jwt = Jwt::decode(assertion);
    let (Ok(header), Ok(payload), Ok(signature)) =
        (&jwt.header.content, &jwt.payload.content, &jwt.signature.content)
    else {
        return Err(Refusal::bad_assertion("the `client_assertion` is not a JWT"));
    };
    let client = claimed_client(state, realm, form, payload)?;
    if client.method != AuthMethod::PrivateKeyJwt {
        return Err(wrong_method());
    }
    check_claims(state, call, realm, payload, token_endpoint)?;
    let registered =
        if is_real_nhs_login(realm) { SigningAlgorithm::Rs512 } else { client.settings.algorithm };
    let alg = header.get("alg").and_then(|alg| alg.as_str().map(String::from));
    if alg.as_deref() != Some(registered.name()) {
        return Err(Refusal::bad_assertion(format!(
            "`alg` is {}, and the client is registered with {}",
            alg.as_deref().unwrap_or("missing"),
            registered.name()
        )));
    }
    let key_set = if call.key_sets_unreachable {
        None
    } else {
        state.key_set_of(&client.settings.keys, client.uploaded.as_ref()).await
    };
    let key_set = key_set.ok_or_else(|| {
        Refusal::bad_assertion("the client has no key set registered, or it can't be fetched")
    })?;
    let kid = header.get("kid").and_then(|kid| kid.as_str().map(String::from));
    let algorithm = match registered {
        SigningAlgorithm::Rs256 => SignatureAlgorithm::Rs256,
        SigningAlgorithm::Rs512 => SignatureAlgorithm::Rs512,
    };
    let mut candidates = key_set
        .jwks
        .keys
        .iter()
        .filter(|key| match (&kid, realm.is_nhs_login()) {
            (Some(kid), _) => key.text("kid").as_deref() == Some(kid),
            // NHS login asks for no kid.
            (None, is_nhs_login) => is_nhs_login,
        })
        .peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::bad_assertion("the client's key set has no key of that `kid`"));
    }
    let message = jwt.signing_input();
    if candidates.any(|key| key_set.verifies(algorithm, key, message, signature)) {
        Ok(client)
    } else {
        Err(Refusal::bad_assertion(
            "the signature does not verify by the client's key of that `kid`",
        ))
    }
}

/// The client that `iss` and `sub` name.
fn claimed_client(
    state: &State,
    realm: Realm,
    form: &Form,
    payload: &Object,
) -> Result<Arc<Client>, Refusal> {
    let text = |name: &str| payload.get(name).and_then(|claim| claim.as_str().map(String::from));
    let (Some(iss), Some(sub)) = (text("iss"), text("sub")) else {
        return Err(Refusal::bad_assertion("`iss` or `sub` is missing"));
    };
    if iss != sub {
        return Err(Refusal::bad_assertion("`iss` and `sub` differ"));
    }
    if form.get("client_id").is_some_and(|id| id != iss) {
        return Err(Refusal::bad_assertion(
            "`client_id` in the form is another than `iss` and `sub`",
        ));
    }
    state.identity.clients.find(realm.provider, &iss).ok_or_else(|| {
        Refusal::bad_assertion(if state.apps.by_key(&iss).is_some() {
            format!("`iss` and `sub` are an API key of the platform, and no client id of {realm}")
        } else {
            format!("`iss` and `sub` are no client id of {realm}")
        })
    })
}

fn is_real_nhs_login(realm: Realm) -> bool {
    realm.is_nhs_login() && !realm.is_hosted()
}

fn wrong_method() -> Refusal {
    Refusal::new("invalid_client", "Invalid authentication method for accessing this endpoint.")
}

fn check_claims(
    state: &State,
    call: &Call,
    realm: Realm,
    payload: &Object,
    token_endpoint: &str,
) -> Result<(), Refusal> {
    // CIS2 with an issuer of its own, such as one with `:443`, is known by that too.
    let by_its_issuer = state
        .settings
        .cis2_issuer
        .as_ref()
        .filter(|_| realm == Realm::CIS2)
        .map(|issuer| format!("{issuer}{}", realm.endpoint_path(Endpoint::Token)));
    let is_for_us = payload.get("aud").is_some_and(|aud| {
        audiences(&aud).iter().any(|one| {
            let one = one.as_str();
            let one = one.as_deref();
            one == Some(token_endpoint) || (one.is_some() && one == by_its_issuer.as_deref())
        })
    });
    if !is_for_us {
        return Err(Refusal::bad_assertion(format!(
            "`aud` is not the token endpoint, `{token_endpoint}`"
        )));
    }
    let Some(exp) = payload.get("exp").and_then(|exp| exp.as_number()) else {
        return Err(Refusal::bad_assertion("`exp` is missing or no number"));
    };
    let remaining = exp - call.now_in_seconds();
    let limit = if realm.is_nhs_login() { NHS_LOGIN_LIMIT_S } else { CIS2_LIMIT_S };
    if remaining <= 0.0 {
        Err(Refusal::bad_assertion("`exp` is past"))
    } else if remaining >= limit {
        Err(Refusal::bad_assertion(format!("`exp` is more than {:.0} minutes away", limit / 60.0)))
    } else {
        Ok(())
    }
}

/// `aud` is one string or an array of them (RFC 7519 §4.1.3).
fn audiences<'a>(aud: &Value<'a>) -> Vec<Value<'a>> {
    match aud.kind() {
        Kind::Array => aud.elements().unwrap_or_default(),
        _ => vec![*aud],
    }
}
