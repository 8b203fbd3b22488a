//! What the platform asks of a provider's ID token wherever it meets one: as the subject token of
//! a token exchange (group S) and at the end of a combined sign-in (group I).
//!
//! The two groups share these checks and most of what is said of them. Each has its own ids, and
//! where the platform's texts differ its own answers.

use crate::client::application;
use crate::javascript::is_truthy;
use crate::judged_jwt::{ID_TOKEN, JudgedJwt, settled};
use crate::request::UNKNOWN_ERROR;
use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::time::in_words;
use crate::{
    Evidence, IdentityProvider, Jwks, KeySetRecord, SignatureAlgorithm, Span, assertion,
    assurance_level, user_scopes,
};

/// The row of the provider's key set.
pub(crate) const fn key_set_row(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the provider's key set can be fetched",
        answer: UNKNOWN_ERROR,
        basis: Basis::Published,
        why: "the platform fetches the key set of CIS2 or NHS login and keeps it for a day; when \
              neither a kept one nor the provider can be had, nothing is wrong with the request",
        fix: "try again later; ask the platform's support with the message ID when it lasts",
        example: Example::new(
            "GET https://auth.login.nhs.uk/.well-known/jwks.json: 503",
            "GET https://auth.login.nhs.uk/.well-known/jwks.json: 200",
        ),
        check: key_set_can_be_fetched,
    }
}

/// The row of the signature.
pub(crate) const fn signature_row(id: &'static str, basis: Basis) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the provider's signature verifies, by RS256 or RS512",
        answer: Answer::new(401, "public_key error", "JWT signature verification failed"),
        basis,
        why: "the ID token was changed after it was issued, was made by hand, or is signed with \
              another algorithm: RS256 and RS512 verify, and any other fails here",
        fix: "send the ID token as the provider issued it, every character of it",
        example: Example::new(r#""alg": "ES256""#, r#""alg": "RS512""#),
        check: is_signed_by_the_provider,
    }
}

/// The row of NHS login's level.
pub(crate) const fn level_row(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "an NHS login token has an `identity_proofing_level`",
        answer: UNKNOWN_ERROR,
        basis: Basis::Inferred,
        why: "the claim comes with the scopes `profile` and `basic_demographics` alone; the \
              platform takes its first two characters, and a token without that text has none to \
              take. No text of the platform names that case",
        fix: "ask for the scope `profile` when the user signs in",
        example: Example::new(
            r#"{ "iss": "…", "aud": "…", "exp": 1800003600, "nhs_number": "9912003071" }"#,
            "{ \"iss\": \"…\", \"aud\": \"…\", \"exp\": 1800003600, \"nhs_number\": \"9912003071\",\n\
             \"identity_proofing_level\": \"P9\" }",
        ),
        check: has_a_level,
    }
}

/// The row of the scopes that this level opens.
pub(crate) const fn scopes_row(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the application's APIs allow a user of exactly this level",
        answer: assertion::NO_SCOPE,
        basis: Basis::Published,
        why: "the platform keeps the scopes that contain the user's level between colons, such as \
              `:aal3:` or `:P9:`, and none is left: the application has no user-restricted API, \
              or one of another provider or of another level. A higher level does not bring a \
              lower one's scopes",
        fix: "add an API with user-restricted access at this level to the application, or have the \
              user sign in at the level that the API wants",
        example: Example::new(
            "authentication_assurance_level of the user: 2\n\
             scopes of the APIs: urn:nhsd:apim:user-nhs-cis2:aal3:hello-world",
            "authentication_assurance_level of the user: 3\n\
             scopes of the APIs: urn:nhsd:apim:user-nhs-cis2:aal3:hello-world",
        ),
        check: has_a_scope,
    }
}

/// The ID token, when there is one; `absent` is what is needed when there isn't.
pub(crate) fn judged<'a>(evidence: &Evidence<'a>, absent: Need) -> Result<JudgedJwt<'a>, Outcome> {
    let jwt = evidence.id_token.ok_or(Outcome::CannotTell(absent))?;
    Ok(JudgedJwt::new(jwt, &ID_TOKEN))
}

/// The provider of a token whose issuer is trusted. Beyond the issuer's own row there is nothing
/// to say of another.
fn provider(evidence: &Evidence<'_>) -> Result<IdentityProvider, Outcome> {
    evidence.provider.ok_or(Outcome::CannotTell(Need::Provider))?.ok_or(Outcome::Pass)
}

