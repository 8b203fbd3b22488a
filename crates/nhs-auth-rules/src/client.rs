//! The client of a combined sign-in, by its `client_id`: rows that the groups B, C and F share.
//!
//! Each group has its own ids, and the answers that differ are the groups' own.

use crate::judged_jwt::settled;
use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::{ApplicationRecord, Evidence, Quota, SecretRecord, Span, assertion, parameter};

/// The answer to a client that can't be told who it is at the token endpoint.
const INVALID_CLIENT: Answer =
    Answer::new(401, "invalid_client", "client_id or client_secret is invalid");

/// The answer to a `client_id` that nobody has, at `/authorize`.
const INVALID_CLIENT_ID: Answer = Answer::new(401, "invalid_request", "client_id is invalid");

/// `client_id` is there.
pub(crate) const fn id_is_given(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "there is a `client_id`",
        answer: Answer::new(401, "invalid_request", "client_id is missing"),
        basis: Basis::Published,
        why: "the parameter is missing or mistyped; at the token endpoint an `Authorization: Basic` \
              header, which libraries send unasked, does not stand in for it",
        fix: "add `client_id=<the API key>`; set the library to `client_secret_post`",
        example: Example::new(
            "clientId=ExampleApiKeyExampleApiKey000001",
            "client_id=ExampleApiKeyExampleApiKey000001",
        ),
        check: has_an_id,
    }
}

/// `client_id` is an API key, at `/authorize`.
pub(crate) const fn is_known(id: &'static str) -> Rule {
    known(id, INVALID_CLIENT_ID)
}

/// `client_id` is an API key, at the token endpoint.
pub(crate) const fn is_known_for_a_token(id: &'static str) -> Rule {
    known(id, INVALID_CLIENT)
}

const fn known(id: &'static str, answer: Answer) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "`client_id` is an API key that the platform knows",
        answer,
        basis: Basis::Published,
        why: "it is the application ID (a UUID) or a CIS2 client id where the API key belongs, it \
              is empty (inferred), or the key is of another environment",
        fix: "open the application of this environment in the portal, then `Active API keys`, and \
              use the value called `Key`",
        example: Example::new(
            "client_id=5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35",
            "client_id=ExampleApiKeyExampleApiKey000001",
        ),
        check: is_an_api_key,
    }
}

/// The application is approved.
pub(crate) const fn is_approved(id: &'static str, basis: Basis) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the application is approved and not revoked",
        answer: Answer::new(
            401,
            "access_denied",
            "The developer app associated with the API key is not approved or revoked",
        ),
        basis,
        why: "the application waits for its approval, or it or its API key was revoked",
        fix: "look at the application in the portal: is it approved, is the API key active?",
        example: Example::new(
            "application: revoked\n\
             developer: active\n\
             company: active",
            "application: approved\n\
             developer: active\n\
             company: active",
        ),
        check: application_is_approved,
    }
}

/// The application's developer is active.
pub(crate) const fn developer_is_active(id: &'static str, basis: Basis) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the application's developer is active",
        answer: Answer::new(
            401,
            "access_denied",
            "The developer who created the developer app that has the API key you are using has \
             an inactive status",
        ),
        basis,
        why: "the account that made the application was deactivated, as happens when somebody \
              leaves",
        fix: "ask the platform's support to activate the account, or make the application anew \
              under a team",
        example: Example::new(
            "application: approved\n\
             developer: inactive\n\
             company: active",
            "application: approved\n\
             developer: active\n\
             company: active",
        ),
        check: is_developer_active,
    }
}

/// The application's company is active.
pub(crate) const fn company_is_active(id: &'static str, basis: Basis) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the application's company is active",
        answer: Answer::new(
            401,
            "access_denied",
            "The company associated with the developer app that has the API key you are using has \
             an inactive status",
        ),
        basis,
        why: "the team or company that the application belongs to was deactivated",
        fix: "ask the platform's support to activate it",
        example: Example::new(
            "application: approved\n\
             developer: active\n\
             company: inactive",
            "application: approved\n\
             developer: active\n\
             company: active",
        ),
        check: is_company_active,
    }
}

/// The application has an API.
pub(crate) const fn is_subscribed(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "the application has an API of this environment",
        answer: Answer::new(
            401,
            "access_denied",
            "API Key supplied does not have access to this resource. Please check the API Key you \
             are using belongs to an app which has sufficient access to access this resource.",
        ),
        basis: Basis::Published,
        why: "no API that signs users in was added to the application, or it waits for approval",
        fix: "add the API to the application in the portal, and wait for its approval",
        example: Example::new(
            "APIs of the application: none",
            "APIs of the application: Hello World (integration test)",
        ),
        check: has_an_api,
    }
}

/// The application is within its rate.
pub(crate) const fn is_within_its_rate(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "no more than 300 requests a minute",
        answer: assertion::TOO_MANY_REQUESTS,
        basis: Basis::Inferred,
        why: "the limit is the platform's; its answer's text and its place among the rows aren't \
              public. Sign-ins, codes and refreshed tokens of all users add up",
        fix: "keep a token for its ten minutes, refresh it once, and wait a minute",
        example: Example::new(
            "requests of the application in the last minute: 301",
            "requests of the application in the last minute: 300",
        ),
        check: is_within_rate,
    }
}

/// `client_secret` is there.
pub(crate) const fn secret_is_given(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "there is a `client_secret`",
        answer: Answer::new(401, "invalid_request", "client_secret is missing"),
        basis: Basis::Published,
        why: "the parameter is missing, or the library sends it in an `Authorization: Basic` \
              header, which the platform doesn't read, or sends a client assertion in its place",
        fix: "add `client_secret=<the secret>`; set the library to `client_secret_post`",
        example: Example::new(
            "client_id=ExampleApiKeyExampleApiKey000001",
            "client_id=ExampleApiKeyExampleApiKey000001\n\
             client_secret=<the value called Secret>",
        ),
        check: has_a_secret,
    }
}

