//! What a diagnosis can be given. Any subset will do.

use std::fmt;

use crate::{Environment, UnixMillis};

/// What is known about a request that failed, or that is about to be sent. Everything may be
/// missing but the time.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by its users, with `..Inputs::default()`")]
pub struct Inputs<'a> {
    /// Client assertions, in the order in which they were sent. The last one is judged in full; an
    /// earlier one shows whether its `jti` was used again.
    pub assertions: Vec<&'a str>,
    /// The private key that signs, or why it could not be read.
    pub private_key: Option<PrivateKeyInput<'a>>,
    /// The registered key set.
    pub jwks: Option<JwksInput<'a>>,
    /// The API key; for the profiles CIS2 and NHS login the client id there.
    pub api_key: Option<&'a str>,
    /// The environment that the request is for.
    pub environment: Option<Environment>,
    /// The URL that the request was posted to, where the environment alone doesn't say it.
    pub token_url: Option<&'a str>,
    /// The ID token of a token exchange.
    pub subject_token: Option<&'a str>,
    /// What was answered: a body, or its text alone.
    pub error: Option<&'a str>,
    /// The request: a form body, a raw HTTP request, a curl command, a HAR entry, or source code
    /// with a token, a key set or a URL in it.
    pub request: Option<&'a str>,
    /// When the request was sent.
    pub at: Option<UnixMillis>,
    /// The present time: what the claims are held against when `at` isn't known.
    pub now: UnixMillis,
    /// Whose rules are judged by.
    pub profile: Profile,
}

impl Default for Inputs<'_> {
    fn default() -> Self {
        Self {
            assertions: Vec::new(),
            private_key: None,
            jwks: None,
            api_key: None,
            environment: None,
            token_url: None,
            subject_token: None,
            error: None,
            request: None,
            at: None,
            now: UnixMillis(0),
            profile: Profile::default(),
        }
    }
}

impl fmt::Debug for Inputs<'_> {
    /// What was given, and not what it says: most of it are credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("assertions", &self.assertions.len())
            .field("private_key", &self.private_key.is_some())
            .field("jwks", &self.jwks.is_some())
            .field("api_key", &self.api_key.is_some())
            .field("environment", &self.environment.map(|environment| environment.name))
            .field("token_url", &self.token_url)
            .field("subject_token", &self.subject_token.is_some())
            .field("error", &self.error.is_some())
            .field("request", &self.request.is_some())
            .field("at", &self.at)
            .field("now", &self.now)
            .field("profile", &self.profile)
            .finish()
    }
}

/// A private key, as far as a diagnosis wants to know it: its public numbers.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a key file can be read or it can't")]
pub enum PrivateKeyInput<'a> {
    /// The key was read.
    Facts {
        /// The modulus `n`, big-endian.
        modulus: &'a [u8],
        /// The public exponent `e`, big-endian.
        exponent: &'a [u8],
        /// The modulus's length in bits.
        bits: usize,
    },
    /// The file could not be read as an RSA private key.
    Unreadable {
        /// What is wrong with it, without anything of its content.
        message: String,
        /// What to do about it, the best first; commands stand between backticks.
        hints: Vec<String>,
    },
}

/// A key set, as it was given.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a key set is at hand or elsewhere")]
pub enum JwksInput<'a> {
    /// The document.
    Document(&'a str),
    /// Where it is said to be. It is judged by its shape and not fetched; an echo URL of the
    /// platform (`…/mock-jwks/<base64>`) holds the document, and that is read.
    Url(&'a str),
}

impl fmt::Debug for JwksInput<'_> {
    /// Without the text: a key set may have private members in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Document(_) => "Document(…)",
            Self::Url(_) => "Url(…)",
        })
    }
}

/// Whose rules a request is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// NHS CIS2 Authentication's token endpoint.
    Cis2,
    /// NHS login's token endpoint.
    NhsLogin,
    /// The API platform, application-restricted access.
    #[default]
    Platform,
    /// The API platform, token exchange.
    TokenExchange,
}

impl Profile {
    /// The name, as in `--profile`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cis2 => "cis2",
            Self::NhsLogin => "nhs-login",
            Self::Platform => "platform",
            Self::TokenExchange => "token-exchange",
        }
    }

    /// Every profile.
    pub const ALL: &'static [Self] =
        &[Self::Platform, Self::TokenExchange, Self::Cis2, Self::NhsLogin];

    /// Whether the API platform's own rules apply.
    pub const fn is_platform(self) -> bool {
        matches!(self, Self::Platform | Self::TokenExchange)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
