//! `GET /userinfo`: what CIS2 says of the user of a combined sign-in.

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use nhs_auth_rules::IdentityProvider;
use nhs_auth_rules::userinfo::OTHER_SIGN_IN;

use super::answer::refused_by;
use crate::answer::Reply;
use crate::call::Call;
use crate::gateway;
use crate::identity::claims;
use crate::state::State;

/// The user info of CIS2, or why there is none.
pub(super) fn answer(state: &State, call: &Call) -> Reply {
    let grant = match gateway::live_token(state, call) {
        Ok(grant) => grant,
        Err(rule) => return gateway::refused_by(rule),
    };
    let signed_in = grant.user.as_ref().and_then(|session| {
        let is_cis2 = session.provider == IdentityProvider::Cis2;
        session.signed_in.as_ref().filter(|_| is_cis2)
    });
    let mut reply = match signed_in {
        Some(signed_in) => Reply::json(StatusCode::OK, &claims::of_user_info(signed_in))
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store")),
        None => refused_by(OTHER_SIGN_IN),
    };
    reply.note.application_id = Some(grant.application_id.to_string());
    reply
}
