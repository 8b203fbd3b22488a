//! Rows 6 to 10: the claims (RFC 7519 §4.1), as the platform's JavaScript takes them.

use super::{bad_request, judged};
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Outcome, Rule, RuleId};
use crate::{Evidence, id_token};

pub(super) const S6: Rule = Rule {
    id: RuleId::new("S6"),
    title: "there is an `exp`",
    answer: bad_request("Missing 'exp' claim in subject_token JWT"),
    basis: Basis::Published,
    why: "every ID token has one; a token made by hand may lack it, and `0`, `null` and an empty \
          text count as missing",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#"{ "iss": "…", "aud": "…", "sub": "656005750104" }"#,
        r#"{ "iss": "…", "aud": "…", "sub": "656005750104", "exp": 1800003600 }"#,
    ),
    check: has_exp,
};

pub(super) const S7: Rule = Rule {
    id: RuleId::new("S7"),
    title: "`exp` is a number",
    answer: bad_request("Invalid 'exp' claim in subject_token JWT - must be an integer"),
    basis: Basis::Published,
    why: "a token made by hand has `exp` as a string; the text says integer, but a fraction passes",
    fix: "write `exp` as a JSON number, without quotes",
    example: Example::new(r#""exp": "1800003600""#, r#""exp": 1800003600"#),
    check: exp_is_a_number,
};

pub(super) const S8: Rule = Rule {
    id: RuleId::new("S8"),
    title: "`exp` is not past",
    answer: bad_request("Invalid 'exp' claim in subject_token JWT - JWT has expired"),
    basis: Basis::Published,
    why: "an ID token lives for minutes to an hour, and it was kept for longer, as with a session \
          that exchanges the same one again. The clocks that count are the sign-in service's and \
          the platform's, and yours is not among them",
    fix: "exchange the ID token right after the sign-in, keep the user's access with the refresh \
          token that the exchange answers, and let the user sign in again when that ends",
    example: Example::new(
        r#""exp": 1799999999   // now is 1800000000"#,
        r#""exp": 1800003600   // an hour from now"#,
    ),
    check: is_not_past,
};

pub(super) const S9: Rule = Rule {
    id: RuleId::new("S9"),
    title: "there is an `iss`",
    answer: bad_request("Missing 'iss' claim in subject_token JWT"),
    basis: Basis::Published,
    why: "every ID token has one; a token made by hand may lack it",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#"{ "aud": "…", "exp": 1800003600 }"#,
        r#"{ "iss": "https://auth.login.nhs.uk", "aud": "…", "exp": 1800003600 }"#,
    ),
    check: has_iss,
};

pub(super) const S10: Rule = Rule {
    id: RuleId::new("S10"),
    title: "there is an `aud`",
    answer: Answer::new(401, "invalid_request", "Missing 'aud' claim in subject_token JWT"),
    basis: Basis::Published,
    why: "every ID token has one, and CIS2's access tokens have none. Its value is not looked at: \
          it is your client id at the sign-in service, which the platform doesn't know",
    fix: "send the `id_token` of the sign-in's token answer, and not its `access_token`",
    example: Example::new(
        r#"{ "iss": "…", "exp": 1800003600 }"#,
        r#"{ "iss": "…", "exp": 1800003600, "aud": "000000000000.111111111111.apps.supplier" }"#,
    ),
    check: has_aud,
};

fn has_exp(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.has_claim("exp")))
}

fn exp_is_a_number(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.exp_is_a_number()))
}

fn is_not_past(evidence: &Evidence<'_>) -> Outcome {
    // Of an exp that is missing or no number rows 6 and 7 have spoken.
    settled(judged(evidence).and_then(|token| id_token::is_not_past(&token, evidence)))
}

fn has_iss(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.has_claim("iss")))
}

fn has_aud(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|token| token.has_claim("aud")))
}
