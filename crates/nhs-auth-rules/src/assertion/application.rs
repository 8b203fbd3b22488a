//! Rows 15 to 18 and 22: the application, as the platform knows it.

use super::{APPLICATION_SCOPE, payload};
use crate::client::application;
use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::{Evidence, KeySetRecord, Quota, Span};

const UNKNOWN_CLIENT: Answer =
    Answer::new(401, "invalid_request", "Invalid 'iss'/'sub' claims in client_assertion JWT");

/// The answer to an application that asks too often.
pub(crate) const TOO_MANY_REQUESTS: Answer =
    Answer::new(429, "too_many_requests", "Rate limit exceeded");

/// The answer to an application none of whose scopes is of the right kind.
pub(crate) const NO_SCOPE: Answer = Answer::new(
    401,
    "unauthorized_client",
    "you have tried to request authorization but your application is not configured to use this \
     authorization grant type",
);

pub(super) const A15: Rule = Rule {
    id: RuleId::new("A15"),
    title: "`sub` is an API key that the platform knows",
    answer: UNKNOWN_CLIENT,
    basis: Basis::Published,
    why: "`iss` and `sub` hold the application ID (a UUID) or a CIS2 client id where the API key \
          belongs, or the API key is of another environment: each environment has its own \
          application with its own key",
    fix: "open the application of this environment in the portal, then `Active API keys`, and use \
          the value called `Key` for `iss` and `sub`",
    example: Example::new(
        "\"iss\": \"5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35\",   // the application ID\n\
         \"sub\": \"5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35\"",
        "\"iss\": \"ExampleApiKeyExampleApiKey000001\",   // the API key\n\
         \"sub\": \"ExampleApiKeyExampleApiKey000001\"",
    ),
    check: is_known,
};

pub(super) const A15B: Rule = Rule {
    id: RuleId::new("A15b"),
    title: "the application is approved, active, and has an API of this environment",
    answer: UNKNOWN_CLIENT,
    basis: Basis::Inferred,
    why: "an application that isn't approved or was revoked, whose developer or company is \
          inactive, or that has no API added, gets the same answer as an unknown key",
    fix: "look at the application in the portal: is it approved, is the API key active, is the \
          API that you call in its list?",
    example: Example::new(
        "application: approved\n\
         API key: revoked\n\
         APIs: Hello World (integration test)",
        "application: approved\n\
         API key: active\n\
         APIs: Hello World (integration test)",
    ),
    check: may_ask,
};

pub(super) const A16: Rule = Rule {
    id: RuleId::new("A16"),
    title: "no more than 300 token requests a minute",
    answer: TOO_MANY_REQUESTS,
    basis: Basis::Inferred,
    why: "the limit is the platform's, its answer's text isn't public. A new token for each call, \
          or a crowd of processes that each get their own, adds up",
    fix: "keep a token for its ten minutes and share it; wait a minute",
    example: Example::new(
        "for each call: POST /oauth2/token, then GET /hello-world/hello/application",
        "once in eight minutes: POST /oauth2/token\n\
         for each call: GET /hello-world/hello/application, with the token that was kept",
    ),
    check: is_within_its_rate,
};

pub(super) const A17: Rule = Rule {
    id: RuleId::new("A17"),
    title: "the application has a public key registered",
    answer: Answer::new(
        403,
        "public_key error",
        "You need to register a public key to use this authentication method - please contact \
         support to configure",
    ),
    basis: Basis::Published,
    why: "the JWKS was made and never given to the portal",
    fix: "in the portal open the application, then `Manage public key`, and upload the JWKS file \
          or give its URL",
    example: Example::new(
        "Manage public key: nothing uploaded, no URL",
        "Manage public key: https://clinic.example/nhs/jwks.json",
    ),
    check: has_a_key_set,
};

