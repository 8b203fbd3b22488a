//! Rows 3 to 5: the JOSE header (RFC 7515 §4).

use super::{bad_request, judged};
use crate::Evidence;
use crate::judged_jwt::settled;
use crate::rule::{Basis, Example, Outcome, Rule, RuleId};

pub(super) const S3: Rule = Rule {
    id: RuleId::new("S3"),
    title: "the header names a key",
    answer: bad_request("Missing 'kid' header in subject_token JWT"),
    basis: Basis::Published,
    why: "CIS2 and NHS login name their key; a token made by hand, as for a test, may not, and an \
          empty `kid` counts as missing",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#"{ "alg": "RS512", "typ": "JWT" }"#,
        r#"{ "alg": "RS512", "typ": "JWT", "kid": "provider-2027" }"#,
    ),
    check: has_kid,
};

pub(super) const S4: Rule = Rule {
    id: RuleId::new("S4"),
    title: "the type is JWT",
    answer: bad_request("Invalid 'typ' header in subject_token JWT - must be 'JWT'"),
    basis: Basis::Published,
    why: "RFC 7519 makes `typ` optional; the platform wants it, in any case of letters. `at+jwt` \
          is an access token's",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#"{ "alg": "RS512", "kid": "provider-2027", "typ": "at+jwt" }"#,
        r#"{ "alg": "RS512", "kid": "provider-2027", "typ": "JWT" }"#,
    ),
    check: is_jwt,
};

pub(super) const S5: Rule = Rule {
    id: RuleId::new("S5"),
    title: "the header names an algorithm",
    answer: bad_request("Missing 'alg' header in subject_token JWT"),
    basis: Basis::Published,
    why: "RFC 7515 wants an `alg` in every header; a token made by hand may lack it, and an empty \
          one counts as missing. Which one it is, is looked at with the signature",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#"{ "typ": "JWT", "kid": "provider-2027" }"#,
        r#"{ "typ": "JWT", "kid": "provider-2027", "alg": "RS512" }"#,
    ),
    check: has_alg,
};

fn has_kid(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.has_header("kid")))
}

fn is_jwt(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.typ_is_jwt()))
}

fn has_alg(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.has_header("alg")))
}
