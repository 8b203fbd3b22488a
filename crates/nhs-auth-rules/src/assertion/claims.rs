//! Rows 5 and 8 to 14: the claims (RFC 7523 §3), as the platform's JavaScript takes them.

use super::{judged, payload};
use crate::javascript::{is_truthy, loosely_equal, to_number};
use crate::json::{Kind, Object};
use crate::judged_jwt::settled;
use crate::limits::EXP_ENFORCED_S;
use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::time::in_words;
use crate::{Evidence, JtiHistory};

pub(super) const A5: Rule = Rule {
    id: RuleId::new("A5"),
    title: "`exp` is not past",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'exp' claim in client_assertion JWT - JWT has expired",
    ),
    basis: Basis::Published,
    why: "the assertion was made once and sent again later, or the clock that made it is slow, or \
          a local time was taken for UTC. The platform looks here before it looks at the type: a \
          numeric string is compared as a number, `null` counts as 0, a missing `exp` passes",
    fix: "make a new assertion for each request, with `exp` a few minutes from now in seconds \
          since 1970 (UTC), on a machine whose clock is right",
    example: Example::new(
        r#""exp": 1799999940   // now is 1800000000"#,
        r#""exp": 1800000150   // now plus 150 seconds"#,
    ),
    check: is_not_past,
};

pub(super) const A8: Rule = Rule {
    id: RuleId::new("A8"),
    title: "there is an `exp`",
    answer: Answer::new(400, "invalid_request", "Missing 'exp' claim in client_assertion JWT"),
    basis: Basis::Published,
    why: "the claim was left out, or is empty",
    fix: "add `exp`: now plus 150 seconds, in seconds since 1970, is the middle of what is accepted",
    example: Example::new(
        r#"{ "iss": "…", "sub": "…", "aud": "…", "jti": "…" }"#,
        r#"{ "iss": "…", "sub": "…", "aud": "…", "jti": "…", "exp": 1800000150 }"#,
    ),
    check: has_exp,
};

pub(super) const A9: Rule = Rule {
    id: RuleId::new("A9"),
    title: "`exp` is a number",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'exp' claim in client_assertion JWT - must be an integer",
    ),
    basis: Basis::Published,
    why: "the library was given `exp` as a string; the text says integer, but a fraction passes",
    fix: "write `exp` as a JSON number, without quotes",
    example: Example::new(r#""exp": "1800000150""#, r#""exp": 1800000150"#),
    check: exp_is_a_number,
};

pub(super) const A10: Rule = Rule {
    id: RuleId::new("A10"),
    title: "`iss` and `sub` are there and equal",
    answer: Answer::new(
        400,
        "invalid_request",
        "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT",
    ),
    basis: Basis::Published,
    why: "one was left out, or holds another identifier",
    fix: "set both to the API key",
    example: Example::new(
        "\"iss\": \"ExampleApiKeyExampleApiKey000001\",\n\
         \"sub\": \"5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35\"   // the application ID",
        "\"iss\": \"ExampleApiKeyExampleApiKey000001\",\n\
         \"sub\": \"ExampleApiKeyExampleApiKey000001\"   // the API key",
    ),
    check: iss_and_sub_agree,
};

pub(super) const A11: Rule = Rule {
    id: RuleId::new("A11"),
    title: "there is a `jti`",
    answer: Answer::new(400, "invalid_request", "Missing 'jti' claim in client_assertion JWT"),
    basis: Basis::Published,
    why: "few libraries add one by themselves; an empty one counts as missing",
    fix: "add `jti`: a new random UUID for each assertion",
    example: Example::new(
        r#"{ "iss": "…", "sub": "…", "aud": "…", "exp": 1800000150 }"#,
        "{ \"iss\": \"…\", \"sub\": \"…\", \"aud\": \"…\", \"exp\": 1800000150,\n\
         \"jti\": \"b1f0c7d2-6e3a-4d58-9c04-2a7be85f1d90\" }",
    ),
    check: has_jti,
};

pub(super) const A12: Rule = Rule {
    id: RuleId::new("A12"),
    title: "`jti` is a string",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such as a GUID",
    ),
    basis: Basis::Published,
    why: "a number was used",
    fix: "make `jti` a string, such as a new random UUID",
    example: Example::new(r#""jti": 42"#, r#""jti": "0e94a6fb-27c1-4b8d-b35e-71d20c9a64e8""#),
    check: jti_is_a_string,
};

