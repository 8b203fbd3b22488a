//! Delegated access: the second token that an NHS login token may carry.

use std::borrow::Cow;

use super::source::{Shown, Sources};
use super::subject_token::{at, bad};
use super::{Diagnosed, RootCause};
use crate::Jwt;
use crate::javascript::is_truthy;
use crate::json::{Kind, Object};
use crate::rule::Answer;

/// Delegated access: an NHS login token that carries another in `act.sub`.
pub(super) fn findings(payload: &Object, shown: &Shown, sources: &mut Sources) -> Vec<Diagnosed> {
    let act = payload.get("act").filter(|_| is_truthy(payload.get("nhs_number").as_ref()));
    let inner = act.and_then(|act| act.as_object()).and_then(|act| {
        act.get("sub").filter(|sub| sub.kind() == Kind::String)?.as_str().map(Cow::into_owned)
    });
    let Some(inner) = inner else { return Vec::new() };
    let jwt = Jwt::decode(&inner);
    let (Ok(header), Ok(claims)) = (&jwt.header.content, &jwt.payload.content) else {
        let finding = Diagnosed::warning(RootCause::SubjectToken, "`act.sub` is not a JWT")
            .likely()
            .why("for delegated access it carries the token of the person acted for")
            .fix("send the token as NHS login issued it");
        return vec![at(finding, payload, shown, "act", "not a JWT")];
    };
    let header_shown = sources.object("act.sub (header)", header);
    let claims_shown = sources.object("act.sub (payload)", claims);
    let typ = header.get("typ").and_then(|typ| typ.as_str().map(|typ| typ.to_lowercase()));
    let has = |object: &Object, name: &str| is_truthy(object.get(name).as_ref());
    let exp_is_number = claims.get("exp").is_none_or(|exp| exp.kind() == Kind::Number);
    let rows: [(bool, bool, &str, Answer); 8] = [
        (has(header, "kid"), true, "kid", bad("Missing 'kid' header in act.sub JWT")),
        (
            typ.as_deref() == Some("jwt"),
            true,
            "typ",
            bad("Invalid 'typ' header in act.sub JWT - must be 'JWT'"),
        ),
        (has(header, "alg"), true, "alg", bad("Missing 'alg' header in act.sub JWT")),
        (has(claims, "exp"), false, "exp", bad("Missing 'exp' claim in act.sub JWT")),
        (
            exp_is_number,
            false,
            "exp",
            bad("Invalid 'exp' claim in act.sub JWT - must be an integer"),
        ),
        (has(claims, "iss"), false, "iss", bad("Missing 'iss' claim in act.sub JWT")),
        (has(claims, "aud"), false, "aud", bad("Missing 'aud' claim in act.sub JWT")),
        (
            has(claims, "nhs_number"),
            false,
            "nhs_number",
            bad("Missing 'nhs_number' claim in act.sub JWT"),
        ),
    ];
    rows.into_iter()
        .filter(|(holds, ..)| !holds)
        .map(|(_, in_header, name, answer)| {
            let message = format!("the delegated token in `act.sub` has no good `{name}`");
            let finding = Diagnosed::error(RootCause::SubjectToken, message)
                .answered(answer)
                .why("an NHS login token for delegated access carries a second one in `act.sub`")
                .fix("send the token as NHS login issued it");
            let (object, shown) =
                if in_header { (header, &header_shown) } else { (claims, &claims_shown) };
            at(finding, object, shown, name, "here")
        })
        .collect()
}
