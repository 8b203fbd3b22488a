//! Rows D1 to D9: the delegated token, a second JWT that an NHS login token for delegated access
//! carries in the claim `act.sub` (RFC 8693 §4.1).
//!
//! It is read and not verified. Its `exp` must be a number, and isn't compared with the clock.

use std::borrow::Cow;

use super::{bad_request, judged};
use crate::javascript::is_truthy;
use crate::json::Object;
use crate::judged_jwt::{DELEGATED_TOKEN, JudgedJwt, settled};
use crate::rule::{Basis, Example, Outcome, Rule, RuleId};
use crate::{Evidence, Jwt};

const AS_ISSUED: &str = "send the ID token as NHS login issued it, with the delegated token in it";

pub(super) const D1: Rule = Rule {
    id: RuleId::new("D1"),
    title: "the delegated token decodes as a JWT",
    answer: bad_request("act.sub JWT is corrupt or unparseable"),
    basis: Basis::Published,
    why: "an NHS login token whose `act.sub` is a string carries a second token there, that of the \
          person who acts; here it holds something else, such as that person's NHS number",
    fix: AS_ISSUED,
    example: Example::new(
        r#""act": { "sub": "9912003072" }"#,
        r#""act": { "sub": "eyJ0eXAiOiJKV1QifQ.eyJuaHNfbnVtYmVyIjoiOTkxMjAwMzA3MiJ9.c2ln" }"#,
    ),
    check: decodes,
};

pub(super) const D2: Rule = Rule {
    id: RuleId::new("D2"),
    title: "the delegated token's header names a key",
    answer: bad_request("Missing 'kid' header in act.sub JWT"),
    basis: Basis::Published,
    why: "NHS login names its key; a token made by hand may not, and an empty `kid` counts as \
          missing",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "alg": "RS512", "typ": "JWT" }"#,
        r#"{ "alg": "RS512", "typ": "JWT", "kid": "provider-2027" }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.has_header("kid")),
};

pub(super) const D3: Rule = Rule {
    id: RuleId::new("D3"),
    title: "the delegated token's type is JWT",
    answer: bad_request("Invalid 'typ' header in act.sub JWT - must be 'JWT'"),
    basis: Basis::Published,
    why: "RFC 7519 makes `typ` optional; the platform wants it here too, in any case of letters",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "alg": "RS512", "kid": "provider-2027" }"#,
        r#"{ "alg": "RS512", "kid": "provider-2027", "typ": "JWT" }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.typ_is_jwt()),
};

pub(super) const D4: Rule = Rule {
    id: RuleId::new("D4"),
    title: "the delegated token's header names an algorithm",
    answer: bad_request("Missing 'alg' header in act.sub JWT"),
    basis: Basis::Published,
    why: "a token made by hand lacks it, or has an empty one, which counts as missing. Which one \
          it is, isn't looked at: nobody verifies this token",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "typ": "JWT", "kid": "provider-2027" }"#,
        r#"{ "typ": "JWT", "kid": "provider-2027", "alg": "RS512" }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.has_header("alg")),
};

pub(super) const D5: Rule = Rule {
    id: RuleId::new("D5"),
    title: "the delegated token has an `exp`",
    answer: bad_request("Missing 'exp' claim in act.sub JWT"),
    basis: Basis::Published,
    why: "a token made by hand lacks it; `0`, `null` and an empty text count as missing",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "iss": "…", "aud": "…", "nhs_number": "9912003072" }"#,
        r#"{ "iss": "…", "aud": "…", "nhs_number": "9912003072", "exp": 1800003600 }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.has_claim("exp")),
};

pub(super) const D6: Rule = Rule {
    id: RuleId::new("D6"),
    title: "the delegated token's `exp` is a number",
    answer: bad_request("Invalid 'exp' claim in act.sub JWT - must be an integer"),
    basis: Basis::Published,
    why: "a token made by hand has `exp` as a string. Whether it is past isn't looked at here",
    fix: "write `exp` as a JSON number, without quotes",
    example: Example::new(r#""exp": "1800003600""#, r#""exp": 1800003600"#),
    check: |evidence| delegated(evidence, |token| token.exp_is_a_number()),
};

pub(super) const D7: Rule = Rule {
    id: RuleId::new("D7"),
    title: "the delegated token has an `iss`",
    answer: bad_request("Missing 'iss' claim in act.sub JWT"),
    basis: Basis::Published,
    why: "a token made by hand lacks it; which issuer it is, isn't looked at",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "aud": "…", "exp": 1800003600, "nhs_number": "9912003072" }"#,
        "{ \"aud\": \"…\", \"exp\": 1800003600, \"nhs_number\": \"9912003072\",\n\
         \"iss\": \"https://auth.login.nhs.uk\" }",
    ),
    check: |evidence| delegated(evidence, |token| token.has_claim("iss")),
};

pub(super) const D8: Rule = Rule {
    id: RuleId::new("D8"),
    title: "the delegated token has an `aud`",
    answer: bad_request("Missing 'aud' claim in act.sub JWT"),
    basis: Basis::Published,
    why: "a token made by hand lacks it; for whom it is, isn't looked at",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "iss": "…", "exp": 1800003600, "nhs_number": "9912003072" }"#,
        r#"{ "iss": "…", "exp": 1800003600, "nhs_number": "9912003072", "aud": "clinic" }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.has_claim("aud")),
};

pub(super) const D9: Rule = Rule {
    id: RuleId::new("D9"),
    title: "the delegated token has an `nhs_number`",
    answer: bad_request("Missing 'nhs_number' claim in act.sub JWT"),
    basis: Basis::Published,
    why: "it says who acts for the patient; the scope `profile` brings it when that person signs \
          in",
    fix: AS_ISSUED,
    example: Example::new(
        r#"{ "iss": "…", "aud": "…", "exp": 1800003600 }"#,
        r#"{ "iss": "…", "aud": "…", "exp": 1800003600, "nhs_number": "9912003072" }"#,
    ),
    check: |evidence| delegated(evidence, |token| token.has_claim("nhs_number")),
};

/// The delegated token that an ID token carries: the string `act.sub`, beside a truthy
/// `nhs_number`.
pub(crate) fn delegated_token(payload: &Object) -> Option<String> {
    if !is_truthy(payload.get("nhs_number").as_ref()) {
        return None;
    }
    payload.get("act")?.as_object()?.get("sub")?.as_str().map(Cow::into_owned)
}

fn decodes(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).and_then(|token| {
        let Some(compact) = delegated_token(token.payload()?) else { return Ok(Outcome::Pass) };
        let jwt = Jwt::decode(&compact);
        let is_readable =
            jwt.part_count == 3 && jwt.header.content.is_ok() && jwt.payload.content.is_ok();
        if is_readable {
            // The signature is not looked at, whatever it holds.
            return Ok(Outcome::Pass);
        }
        Ok(JudgedJwt::new(&jwt, &DELEGATED_TOKEN).decodes())
    }))
}

/// Judges the delegated token; without one there is nothing to say, nor of one that D1 refuses.
fn delegated(evidence: &Evidence<'_>, check: impl FnOnce(JudgedJwt<'_>) -> Outcome) -> Outcome {
    settled(judged(evidence).and_then(|token| {
        let Some(compact) = delegated_token(token.payload()?) else { return Ok(Outcome::Pass) };
        Ok(check(JudgedJwt::new(&Jwt::decode(&compact), &DELEGATED_TOKEN)))
    }))
}
