//! Group S: the subject token of a token exchange (RFC 8693 §2.1), check by check, in the
//! platform's order, with group D, the delegated token that it may carry, in the middle.
//!
//! They follow the client assertion's rows A1 to A21. The subject token is the ID token that CIS2
//! or NHS login gave the application when the user signed in.

mod claims;
mod delegation;
mod header;
mod issuer;
mod request;

pub(crate) use delegation::delegated_token;

use crate::Evidence;
use crate::id_token;
use crate::judged_jwt::JudgedJwt;
use crate::rule::{Answer, Basis, Need, Outcome, Rule};

/// Every rule of the group, in the platform's order. D1 to D9 say nothing of a token that carries
/// no other.
pub const RULES: &[Rule] = &[
    request::S1,
    request::S2,
    header::S3,
    header::S4,
    header::S5,
    claims::S6,
    claims::S7,
    claims::S8,
    claims::S9,
    claims::S10,
    delegation::D1,
    delegation::D2,
    delegation::D3,
    delegation::D4,
    delegation::D5,
    delegation::D6,
    delegation::D7,
    delegation::D8,
    delegation::D9,
    issuer::S11,
    id_token::key_set_row("S12"),
    issuer::S13,
    id_token::signature_row("S14", Basis::Published),
    id_token::level_row("S15"),
    id_token::scopes_row("S16"),
];

const fn bad_request(description: &'static str) -> Answer {
    Answer::new(400, "invalid_request", description)
}

fn judged<'a>(evidence: &Evidence<'a>) -> Result<JudgedJwt<'a>, Outcome> {
    id_token::judged(evidence, Need::SubjectToken)
}

#[cfg(test)]
mod tests;
