//! `GET /callback`: the identity provider sends the browser back, and the platform sends it on to
//! the application with a code of its own.

use std::sync::Arc;

use nhs_auth_rules::limits::{ACCESS_TOKEN_LIFETIME_MS, CIS2_REFRESH_WINDOW_MS, CODE_LIFETIME_S};
use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{Evidence, Form, Jwt, SignInRecord, callback, user_scopes};

use super::answer::{refusal, refused_by};
use super::id_token::{self, Verdict};
use crate::answer::Reply;
use crate::call::Call;
use crate::identity::client::platform_client_id;
use crate::identity::refusal::redirect;
use crate::identity::token::{Redemption, Tokens, redeem};
use crate::random;
use crate::settings::BasePath;
use crate::state::State;
use crate::state::sessions::{Code, Session, SignIn};

/// How long a session can be ended from outside: as long as one of its tokens may live. It is known
/// from here on, its window begins when the code is redeemed, and the last access token outlives
/// the window.
const SESSION_MS: i64 = CIS2_REFRESH_WINDOW_MS + CODE_LIFETIME_S * 1000 + ACCESS_TOKEN_LIFETIME_MS;

/// On to the application, or what is wrong.
pub(super) async fn answer(state: &State, call: &Call, base: &BasePath) -> Reply {
    let form = call.query();
    let given = form.get("state").unwrap_or_default();
    // One that began at another base path doesn't end here.
    let own = format!("{}/callback", base.path);
    let is_own = |sign_in: &SignIn| sign_in.callback.ends_with(&own);
    let sign_in = state.sessions.sign_ins.take(given, call.now).filter(is_own);
    let mut reply = match &sign_in {
        None => without_a_sign_in(state, call, base, &form).await,
        Some(sign_in) => go_on(state, call, base, &form, sign_in).await,
    };
    reply.note.application_id = sign_in.map(|sign_in| sign_in.application_id);
    reply
}

/// Nobody waits for this state: the first rule says so.
async fn without_a_sign_in(state: &State, call: &Call, base: &BasePath, form: &Form) -> Reply {
    let known =
        Evidence { form: Some(form), sign_in: Some(SignInRecord::Unknown), ..Evidence::default() };
    judged(match id_token::judge(state, call, base, callback::RULES, known).await {
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Accepted(_) | Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    })
}

fn judged(mut reply: Reply) -> Reply {
    reply.note.judged = vec![callback::RULES];
    reply
}

async fn go_on(
    state: &State,
    call: &Call,
    base: &BasePath,
    form: &Form,
    sign_in: &SignIn,
) -> Reply {
    if let Some(error) = form.get("error") {
        let mut reply = to_application(sign_in, &[("error", error)]);
        reply.note.error = Some(error.to_owned().into());
        return reply;
    }
    let realm = sign_in.realm;
    let client = state.identity.clients.find(realm.provider, platform_client_id(realm.provider));
    let redemption = Redemption {
        realm,
        code: form.get("code").unwrap_or_default(),
        redirect_uri: &sign_in.callback,
        code_verifier: None,
    };
    let (Some(client), Some(app)) = (client, state.apps.by_id(&sign_in.application_id)) else {
        return refusal(&UNKNOWN_ERROR);
    };
    let tokens = match redeem(state, call, &client, &redemption) {
        Ok(tokens) => tokens,
        Err(refused) => {
            let mut reply = refusal(&UNKNOWN_ERROR);
            reply.note.remark = refused.remark.or(Some(refused.description));
            return reply;
        }
    };
    let jwt = Jwt::decode(&tokens.id_token);
    let known = Evidence {
        form: Some(form),
        id_token: Some(&jwt),
        now: Some(call.now),
        sign_in: Some(SignInRecord::Waiting),
        provider_client_id: Some(platform_client_id(realm.provider)),
        application: Some(Some(&app.record)),
        ..Evidence::default()
    };
    judged(match id_token::judge(state, call, base, callback::RULES, known).await {
        Verdict::Accepted(provider) if provider == realm.provider => {
            let products = app.record.scopes.as_deref().unwrap_or_default();
            code(state, call, sign_in, &tokens, &jwt, products)
        }
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Accepted(_) | Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    })
}

/// The user has signed in: the application gets a code.
fn code(
    state: &State,
    call: &Call,
    sign_in: &SignIn,
    tokens: &Tokens,
    jwt: &Jwt<'_>,
    products: &[String],
) -> Reply {
    let Ok(payload) = &jwt.payload.content else {
        return refusal(&UNKNOWN_ERROR);
    };
    let provider = sign_in.realm.provider;
    let signed_in = &tokens.signed_in;
    let session = Session::new(
        &sign_in.application_id,
        provider,
        user_scopes(provider, payload, products),
        call.now,
        Some(Arc::clone(signed_in)),
    );
    let until = call.now.plus(SESSION_MS);
    state.sessions.by_sid.put(&signed_in.sid, Arc::clone(&session), until);
    let code = random::alphanumeric(32);
    let redirect_uri = sign_in.redirect_uri.clone();
    let until = call.now.plus(CODE_LIFETIME_S * 1000);
    state.sessions.codes.put(&code, Code { session, redirect_uri }, until);
    to_application(sign_in, &[("code", &code)])
}

fn to_application(sign_in: &SignIn, parameters: &[(&str, &str)]) -> Reply {
    let mut parameters = parameters.to_vec();
    parameters.push(("state", &sign_in.state));
    redirect(&sign_in.redirect_uri, &parameters).unwrap_or_else(|| refusal(&UNKNOWN_ERROR))
}