pub(super) const A13: Rule = Rule {
    id: RuleId::new("A13"),
    title: "`jti` is new",
    answer: Answer::new(400, "invalid_request", "Non-unique 'jti' claim in client_assertion JWT"),
    basis: Basis::Published,
    why: "the platform remembers each `jti` for 30 days, and does so before it looks at the key, \
          the signature and the audience. An assertion sent twice, or sent again after any failure \
          beyond this row, meets this; the first failure is hidden by it",
    fix: "make a new assertion, with a new `jti`, for every attempt; if this was a retry, look for \
          the answer to the first attempt",
    example: Example::new(
        "\"jti\": \"b1f0c7d2-6e3a-4d58-9c04-2a7be85f1d90\"   // the first attempt\n\
         \"jti\": \"b1f0c7d2-6e3a-4d58-9c04-2a7be85f1d90\"   // the retry",
        "\"jti\": \"b1f0c7d2-6e3a-4d58-9c04-2a7be85f1d90\"   // the first attempt\n\
         \"jti\": \"0e94a6fb-27c1-4b8d-b35e-71d20c9a64e8\"   // the retry",
    ),
    check: jti_is_new,
};

pub(super) const A14: Rule = Rule {
    id: RuleId::new("A14"),
    title: "`exp` is at most five minutes away",
    answer: Answer::new(
        400,
        "invalid_request",
        "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future",
    ),
    basis: Basis::Published,
    why: "the lifetime is too long, or is right and the clock that made it is fast, or `exp` is in \
          milliseconds. 310 seconds is what is enforced, 300 what is documented",
    fix: "set `exp` to now plus 150 seconds, in seconds since 1970",
    example: Example::new(
        r#""exp": 1800000400   // now is 1800000000"#,
        r#""exp": 1800000150   // now plus 150 seconds"#,
    ),
    check: is_not_too_far,
};

fn missing(payload: &Object, message: &str) -> Outcome {
    Fault::fail(Place::Payload, payload.span(), message)
}

fn is_not_past(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| {
        let Some(exp) = payload.get("exp") else {
            return Outcome::Pass;
        };
        let Some(now) = evidence.now else {
            return Outcome::CannotTell(Need::Clock);
        };
        // NaN, which an object or a word becomes, is not past.
        let seconds_past = seconds(now) - to_number(&exp);
        if seconds_past > 0.0 {
            let message = match exp.kind() {
                Kind::Number => format!("it was over {} ago", in_words(seconds_past)),
                _ => format!("{} counts as a time in the past", exp.text()),
            };
            return Fault::fail(Place::Payload, exp.span(), message);
        }
        Outcome::Pass
    }))
}

fn has_exp(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.has_claim("exp")))
}

fn exp_is_a_number(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.exp_is_a_number()))
}

fn iss_and_sub_agree(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| match (payload.get("iss"), payload.get("sub")) {
        (Some(iss), Some(sub)) if is_truthy(Some(&iss)) => {
            if loosely_equal(&iss, &sub) {
                return Outcome::Pass;
            }
            Fault::fail(Place::Payload, sub.span(), "sub differs from iss")
        }
        (Some(iss), Some(_)) => {
            let message = format!("iss is {}, which counts as missing", iss.text());
            Fault::fail(Place::Payload, iss.span(), message)
        }
        (None, _) => missing(payload, "there is no iss"),
        (_, None) => missing(payload, "there is no sub"),
    }))
}

fn has_jti(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).map(|assertion| assertion.has_claim("jti")))
}

fn jti_is_a_string(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| match payload.get("jti") {
        Some(jti) if jti.kind() != Kind::String => {
            let message = format!("{} is not a string", jti.text());
            Fault::fail(Place::Payload, jti.span(), message)
        }
        // Row 11 has said what there is to say of a missing one.
        _ => Outcome::Pass,
    }))
}

fn jti_is_new(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| match (payload.get("jti"), evidence.jti) {
        (None, _) | (_, Some(JtiHistory::New)) => Outcome::Pass,
        (Some(_), None) => Outcome::CannotTell(Need::JtiHistory),
        (Some(jti), Some(JtiHistory::Seen)) => {
            Fault::fail(Place::Payload, jti.span(), "this jti was sent before")
        }
    }))
}

fn is_not_too_far(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| {
        let exp = payload.get("exp");
        let Some((exp, at)) = exp.and_then(|exp| Some((exp, exp.as_number()?))) else {
            return Outcome::Pass;
        };
        let Some(now) = evidence.now else {
            return Outcome::CannotTell(Need::Clock);
        };
        let remaining = at - seconds(now);
        if remaining > limit() {
            let message = format!("it is {} away", in_words(remaining));
            return Fault::fail(Place::Payload, exp.span(), message);
        }
        Outcome::Pass
    }))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
fn seconds(now: crate::UnixMillis) -> f64 {
    now.0 as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn limit() -> f64 {
    EXP_ENFORCED_S as f64
}
