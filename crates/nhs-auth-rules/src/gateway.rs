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

/// Whether a 401 lays the blame on the access token, so that another may be of help: by what it
/// says in `WWW-Authenticate` (RFC 6750 §3) and in its body, as far as that was read. The gateway's
/// own faults are told apart by their codes and texts, which FHIR APIs repeat in OperationOutcomes
/// of their own.
///
/// A 401 that says nothing is taken to mean the token (inferred: it is the only credential that was
/// sent). One that says something else is believed.
pub fn blames_token(challenge: &str, body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        challenge.to_ascii_lowercase().contains(&text) || body.to_ascii_lowercase().contains(&text)
    };
    let is_said = |rule: &Rule| says(rule.answer.error) || says(rule.answer.error_description);
    if [NO_PRODUCT, WRONG_KIND, UNKNOWN_API_KEY, API_KEY_FOR_ANOTHER].iter().any(|it| is_said(it)) {
        return false;
    }
    let says_nothing = body.trim().is_empty() && !challenge.contains("error");
    says_nothing
        || [NO_TOKEN, UNKNOWN_TOKEN, EXPIRED_TOKEN].iter().any(|it| is_said(it))
        || says("error=\"invalid_token\"")
        || TOKEN_TEXTS.iter().any(|text| says(text))
}

/// What APIs say of a token in words of their own: NHS Notify and the like.
const TOKEN_TEXTS: [&str; 3] =
    ["invalid_token", "access token missing, invalid or expired", "missing access token"];

fn unknown(_: &Evidence<'_>) -> Outcome {
    Outcome::CannotTell(Need::AccessToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rule: &Rule) -> String {
        format!(
            r#"{{"fault":{{"faultstring":"{}","detail":{{"errorcode":"{}"}}}}}}"#,
            rule.answer.error_description, rule.answer.error
        )
    }

    #[test]
    fn faults_of_the_token_are_told_from_others() {
        for rule in [NO_TOKEN, UNKNOWN_TOKEN, EXPIRED_TOKEN] {
            assert!(blames_token("", fault(rule).as_bytes()), "{}", rule.id);
        }
        // The gateway says `invalid_token` of all of them.
        let challenge = r#"Bearer realm="null",error="invalid_token""#;
        for rule in [NO_PRODUCT, WRONG_KIND, UNKNOWN_API_KEY, API_KEY_FOR_ANOTHER] {
            assert!(!blames_token(challenge, fault(rule).as_bytes()), "{}", rule.id);
        }
    }

    #[test]
    fn words_of_the_apis_own() {
        let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"diagnostics":"Invalid Access Token"}]}"#;
        assert!(blames_token("", outcome.as_bytes()));
        assert!(blames_token(r#"Bearer error="invalid_token""#, b"{}"));
        assert!(blames_token("", b"") && blames_token("Bearer realm=\"x\"", b" \n"));
        assert!(!blames_token("", br#"{"message":"your smartcard is not in the reader"}"#));
        assert!(!blames_token(r#"Bearer error="insufficient_scope""#, b""));
        assert!(!blames_token("", b"\xff\xfe"));
    }
}
