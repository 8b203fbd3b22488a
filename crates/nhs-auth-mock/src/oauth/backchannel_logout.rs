//! `POST /backchannel_logout` (OpenID Connect Back-Channel Logout §2.5): CIS2 ends a session.

use std::sync::Arc;

use http::StatusCode;
use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{
    Evidence, Form, IdentityProvider, Inquiry, Jwt, KeySetRecord, SessionRecord, SignatureVerifier,
    Step, logout_token,
};

use super::answer::{refusal, refused_by};
use super::id_token::{Issuer, Part, text, trusted};
use crate::answer::Reply;
use crate::call::Call;
use crate::identity::client::platform_client_id;
use crate::settings::BasePath;
use crate::state::State;
use crate::state::sessions::Session;

/// Ends the session that the logout token names.
pub(super) async fn answer(state: &State, call: &Call, base: &BasePath) -> Reply {
    let form = Form::parse(&call.body);
    let jwt = form.get("logout_token").map(Jwt::decode);
    let claim = |name| jwt.as_ref().and_then(|jwt| text(jwt, Part::Payload, name));
    let kid = jwt.as_ref().and_then(|jwt| text(jwt, Part::Header, "kid")).unwrap_or_default();
    let sid = claim("sid").unwrap_or_default();
    let issuer = claim("iss").and_then(|iss| cis2(state, base, &iss));
    let key_set = match &issuer {
        Some(issuer) if !call.provider_key_sets_unreachable => {
            state.provider_key_set(&issuer.source, &kid).await
        }
        _ => None,
    };
    let known = Evidence {
        form: Some(&form),
        logout_token: jwt.as_ref(),
        now: Some(call.now),
        provider: Some(issuer.map(|issuer| issuer.provider)),
        provider_client_id: Some(platform_client_id(IdentityProvider::Cis2)),
        provider_key_set: Some(match &key_set {
            Some(key_set) => KeySetRecord::Fetched(&key_set.jwks),
            None => KeySetRecord::Unreachable,
        }),
        provider_verifier: key_set.as_ref().map(|key_set| &**key_set as &dyn SignatureVerifier),
        session: Some(match session(state, call, &sid) {
            Some(_) => SessionRecord::Known,
            None => SessionRecord::Unknown,
        }),
        ..Evidence::default()
    };
    let judge = |known: &Evidence<'_>| match Inquiry::new(logout_token::RULES).resume(known) {
        Step::Accepted => None,
        Step::Refused(rule, _) => Some(refused_by(rule)),
        Step::Needs(..) => Some(refusal(&UNKNOWN_ERROR)),
    };
    // Of two who end a session at once, one does; to the other it is gone by now.
    let lost = Evidence { session: Some(SessionRecord::Unknown), ..known };
    let mut reply = judge(&known)
        .or_else(|| end(state, call, &sid))
        .or_else(|| judge(&lost))
        .unwrap_or_else(|| refusal(&UNKNOWN_ERROR));
    reply.note.judged = vec![logout_token::RULES];
    reply
}

/// CIS2, if that is its issuer. The proxy compares it here without regard to case.
fn cis2(state: &State, base: &BasePath, iss: &str) -> Option<Issuer> {
    let found = trusted(state, base, iss)
        .or_else(|| trusted(state, base, &state.spelt_as_an_issuer_is(iss)?));
    found.filter(|issuer| issuer.provider == IdentityProvider::Cis2)
}

/// The combined sign-in of that `sid`, if it was CIS2's.
fn session(state: &State, call: &Call, sid: &str) -> Option<Arc<Session>> {
    let session = state.sessions.by_sid.get(sid, call.now)?;
    (session.provider == IdentityProvider::Cis2).then_some(session)
}

/// Ends the session of that `sid`, if there is one.
fn end(state: &State, call: &Call, sid: &str) -> Option<Reply> {
    let session = state.sessions.by_sid.take(sid, call.now)?;
    session.end();
    let mut reply = Reply::new(StatusCode::OK, "application/json", r#"{"success": true}"#);
    reply.note.application_id = Some(session.application_id.to_string());
    Some(reply)
}
