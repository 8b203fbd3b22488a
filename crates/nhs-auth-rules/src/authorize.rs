//! Group B: `GET /authorize`, where a combined sign-in begins (RFC 6749 §4.1.1), in the platform's
//! order.
//!
//! The rows up to the redirect URI answer the browser itself. The later ones, of status 302, send
//! it back to the application: `error` and `error_description` are then parameters of the
//! redirect URI, and `state` goes with them when there is one.

use crate::client;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Outcome, Rule, RuleId};
use crate::{Evidence, parameter};

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    client::id_is_given("B1"),
    client::is_known("B2"),
    client::is_approved("B3", Basis::Published),
    client::developer_is_active("B4", Basis::Published),
    client::company_is_active("B5", Basis::Published),
    client::is_subscribed("B6"),
    client::is_within_its_rate("B7"),
    client::redirect_uri_is_given("B8"),
    client::redirect_uri_is_right("B9"),
    Rule {
        id: RuleId::new("B10"),
        title: "there is a `state`",
        answer: Answer::new(302, "invalid_request", "state is missing"),
        basis: Basis::Published,
        why: "RFC 6749 only recommends `state`; the platform wants it. The answer is a redirect \
              to the application, with the error in its query",
        fix: "add `state`: a new random value for each sign-in, kept with the user's session and \
              compared when the browser comes back",
        example: Example::new(
            "client_id=ExampleApiKeyExampleApiKey000001\n\
             redirect_uri=https://clinic.example/callback\n\
             response_type=code",
            "client_id=ExampleApiKeyExampleApiKey000001\n\
             redirect_uri=https://clinic.example/callback\n\
             response_type=code\n\
             state=pYd3uJ0sQ5xW1c7TzRk2",
        ),
        check: |evidence| parameter::is_given(evidence, "state"),
    },
    Rule {
        id: RuleId::new("B11"),
        title: "there is a `response_type`",
        answer: Answer::new(302, "invalid_request", "response_type is missing"),
        basis: Basis::Published,
        why: "the parameter is missing or mistyped. The answer is a redirect to the application, \
              with the error and the `state` in its query",
        fix: "add `response_type=code`",
        example: Example::new("type=code", "response_type=code"),
        check: |evidence| parameter::is_given(evidence, "response_type"),
    },
    Rule {
        id: RuleId::new("B12"),
        title: "the `response_type` is `code`",
        answer: Answer::new(302, "unsupported_response_type", "response_type is invalid"),
        basis: Basis::Published,
        why: "the platform has the authorization code flow and no other: `token` and `id_token` \
              are of flows that it hasn't, and an empty value is none (inferred)",
        fix: "send `response_type=code`, and redeem the code at the token endpoint",
        example: Example::new("response_type=token", "response_type=code"),
        check: asks_for_a_code,
    },
];

fn asks_for_a_code(evidence: &Evidence<'_>) -> Outcome {
    settled(parameter::value(evidence, "response_type").map(|given| match given {
        "code" => Outcome::Pass,
        other => parameter::fault(format!("the response_type is `{other}`")),
    }))
}
