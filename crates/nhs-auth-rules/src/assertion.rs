//! Group A: the client assertion (RFC 7523 §2.2), check by check, in the platform's order.
//!
//! The numbers are the rows of the platform's own sequence. The first row that fails answers, and
//! hides every later one. After A14 the `jti` is burnt, before the key, the signature and the
//! audience are looked at: whatever fails later, that assertion must not be sent again.

mod application;
mod claims;
mod header;
mod request;
mod signature;

pub(crate) use application::{NO_SCOPE, TOO_MANY_REQUESTS};

use crate::Evidence;
use crate::json::Object;
use crate::judged_jwt::{ASSERTION, JudgedJwt};
use crate::rule::{Need, Outcome, Rule};

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    request::A1,
    request::A1B,
    request::A2,
    request::A3,
    header::A4,
    claims::A5,
    header::A6,
    header::A7,
    claims::A8,
    claims::A9,
    claims::A10,
    claims::A11,
    claims::A12,
    claims::A13,
    claims::A14,
    application::A15,
    application::A15B,
    application::A16,
    application::A17,
    application::A18,
    signature::A19,
    signature::A20,
    signature::A20B,
    signature::A21,
    application::A22,
];

/// The prefix of a scope that application-restricted access needs (rule A22).
pub const APPLICATION_SCOPE: &str = "urn:nhsd:apim:app:level3:";

fn judged<'a>(evidence: &Evidence<'a>) -> Result<JudgedJwt<'a>, Outcome> {
    let jwt = evidence.assertion.ok_or(Outcome::CannotTell(Need::Assertion))?;
    Ok(JudgedJwt::new(jwt, &ASSERTION))
}

fn header<'a>(evidence: &Evidence<'a>) -> Result<&'a Object, Outcome> {
    judged(evidence)?.header()
}

fn payload<'a>(evidence: &Evidence<'a>) -> Result<&'a Object, Outcome> {
    judged(evidence)?.payload()
}

#[cfg(test)]
mod tests;
