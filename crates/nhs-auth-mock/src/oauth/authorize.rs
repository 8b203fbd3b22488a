//! `GET /authorize` (RFC 6749 §4.1.1): a combined sign-in begins, and goes on at the identity
//! provider.

use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{Evidence, Form, IdentityProvider, authorize};

use super::answer::refusal;
use super::client_secret::{client, refused};
use crate::answer::Reply;
use crate::call::Call;
use crate::identity::client::platform_client_id;
use crate::identity::realm::{Endpoint, Realm};
use crate::identity::refusal::redirect;
use crate::random;
use crate::settings::BasePath;
use crate::state::State;
use crate::state::sessions::SignIn;

/// How long a user may take, in milliseconds: half an hour. The platform's time isn't public.
const PATIENCE_MS: i64 = 30 * 60 * 1000;

/// On to the provider, or what is wrong.
pub(super) fn answer(state: &State, call: &Call, base: &BasePath) -> Reply {
    let form = call.query();
    let client = client(state, &form);
    let client = client.as_deref();
    let known = Evidence {
        form: Some(&form),
        application: Some(client.map(|client| &client.record)),
        ..Evidence::default()
    };
    if let Some(reply) = refused(state, client, authorize::RULES, known) {
        return sent_back(reply, &form);
    }
    let Some(client) = client else {
        return refusal(&UNKNOWN_ERROR);
    };
    let provider = match form.get("scope") {
        Some("nhs-login") => IdentityProvider::NhsLogin,
        _ => IdentityProvider::Cis2,
    };
    let sign_in = SignIn {
        application_id: client.identity.application_id().to_owned(),
        redirect_uri: form.get("redirect_uri").unwrap_or_default().to_owned(),
        state: form.get("state").unwrap_or_default().to_owned(),
        realm: base.trust(provider).sign_in(provider),
        callback: format!("{}{}/callback", state.origin_of(call), base.path),
    };
    let to_provider = to_provider(state, call, &form, sign_in);
    let mut reply = to_provider.unwrap_or_else(|| refusal(&UNKNOWN_ERROR));
    reply.note.application_id = Some(client.identity.application_id().to_owned());
    reply.note.judged = vec![authorize::RULES];
    reply
}

fn to_provider(state: &State, call: &Call, form: &Form, sign_in: SignIn) -> Option<Reply> {
    let realm = sign_in.realm;
    let own_state = random::alphanumeric(32);
    let url = state.origin_of(call) + &realm.path() + realm.endpoint_path(Endpoint::Authorize);
    let nonce = random::alphanumeric(32);
    let mut parameters = vec![
        ("client_id", platform_client_id(realm.provider)),
        ("redirect_uri", &*sign_in.callback),
        ("response_type", "code"),
        ("scope", scope(realm)),
        ("max_age", "300"),
    ];
    if realm.is_nhs_login() {
        parameters.push(("nonce", &nonce));
    } else {
        parameters.push(("acr_values", form.get("acr_values").unwrap_or("AAL3_ANY")));
    }
    parameters.push(("state", &own_state));
    let reply = redirect(&url, &parameters)?;
    state.sessions.sign_ins.put(&own_state, sign_in, call.now.plus(PATIENCE_MS));
    Some(reply)
}

fn scope(realm: Realm) -> &'static str {
    if realm.is_nhs_login() { "openid profile" } else { "openid nationalrbacaccess" }
}

/// Where a rule answers with a redirect, the error goes to the application's `redirect_uri`.
fn sent_back(reply: Reply, form: &Form) -> Reply {
    let Some(rule) = reply.note.rule.filter(|rule| rule.answer.status == 302) else {
        return reply;
    };
    let mut parameters =
        vec![("error", rule.answer.error), ("error_description", rule.answer.error_description)];
    parameters.extend(form.get("state").map(|state| ("state", state)));
    let redirected = redirect(form.get("redirect_uri").unwrap_or_default(), &parameters);
    match redirected {
        Some(mut redirected) => {
            redirected.note = reply.note;
            redirected.note.message_id = None;
            redirected
        }
        None => refusal(&UNKNOWN_ERROR),
    }
}
