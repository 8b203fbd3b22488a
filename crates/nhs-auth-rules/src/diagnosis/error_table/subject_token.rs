//! Texts of the platform about the tokens of an exchange.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &[
            "missing or invalid subject_token_type must be urn:ietf:params:oauth:token-type:id_token",
            "missing or invalid subject_token_type",
        ],
        dated: None,
        causes: &[
            (
                RootCause::ReqForm,
                Some("R6"),
                Likely,
                "a token exchange without `subject_token_type`, or with another",
                "add `subject_token_type=urn:ietf:params:oauth:token-type:id_token`",
            ),
            (
                RootCause::SubjectToken,
                None,
                Possible,
                "an access token was to be exchanged: only ID tokens are",
                "send the `id_token`",
            ),
        ],
    },
    Row {
        texts: &["missing subject_token"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::ReqForm,
            Some("S1"),
            Likely,
            "there is no parameter `subject_token`",
            "add `subject_token=<the ID token>`",
        )],
    },
    Row {
        texts: &["malformed jwt in subject_token"],
        dated: Some("since 2023-11-30; before, `Malformed JWT in client_assertion`"),
        causes: &[
            (
                RootCause::SubjectToken,
                Some("S2"),
                Likely,
                "the subject token is not a JWT: an opaque access token was sent in place of the ID token",
                "send the `id_token` of the sign-in's token answer, unchanged",
            ),
            (
                RootCause::EncWs,
                Some("S2"),
                Possible,
                "the ID token was damaged on its way",
                "send the `id_token` of the sign-in's token answer, unchanged",
            ),
        ],
    },
    Row {
        texts: &["missing kid header in subject_token jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S3"),
            Likely,
            "the ID token's header has no `kid`",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["invalid typ header in subject_token jwt must be jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S4"),
            Likely,
            "the ID token's `typ` is missing or not `JWT`",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["missing alg header in subject_token jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S5"),
            Likely,
            "the ID token's header has no `alg`",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["missing exp claim in subject_token jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S6"),
            Likely,
            "the ID token has no `exp`",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["invalid exp claim in subject_token jwt must be an integer"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S7"),
            Likely,
            "the ID token's `exp` is not a number",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["invalid exp claim in subject_token jwt jwt has expired"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S8"),
            Likely,
            "the ID token has expired: the user must sign in again",
            "exchange the ID token soon after sign-in; refresh with the refresh token later",
        )],
    },
    Row {
        texts: &["missing iss claim in subject_token jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::IssMissing,
            Some("S9"),
            Likely,
            "the ID token has no `iss`",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["missing aud claim in subject_token jwt"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S10"),
            Likely,
            "the subject token has no `aud`: CIS2's access tokens have none",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["missing or non-matching iss claim in subject_token jwt"],
        dated: None,
        causes: &[
            (
                RootCause::SubjectToken,
                Some("S11"),
                Likely,
                "the ID token is of another environment's CIS2 or NHS login, or of a mock, than this base path trusts",
                "pair token and base path: `/oauth2-mock` takes the mock's, `/oauth2` of int the integration services', production the live ones'",
            ),
            (
                RootCause::EnvMismatch,
                Some("S11"),
                Possible,
                "the request went to another environment than the user signed in for",
                "post to the environment of the sign-in",
            ),
        ],
    },
    Row {
        texts: &["invalid kid header in subject_token jwt no matching public key"],
        dated: Some("since 2023-11-30"),
        causes: &[(
            RootCause::SubjectToken,
            Some("S13"),
            Likely,
            "the sign-in service has no key of the ID token's `kid`: a token of a mock, or one made by hand",
            "send the `id_token` of the sign-in's token answer, unchanged",
        )],
    },
    Row {
        texts: &["in act.sub jwt"],
        dated: Some("since 2025-07-04"),
        causes: &[(
            RootCause::SubjectToken,
            None,
            Likely,
            "the delegated token in `act.sub` lacks something",
            "send the token as NHS login issued it",
        )],
    },
];
