//! Rows 1 to 3: the form that brings the assertion.

use super::judged;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};
use crate::{CLIENT_ASSERTION_TYPE, Evidence, GrantType, parameter};

pub(super) const A1: Rule = Rule {
    id: RuleId::new("A1"),
    title: "the form names the assertion a JWT",
    answer: Answer::new(
        400,
        "invalid_request",
        "Missing or invalid client_assertion_type - must be \
         'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
    ),
    basis: Basis::Published,
    why: "the parameter is missing, mistyped, quoted, or encoded twice",
    fix: "add `client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer`",
    example: Example::new(
        "client_assertion_type=urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ),
    check: names_the_assertion_a_jwt,
};

pub(super) const A1B: Rule = Rule {
    id: RuleId::new("A1b"),
    title: "a token exchange has the token-exchange grant type",
    answer: Answer::new(400, "invalid_request", "grant_type is invalid"),
    basis: Basis::Published,
    why: "a `subject_token_type` of an ID token makes the platform take the request for a token \
          exchange, whatever the grant type says",
    fix: "send `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`, or leave the subject \
          token out for application-restricted access",
    example: Example::new(
        "grant_type=client_credentials\n\
         subject_token=<the user's ID token>\n\
         subject_token_type=urn:ietf:params:oauth:token-type:id_token",
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\n\
         subject_token=<the user's ID token>\n\
         subject_token_type=urn:ietf:params:oauth:token-type:id_token",
    ),
    check: exchange_has_its_grant,
};

pub(super) const A2: Rule = Rule {
    id: RuleId::new("A2"),
    title: "the form has an assertion",
    answer: Answer::new(400, "invalid_request", "Missing client_assertion"),
    basis: Basis::Published,
    why: "the parameter is missing or mistyped",
    fix: "add `client_assertion=<the signed JWT>`",
    example: Example::new("assertion=<the signed JWT>", "client_assertion=<the signed JWT>"),
    check: has_an_assertion,
};

pub(super) const A3: Rule = Rule {
    id: RuleId::new("A3"),
    title: "the assertion decodes as a JWT",
    answer: Answer::new(400, "invalid_request", "Malformed JWT in client_assertion"),
    basis: Basis::Published,
    why: "a JWT is three base64url parts with dots between them, the first two JSON objects; \
          quotes, line breaks, padding, `+` or `/`, a typographic dash or a lost end spoil it. An \
          empty value counts as malformed too (inferred). Until 2023-11-30 this text was also the \
          answer to a subject token that could not be decoded",
    fix: "send the assertion as the library made it, with nothing around it",
    example: Example::new(
        r#"client_assertion="eyJhbGciOiJSUzUxMiJ9.e30.c2ln""#,
        "client_assertion=eyJhbGciOiJSUzUxMiJ9.e30.c2ln",
    ),
    check: decodes,
};

fn names_the_assertion_a_jwt(evidence: &Evidence<'_>) -> Outcome {
    let Some(form) = evidence.form else {
        return Outcome::CannotTell(Need::Form);
    };
    match form.get("client_assertion_type") {
        Some(CLIENT_ASSERTION_TYPE) => Outcome::Pass,
        Some(other) => parameter::fault(format!("the client_assertion_type is `{other}`")),
        None => parameter::fault("there is no client_assertion_type"),
    }
}

fn exchange_has_its_grant(evidence: &Evidence<'_>) -> Outcome {
    let Some(form) = evidence.form else {
        return Outcome::CannotTell(Need::Form);
    };
    if !form.is_token_exchange() || form.grant_type() == Some(GrantType::TokenExchange) {
        return Outcome::Pass;
    }
    match form.get("grant_type") {
        Some(other) => parameter::fault(format!("the grant_type is `{other}`")),
        None => parameter::fault("there is no grant_type"),
    }
}

fn has_an_assertion(evidence: &Evidence<'_>) -> Outcome {
    parameter::brings(evidence, "client_assertion", evidence.assertion)
}

fn decodes(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.decodes()))
}