pub(super) const A18: Rule = Rule {
    id: RuleId::new("A18"),
    title: "the key set can be fetched",
    answer: Answer::new(
        403,
        "public_key error",
        "The JWKS endpoint, for your client_assertion can't be reached",
    ),
    basis: Basis::Published,
    why: "the registered URL is down, is not on the public internet, wants a login, has a \
          certificate from a private authority, or has no path: `https://host` alone can't be \
          fetched. What was fetched is kept for an hour, by URL",
    fix: "fetch the URL from outside your network; give it a path; serve the full certificate \
          chain",
    example: Example::new(
        "Manage public key: https://clinic.example",
        "Manage public key: https://clinic.example/nhs/jwks.json",
    ),
    check: can_be_fetched,
};

pub(super) const A22: Rule = Rule {
    id: RuleId::new("A22"),
    title: "the application's APIs allow application-restricted access by signed JWT",
    answer: NO_SCOPE,
    basis: Basis::Published,
    why: "none of the application's products has a scope `urn:nhsd:apim:app:level3:…`: the API is \
          open, takes an API key alone, or wants a signed-in user",
    fix: "add an API with application-restricted access to the application, or use the access \
          mode that this API has",
    example: Example::new(
        "scopes of the APIs: urn:nhsd:apim:user-nhs-cis2:aal3:hello-world",
        "scopes of the APIs: urn:nhsd:apim:app:level3:hello-world",
    ),
    check: has_a_scope,
};

fn fault(message: impl Into<String>) -> Outcome {
    Fault::fail(Place::Application, Span::default(), message)
}

fn is_known(evidence: &Evidence<'_>) -> Outcome {
    settled(payload(evidence).map(|payload| match evidence.application {
        None => Outcome::CannotTell(Need::Application),
        Some(Some(_)) => Outcome::Pass,
        Some(None) => {
            let span = payload.get("sub").map_or(payload.span(), |sub| sub.span());
            Fault::fail(Place::Payload, span, "this is not an API key of this environment")
        }
    }))
}

fn may_ask(evidence: &Evidence<'_>) -> Outcome {
    settled(application(evidence).map(|application| {
        if !application.approved {
            fault("the application is not approved, or was revoked")
        } else if !application.developer_active {
            fault("the application's developer is inactive")
        } else if !application.company_active {
            fault("the application's company is inactive")
        } else if application.scopes.is_none() {
            fault("the application is not subscribed to any API here")
        } else {
            Outcome::Pass
        }
    }))
}

fn is_within_its_rate(evidence: &Evidence<'_>) -> Outcome {
    match evidence.quota {
        None => Outcome::CannotTell(Need::Quota),
        Some(Quota::Within) => Outcome::Pass,
        Some(Quota::Exceeded) => fault("too many token requests in the last minute"),
    }
}

fn has_a_key_set(evidence: &Evidence<'_>) -> Outcome {
    settled(application(evidence).map(|application| {
        if application.has_key_set {
            Outcome::Pass
        } else {
            fault("the application has no public key registered")
        }
    }))
}

fn can_be_fetched(evidence: &Evidence<'_>) -> Outcome {
    match evidence.key_set {
        None => Outcome::CannotTell(Need::KeySet),
        Some(KeySetRecord::Fetched(_)) => Outcome::Pass,
        Some(KeySetRecord::Unreachable) => fault("the registered key set can't be fetched"),
    }
}

fn has_a_scope(evidence: &Evidence<'_>) -> Outcome {
    if evidence.form.is_some_and(crate::Form::is_token_exchange) {
        // A user's token keeps other scopes, and row 22 comes later there.
        return Outcome::Pass;
    }
    settled(application(evidence).map(|application| {
        let scopes = application.scopes.as_deref().unwrap_or_default();
        if scopes.iter().any(|scope| scope.starts_with(APPLICATION_SCOPE)) {
            Outcome::Pass
        } else {
            fault(format!("none of the application's scopes begins with `{APPLICATION_SCOPE}`"))
        }
    }))
}
