//! Rows 11 and 13: the issuer, and the key that its header names.

use super::{bad_request, judged};
use crate::Evidence;
use crate::id_token;
use crate::javascript::is_truthy;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};

pub(super) const S11: Rule = Rule {
    id: RuleId::new("S11"),
    title: "`iss` is an issuer that this base path trusts",
    answer: bad_request("Missing or non-matching 'iss' claim in subject_token JWT"),
    basis: Basis::Published,
    why: "each base path of each environment trusts one issuer of CIS2 and one of NHS login, and \
          compares `iss` with them as text: a token of another environment of the sign-in \
          service, of its mock where the real one is trusted, or without the `:443` that CIS2 \
          writes, is refused. So is an access token or a client assertion in the ID token's place",
    fix: "pair the token with the base path that trusts its issuer: `/oauth2-mock` for the mock, \
          `/oauth2` for the real ones",
    example: Example::new(
        r#""iss": "https://auth.sandpit.signin.nhs.uk"   // posted to production's /oauth2/token"#,
        r#""iss": "https://auth.login.nhs.uk"   // posted to production's /oauth2/token"#,
    ),
    check: issuer_is_trusted,
};

pub(super) const S13: Rule = Rule {
    id: RuleId::new("S13"),
    title: "the provider's key set has a key of that `kid`",
    answer: Answer::new(
        401,
        "invalid_request",
        "Invalid 'kid' header in subject_token JWT - no matching public key",
    ),
    basis: Basis::Published,
    why: "the token was signed by another environment of the sign-in service, or made by hand. The \
          platform keeps a provider's key set for a day, and looks again when it doesn't know a \
          `kid`: a key that was just changed is not the reason",
    fix: "send the ID token as the sign-in service made it",
    example: Example::new(
        r#""kid": "made-by-hand"   // the provider's key set has "provider-2027""#,
        r#""kid": "provider-2027"   // as in the provider's key set"#,
    ),
    check: id_token::key_is_there,
};

fn issuer_is_trusted(evidence: &Evidence<'_>) -> Outcome {
    settled(judged(evidence).and_then(|token| {
        if !is_truthy(token.payload()?.get("iss").as_ref()) {
            // Row 9 has said that already.
            return Ok(Outcome::Pass);
        }
        match evidence.provider {
            None => Err(Outcome::CannotTell(Need::Provider)),
            Some(Some(_)) => Ok(Outcome::Pass),
            Some(None) => token.claim_fault("iss", "this base path trusts no such issuer"),
        }
    }))
}
