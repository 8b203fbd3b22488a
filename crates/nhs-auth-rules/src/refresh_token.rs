//! Group F: a refresh token is redeemed (`grant_type=refresh_token`, RFC 6749 §6), in the
//! platform's order.

use crate::client;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};
use crate::{Evidence, RefreshTokenRecord, parameter};

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    client::id_is_given("F1"),
    client::is_known_for_a_token("F2"),
    client::is_approved("F3", Basis::Inferred),
    client::developer_is_active("F4", Basis::Inferred),
    client::company_is_active("F5", Basis::Inferred),
    client::is_subscribed("F6"),
    client::secret_is_given("F7"),
    client::secret_is_right("F8"),
    client::is_within_its_rate("F9"),
    Rule {
        id: RuleId::new("F10"),
        title: "there is a refresh token",
        answer: Answer::new(400, "invalid_request", "refresh_token is missing"),
        basis: Basis::Published,
        why: "the parameter is missing or mistyped, or the token was never kept",
        fix: "add `refresh_token=<the refresh token of the latest answer>`",
        example: Example::new(
            "token=<the refresh token of the latest answer>",
            "refresh_token=<the refresh token of the latest answer>",
        ),
        check: |evidence| parameter::is_given(evidence, "refresh_token"),
    },
    Rule {
        id: RuleId::new("F11"),
        title: "the refresh token is one that was not used yet",
        answer: Answer::new(401, "invalid_grant", "refresh_token is invalid"),
        basis: Basis::Published,
        why: "each refresh token works once, and its answer brings the next one: two processes \
              that share one, or a retry, send it a second time. It is also unknown in another \
              environment, for another application, and after the user's session was ended",
        fix: "keep the refresh token of each answer in place of the one that was sent, and refresh \
              in one place; when it is lost, let the user sign in again",
        example: Example::new(
            "12:00:00 POST /oauth2/token: the refresh token of the sign-in\n\
             12:08:00 POST /oauth2/token: the refresh token of the sign-in",
            "12:00:00 POST /oauth2/token: the refresh token of the sign-in\n\
             12:08:00 POST /oauth2/token: the refresh token that 12:00:00 was answered with",
        ),
        check: is_issued_and_unused,
    },
    Rule {
        id: RuleId::new("F12"),
        title: "the refresh period is not over",
        answer: Answer::new(401, "invalid_grant", "refresh token refresh period has expired"),
        basis: Basis::Published,
        why: "a refresh token lives for its `refresh_token_expires_in`, and no chain of them \
              outlives the window that begins with the sign-in: twelve hours for CIS2, an hour for \
              NHS login (inferred)",
        fix: "let the user sign in again",
        example: Example::new(
            "08:00:00 the user signs in with CIS2\n\
             20:00:01 POST /oauth2/token, with the latest refresh token",
            "08:00:00 the user signs in with CIS2\n\
             19:59:00 POST /oauth2/token, with the latest refresh token",
        ),
        check: is_within_its_period,
    },
];

fn record(evidence: &Evidence<'_>) -> Result<RefreshTokenRecord, Outcome> {
    parameter::value(evidence, "refresh_token")?;
    evidence.refresh_token.ok_or(Outcome::CannotTell(Need::RefreshToken))
}

fn is_issued_and_unused(evidence: &Evidence<'_>) -> Outcome {
    settled(record(evidence).map(|record| match record {
        RefreshTokenRecord::Unknown => parameter::fault(
            "the refresh token was never issued to this application, or was used before",
        ),
        RefreshTokenRecord::Live | RefreshTokenRecord::Expired => Outcome::Pass,
    }))
}

fn is_within_its_period(evidence: &Evidence<'_>) -> Outcome {
    settled(record(evidence).map(|record| match record {
        RefreshTokenRecord::Expired => parameter::fault("the time for a refresh is over"),
        RefreshTokenRecord::Live | RefreshTokenRecord::Unknown => Outcome::Pass,
    }))
}
