//! Group G: what the gateway in front of an API answers to a bad access token. These are the
//! gateway's own faults, `{"fault": …}`; FHIR APIs wrap them in an OperationOutcome of their own.

use crate::Evidence;
use crate::rule::{Answer, Basis, Example, Need, Outcome, Rule, RuleId};

/// `Authorization` is missing, or has no token in it.
pub const NO_TOKEN: &Rule = &RULES[0];

/// The access token is not one of the platform's.
pub const UNKNOWN_TOKEN: &Rule = &RULES[1];

/// The access token was one, and has expired.
pub const EXPIRED_TOKEN: &Rule = &RULES[2];

/// The token is good, and its application has not added this API.
pub const NO_PRODUCT: &Rule = &RULES[3];

/// The token is of another kind than the API wants.
pub const WRONG_KIND: &Rule = &RULES[4];

/// The API key is not one of this environment's.
pub const UNKNOWN_API_KEY: &Rule = &RULES[5];

/// The API key is not approved for this API.
pub const API_KEY_FOR_ANOTHER: &Rule = &RULES[6];

/// Every rule of the group, in the platform's order. They look at the gateway's own state, so a
/// diagnosis can't tell any of them from files.
pub const RULES: &[Rule] = &[
    Rule {
        id: RuleId::new("G1"),
        title: "the request has an access token",
        answer: Answer::new(401, "oauth.v2.InvalidAccessToken", "Invalid access token"),
        basis: Basis::Published,
        why: "the `Authorization` header is missing, has another scheme, or `Bearer` has nothing \
              behind it, as happens when a variable is empty",
        fix: "send `Authorization: Bearer <access token>`",
        example: Example::new(
            "GET /hello-world/hello/application HTTP/1.1\n\
             Authorization: Bearer",
            "GET /hello-world/hello/application HTTP/1.1\n\
             Authorization: Bearer <access token>",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G2"),
        title: "the access token is one of this environment's",
        answer: Answer::new(
            401,
            "keymanagement.service.invalid_access_token",
            "Invalid Access Token",
        ),
        basis: Basis::Published,
        why: "the token is of another environment, was revoked, or is an assertion or an ID token \
              and not an access token",
        fix: "get a token from the token endpoint of the environment that the API is in, and send \
              its `access_token`",
        example: Example::new(
            "Authorization: Bearer <the client assertion>",
            "Authorization: Bearer <the `access_token` that was answered>",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G3"),
        title: "the access token has not expired",
        answer: Answer::new(
            401,
            "keymanagement.service.access_token_expired",
            "Access Token expired",
        ),
        basis: Basis::Published,
        why: "tokens live ten minutes",
        fix: "get a new token; refresh at four fifths of its lifetime",
        example: Example::new(
            "12:00:00 POST /oauth2/token\n\
             12:10:30 GET /hello-world/hello/application, with the token of 12:00:00",
            "12:00:00 POST /oauth2/token\n\
             12:08:00 POST /oauth2/token\n\
             12:10:30 GET /hello-world/hello/application, with the token of 12:08:00",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G4"),
        title: "the application has added this API",
        answer: Answer::new(
            401,
            "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound",
            "Invalid API call as no apiproduct match found",
        ),
        basis: Basis::Published,
        why: "the token is good, and the application that it was issued to hasn't this API in its \
              list; some APIs answer 403 to the same",
        fix: "add the API to the application in the portal",
        example: Example::new(
            "GET /hello-world/hello/application\n\
             APIs of the application: none",
            "GET /hello-world/hello/application\n\
             APIs of the application: Hello World (integration test)",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G5"),
        title: "the token is of the kind and level that the API wants",
        answer: Answer::new(
            401,
            "steps.oauth.v2.InsufficientScope",
            "Required scope(s): VerifyAccessToken.User.scopeSet",
        ),
        basis: Basis::Inferred,
        why: "an application's token where a signed-in user's is wanted, or the reverse, or a user \
              who signed in at too low a level. That Hello World answers 401 is published; which \
              fault it is isn't, and other APIs answer this one with 403",
        fix: "use the access mode that the API's specification names",
        example: Example::new(
            "GET /hello-world/hello/user\n\
             Authorization: Bearer <token of an application>",
            "GET /hello-world/hello/user\n\
             Authorization: Bearer <token of a signed-in user>",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G6"),
        title: "the API key is one of this environment's",
        answer: Answer::new(401, "oauth.v2.InvalidApiKey", "Invalid ApiKey"),
        basis: Basis::Inferred,
        why: "the key is of another environment, was replaced, or is the application ID. The text \
              is the gateway's own, as its maker documents it",
        fix: "copy the value called `Key` under `Active API keys` of this environment's application",
        example: Example::new(
            "apikey: 5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35   // the application ID",
            "apikey: ExampleApiKeyExampleApiKey000001   // the API key",
        ),
        check: unknown,
    },
    Rule {
        id: RuleId::new("G7"),
        title: "the API key is approved for this API",
        answer: Answer::new(
            401,
            "oauth.v2.InvalidApiKeyForGivenResource",
            "Invalid ApiKey for given resource",
        ),
        basis: Basis::Inferred,
        why: "the API isn't in the application's list, or waits for approval there. The text is the \
              gateway's own, as its maker documents it",
        fix: "add the API to the application in the portal, and wait for its approval",
        example: Example::new(
            "apikey: ExampleApiKeyExampleApiKey000001\n\
             Hello World in the application's list: waits for approval",
            "apikey: ExampleApiKeyExampleApiKey000001\n\
             Hello World in the application's list: approved",
        ),
        check: unknown,
    },
];

fn unknown(_: &Evidence<'_>) -> Outcome {
    Outcome::CannotTell(Need::AccessToken)
}
