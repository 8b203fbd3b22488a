//! Group U: `GET /userinfo`. The gateway's own rules G1 to G3 come before it.

use crate::Evidence;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};

/// Every rule of the group. It looks at the platform's own state, so a diagnosis can't tell it
/// from files.
pub const RULES: &[Rule] = &[Rule {
    id: RuleId::new("U1"),
    title: "the access token is of a combined sign-in with CIS2",
    answer: Answer::new(
        400,
        "invalid_request",
        "The Userinfo endpoint is only supported for Combined Auth integrations. Currently this is \
         only for NHS CIS2 authentications - for more guidance see https://digital.nhs.uk/\
         developer/guides-and-documentation/security-and-authorisation/\
         user-restricted-restful-apis-nhs-cis2-combined-authentication-and-authorisation",
    ),
    basis: Basis::Published,
    why: "the platform passes the question on to CIS2 with the token that it got there at the \
          sign-in. It has none for an application's token, for a token exchange, and for NHS login",
    fix: "ask the provider itself, with the access token that it issued to you; or sign users in \
          through the platform's `/authorize`",
    example: Example::new(
        "GET /oauth2/userinfo\n\
         Authorization: Bearer <token of a token exchange>",
        "GET /oauth2/userinfo\n\
         Authorization: Bearer <token of a combined CIS2 sign-in>",
    ),
    check: unknown,
}];

/// The access token is not of a combined sign-in with CIS2.
pub const OTHER_SIGN_IN: &Rule = &RULES[0];

fn unknown(_: &Evidence<'_>) -> Outcome {
    Outcome::CannotTell(Need::AccessToken)
}