/// The provider's key set. Of one that can't be fetched its own row speaks.
pub(crate) fn key_set<'a>(evidence: &Evidence<'a>) -> Result<&'a Jwks, Outcome> {
    match evidence.provider_key_set {
        Some(KeySetRecord::Fetched(key_set)) => Ok(key_set),
        Some(KeySetRecord::Unreachable) => Err(Outcome::Pass),
        None if evidence.provider == Some(None) => Err(Outcome::Pass),
        None => Err(Outcome::CannotTell(Need::ProviderKeySet)),
    }
}

fn key_set_can_be_fetched(evidence: &Evidence<'_>) -> Outcome {
    match evidence.provider_key_set {
        Some(KeySetRecord::Unreachable) => {
            Fault::fail(Place::Provider, Span::default(), "the provider's key set can't be fetched")
        }
        _ => settled(key_set(evidence).map(|_| Outcome::Pass)),
    }
}

/// The key set has the header's key: a check that both groups answer in words of their own.
pub(crate) fn key_is_there(evidence: &Evidence<'_>) -> Outcome {
    settled(
        judged(evidence, Need::IdToken).and_then(|token| Ok(token.key_is_in(key_set(evidence)?))),
    )
}

fn is_signed_by_the_provider(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence, Need::IdToken).and_then(|token| signature(&token, evidence)))
}

/// What the provider's key says of a token's signature. Of an `alg` that counts as missing another
/// rule speaks.
pub(crate) fn signature(
    token: &JudgedJwt<'_>,
    evidence: &Evidence<'_>,
) -> Result<Outcome, Outcome> {
    let header = token.header()?;
    let Some(alg) = header.get("alg").filter(|alg| is_truthy(Some(alg))) else {
        return Ok(Outcome::Pass);
    };
    let algorithm = match alg.as_str().as_deref() {
        Some("RS256") => SignatureAlgorithm::Rs256,
        Some("RS512") => SignatureAlgorithm::Rs512,
        _ => {
            let message = format!("the algorithm is {}, and RS256 and RS512 verify", alg.text());
            return token.header_fault("alg", message);
        }
    };
    token.is_signed_by(key_set(evidence)?, algorithm, evidence.provider_verifier)
}

/// `exp` is not past, to the millisecond. One that is missing or no number passes.
#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
pub(crate) fn is_not_past(
    token: &JudgedJwt<'_>,
    evidence: &Evidence<'_>,
) -> Result<Outcome, Outcome> {
    let exp = token.payload()?.get("exp").filter(|exp| is_truthy(Some(exp)));
    let Some(exp) = exp.and_then(|exp| exp.as_number()) else {
        return Ok(Outcome::Pass);
    };
    let now = evidence.now.ok_or(Outcome::CannotTell(Need::Clock))?;
    let past_by = now.0 as f64 - exp * 1000.0;
    if past_by > 0.0 {
        let ago = in_words(past_by / 1000.0);
        return token.claim_fault("exp", format!("it was over {ago} ago"));
    }
    Ok(Outcome::Pass)
}

fn has_a_level(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence, Need::IdToken).and_then(|token| {
        let payload = token.payload()?;
        let provider = provider(evidence)?;
        if assurance_level(provider, payload).is_some() {
            return Ok(Outcome::Pass);
        }
        let claim = provider.level_claim();
        let message = match payload.get(claim) {
            None => format!("there is no {claim}"),
            Some(level) => format!("the {claim} is {}, and not a string", level.text()),
        };
        token.claim_fault(claim, message)
    }))
}

fn has_a_scope(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence, Need::IdToken).and_then(|token| {
        let payload = token.payload()?;
        let provider = provider(evidence)?;
        // Without a level its own row has spoken.
        let level = assurance_level(provider, payload).ok_or(Outcome::Pass)?;
        let scopes = application(evidence)?.scopes.as_deref().unwrap_or_default();
        if !user_scopes(provider, payload, scopes).is_empty() {
            return Ok(Outcome::Pass);
        }
        let message = format!("none of the application's scopes contains `:{level}:`");
        token.claim_fault(provider.level_claim(), message)
    }))
}
