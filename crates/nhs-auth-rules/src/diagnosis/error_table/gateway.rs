//! Texts of the gateway in front of an API.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &[
            "the developer app associated with the api key is not approved or revoked",
            "the developer who created the developer app",
            "the company associated with the developer app",
        ],
        dated: None,
        causes: &[(
            RootCause::NotApproved,
            None,
            Likely,
            "the application, its developer or its company is not approved or not active",
            "look at the application in the portal, or ask the support",
        )],
    },
    Row {
        texts: &["api key supplied does not have access to this resource"],
        dated: None,
        causes: &[(
            RootCause::NotSubscribed,
            None,
            Likely,
            "the application has no such API",
            "add the API to the application",
        )],
    },
    Row {
        texts: &["invalid api key for _status monitoring endpoint"],
        dated: None,
        causes: &[(
            RootCause::KeyUnknown,
            None,
            Likely,
            "the `apikey` header is missing or wrong",
            "send the monitoring key",
        )],
    },
    Row {
        texts: &["keymanagement.service.invalid_access_token"],
        dated: None,
        causes: &[
            (
                RootCause::AccessTokenUnknown,
                Some("G2"),
                Likely,
                "the access token is of another environment, or was revoked",
                "get the token from the environment that the API is in",
            ),
            (
                RootCause::WrongPattern,
                Some("G2"),
                Possible,
                "an assertion or an ID token was sent as the access token",
                "post the assertion to the token endpoint first",
            ),
        ],
    },
    Row {
        texts: &[
            "keymanagement.service.access_token_expired",
            "access token expired",
            "access token has expired",
        ],
        dated: None,
        causes: &[(
            RootCause::AccessTokenExpired,
            Some("G3"),
            Likely,
            "the access token is over ten minutes old",
            "get a new one; refresh at four fifths of its lifetime",
        )],
    },
    Row {
        texts: &[
            "invalid access token",
            "oauth.v2.invalidaccesstoken",
            "missing authorization header",
        ],
        dated: None,
        causes: &[
            (
                RootCause::WrongPattern,
                Some("G1"),
                Likely,
                "there is no access token in the `Authorization` header, or an assertion or API key in its place",
                "send `Authorization: Bearer <access token>`",
            ),
            (
                RootCause::AccessTokenUnknown,
                Some("G2"),
                Possible,
                "the access token is of another environment, or was revoked",
                "get the token from the environment that the API is in",
            ),
        ],
    },
    Row {
        texts: &[
            "oauth.v2.invalidclientidentifier",
            "invalid client identifier",
            "oauth.v2.invalidapikey",
            "invalid apikey",
            "failedtoresolveapikey",
        ],
        dated: None,
        causes: &[
            (
                RootCause::KeyUnknown,
                None,
                Likely,
                "the API key is unknown here: deleted, made anew, or of another environment",
                "copy the key of this environment's application from the portal",
            ),
            (
                RootCause::IsssubWrongid,
                None,
                Likely,
                "the application ID was given as the API key",
                "use the value called `Key`",
            ),
            (
                RootCause::WrongPattern,
                None,
                Possible,
                "the API takes another access pattern",
                "look in the API's catalogue page for its access mode",
            ),
        ],
    },
    Row {
        texts: &[
            "oauth.v2.invalidapikeyforgivenresource",
            "oauth.v2.apiresourcenotfound",
            "invalidapicallasnoapiproductmatchfound",
            "invalid api call as no apiproduct match found",
            "invalid apikey for given resource",
        ],
        dated: None,
        causes: &[(
            RootCause::NotSubscribed,
            None,
            Likely,
            "the application has no such API",
            "add the API to the application",
        )],
    },
    Row {
        texts: &[
            "keymanagement.service.devloper_app_not_approved",
            "app_not_approved",
            "apikey_not_approved",
            "companynotactive",
            "developerstatusnotactive",
        ],
        dated: None,
        causes: &[(
            RootCause::NotApproved,
            None,
            Likely,
            "the application or its key is not approved",
            "look at the application in the portal",
        )],
    },
    Row {
        texts: &["required scope(s)", "insufficientscope"],
        dated: None,
        causes: &[
            (
                RootCause::WrongPattern,
                Some("G5"),
                Likely,
                "the access token is of another kind or level than the API wants: an application's where a user's belongs, or another level of assurance",
                "get the token by the access mode and at the level that the API has",
            ),
            (
                RootCause::NotSubscribed,
                Some("G5"),
                Possible,
                "the application has the API in another access mode",
                "look at the application's APIs in the portal",
            ),
        ],
    },
];
