//! Texts of CIS2, NHS login, single APIs and other servers.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &["not found"],
        dated: None,
        causes: &[(
            RootCause::EnvMismatch,
            None,
            Possible,
            "the path is none of the OAuth server's: a base path that this environment hasn't, or a missing `/token`",
            "post to `/oauth2/token`",
        )],
    },
    Row {
        texts: &["unresolved variable : app", "unresolved variable"],
        dated: None,
        causes: &[(
            RootCause::AppAttrs,
            None,
            Likely,
            "an attribute such as the ASID or ODS code is not set on the application",
            "ask the API's support to set it",
        )],
    },
    Row {
        texts: &["forbidden"],
        dated: None,
        causes: &[
            (
                RootCause::Authz,
                None,
                Likely,
                "the user's role is not permitted, or the application isn't",
                "look which role the API wants",
            ),
            (
                RootCause::NotApproved,
                None,
                Possible,
                "the application is not approved for this API",
                "look at the application in the portal",
            ),
        ],
    },
    Row {
        texts: &["jwt is not valid"],
        dated: None,
        causes: &[
            (
                RootCause::UnknownCis2,
                None,
                Likely,
                "CIS2 has this one text for everything that can be wrong with the assertion",
                "go through the causes below, in their order",
            ),
            (
                RootCause::IsssubWrongid,
                None,
                Likely,
                "`iss` and `sub` are the platform's API key and not the CIS2 client id",
                "set both to the CIS2 client id",
            ),
            (
                RootCause::Aud,
                None,
                Likely,
                "`aud` lost its `:443`, or is not the token endpoint of discovery",
                "copy `token_endpoint` from discovery as it stands",
            ),
            (
                RootCause::KidMismatch,
                None,
                Possible,
                "the `kid` is not in the registered key set",
                "make the two names the same",
            ),
            (
                RootCause::KeyMismatch,
                None,
                Possible,
                "the key or algorithm is not the registered one",
                "compare with `jwks_uri_signing_algorithm`",
            ),
            (
                RootCause::ExpLong,
                None,
                Possible,
                "the assertion lives half an hour or more",
                "set `exp` to now plus five minutes",
            ),
            (
                RootCause::ExpType,
                None,
                Possible,
                "`exp`, `iat` or `nbf` is a string",
                "write times as JSON numbers",
            ),
            (
                RootCause::SubNeClientid,
                None,
                Possible,
                "`sub` is not the `client_id` of the form",
                "set both to the CIS2 client id",
            ),
            (
                RootCause::JwksUnreachable,
                None,
                Possible,
                "CIS2 can't fetch the key set",
                "publish it on the public internet",
            ),
            (
                RootCause::RegLag,
                None,
                Possible,
                "the registration is not active yet: changes are applied in business hours",
                "wait for the next working day",
            ),
        ],
    },
    Row {
        texts: &["audience validation failed"],
        dated: None,
        causes: &[(
            RootCause::Aud,
            None,
            Likely,
            "`aud` is not CIS2's token endpoint with `:443`",
            "copy `token_endpoint` from discovery as it stands",
        )],
    },
    Row {
        texts: &[
            "client authentication failed",
            "invalid authentication method for accessing this endpoint",
        ],
        dated: None,
        causes: &[
            (
                RootCause::UnknownCis2,
                None,
                Likely,
                "the method is not the one that is registered: a secret where a key is registered, or the reverse",
                "compare with `token_endpoint_auth_method`",
            ),
            (
                RootCause::RegLag,
                None,
                Possible,
                "the registration is not active yet",
                "wait for the next working day",
            ),
            (
                RootCause::ClientSecret,
                None,
                Possible,
                "the client secret is wrong",
                "send no secret with an assertion",
            ),
        ],
    },
    Row {
        texts: &["the provided access grant is invalid, expired, or revoked"],
        dated: None,
        causes: &[(
            RootCause::CodeInvalid,
            None,
            Likely,
            "the code was used twice, late, or with another `redirect_uri`",
            "begin the sign-in anew, and send the same `redirect_uri` in both requests",
        )],
    },
    Row {
        texts: &["invalid_client"],
        dated: None,
        causes: &[
            (
                RootCause::KeyMismatch,
                None,
                Likely,
                "the assertion did not verify: key, `aud` or algorithm",
                "sign with the registered key; NHS login takes RS512 alone",
            ),
            (
                RootCause::Aud,
                None,
                Likely,
                "`aud` is not the token endpoint's URL",
                "set `aud` to the URL that you post to",
            ),
            (
                RootCause::IsssubWrongid,
                None,
                Possible,
                "`iss` and `sub` are another server's client id",
                "set both to the client id of this server",
            ),
            (
                RootCause::UnknownCis2,
                None,
                Possible,
                "the server says no more than this",
                "compare everything with the registration",
            ),
            (
                RootCause::RegLag,
                None,
                Possible,
                "the registration is not active yet",
                "wait for the next working day",
            ),
        ],
    },
    Row {
        texts: &[
            "unable to process request at the moment",
            "service unavailable",
            "upstream connect error",
        ],
        dated: None,
        causes: &[(
            RootCause::Unknown,
            None,
            Possible,
            "the service itself is down",
            "try again later",
        )],
    },
    Row {
        texts: &["invalid_scope"],
        dated: None,
        causes: &[(
            RootCause::NotSubscribed,
            None,
            Likely,
            "a scope that the client may not ask for",
            "ask for the registered scopes alone",
        )],
    },
    Row {
        texts: &[
            "sso_login_required",
            "login_required",
            "interaction_required",
            "consent_required",
        ],
        dated: None,
        causes: &[(
            RootCause::Unknown,
            None,
            Possible,
            "the user must sign in anew",
            "leave `prompt=none` out",
        )],
    },
    Row {
        texts: &["invalid_token"],
        dated: None,
        causes: &[
            (
                RootCause::AccessTokenExpired,
                None,
                Likely,
                "the access token has expired: NHS login's live five minutes",
                "refresh it",
            ),
            (
                RootCause::AccessTokenUnknown,
                None,
                Possible,
                "the token is of another environment",
                "get a new one",
            ),
        ],
    },
    Row {
        texts: &["insufficient_scope"],
        dated: None,
        causes: &[(
            RootCause::NotSubscribed,
            None,
            Likely,
            "the token has not the scope that is needed",
            "ask for it when the user signs in",
        )],
    },
    Row {
        texts: &["access_denied"],
        dated: None,
        causes: &[
            (
                RootCause::Authz,
                None,
                Possible,
                "the user cancelled, or refused consent",
                "let the user try again",
            ),
            (
                RootCause::NotApproved,
                None,
                Possible,
                "the application is not approved",
                "look at the application in the portal",
            ),
        ],
    },
    Row {
        texts: &["aadsts700027", "invalid x5t"],
        dated: None,
        causes: &[(
            RootCause::Thumbprint,
            None,
            Likely,
            "the certificate thumbprint in the header is wrong",
            "encode the hash's bytes in base64url",
        )],
    },
];
