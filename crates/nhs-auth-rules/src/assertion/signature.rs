//! Rows 19 to 21: the key, the signature, and the claims that are looked at with it.

use super::{judged, payload};
use crate::judged_jwt::{audiences, settled};
use crate::limits::VERIFY_LEEWAY_S;
use crate::request::UNKNOWN_ERROR;
use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::{Evidence, Jwks, KeySetRecord, SignatureAlgorithm};

pub(super) const A19: Rule = Rule {
    id: RuleId::new("A19"),
    title: "the key set has a key of that `kid`",
    answer: Answer::new(
        401,
        "invalid_request",
        "Invalid 'kid' header in client_assertion JWT - no matching public key",
    ),
    basis: Basis::Published,
    why: "the two names differ by a letter, a case, a hyphen or a space; or the key was added to \
          the key set less than an hour ago, because the platform keeps a key set for an hour by \
          its URL and does not look again for a `kid` that it doesn't know",
    fix: "make the header's `kid` and the registered key's `kid` the same, byte for byte; after a \
          change at a fixed URL wait an hour",
    example: Example::new(
        r#""kid": "clinic-2027-1"   // the key set has "clinic-2027-01""#,
        r#""kid": "clinic-2027-01"   // as in the key set"#,
    ),
    check: key_is_there,
};

pub(super) const A20: Rule = Rule {
    id: RuleId::new("A20"),
    title: "the signature verifies",
    answer: Answer::new(401, "public_key error", "JWT signature verification failed"),
    basis: Basis::Published,
    why: "the assertion was signed with another private key than the one whose public key is \
          registered under this `kid`, or the key set holds a damaged key, or the key was replaced \
          under the same `kid` and the platform still has the old one for up to an hour",
    fix: "register the public key of the private key that signs, under a new `kid`",
    example: Example::new(
        "assertion: \"kid\": \"clinic-2027-01\", signed with new.pem\n\
         key set: \"kid\": \"clinic-2027-01\", the public key of old.pem",
        "assertion: \"kid\": \"clinic-2027-02\", signed with new.pem\n\
         key set: \"kid\": \"clinic-2027-02\", the public key of new.pem",
    ),
    check: verifies,
};

pub(super) const A20B: Rule = Rule {
    id: RuleId::new("A20b"),
    title: "`nbf`, if there is one, is not in the future",
    answer: UNKNOWN_ERROR,
    basis: Basis::Inferred,
    why: "`nbf` is not required; one more than 10 seconds ahead, as a fast clock makes it, fails \
          where the signature is verified, and no text of the platform names that case",
    fix: "leave `nbf` out",
    example: Example::new(
        "{ \"iss\": \"…\", \"sub\": \"…\", \"aud\": \"…\", \"jti\": \"…\",\n\
         \"exp\": 1800000150, \"nbf\": 1800000060 }   // now is 1800000000",
        "{ \"iss\": \"…\", \"sub\": \"…\", \"aud\": \"…\", \"jti\": \"…\",\n\
         \"exp\": 1800000150 }",
    ),
    check: is_valid_already,
};

pub(super) const A21: Rule = Rule {
    id: RuleId::new("A21"),
    title: "`aud` is the token endpoint's URL",
    answer: Answer::new(
        401,
        "invalid_request",
        "Missing or invalid 'aud' claim in client_assertion JWT",
    ),
    basis: Basis::Published,
    why: "the URL is compared as text with the one that was called: another environment's host, a \
          missing `https://` or `/token`, a slash at the end, or `/oauth2` for `/oauth2-mock` \
          makes it another",
    fix: "set `aud` to the URL that you post to, character for character",
    example: Example::new(
        "// posted to https://int.api.service.nhs.uk/oauth2/token\n\
         \"aud\": \"https://int.api.service.nhs.uk/oauth2/token/\"",
        "// posted to https://int.api.service.nhs.uk/oauth2/token\n\
         \"aud\": \"https://int.api.service.nhs.uk/oauth2/token\"",
    ),
    check: is_for_this_endpoint,
};

fn key_set<'a>(evidence: &Evidence<'a>) -> Result<&'a Jwks, Outcome> {
    match evidence.key_set {
        None => Err(Outcome::CannotTell(Need::KeySet)),
        Some(KeySetRecord::Fetched(key_set)) => Ok(key_set),
        Some(KeySetRecord::Unreachable) => Err(Outcome::Pass),
    }
}

fn key_is_there(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).and_then(|assertion| Ok(assertion.key_is_in(key_set(evidence)?))))
}

fn verifies(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).and_then(|assertion| {
        let key_set = key_set(evidence)?;
        assertion.is_signed_by(key_set, SignatureAlgorithm::Rs512, evidence.verifier)
    }))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
fn is_valid_already(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| {
        let nbf = payload.get("nbf");
        let Some((nbf, at)) = nbf.and_then(|nbf| Some((nbf, nbf.as_number()?))) else {
            return Outcome::Pass;
        };
        let Some(now) = evidence.now else {
            return Outcome::CannotTell(Need::Clock);
        };
        let early_by = at - now.0 as f64 / 1000.0;
        if early_by > VERIFY_LEEWAY_S as f64 {
            let message = format!("it is {early_by:.0} seconds in the future");
            return Fault::fail(Place::Payload, nbf.span(), message);
        }
        Outcome::Pass
    }))
}

fn is_for_this_endpoint(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| {
        let Some(token_url) = evidence.token_url else {
            return Outcome::CannotTell(Need::TokenUrl);
        };
        let Some(aud) = payload.get("aud") else {
            return Fault::fail(Place::Payload, payload.span(), "there is no aud");
        };
        if audiences(&aud).iter().any(|one| one.as_str().as_deref() == Some(token_url)) {
            return Outcome::Pass;
        }
        let message = format!("it is not `{token_url}`, the endpoint that was called");
        Fault::fail(Place::Payload, aud.span(), message)
    }))
}
