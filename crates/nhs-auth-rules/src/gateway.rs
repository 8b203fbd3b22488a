//! Group G: what the gateway in front of an API answers to a bad access token. These are the
//! gateway's own faults, `{"fault": …}`; FHIR APIs wrap them in an OperationOutcome of their own.

use crate::Evidence;
use crate::rule::{Answer, Basis, Need, Outcome, Rule, RuleId};

/// `Authorization` is missing, or has no token in it.
pub const NO_TOKEN: &Rule = &RULES[0];

/// The access token is not one of the platform's.
pub const UNKNOWN_TOKEN: &Rule = &RULES[1];

/// The access token was one, and has expired.
pub const EXPIRED_TOKEN: &Rule = &RULES[2];

/// Every rule of the group, in the platform's order. They look at the gateway's own state, so a
/// diagnosis can't tell any of them from files.
pub const RULES: &[Rule] = &[
    Rule {
        id: RuleId::new("G1"),
        title: "the request has an access token",
        answer: Answer::new(401, "oauth.v2.InvalidAccessToken", "Invalid access token"),
        basis: Basis::Published,
        why: "the `Authorization` header is missing, has another scheme, or `Bearer` has nothing \
              behind it, as happens when a variable is empty",
        fix: "send `Authorization: Bearer <access token>`",
        check: unknown,
    },
    Rule {
        id: RuleId::new("G2"),
        title: "the access token is one of this environment's",
        answer: Answer::new(
            401,
            "keymanagement.service.invalid_access_token",
            "Invalid Access Token",
        ),
        basis: Basis::Published,
        why: "the token is of another environment, was revoked, or is an assertion or an ID token \
              and not an access token",
        fix: "get a token from the token endpoint of the environment that the API is in, and send \
              its `access_token`",
        check: unknown,
    },
    Rule {
        id: RuleId::new("G3"),
        title: "the access token has not expired",
        answer: Answer::new(
            401,
            "keymanagement.service.access_token_expired",
            "Access Token expired",
        ),
        basis: Basis::Published,
        why: "tokens live ten minutes",
        fix: "get a new token; refresh at four fifths of its lifetime",
        check: unknown,
    },
];

fn unknown(_: &Evidence<'_>) -> Outcome {
    Outcome::CannotTell(Need::AccessToken)
}
