//! Texts of the platform about combined sign-in: codes, refresh tokens, logout.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &["client_id is missing"],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("B1"),
            Likely,
            "there is no `client_id`",
            "add `client_id=<API key>`",
        )],
    },
    Row {
        texts: &["client_id is invalid"],
        dated: None,
        causes: &[
            (
                RootCause::IsssubWrongid,
                Some("B2"),
                Likely,
                "`client_id` is not an API key of this environment",
                "use the API key of the application in this environment",
            ),
            (
                RootCause::KeyUnknown,
                Some("B2"),
                Possible,
                "the key was deleted or made anew",
                "copy the key from the portal again",
            ),
        ],
    },
    Row {
        texts: &[
            "redirect_uri is missing",
            "redirect_uri is invalid",
            "redirect_uri_mismatch",
            "the redirection uri provided does not match",
        ],
        dated: None,
        causes: &[(
            RootCause::RedirectUri,
            None,
            Likely,
            "the redirect URI is missing, or not the registered one, character for character",
            "send the registered one: scheme, port, path and slash alike",
        )],
    },
    Row {
        texts: &["state is missing"],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("B10"),
            Likely,
            "there is no `state`",
            "send a new random `state`",
        )],
    },
    Row {
        texts: &[
            "response_type is missing",
            "response_type is invalid",
            "unsupported_response_type",
        ],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            None,
            Likely,
            "`response_type` is missing or not `code`",
            "send `response_type=code`",
        )],
    },
    Row {
        texts: &["invalid state parameter"],
        dated: None,
        causes: &[(
            RootCause::StateUnknown,
            Some("I1"),
            Likely,
            "the `state` is unknown, or was used before: the page was loaded again, or the sign-in took too long",
            "begin the sign-in anew",
        )],
    },
    Row {
        texts: &[
            "invalid aud claim in external id token jwt",
            "invalid iss claim in external id token jwt",
            "invalid kid header in external id token jwt",
            "malformed jwt in external id token",
            "external id token",
        ],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            None,
            Likely,
            "the platform and the sign-in service don't agree: an environment's configuration",
            "ask the support with the `message_id`",
        )],
    },
    Row {
        texts: &[
            "client_id or client_secret is invalid",
            "client_secret is missing",
            "invalid client_id or client_secret",
        ],
        dated: None,
        causes: &[
            (
                RootCause::ClientSecret,
                None,
                Likely,
                "the client secret is wrong or missing, or is another application's",
                "send `client_id` and `client_secret` from the portal; a refresh needs them too, and no assertion",
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
        texts: &["authorization_code is missing"],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("C12"),
            Likely,
            "there is no `code`",
            "send the `code` that came to the redirect URI",
        )],
    },
    Row {
        texts: &["authorization_code is invalid"],
        dated: None,
        causes: &[(
            RootCause::CodeInvalid,
            Some("C13"),
            Likely,
            "the code was used before, is over five minutes old, or is another application's",
            "begin the sign-in anew",
        )],
    },
    Row {
        texts: &["refresh_token is missing"],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("F10"),
            Likely,
            "there is no `refresh_token`",
            "add it",
        )],
    },
    Row {
        texts: &["refresh_token is invalid"],
        dated: None,
        causes: &[(
            RootCause::RefreshToken,
            Some("F11"),
            Likely,
            "the refresh token was used before: each works once",
            "keep the latest, and store it before it is used; sign in anew",
        )],
    },
    Row {
        texts: &["refresh token refresh period has expired"],
        dated: None,
        causes: &[(
            RootCause::RefreshToken,
            Some("F12"),
            Likely,
            "the time since sign-in is over",
            "sign in anew",
        )],
    },
    Row {
        texts: &["the userinfo endpoint is only supported for combined auth"],
        dated: None,
        causes: &[(
            RootCause::WrongPattern,
            Some("U1"),
            Likely,
            "the access token is not of a combined CIS2 sign-in",
            "ask the sign-in service itself for user info",
        )],
    },
    Row {
        texts: &[
            "malformed jwt in logout_token",
            "missing/invalid aud claim in jwt",
            "missing/invalid iss claim in jwt",
            "missing sid claim in jwt",
            "missing/invalid events claim in jwt",
            "prohibited nonce claim in jwt",
            "unable to verify jwt",
            "sid not found",
            "logout failed",
        ],
        dated: None,
        causes: &[(
            RootCause::LogoutToken,
            None,
            Likely,
            "the logout token is refused: a claim, its signature, or its session",
            "send the logout token as CIS2 made it",
        )],
    },
    Row {
        texts: &["jwt iss and sub claims must be equal to the client_id"],
        dated: None,
        causes: &[(
            RootCause::SubNeClientid,
            None,
            Likely,
            "`iss`, `sub` and `client_id` are not the same",
            "set all three to the CIS2 client id",
        )],
    },
    Row {
        texts: &["invalid_grant"],
        dated: None,
        causes: &[
            (
                RootCause::RedirectUri,
                None,
                Likely,
                "at NHS login: most often another `redirect_uri` than at `/authorize`",
                "send the same `redirect_uri` in both requests",
            ),
            (
                RootCause::CodeInvalid,
                None,
                Likely,
                "the code was used twice, or late",
                "begin the sign-in anew",
            ),
            (
                RootCause::RefreshToken,
                None,
                Possible,
                "an old refresh token: only the latest works",
                "keep the latest",
            ),
        ],
    },
];
