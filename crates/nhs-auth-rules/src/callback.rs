//! Group I: `GET /callback`, where the identity provider sends the browser back in a combined
//! sign-in, and the ID token that the provider then answers (OpenID Connect Core 1.0 §3.1.3.7).
//!
//! The texts are the platform's. Of the order it is known that `state` is first, that `aud` comes
//! before `iss`, and that the scopes are last; the rest is inferred, and so is row 7b.

use crate::id_token;
use crate::javascript::to_string;
use crate::judged_jwt::{JudgedJwt, settled};
use crate::request::UNKNOWN_ERROR;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};
use crate::{Evidence, SignInRecord, parameter};

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    Rule {
        id: RuleId::new("I1"),
        title: "`state` is of a sign-in that waits",
        answer: Answer::new(400, "invalid_request", "Invalid state parameter."),
        basis: Basis::Published,
        why: "the browser came back twice, as it does when the page is reloaded or the button Back \
              is used; or it took too long; or the address was opened without a sign-in before it",
        fix: "begin the sign-in again at `/authorize`",
        example: Example::new(
            "12:00:05 GET /oauth2/callback?code=…&state=pYd3uJ0s\n\
             12:00:09 GET /oauth2/callback?code=…&state=pYd3uJ0s",
            "12:00:00 GET /oauth2/authorize?…\n\
             12:00:05 GET /oauth2/callback?code=…&state=pYd3uJ0s",
        ),
        check: sign_in_waits,
    },
    Rule {
        id: RuleId::new("I2"),
        title: "the provider's ID token decodes as a JWT",
        answer: Answer::new(400, "invalid_request", "Malformed JWT in External ID token"),
        basis: Basis::Published,
        why: "what the provider answered for the code has no ID token that can be read: the fault \
              is the provider's, or a mock's. Its place in the order is inferred",
        fix: "begin the sign-in again; tell the platform's support when it lasts",
        example: Example::new("id_token=null", "id_token=eyJhbGciOiJSUzUxMiJ9.e30.c2ln"),
        check: decodes,
    },
    Rule {
        id: RuleId::new("I3"),
        title: "`aud` is the platform's own client id at the provider",
        answer: Answer::new(400, "invalid_request", "Invalid 'aud' claim in external ID token JWT"),
        basis: Basis::Published,
        why: "the ID token was issued to somebody else: the platform signs users in as a client of \
              its own, and yours is for separate authentication. An array with it alone passes \
              (inferred)",
        fix: "begin the sign-in at the platform's `/authorize`, and leave `/callback` to it",
        example: Example::new(
            r#""aud": "000000000000.111111111111.apps.supplier"   // your own client id"#,
            r#""aud": "123456789012.apps.national"   // the platform's"#,
        ),
        check: is_for_the_platform,
    },
    Rule {
        id: RuleId::new("I4"),
        title: "`iss` is the provider that the platform trusts",
        answer: Answer::new(400, "invalid_request", "Invalid iss claim in external ID token JWT"),
        basis: Basis::Published,
        why: "the ID token is of another environment of the provider, or of another provider. The two \
              are compared without case",
        fix: "begin the sign-in again at the base path that goes with the provider's environment",
        example: Example::new(
            r#""iss": "https://auth.sandpit.signin.nhs.uk""#,
            r#""iss": "https://auth.aos.signin.nhs.uk""#,
        ),
        check: issuer_is_trusted,
    },
    id_token::key_set_row("I5"),
    Rule {
        id: RuleId::new("I6"),
        title: "the provider's key set has a key of the ID token's `kid`",
        answer: Answer::new(
            401,
            "invalid_request",
            "Invalid 'kid' header in external ID token JWT - no matching public key",
        ),
        basis: Basis::Published,
        why: "the provider signed with a key that it doesn't publish; an ID token without a `kid` \
              gets the same answer (inferred). Its place in the order is inferred",
        fix: "begin the sign-in again; tell the platform's support when it lasts",
        example: Example::new(
            r#""kid": "unpublished"   // the provider's key set has "provider-2027""#,
            r#""kid": "provider-2027"   // as in the provider's key set"#,
        ),
        check: key_is_there,
    },
    id_token::signature_row("I7", Basis::Inferred),
    Rule {
        id: RuleId::new("I7b"),
        title: "the provider's ID token has not expired",
        answer: UNKNOWN_ERROR,
        basis: Basis::Inferred,
        why: "the provider's clock and the platform's differ by more than the token lives, or the \
              browser took as long to come back. The step that verifies the signature refuses a \
              token that is past, and no text of the platform names that case",
        fix: "begin the sign-in again",
        example: Example::new(
            r#""exp": 1799999999   // now is 1800000000"#,
            r#""exp": 1800003600   // an hour from now"#,
        ),
        check: has_not_expired,
    },
    id_token::level_row("I8"),
    id_token::scopes_row("I9"),
];

fn token<'a>(evidence: &Evidence<'a>) -> Result<JudgedJwt<'a>, Outcome> {
    id_token::judged(evidence, Need::IdToken)
}

fn sign_in_waits(evidence: &Evidence<'_>) -> Outcome {
    if evidence.form.is_some_and(|query| query.get("state").is_none()) {
        return parameter::fault("there is no state");
    }
    match evidence.sign_in {
        None => Outcome::CannotTell(Need::SignIn),
        Some(SignInRecord::Waiting) => Outcome::Pass,
        Some(SignInRecord::Unknown) => {
            parameter::fault("no sign-in of this state was begun here, or it is finished already")
        }
    }
}

fn decodes(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).map(|token| token.decodes()))
}

fn is_for_the_platform(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        token.payload()?;
        let platform = evidence.provider_client_id;
        let platform = platform.ok_or(Outcome::CannotTell(Need::ProviderClientId))?;
        // An array becomes the text of its elements before it is compared.
        if token.payload()?.get("aud").is_some_and(|aud| to_string(&aud) == platform) {
            return Ok(Outcome::Pass);
        }
        token.claim_fault("aud", format!("it is not `{platform}`, the platform's client id there"))
    }))
}

fn issuer_is_trusted(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        if token.payload()?.get("iss").is_none() {
            return token.claim_fault("iss", "there is no iss");
        }
        match evidence.provider {
            None => Err(Outcome::CannotTell(Need::Provider)),
            Some(Some(_)) => Ok(Outcome::Pass),
            Some(None) => {
                token.claim_fault("iss", "the platform trusts no provider of this issuer")
            }
        }
    }))
}

fn has_not_expired(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| id_token::is_not_past(&token, evidence)))
}

fn key_is_there(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        if !token.has_header("kid").is_fail() {
            return Ok(id_token::key_is_there(evidence));
        }
        // No row before this one has asked for a kid.
        id_token::key_set(evidence)?;
        Ok(token.has_header("kid"))
    }))
}

#[cfg(test)]
mod tests;
