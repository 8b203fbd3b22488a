//! Token exchange (RFC 8693): a user's ID token becomes an access token.

use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{Evidence, Form, IdentityProvider, Jwt, subject_token, user_scopes};

use super::answer::{refusal, refused_by};
use super::client_assertion::{self, Verdict};
use super::id_token;
use super::token::{granted, with_client};
use super::user_tokens;
use crate::answer::Reply;
use crate::call::Call;
use crate::settings::BasePath;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::sessions::Session;

/// The client's assertion is judged first, and the subject token when that is good.
pub(super) async fn answer(state: &State, call: &Call, base: &BasePath, form: &Form) -> Reply {
    let judgement = client_assertion::judge(state, call, form).await;
    let reply = match judgement.verdict {
        Verdict::Accepted(client) => exchange(state, call, base, form, &client).await,
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    };
    with_client(reply, judgement.note)
}

async fn exchange(
    state: &State,
    call: &Call,
    base: &BasePath,
    form: &Form,
    client: &Registered,
) -> Reply {
    let jwt = form.get("subject_token").map(Jwt::decode);
    let known = Evidence {
        form: Some(form),
        id_token: jwt.as_ref(),
        now: Some(call.now),
        application: Some(Some(&client.record)),
        ..Evidence::default()
    };
    let verdict = id_token::judge(state, call, base, subject_token::RULES, known).await;
    let mut reply = match (verdict, &jwt) {
        (id_token::Verdict::Accepted(provider), Some(jwt)) => {
            tokens(state, call, form, client, provider, jwt)
        }
        (id_token::Verdict::Refused(rule), _) => refused_by(rule),
        _ => refusal(&UNKNOWN_ERROR),
    };
    reply.note.judged = vec![subject_token::RULES];
    reply
}

fn tokens(
    state: &State,
    call: &Call,
    form: &Form,
    client: &Registered,
    provider: IdentityProvider,
    jwt: &Jwt<'_>,
) -> Reply {
    let Ok(payload) = &jwt.payload.content else {
        return refusal(&UNKNOWN_ERROR);
    };
    let products = client.record.scopes.as_deref().unwrap_or_default();
    let scopes = user_scopes(provider, payload, products);
    let id = client.identity.application_id();
    let session = Session::new(id, provider, scopes, call.now, None);
    let issued = user_tokens::issue(state, call.now, form, &session, 0);
    granted(&[
        ("access_token", &issued.access_token),
        ("expires_in", &issued.expires_in.to_string()),
        ("token_type", "Bearer"),
        ("issued_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("refresh_token", &issued.refresh_token),
        ("refresh_token_expires_in", &issued.refresh_token_expires_in.to_string()),
        ("refresh_count", &issued.refresh_count.to_string()),
    ])
}
