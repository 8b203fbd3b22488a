//! The root causes of `diagnose`, each with the code that it is known by. No code is ever renamed.

use std::fmt;

macro_rules! root_causes {
    ($($variant:ident $code:literal $title:literal,)*) => {
        /// Why a request really fails, whatever the error's text says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RootCause {
            $(#[doc = $title] $variant,)*
        }

        impl RootCause {
            /// Every root cause, by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code, such as `kid-mismatch`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What it is, in a few words.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }
        }
    };
}

root_causes! {
    AccessTokenExpired "access-token-expired" "The access token has expired",
    AccessTokenUnknown "access-token-unknown" "The access token is unknown",
    Alg "alg" "The algorithm is not allowed",
    AlgJwk "alg-jwk" "The JWK's alg contradicts the token",
    AppAttrs "app-attrs" "An attribute is not set on the application",
    Aud "aud" "The audience is not the endpoint's URL",
    Authz "authz" "The user's role is not permitted",
    ClientSecret "client-secret" "The client id or secret is wrong",
    CodeInvalid "code-invalid" "The authorization code is invalid",
    Doc "doc" "The documentation is wrong",
    EcdsaDer "ecdsa-der" "An ECDSA signature in DER",
    EncB64 "enc-b64" "Not base64url",
    EncDash "enc-dash" "Typographic characters in the token",
    EncPad "enc-pad" "Padding in the token",
    EncWrap "enc-wrap" "Something around the token",
    EncWs "enc-ws" "White space in the token",
    EnvMismatch "env-mismatch" "Key, audience and URL are of different environments",
    ExpClock "exp-clock" "The signer's clock is wrong",
    ExpExpired "exp-expired" "The assertion has expired",
    ExpLong "exp-long" "The lifetime is too long",
    ExpMissing "exp-missing" "There is no exp",
    ExpType "exp-type" "A time is not a JSON number",
    ExpTz "exp-tz" "Local time taken for UTC",
    ExpUnit "exp-unit" "Milliseconds in place of seconds",
    IssMissing "iss-missing" "There is no iss",
    IsssubWrongid "isssub-wrongid" "iss and sub hold another identifier",
    JtiMissing "jti-missing" "There is no jti",
    JtiReuse "jti-reuse" "The same assertion was sent twice",
    JtiType "jti-type" "The jti is not a string",
    JwkDupkid "jwk-dupkid" "Two keys with one kid",
    JwkN "jwk-n" "The JWK's n is not the modulus",
    JwkPrivate "jwk-private" "A private key was published",
    JwkWeak "jwk-weak" "The key is too short",
    JwksCache "jwks-cache" "The platform still has the old key set",
    JwksShape "jwks-shape" "The document is not a key set",
    JwksUnreachable "jwks-unreachable" "The key set's URL can't be reached",
    KeyMismatch "key-mismatch" "Signed with another key than the registered one",
    KeyUnknown "key-unknown" "The API key is unknown",
    KidMismatch "kid-mismatch" "The kid is not in the key set",
    KidMissing "kid-missing" "The header names no key",
    LogoutToken "logout-token" "The logout token is refused",
    Malformed "malformed" "Not a JWT",
    NbfFuture "nbf-future" "The assertion is not valid yet",
    NoPublicKey "no-public-key" "No public key is registered",
    NotAFault "not-a-fault" "It looks odd and is right",
    NotApproved "not-approved" "The application or its key is not approved",
    NotSubscribed "not-subscribed" "The application is not subscribed to such an API",
    Pem "pem" "The key file can't be read",
    PlatformMisreport "platform-misreport" "The error names the wrong thing",
    RateLimited "rate-limited" "Too many requests",
    RedirectUri "redirect-uri" "The redirect URI is not the registered one",
    RefreshToken "refresh-token" "The refresh token is no longer valid",
    RegLag "reg-lag" "The registration is not active yet",
    ReqContentType "req-content-type" "The content type is not that of a form",
    ReqForm "req-form" "A parameter of the form is missing or wrong",
    StateUnknown "state-unknown" "The state is unknown",
    SubMissing "sub-missing" "iss or sub is missing, or they differ",
    SubNeClientid "sub-ne-clientid" "sub differs from the form's client_id",
    SubjectToken "subject-token" "The subject token is not an ID token that is accepted here",
    Thumbprint "thumbprint" "A certificate thumbprint is wrong",
    Trunc "trunc" "A cut-off value",
    Typ "typ" "The type is missing or not JWT",
    Unknown "unknown" "The cause is unknown",
    UnknownCis2 "unknown-cis2" "CIS2 has one text for everything",
    WrongPattern "wrong-pattern" "Another access pattern than the API has",
}

impl RootCause {
    /// The root cause of that code.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.code() == code)
    }
}

impl fmt::Display for RootCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
