//! Texts of the platform about the application, its key set, the signature and the audience.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &["invalid iss/sub claims in client_assertion jwt", "invalid iss/sub claims in jwt"],
        dated: Some("one text for every failed check of the API key"),
        causes: &[
            (
                RootCause::IsssubWrongid,
                Some("A15"),
                Likely,
                "`iss` and `sub` hold the application ID, a CIS2 client id or another name, and not the API key",
                "set both to the API key: 32 letters and digits, in the portal under `Active API keys`",
            ),
            (
                RootCause::EnvMismatch,
                Some("A15"),
                Likely,
                "the API key is of another environment than the URL",
                "use the API key of the application in this environment",
            ),
            (
                RootCause::NotApproved,
                Some("A15b"),
                Possible,
                "the application or its key is not approved, or was revoked",
                "look at the application in the portal",
            ),
            (
                RootCause::NotSubscribed,
                Some("A15b"),
                Possible,
                "the application has no API of this environment",
                "add the API to the application",
            ),
            (
                RootCause::KeyUnknown,
                Some("A15"),
                Possible,
                "the key was deleted or made anew",
                "copy the key from the portal again",
            ),
        ],
    },
    Row {
        texts: &[
            "rate limit exceeded",
            "too many requests",
            "too_many_requests",
            "spikearrestviolation",
            "quotaviolation",
        ],
        dated: None,
        causes: &[(
            RootCause::RateLimited,
            Some("A16"),
            Likely,
            "over 300 token requests in a minute by this application, or over the API's own limit",
            "keep a token for its ten minutes and share it; wait a minute",
        )],
    },
    Row {
        texts: &[
            "you need to register a public key to use this authentication method",
            "misconfigured public key - contact us",
            "misconfigured public key",
        ],
        dated: Some(
            "2020-10-29: `Misconfigured public key - contact us`; since 2021-02-04 as today",
        ),
        causes: &[
            (
                RootCause::NoPublicKey,
                Some("A17"),
                Likely,
                "the application has no public key registered in this environment",
                "in the portal open the application, then `Manage public key`",
            ),
            (
                RootCause::EnvMismatch,
                Some("A17"),
                Possible,
                "the key was registered with the application of another environment",
                "register it with this environment's application",
            ),
        ],
    },
    Row {
        texts: &["the jwks endpoint, for your client_assertion cant be reached", "jwks endpoint"],
        dated: Some("since 2021-05-18"),
        causes: &[
            (
                RootCause::JwksUnreachable,
                Some("A18"),
                Likely,
                "the platform can't fetch the key set: DNS, firewall, a TLS chain without its intermediate, a login in front, or a URL without a path",
                "fetch the URL from the public internet: `curl -sSi <url>` must give 200 and JSON",
            ),
            (
                RootCause::JwksShape,
                Some("A18"),
                Possible,
                "what stands at the URL is no key set",
                "serve `{\"keys\": [ … ]}`",
            ),
        ],
    },
    Row {
        texts: &[
            "invalid kid header in client_assertion jwt no matching public key",
            "invalid kid header in jwt no matching public key",
            "no matching public key",
        ],
        dated: Some("2020-10-29 to 2022-11-28 without `client_assertion`"),
        causes: &[
            (
                RootCause::KidMismatch,
                Some("A19"),
                Likely,
                "the header's `kid` is not a name in the registered key set: a space, a case, a letter, an environment's word",
                "make the two names the same, byte for byte",
            ),
            (
                RootCause::JwksCache,
                Some("A19"),
                Likely,
                "the key was added less than an hour ago, and the platform still has the old key set",
                "wait an hour, or publish at a new URL",
            ),
            (
                RootCause::JwksShape,
                Some("A19"),
                Possible,
                "the registered document is no key set, or has no key in it",
                "publish `{\"keys\": [ … ]}`",
            ),
            (
                RootCause::EnvMismatch,
                Some("A19"),
                Possible,
                "the key is registered with the application of another environment",
                "register it with this environment's application",
            ),
        ],
    },
    Row {
        texts: &["jwt signature verification failed"],
        dated: Some("since 2022-11-21; before, an unknown error"),
        causes: &[
            (
                RootCause::KeyMismatch,
                Some("A20"),
                Likely,
                "the assertion was signed with another private key than the one whose public key is registered",
                "register the public key of the private key that signs, under a new kid",
            ),
            (
                RootCause::JwksCache,
                Some("A20"),
                Likely,
                "the key was replaced under the same kid less than an hour ago",
                "wait an hour, or use a new kid",
            ),
            (
                RootCause::JwkN,
                Some("A20"),
                Possible,
                "the registered `n` is damaged: a whole DER structure, standard base64, a lost character",
                "make the key set anew with a tool",
            ),
            (
                RootCause::Alg,
                Some("A20"),
                Possible,
                "the header says RS512, and the library signed with another hash",
                "let the library write the header",
            ),
            (
                RootCause::Trunc,
                Some("A20"),
                Possible,
                "the signature lost a part on its way",
                "send the assertion as it was made",
            ),
            (
                RootCause::SubjectToken,
                Some("S14"),
                Possible,
                "in a token exchange: the subject token's signature, when the assertion is good",
                "send the ID token unchanged",
            ),
        ],
    },
    Row {
        texts: &[
            "missing or invalid aud claim in client_assertion jwt",
            "missing or invalid aud claim in jwt",
        ],
        dated: None,
        causes: &[
            (
                RootCause::Aud,
                Some("A21"),
                Likely,
                "`aud` is not the URL that was posted to, character for character: a slash, a port, `/oauth2` for `/oauth2/token`",
                "set `aud` to the URL that you post to",
            ),
            (
                RootCause::EnvMismatch,
                Some("A21"),
                Likely,
                "`aud` is the endpoint of another environment",
                "use this environment's URL in both places",
            ),
        ],
    },
    Row {
        texts: &[
            "you have tried to request authorization but your application is not configured to use this authorization grant type",
            "unauthorized_client",
        ],
        dated: None,
        causes: &[
            (
                RootCause::NotSubscribed,
                Some("A22"),
                Likely,
                "the application has no API with this access mode or level",
                "add the API to the application, in the access mode that it offers",
            ),
            (
                RootCause::WrongPattern,
                Some("A22"),
                Possible,
                "the API takes another access pattern, such as a signed-in user",
                "look in the API's catalogue page for its access mode",
            ),
            (
                RootCause::SubjectToken,
                Some("S16"),
                Possible,
                "in a token exchange: the ID token's level of assurance is another than the product's, or is missing",
                "ask for the level that the product has when the user signs in",
            ),
        ],
    },
    Row {
        texts: &["an unknown error occurred processing this request"],
        dated: None,
        causes: &[
            (
                RootCause::NbfFuture,
                Some("A20b"),
                Possible,
                "`nbf` is in the future: the clock of the signer is fast",
                "leave `nbf` out",
            ),
            (
                RootCause::KeyMismatch,
                Some("A20"),
                Possible,
                "before 2022-11-21: the signature did not verify",
                "register the public key of the private key that signs",
            ),
            (
                RootCause::JwksShape,
                Some("A19"),
                Possible,
                "the registered document is no key set",
                "publish `{\"keys\": [ … ]}`",
            ),
            (
                RootCause::SubjectToken,
                Some("S15"),
                Possible,
                "in a token exchange with NHS login: the ID token has no `identity_proofing_level`",
                "ask for the scope `profile` when the user signs in",
            ),
            (
                RootCause::JwksUnreachable,
                Some("S12"),
                Possible,
                "in a token exchange: the key set of CIS2 or NHS login could not be fetched",
                "try again, then ask the support with the `message_id`",
            ),
            (
                RootCause::Unknown,
                None,
                Possible,
                "a fault of the platform",
                "ask the support with the `message_id`",
            ),
        ],
    },
];
