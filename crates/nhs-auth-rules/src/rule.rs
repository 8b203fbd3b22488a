//! What a rule is: one row of the platform's checks, as a value.

use std::fmt;

use crate::{Evidence, Span};

/// The name of a rule: a letter for the group, and the row's number in that group. It never
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(&'static str);

impl RuleId {
    pub(crate) const fn new(id: &'static str) -> Self {
        Self(id)
    }

    /// The name as text, such as `A14`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One check of the platform.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// What must hold, in a few words.
    pub title: &'static str,
    /// What the platform answers when it doesn't.
    pub answer: Answer,
    /// How sure that is.
    pub basis: Basis,
    /// Why people meet it.
    pub why: &'static str,
    /// How to mend it.
    pub fix: &'static str,
    /// What breaks it, and the same mended.
    pub example: Example,
    pub(crate) check: fn(&Evidence<'_>) -> Outcome,
}

impl Rule {
    /// Holds the evidence against this rule alone.
    pub fn check(&self, evidence: &Evidence<'_>) -> Outcome {
        (self.check)(evidence)
    }
}

/// The platform's answer to a failure, to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// HTTP status. With 302 the error goes to the application, as parameters of its redirect URI
    /// (group B).
    pub status: u16,
    /// The member `error`; for the gateway's own faults (group G) the `errorcode`.
    pub error: &'static str,
    /// The member `error_description`; for the gateway's own faults the `faultstring`.
    pub error_description: &'static str,
}

impl Answer {
    pub(crate) const fn new(
        status: u16,
        error: &'static str,
        error_description: &'static str,
    ) -> Self {
        Self { status, error, error_description }
    }
}

/// What breaks a rule, and the same mended: a few lines to show to people. It is a member of the
/// decoded header or payload, a form parameter, an HTTP header, or a setting in the portal.
///
/// The values are made up. `…` stands for a value that is right, and ` // ` begins a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Example {
    /// What breaks the rule.
    pub failing: &'static str,
    /// The same, mended.
    pub mended: &'static str,
}

impl Example {
    pub(crate) const fn new(failing: &'static str, mended: &'static str) -> Self {
        Self { failing, mended }
    }
}

/// Where a rule is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// Derived from what is published, and stated nowhere.
    Inferred,
    /// Read in the platform's published proxy or asserted by its own end-to-end tests.
    Published,
}

/// What a rule says of the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a check passes, fails, or can't tell")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It doesn't, and this is where.
    Fail(Fault),
    /// The evidence doesn't say; with this it would.
    CannotTell(Need),
}

impl Outcome {
    /// Whether the rule is broken.
    pub const fn is_fail(&self) -> bool {
        matches!(self, Self::Fail(_))
    }
}

/// The value at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// In which text.
    pub place: Place,
    /// Which bytes of it; the whole text where something is missing.
    pub span: Span,
    /// What is wrong with it, lower case, with no full stop. It may repeat a claim, never a
    /// signature or a secret.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(place: Place, span: Span, message: impl Into<String>) -> Self {
        Self { place, span, message: message.into() }
    }

    pub(crate) fn fail(place: Place, span: Span, message: impl Into<String>) -> Outcome {
        Outcome::Fail(Self::new(place, span, message))
    }
}

/// The texts that a span can count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The application as the platform knows it; spans in it are empty.
    Application,
    /// The assertion in compact form.
    Assertion,
    /// The delegated token in the claim `act.sub`, in compact form.
    DelegatedToken,
    /// The delegated token's decoded header.
    DelegatedTokenHeader,
    /// The delegated token's decoded payload.
    DelegatedTokenPayload,
    /// The assertion's decoded header.
    Header,
    /// The ID token in compact form: a subject token, or what the provider answered `/callback`.
    IdToken,
    /// The ID token's decoded header.
    IdTokenHeader,
    /// The ID token's decoded payload.
    IdTokenPayload,
    /// The JWKS document.
    KeySet,
    /// The logout token in compact form.
    LogoutToken,
    /// The logout token's decoded header.
    LogoutTokenHeader,
    /// The logout token's decoded payload.
    LogoutTokenPayload,
    /// The assertion's decoded payload.
    Payload,
    /// The identity provider as the platform knows it; spans in it are empty.
    Provider,
    /// The request: its method, path, headers or form; spans in it are empty.
    Request,
}

/// What a rule would need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Access tokens as the platform knows them.
    AccessToken,
    /// The application that the platform finds for `sub` or `client_id`.
    Application,
    /// The assertion.
    Assertion,
    /// What the platform knows of the authorization code.
    AuthorizationCode,
    /// Whether the client secret is the application's.
    ClientSecret,
    /// The time of the request.
    Clock,
    /// An assertion that can be decoded.
    DecodableAssertion,
    /// An ID token that can be decoded, whether as the subject token or at `/callback`.
    DecodableIdToken,
    /// A logout token that can be decoded.
    DecodableLogoutToken,
    /// The request's form.
    Form,
    /// The ID token that the provider answers at `/callback`.
    IdToken,
    /// Whether the platform has seen this `jti`.
    JtiHistory,
    /// The key set that the platform has for the application.
    KeySet,
    /// The logout token.
    LogoutToken,
    /// Which provider, if any, the platform finds for the issuer.
    Provider,
    /// The platform's own client id at the provider.
    ProviderClientId,
    /// The key set that the platform has for the provider.
    ProviderKeySet,
    /// How many requests the application has made in the last minute.
    Quota,
    /// What the platform knows of the refresh token.
    RefreshToken,
    /// The request: its method and headers.
    Request,
    /// Whether the platform has a session of this `sid`.
    Session,
    /// What the platform knows of this `state`.
    SignIn,
    /// The subject token.
    SubjectToken,
    /// The URL that the request was posted to.
    TokenUrl,
    /// Something that can verify a signature.
    Verifier,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "the platform's record of the access token",
            Self::Application => "the platform's record of the application",
            Self::Assertion => "the client assertion",
            Self::AuthorizationCode => "the platform's record of the authorization code",
            Self::ClientSecret => "whether the client secret is the application's",
            Self::Clock => "the time of the request",
            Self::DecodableAssertion => "a client assertion that can be decoded",
            Self::DecodableIdToken => "an ID token that can be decoded",
            Self::DecodableLogoutToken => "a logout token that can be decoded",
            Self::Form => "the form of the request",
            Self::IdToken => "the ID token that the provider answers",
            Self::JtiHistory => "whether the platform has seen this jti",
            Self::KeySet => "the registered key set",
            Self::LogoutToken => "the logout token",
            Self::Provider => "which identity providers the platform trusts there",
            Self::ProviderClientId => "the platform's own client id at the identity provider",
            Self::ProviderKeySet => "the identity provider's key set",
            Self::Quota => "how many token requests were made in the last minute",
            Self::RefreshToken => "the platform's record of the refresh token",
            Self::Request => "the HTTP request",
            Self::Session => "the platform's record of the session",
            Self::SignIn => "the platform's record of the sign-in",
            Self::SubjectToken => "the subject token",
            Self::TokenUrl => "the URL that the request was posted to",
            Self::Verifier => "a way to verify the signature",
        })
    }
}