/// `client_secret` is the application's.
pub(crate) const fn secret_is_right(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "`client_secret` is the application's",
        answer: INVALID_CLIENT,
        basis: Basis::Published,
        why: "it is the secret of another application or of another environment, was replaced, or \
              lost a character or its encoding on the way into the form",
        fix: "copy the value called `Secret` that stands beside this API key in the portal",
        example: Example::new(
            "client_secret=<the Secret of the application of another environment>",
            "client_secret=<the Secret that stands beside this API key>",
        ),
        check: is_the_secret,
    }
}

/// `redirect_uri` is there.
pub(crate) const fn redirect_uri_is_given(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "there is a `redirect_uri`",
        answer: Answer::new(400, "invalid_request", "redirect_uri is missing"),
        basis: Basis::Published,
        why: "RFC 6749 lets an application with one registered URL leave it out; the platform \
              wants it, at `/authorize` and again with the code",
        fix: "add `redirect_uri=<the registered callback URL>`",
        example: Example::new(
            "callback=https://clinic.example/callback",
            "redirect_uri=https://clinic.example/callback",
        ),
        check: has_a_redirect_uri,
    }
}

/// `redirect_uri` is the registered one.
pub(crate) const fn redirect_uri_is_right(id: &'static str) -> Rule {
    Rule {
        id: RuleId::new(id),
        title: "`redirect_uri` is the registered callback URL",
        answer: Answer::new(400, "invalid_request", "redirect_uri is invalid"),
        basis: Basis::Published,
        why: "the two are compared as text: `http` for `https`, another port, a slash at the end, \
              a query, or the host that an application behind a proxy takes for its own makes it \
              another. An empty one, and any while none is registered, is invalid too (inferred)",
        fix: "make it the same as the application's callback URL in the portal, character for \
              character",
        example: Example::new(
            "redirect_uri=https://clinic.example/callback/   // registered without the slash",
            "redirect_uri=https://clinic.example/callback",
        ),
        check: redirect_uri_is_registered,
    }
}

/// `redirect_uri` is the application's registered one, character for character.
fn redirect_uri_is_registered(evidence: &Evidence<'_>) -> Outcome {
    settled(parameter::value(evidence, "redirect_uri").and_then(|given| {
        Ok(match &application(evidence)?.callback_url {
            Some(registered) if registered == given => Outcome::Pass,
            Some(registered) => {
                parameter::fault(format!("it is `{given}`, and `{registered}` is registered"))
            }
            None => parameter::fault("the application has no callback URL registered"),
        })
    }))
}

/// The application if it is known to be known. Of an unknown one only its own row speaks.
pub(crate) fn application<'a>(evidence: &Evidence<'a>) -> Result<&'a ApplicationRecord, Outcome> {
    evidence.application.ok_or(Outcome::CannotTell(Need::Application))?.ok_or(Outcome::Pass)
}

fn application_has(
    evidence: &Evidence<'_>,
    condition: fn(&ApplicationRecord) -> bool,
    otherwise: &str,
) -> Outcome {
    settled(application(evidence).map(|application| {
        if condition(application) {
            return Outcome::Pass;
        }
        Fault::fail(Place::Application, Span::default(), otherwise)
    }))
}

fn has_an_id(evidence: &Evidence<'_>) -> Outcome {
    parameter::is_given(evidence, "client_id")
}

fn is_an_api_key(evidence: &Evidence<'_>) -> Outcome {
    settled(parameter::value(evidence, "client_id").map(|given| match evidence.application {
        None => Outcome::CannotTell(Need::Application),
        Some(Some(_)) => Outcome::Pass,
        Some(None) => parameter::fault(format!("`{given}` is not an API key of this environment")),
    }))
}

fn application_is_approved(evidence: &Evidence<'_>) -> Outcome {
    application_has(
        evidence,
        |application| application.approved,
        "the application is not approved, or was revoked",
    )
}

fn is_developer_active(evidence: &Evidence<'_>) -> Outcome {
    application_has(
        evidence,
        |application| application.developer_active,
        "the application's developer is inactive",
    )
}

fn is_company_active(evidence: &Evidence<'_>) -> Outcome {
    application_has(
        evidence,
        |application| application.company_active,
        "the application's company is inactive",
    )
}

fn has_an_api(evidence: &Evidence<'_>) -> Outcome {
    application_has(
        evidence,
        |application| application.scopes.is_some(),
        "the application is not subscribed to any API here",
    )
}

fn is_within_rate(evidence: &Evidence<'_>) -> Outcome {
    match evidence.quota {
        None => Outcome::CannotTell(Need::Quota),
        Some(Quota::Within) => Outcome::Pass,
        Some(Quota::Exceeded) => {
            Fault::fail(Place::Application, Span::default(), "too many requests in the last minute")
        }
    }
}

fn has_a_redirect_uri(evidence: &Evidence<'_>) -> Outcome {
    parameter::is_given(evidence, "redirect_uri")
}

fn has_a_secret(evidence: &Evidence<'_>) -> Outcome {
    parameter::is_given(evidence, "client_secret")
}

fn is_the_secret(evidence: &Evidence<'_>) -> Outcome {
    settled(parameter::value(evidence, "client_secret").map(|_| match evidence.client_secret {
        None => Outcome::CannotTell(Need::ClientSecret),
        Some(SecretRecord::Right) => Outcome::Pass,
        Some(SecretRecord::Wrong) => {
            parameter::fault("this is not the secret that belongs to the client_id")
        }
    }))
}

#[cfg(test)]
mod tests;
