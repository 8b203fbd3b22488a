//! Rows 1 and 2: the form that brings the subject token.

use super::{bad_request, judged};
use crate::judged_jwt::settled;
use crate::rule::{Basis, Example, Outcome, Rule, RuleId};
use crate::{Evidence, parameter};

pub(super) const S1: Rule = Rule {
    id: RuleId::new("S1"),
    title: "the form has a subject token",
    answer: bad_request("Missing subject_token"),
    basis: Basis::Published,
    why: "the parameter is missing or mistyped",
    fix: "add `subject_token=<the user's ID token>`",
    example: Example::new("id_token=<the user's ID token>", "subject_token=<the user's ID token>"),
    check: has_a_token,
};

pub(super) const S2: Rule = Rule {
    id: RuleId::new("S2"),
    title: "the subject token decodes as a JWT",
    answer: bad_request("Malformed JWT in subject_token"),
    basis: Basis::Published,
    why: "sign-in gives two tokens: the `id_token`, a JWT that says who the user is, and an \
          `access_token` for the sign-in service alone, which may be no JWT. Quotes, line breaks \
          and a lost end spoil a good one; an empty value counts as malformed too (inferred). \
          Until 2023-11-30 the platform blamed the client assertion for it",
    fix: "send the `id_token` of the sign-in's token answer as `subject_token`",
    example: Example::new(
        "subject_token=4f1c6f0e-1d7a-4a4e-8f57-0a2b9f0d7c55   // the access token",
        "subject_token=eyJhbGciOiJSUzUxMiJ9.e30.c2ln   // the ID token",
    ),
    check: decodes,
};

fn has_a_token(evidence: &Evidence<'_>) -> Outcome {
    parameter::brings(evidence, "subject_token", evidence.id_token)
}

fn decodes(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.decodes()))
}
