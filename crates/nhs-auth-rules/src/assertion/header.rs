//! Rows 4, 6 and 7: the JOSE header (RFC 7515 §4).

use super::{header, judged};
use crate::Evidence;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Fault, Outcome, Place, Rule, RuleId};

pub(super) const A4: Rule = Rule {
    id: RuleId::new("A4"),
    title: "the algorithm is RS512",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'",
    ),
    basis: Basis::Published,
    why: "most libraries sign with RS256 or HS256 unless told otherwise. A missing `alg` gets the \
          same answer (inferred)",
    fix: "sign with RS512",
    example: Example::new(r#""alg": "RS256""#, r#""alg": "RS512""#),
    check: is_rs512,
};

pub(super) const A6: Rule = Rule {
    id: RuleId::new("A6"),
    title: "the header names a key",
    answer: Answer::new(400, "invalid_request", "Missing 'kid' header in client_assertion JWT"),
    basis: Basis::Published,
    why: "few libraries set `kid` by themselves; an empty one counts as missing",
    fix: "put the registered key's `kid` into the header",
    example: Example::new(
        r#"{ "alg": "RS512", "typ": "JWT" }"#,
        r#"{ "alg": "RS512", "typ": "JWT", "kid": "clinic-2027-01" }"#,
    ),
    check: has_kid,
};

pub(super) const A7: Rule = Rule {
    id: RuleId::new("A7"),
    title: "the type is JWT",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'typ' header in client_assertion JWT - must be 'JWT'",
    ),
    basis: Basis::Published,
    why: "RFC 7519 makes `typ` optional, so several libraries leave it out; the platform wants it, \
          in any case of letters",
    fix: "put `\"typ\": \"JWT\"` into the header",
    example: Example::new(
        r#"{ "alg": "RS512", "kid": "clinic-2027-01" }"#,
        r#"{ "alg": "RS512", "kid": "clinic-2027-01", "typ": "JWT" }"#,
    ),
    check: is_jwt,
};

fn is_rs512(evidence: &Evidence<'_>) -> Outcome {
    settled(header(evidence).map(|header| match header.get("alg") {
        Some(alg) if alg.as_str().as_deref() == Some("RS512") => Outcome::Pass,
        Some(alg) => {
            let message = format!("the algorithm is {} and not \"RS512\"", alg.text());
            Fault::fail(Place::Header, alg.span(), message)
        }
        None => Fault::fail(Place::Header, header.span(), "there is no alg"),
    }))
}

fn has_kid(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.has_header("kid")))
}

fn is_jwt(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.typ_is_jwt()))
}
