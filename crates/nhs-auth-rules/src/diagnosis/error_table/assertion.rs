//! Texts of the platform about a client assertion's header and claims.

use super::super::Confidence::{Likely, Possible};
use super::super::RootCause;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        texts: &["malformed jwt in client_assertion", "malformed jwt"],
        dated: Some("until 2023-11-30 also the answer to a malformed subject_token"),
        causes: &[
            (
                RootCause::EncWs,
                Some("A3"),
                Likely,
                "white space, a line break or something else around or inside the token",
                "send the assertion as the library made it",
            ),
            (
                RootCause::EncPad,
                Some("A3"),
                Possible,
                "the parts are padded with `=`",
                "strip the padding before signing",
            ),
            (
                RootCause::EncB64,
                Some("A3"),
                Possible,
                "the parts are in standard base64 and not in base64url",
                "use the URL-safe alphabet",
            ),
            (
                RootCause::EncWrap,
                Some("A3"),
                Possible,
                "`b'…'`, quotes or `Bearer ` went along with the token",
                "send the token alone",
            ),
            (
                RootCause::Trunc,
                Some("A3"),
                Possible,
                "a part of the token got lost",
                "look at the whole request",
            ),
            (
                RootCause::EncDash,
                Some("A3"),
                Possible,
                "the token was copied through a place that makes typographic characters",
                "copy it from where it was made",
            ),
            (
                RootCause::SubjectToken,
                Some("S2"),
                Possible,
                "in a token exchange before 2023-11-30: the subject token could not be decoded, and the assertion was good",
                "send the `id_token` as `subject_token`",
            ),
            (
                RootCause::PlatformMisreport,
                None,
                Possible,
                "the text may blame the assertion for another token of the same request",
                "look at every token of the request",
            ),
        ],
    },
    Row {
        texts: &[
            "invalid alg header in client_assertion jwt unsupported jwt algorithm must be rs512",
            "unsupported jwt algorithm",
            "missing alg header in client_assertion jwt",
            "invalid alg header in jwt",
        ],
        dated: Some("2020-10-09: `Unsupported JWT Algorithm`"),
        causes: &[(
            RootCause::Alg,
            Some("A4"),
            Likely,
            "the assertion is signed with another algorithm than RS512: RS256 and HS256 are what libraries do unasked",
            "tell the library to sign with RS512",
        )],
    },
    Row {
        texts: &[
            "invalid exp claim in client_assertion jwt jwt has expired",
            "invalid exp claim in jwt jwt has expired",
            "jwt token has expired",
            "jwt has expired",
        ],
        dated: Some(
            "2020-10-09: `JWT token has expired`; 2020-10-29: `Invalid exp claim in JWT - JWT has expired`",
        ),
        causes: &[
            (
                RootCause::ExpExpired,
                Some("A5"),
                Likely,
                "the assertion was built once and used again, or kept before it was sent",
                "make a new assertion for each request, with `exp` at the time of signing plus 150 seconds",
            ),
            (
                RootCause::ExpClock,
                Some("A5"),
                Likely,
                "the clock of the signer is minutes slow",
                "compare `date -u` with the `Date` header of an answer",
            ),
            (
                RootCause::ExpTz,
                Some("A5"),
                Possible,
                "a UTC time was read as local time: an hour too early, in summer",
                "take the time from a clock that counts in UTC",
            ),
            (
                RootCause::ExpType,
                Some("A5"),
                Possible,
                "`exp` is a numeric string: it is compared before its type is looked at",
                "write `exp` as a JSON number",
            ),
            (
                RootCause::ExpMissing,
                Some("A5"),
                Possible,
                "`exp` is null, 0 or an empty string",
                "set `exp` to now plus 150 seconds",
            ),
        ],
    },
    Row {
        texts: &["missing kid header in client_assertion jwt", "missing kid header in jwt"],
        dated: Some("wording before 2022-11-28"),
        causes: &[(
            RootCause::KidMissing,
            Some("A6"),
            Likely,
            "the header has no `kid`: few libraries set one",
            "put the registered key's `kid` into the header",
        )],
    },
    Row {
        texts: &[
            "invalid typ header in client_assertion jwt must be jwt",
            "invalid typ header in jwt",
        ],
        dated: None,
        causes: &[(
            RootCause::Typ,
            Some("A7"),
            Likely,
            "`typ` is missing or not `JWT`: several libraries leave it out",
            "put `\"typ\": \"JWT\"` into the header",
        )],
    },
    Row {
        texts: &["missing exp claim in client_assertion jwt", "missing exp claim in jwt"],
        dated: None,
        causes: &[(
            RootCause::ExpMissing,
            Some("A8"),
            Likely,
            "the claims have no `exp`",
            "set `exp` to now plus 150 seconds",
        )],
    },
    Row {
        texts: &[
            "invalid exp claim in client_assertion jwt must be an integer",
            "invalid exp claim in jwt must be an integer",
        ],
        dated: Some("since 2022-10-20"),
        causes: &[(
            RootCause::ExpType,
            Some("A9"),
            Likely,
            "`exp` is a string or a date",
            "write `exp` as a JSON number",
        )],
    },
    Row {
        texts: &[
            "missing or non-matching iss/sub claims in client_assertion jwt",
            "missing or non-matching iss/sub claims in jwt",
        ],
        dated: None,
        causes: &[(
            RootCause::SubMissing,
            Some("A10"),
            Likely,
            "`iss` or `sub` is missing, or the two differ",
            "set both to the API key",
        )],
    },
    Row {
        texts: &["missing jti claim in client_assertion jwt", "missing jti claim in jwt"],
        dated: None,
        causes: &[(
            RootCause::JtiMissing,
            Some("A11"),
            Likely,
            "the claims have no `jti`, or an empty one",
            "add `jti`: a new random UUID for each assertion",
        )],
    },
    Row {
        texts: &[
            "invalid jti claim in client_assertion jwt must be a unique string value such as a guid",
            "invalid jti claim in jwt",
        ],
        dated: Some("since 2022-10-20"),
        causes: &[(
            RootCause::JtiType,
            Some("A12"),
            Likely,
            "`jti` is a number",
            "make `jti` a string",
        )],
    },
    Row {
        texts: &[
            "non-unique jti claim in client_assertion jwt",
            "non-unique jti claim in jwt",
            "jti claim must be unique",
        ],
        dated: Some("2020-10-09: `jti claim must be unique`"),
        causes: &[
            (
                RootCause::JtiReuse,
                Some("A13"),
                Likely,
                "the assertion was sent twice: a retry, a cache, or a test that is run again",
                "make a new assertion with a new `jti` for every attempt",
            ),
            (
                RootCause::PlatformMisreport,
                None,
                Possible,
                "the first attempt failed for another reason, which this answer hides",
                "look for the answer to the first attempt",
            ),
        ],
    },
    Row {
        texts: &[
            "invalid exp claim in client_assertion jwt more than 5 minutes in future",
            "more than 5 minutes in future",
        ],
        dated: None,
        causes: &[
            (
                RootCause::ExpLong,
                Some("A14"),
                Likely,
                "the lifetime is over five minutes: an hour is what several libraries make",
                "set `exp` to now plus 150 seconds",
            ),
            (
                RootCause::ExpClock,
                Some("A14"),
                Likely,
                "the clock of the signer is fast",
                "compare `date -u` with the `Date` header of an answer",
            ),
            (
                RootCause::ExpUnit,
                Some("A14"),
                Possible,
                "`exp` is in milliseconds",
                "count in seconds since 1970",
            ),
            (
                RootCause::ExpTz,
                Some("A14"),
                Possible,
                "local time was taken for UTC: an hour too late, in summer",
                "take the time from a clock that counts in UTC",
            ),
        ],
    },
];
