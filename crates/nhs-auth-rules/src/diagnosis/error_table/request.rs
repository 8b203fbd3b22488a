//! Texts of the platform about a token request as a whole.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &[
            "missing or invalid client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "missing or invalid client_assertion_type",
        ],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("A1"),
            Likely,
            "`client_assertion_type` is missing, misspelt, quoted or encoded twice",
            "send `client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer`",
        )],
    },
    Row {
        texts: &["grant_type is invalid"],
        dated: None,
        causes: &[
            (
                RootCause::ReqForm,
                Some("R7"),
                Likely,
                "`grant_type` is misspelt, quoted, or is one that this server hasn't",
                "send `grant_type=client_credentials`, or the token-exchange URN with an ID token",
            ),
            (
                RootCause::ReqForm,
                Some("A1b"),
                Possible,
                "a `subject_token_type` makes it a token exchange, and the grant type is another",
                "send the token-exchange grant type, or leave the subject token out",
            ),
        ],
    },
    Row {
        texts: &["grant_type is missing"],
        dated: None,
        causes: &[(
            RootCause::ReqForm,
            Some("R7b"),
            Likely,
            "there is no `grant_type`: the form is empty, or went into the URL or a JSON body",
            "send the parameters as a form in the body",
        )],
    },
    Row {
        texts: &["unsupported_grant_type"],
        dated: Some("before 2022-01-24 also the answer to a wrong content type"),
        causes: &[
            (
                RootCause::ReqForm,
                Some("R7"),
                Likely,
                "the `grant_type` is one that this server hasn't",
                "send `grant_type=client_credentials`",
            ),
            (
                RootCause::ReqContentType,
                Some("R1"),
                Possible,
                "the body is not a form, so no grant type was found in it",
                "send `Content-Type: application/x-www-form-urlencoded`",
            ),
        ],
    },
    Row {
        texts: &["missing client_assertion"],
        dated: None,
        causes: &[
            (
                RootCause::ReqForm,
                Some("A2"),
                Likely,
                "there is no parameter `client_assertion`: misspelt, empty form, or encoded twice",
                "add `client_assertion=<the signed JWT>`",
            ),
            (
                RootCause::LogoutToken,
                Some("L1"),
                Possible,
                "a back-channel logout came without a `logout_token`",
                "send `logout_token`",
            ),
        ],
    },
    Row {
        texts: &[
            "content-type header must be application/x-www-form-urlencoded",
            "content-type header must be application/x-www-urlencoded",
        ],
        dated: Some("2022-01-24 to 2023-02-08 with the type's name misspelt"),
        causes: &[(
            RootCause::ReqContentType,
            Some("R1"),
            Likely,
            "the body is JSON, or the header has something behind the type",
            "send `Content-Type: application/x-www-form-urlencoded` alone",
        )],
    },
];
