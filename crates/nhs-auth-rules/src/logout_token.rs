//! Group L: `POST /backchannel_logout`, where CIS2 ends a session (OpenID Connect Back-Channel
//! Logout 1.0 §2.6), in the platform's order.

use crate::id_token::{key_set, signature};
use crate::json::{Kind, Object, Value};
use crate::judged_jwt::{JudgedJwt, LOGOUT_TOKEN, settled};
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};
use crate::{Evidence, IdentityProvider, KeySetRecord, SessionRecord, parameter};

/// The member of `events` that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0
/// §2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

const fn bad_request(description: &'static str) -> Answer {
    Answer::new(400, "invalid_request", description)
}

const UNVERIFIED: Answer = Answer::new(400, "bad_request", "Unable to verify JWT");

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    Rule {
        id: RuleId::new("L1"),
        title: "the form has a logout token",
        answer: bad_request("Missing client_assertion"),
        basis: Basis::Inferred,
        why: "the parameter is missing or mistyped. That the answer names a client assertion is a \
              quirk of the platform's fault rules",
        fix: "send `logout_token=<the logout token>` as a form",
        example: Example::new("token=<the logout token>", "logout_token=<the logout token>"),
        check: has_a_token,
    },
    Rule {
        id: RuleId::new("L2"),
        title: "the logout token decodes as a JWT",
        answer: bad_request("Malformed JWT in logout_token"),
        basis: Basis::Published,
        why: "a JWT is three base64url parts with dots between them, the first two JSON objects; \
              here something else was sent in its place. An empty value counts as malformed too \
              (inferred)",
        fix: "send the logout token's compact form, with nothing around it",
        example: Example::new(
            "logout_token=[object Object]",
            "logout_token=eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        ),
        check: decodes,
    },
    Rule {
        id: RuleId::new("L3"),
        title: "`aud` is the platform's own client id at CIS2",
        answer: bad_request("Missing/invalid aud claim in JWT"),
        basis: Basis::Published,
        why: "the logout token is for another client of CIS2. Of an array the platform takes the \
              first element alone",
        fix: "set `aud` to the platform's client id, as the session's ID token has it",
        example: Example::new(
            r#""aud": ["000000000000.111111111111.apps.supplier", "123456789012.apps.national"]"#,
            r#""aud": "123456789012.apps.national"   // the platform's client id"#,
        ),
        check: is_for_the_platform,
    },
    Rule {
        id: RuleId::new("L4"),
        title: "`iss` is the CIS2 that the platform trusts, in any case of letters",
        answer: bad_request("Missing/invalid iss claim in JWT"),
        basis: Basis::Published,
        why: "the logout token is of another environment of CIS2, or of NHS login, which has none",
        fix: "send it to the base path that trusts this environment of CIS2",
        example: Example::new(
            r#""iss": "https://auth.login.nhs.uk""#,
            "\"iss\": \"https://am.nhsidentity.spineservices.nhs.uk:443/openam/oauth2/realms/\
             root/…\"",
        ),
        check: issuer_is_cis2,
    },
    Rule {
        id: RuleId::new("L5"),
        title: "there is a `sid`",
        answer: bad_request("Missing sid claim in JWT"),
        basis: Basis::Published,
        why: "OpenID Connect lets a logout token name a user in place of a session; the platform \
              ends sessions",
        fix: "add `sid`: the session's, as its ID token has it",
        example: Example::new(
            r#"{ "iss": "…", "aud": "…", "sub": "656005750104", "events": "…" }"#,
            "{ \"iss\": \"…\", \"aud\": \"…\", \"sub\": \"656005750104\", \"events\": \"…\",\n\
             \"sid\": \"a8a6c2a0-7f0d-4f52-9f3a-4d5b1c0e7a55\" }",
        ),
        check: has_a_session,
    },
    Rule {
        id: RuleId::new("L6"),
        title: "`events` says that it is a logout",
        answer: bad_request("Missing/invalid events claim in JWT"),
        basis: Basis::Published,
        why: "without it any JWT of the provider's would end a session",
        fix: "add `events`, an object with the member \
              `http://schemas.openid.net/event/backchannel-logout`",
        example: Example::new(
            r#""events": { "http://schemas.openid.net/event/logout": {} }"#,
            r#""events": { "http://schemas.openid.net/event/backchannel-logout": {} }"#,
        ),
        check: is_a_logout,
    },
    Rule {
        id: RuleId::new("L7"),
        title: "there is no `nonce`",
        answer: bad_request("Prohibited nonce claim in JWT"),
        basis: Basis::Published,
        why: "a `nonce` is an ID token's; OpenID Connect forbids it here, so that the one can't be \
              taken for the other",
        fix: "leave `nonce` out",
        example: Example::new(
            r#"{ "iss": "…", "aud": "…", "sid": "…", "events": "…", "nonce": "n-0S6" }"#,
            r#"{ "iss": "…", "aud": "…", "sid": "…", "events": "…" }"#,
        ),
        check: has_no_nonce,
    },
    Rule {
        id: RuleId::new("L8"),
        title: "the provider's key set has a key of the logout token's `kid`",
        answer: UNVERIFIED,
        basis: Basis::Published,
        why: "the key is not CIS2's, or the header names none. A key set that can't be fetched \
              gets the same answer (inferred)",
        fix: "sign with a key that CIS2 publishes, and name it in `kid`",
        example: Example::new(
            r#""kid": "unpublished"   // the provider's key set has "provider-2027""#,
            r#""kid": "provider-2027"   // as in the provider's key set"#,
        ),
        check: key_is_there,
    },
    Rule {
        id: RuleId::new("L9"),
        title: "the logout token's signature verifies",
        answer: UNVERIFIED,
        basis: Basis::Published,
        why: "the token was changed, or another key made its signature, or its algorithm is neither \
              RS256 nor RS512",
        fix: "send the logout token as CIS2 made it",
        example: Example::new(r#""alg": "HS256""#, r#""alg": "RS256""#),
        check: verifies,
    },
    Rule {
        id: RuleId::new("L10"),
        title: "the platform has a session of that `sid`",
        answer: Answer::new(501, "not_implemented", "SID not found"),
        basis: Basis::Published,
        why: "the session has ended already, or was never the platform's",
        fix: "nothing is to be mended: there is no such session to end",
        example: Example::new(
            "12:00:00 POST /oauth2/backchannel_logout, of a session\n\
             12:00:05 POST /oauth2/backchannel_logout, of the same session",
            "12:00:00 POST /oauth2/backchannel_logout, of a session",
        ),
        check: session_is_known,
    },
];

fn token<'a>(evidence: &Evidence<'a>) -> Result<JudgedJwt<'a>, Outcome> {
    let jwt = evidence.logout_token.ok_or(Outcome::CannotTell(Need::LogoutToken))?;
    Ok(JudgedJwt::new(jwt, &LOGOUT_TOKEN))
}

