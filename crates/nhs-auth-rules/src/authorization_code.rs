//! Group C: an authorization code is redeemed (`grant_type=authorization_code`, RFC 6749 §4.1.3),
//! in the platform's order.

use crate::client;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};
use crate::{CodeRecord, Evidence, parameter};

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    client::id_is_given("C1"),
    client::is_known_for_a_token("C2"),
    client::is_approved("C3", Basis::Inferred),
    client::developer_is_active("C4", Basis::Inferred),
    client::company_is_active("C5", Basis::Inferred),
    client::is_subscribed("C6"),
    client::secret_is_given("C7"),
    client::secret_is_right("C8"),
    client::is_within_its_rate("C9"),
    client::redirect_uri_is_given("C10"),
    client::redirect_uri_is_right("C11"),
    Rule {
        id: RuleId::new("C12"),
        title: "there is a code",
        answer: Answer::new(400, "invalid_request", "authorization_code is missing"),
        basis: Basis::Published,
        why: "the parameter is missing or mistyped: it is `code`, although the answer calls it \
              `authorization_code`",
        fix: "add `code=<the code that came back in the browser's query>`",
        example: Example::new(
            "authorization_code=<the code that came back>",
            "code=<the code that came back>",
        ),
        check: |evidence| parameter::is_given(evidence, "code"),
    },
    Rule {
        id: RuleId::new("C13"),
        title: "the code can be redeemed",
        answer: Answer::new(400, "invalid_grant", "authorization_code is invalid"),
        basis: Basis::Published,
        why: "a code works once, for five minutes, and for the application that it was issued to. \
              A browser that reloads the callback page, and a retry, send it a second time",
        fix: "redeem the code at once and once; when that fails, let the user sign in again",
        example: Example::new(
            "12:00:00 GET  /callback?code=…\n\
             12:06:00 POST /oauth2/token, with the code of 12:00:00",
            "12:00:00 GET  /callback?code=…\n\
             12:00:01 POST /oauth2/token, with the code of 12:00:00",
        ),
        check: can_be_redeemed,
    },
];

fn can_be_redeemed(evidence: &Evidence<'_>) -> Outcome {
    settled(parameter::value(evidence, "code").map(|_| match evidence.authorization_code {
        None => Outcome::CannotTell(Need::AuthorizationCode),
        Some(CodeRecord::Live) => Outcome::Pass,
        Some(CodeRecord::Unknown) => parameter::fault(
            "the code was never issued to this application, was redeemed before, or has expired",
        ),
    }))
}