/// A claim that is there and not `null`: here the platform looks no closer.
fn given<'a>(payload: &'a Object, name: &str) -> Option<Value<'a>> {
    payload.get(name).filter(|claim| claim.kind() != Kind::Null)
}

fn has_a_token(evidence: &Evidence<'_>) -> Outcome {
    parameter::brings(evidence, "logout_token", evidence.logout_token)
}

fn decodes(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).map(|token| token.decodes()))
}

fn is_for_the_platform(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        let aud = token.payload()?.get("aud");
        let platform = evidence.provider_client_id;
        let platform = platform.ok_or(Outcome::CannotTell(Need::ProviderClientId))?;
        let first = aud.and_then(|aud| match aud.kind() {
            Kind::Array => aud.elements()?.into_iter().next(),
            _ => Some(aud),
        });
        if first.is_some_and(|first| first.as_str().as_deref() == Some(platform)) {
            return Ok(Outcome::Pass);
        }
        token.claim_fault("aud", format!("it is not `{platform}`, the platform's client id there"))
    }))
}

fn issuer_is_cis2(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        if token.payload()?.get("iss").is_none() {
            return token.claim_fault("iss", "there is no iss");
        }
        match evidence.provider {
            None => Err(Outcome::CannotTell(Need::Provider)),
            Some(Some(IdentityProvider::Cis2)) => Ok(Outcome::Pass),
            Some(Some(IdentityProvider::NhsLogin) | None) => {
                token.claim_fault("iss", "it is not the CIS2 that the platform trusts here")
            }
        }
    }))
}

fn has_a_session(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| match given(token.payload()?, "sid") {
        Some(_) => Ok(Outcome::Pass),
        None => token.claim_fault("sid", "there is no sid"),
    }))
}

fn is_a_logout(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        let events = token.payload()?.get("events");
        let members = events.as_ref().and_then(Value::as_object);
        if members.is_some_and(|members| members.get(LOGOUT_EVENT).is_some()) {
            return Ok(Outcome::Pass);
        }
        match events {
            None => token.claim_fault("events", "there is no events"),
            Some(_) => token.claim_fault("events", format!("it has no member `{LOGOUT_EVENT}`")),
        }
    }))
}

fn has_no_nonce(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| match given(token.payload()?, "nonce") {
        None => Ok(Outcome::Pass),
        Some(_) => token.claim_fault("nonce", "a logout token has no nonce"),
    }))
}

fn key_is_there(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        token.header()?;
        if matches!(evidence.provider_key_set, Some(KeySetRecord::Unreachable)) {
            return token.header_fault("kid", "the provider's key set can't be fetched");
        }
        let key_set = key_set(evidence)?;
        Ok(match token.has_header("kid") {
            Outcome::Pass => token.key_is_in(key_set),
            missing => missing,
        })
    }))
}

fn verifies(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| match token.has_header("alg") {
        Outcome::Pass => signature(&token, evidence),
        missing => Ok(missing),
    }))
}

fn session_is_known(evidence: &Evidence<'_>) -> Outcome {
    settled(token(evidence).and_then(|token| {
        if given(token.payload()?, "sid").is_none() {
            // Row 5 has said that already.
            return Ok(Outcome::Pass);
        }
        match evidence.session {
            None => Err(Outcome::CannotTell(Need::Session)),
            Some(SessionRecord::Known) => Ok(Outcome::Pass),
            Some(SessionRecord::Unknown) => {
                token.claim_fault("sid", "the platform has no session of this sid")
            }
        }
    }))
}

#[cfg(test)]
mod tests;
