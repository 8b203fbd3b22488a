//! The names that people confuse, each a type of its own.
//!
//! The portal shows an application's *Application ID* (a UUID) before its *API key*; CIS2 and NHS
//! login have client ids of their own. Only the API key is ever `iss` and `sub` of an assertion
//! for the platform. A value that is certainly of another kind is refused, and said to be that.

use std::fmt;
use std::str::FromStr;

/// Why a value can't be the identifier that it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentifierError {
    /// An API key of the platform stands where a provider's client id belongs.
    ApiKeyAsClientId,
    /// A UUID stands where the API key belongs.
    ApplicationIdAsApiKey,
    /// A UUID stands where a provider's client id belongs.
    ApplicationIdAsClientId,
    /// A character that no identifier has: white space, a control character, a quote, non-ASCII.
    Character,
    /// A CIS2 client id stands where the API key belongs.
    Cis2ClientIdAsApiKey,
    /// A CIS2 client id stands where NHS login's belongs.
    Cis2ClientIdAtNhsLogin,
    /// Nothing was given.
    Empty,
    /// Key material stands where an identifier belongs.
    KeyMaterial,
    /// A JWT stands where an identifier belongs.
    Token,
    /// Not a UUID, as an application ID is.
    NotAUuid,
    /// Not of the form `NNN.MMM.apps.supplier`.
    NotACis2ClientId,
    /// A placeholder such as `YOUR_API_KEY` or `{{api_key}}`.
    Placeholder,
}

impl IdentifierError {
    /// What to do about it.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::ApplicationIdAsApiKey | Self::Cis2ClientIdAsApiKey | Self::Placeholder => Some(
                "the API key is 32 letters and digits: in the developer portal open the \
                 application, then `Active API keys`, then `Edit`, and copy the value called `Key`",
            ),
            Self::ApiKeyAsClientId
            | Self::ApplicationIdAsClientId
            | Self::Cis2ClientIdAtNhsLogin
            | Self::NotACis2ClientId => Some(
                "the client id is the one that CIS2 or NHS login gave you when you registered there; \
                 the API platform's key and application ID are never used there",
            ),
            Self::KeyMaterial => {
                Some("a private key is used to sign, and never stands where a name belongs")
            }
            _ => None,
        }
    }
}

impl fmt::Display for IdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKeyAsClientId => {
                "this has the shape of an API key of the platform, and is not a client id of the \
                 provider"
            }
            Self::ApplicationIdAsClientId => {
                "this is a UUID, as application IDs of the platform are, and not a client id of \
                 the provider"
            }
            Self::ApplicationIdAsApiKey => {
                "this is a UUID, as application IDs are, and not an API key"
            }
            Self::Character => "it has a character that can't be part of it",
            Self::Cis2ClientIdAsApiKey => {
                "this is a CIS2 client id, which the API platform does not know, and not an API key"
            }
            Self::Cis2ClientIdAtNhsLogin => {
                "this is a CIS2 client id, which NHS login does not know"
            }
            Self::Empty => "it is empty",
            Self::KeyMaterial => "this is key material and not an identifier",
            Self::Token => "this is a JWT and not an identifier",
            Self::NotAUuid => "an application ID is a UUID, which this is not",
            Self::NotACis2ClientId => {
                "a CIS2 client id looks like `123456789012.apps.supplier`, which this does not"
            }
            Self::Placeholder => "this is a placeholder and not an API key",
        })
    }
}

impl std::error::Error for IdentifierError {}

/// An API key: `iss` and `sub` of a client assertion. The portal also says *Key*, *consumer key*
/// or *client id*. 32 letters and digits, as far as anyone has seen.
///
/// `Debug` shows the first and last four characters, as NHS support asks for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiKey(String);

/// Something about an accepted value that looks unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// An API key of another length or alphabet than the 32 letters and digits that they have.
    ApiKeyShape,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKeyShape => f.write_str(
                "this API key is not the 32 letters and digits that the portal shows; \
                 check that it was copied whole",
            ),
        }
    }
}

impl ApiKey {
    /// Takes what may be an API key. Refuses what is certainly something else; an unusual shape
    /// is left to [`ApiKey::oddity`], because the shape is observed and not documented.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`], which never repeats the value.
    pub fn parse(value: &str) -> Result<Self, IdentifierError> {
        check_characters(value)?;
        if is_uuid(value) {
            return Err(IdentifierError::ApplicationIdAsApiKey);
        }
        if is_cis2_client_id(value) {
            return Err(IdentifierError::Cis2ClientIdAsApiKey);
        }
        if is_placeholder(value) {
            return Err(IdentifierError::Placeholder);
        }
        Ok(Self(value.to_owned()))
    }

    /// The key as it goes into `iss` and `sub`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is unusual about it, if anything.
    pub fn oddity(&self) -> Option<Oddity> {
        let usual = self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (!usual).then_some(Oddity::ApiKeyShape)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.get(..4), self.0.get(self.0.len().saturating_sub(4)..)) {
            (Some(first), Some(last)) if self.0.len() >= 16 => write!(f, "ApiKey({first}…{last})"),
            _ => f.write_str("ApiKey(…)"),
        }
    }
}

/// An application's ID in the portal: a UUID. It is for support tickets and never part of an
/// assertion.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationId(String);

/// A client id at CIS2: `123456789012.apps.supplier`, with more numbers in front for some.
/// `iss` and `sub` of an assertion for CIS2's own token endpoint, and of no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cis2ClientId(String);

/// A client id at NHS login.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NhsLoginClientId(String);

/// The name of a key: the `kid` of an assertion's header and of a key in the JWKS (RFC 7515
/// §4.1.4). Compared byte by byte. Any text will do for the platform, `+`, `/` and `=` included.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kid(String);

impl ApplicationId {
    /// Takes a UUID.
    ///
    /// # Errors
    ///
    /// [`IdentifierError::NotAUuid`], and those for wrong characters.
    pub fn parse(value: &str) -> Result<Self, IdentifierError> {
        check_characters(value)?;
        if is_uuid(value) { Ok(Self(value.to_owned())) } else { Err(IdentifierError::NotAUuid) }
    }
}

impl Cis2ClientId {
    /// Takes a CIS2 client id.
    ///
    /// # Errors
    ///
    /// [`IdentifierError::NotACis2ClientId`], and those for wrong characters.
    pub fn parse(value: &str) -> Result<Self, IdentifierError> {
        check_characters(value)?;
        if is_cis2_client_id(value) {
            Ok(Self(value.to_owned()))
        } else if is_uuid(value) {
            Err(IdentifierError::ApplicationIdAsClientId)
        } else if is_api_key_shaped(value) {
            Err(IdentifierError::ApiKeyAsClientId)
        } else {
            Err(IdentifierError::NotACis2ClientId)
        }
    }

    /// Takes a client id at a stand-in for CIS2, such as the platform's hosted mock, whose client
    /// ids have no such shape. What is certainly another identifier is refused all the same.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`], as for an API key.
    pub fn parse_for_mock(value: &str) -> Result<Self, IdentifierError> {
        check_characters(value)?;
        if is_cis2_client_id(value) {
            return Ok(Self(value.to_owned()));
        }
        if is_uuid(value) {
            return Err(IdentifierError::ApplicationIdAsClientId);
        }
        if is_api_key_shaped(value) {
            return Err(IdentifierError::ApiKeyAsClientId);
        }
        Ok(Self(value.to_owned()))
    }
}

impl NhsLoginClientId {
    /// Takes an NHS login client id, which has no documented shape.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when empty or with a character that can't be part of one, and when it is
    /// certainly another identifier.
    pub fn parse(value: &str) -> Result<Self, IdentifierError> {
        check_characters(value)?;
        if is_cis2_client_id(value) {
            return Err(IdentifierError::Cis2ClientIdAtNhsLogin);
        }
        if is_uuid(value) {
            return Err(IdentifierError::ApplicationIdAsClientId);
        }
        Ok(Self(value.to_owned()))
    }
}

impl Kid {
    /// Takes any text that isn't empty and has no control character.
    ///
    /// # Errors
    ///
    /// [`IdentifierError`] when empty, when it has a control character, or when it is a key.
    pub fn parse(value: &str) -> Result<Self, IdentifierError> {
        if value.is_empty() {
            return Err(IdentifierError::Empty);
        }
        if value.contains("-----BEGIN") {
            return Err(IdentifierError::KeyMaterial);
        }
        if value.chars().any(char::is_control) {
            return Err(IdentifierError::Character);
        }
        Ok(Self(value.to_owned()))
    }
}

macro_rules! plain_text {
    ($($name:ident),*) => {$(
        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text itself.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
plain_text!(ApplicationId, Cis2ClientId, Kid, NhsLoginClientId);

macro_rules! from_str {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::parse(value)
            }
        }
    )*};
}
from_str!(ApiKey, ApplicationId, Cis2ClientId, Kid, NhsLoginClientId);

fn check_characters(value: &str) -> Result<(), IdentifierError> {
    if value.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if value.contains("-----BEGIN") {
        return Err(IdentifierError::KeyMaterial);
    }
    if value.starts_with("eyJ") && value.contains('.') {
        return Err(IdentifierError::Token);
    }
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '`');
    if value.chars().all(allowed) { Ok(()) } else { Err(IdentifierError::Character) }
}

/// Eight, four, four, four and twelve hexadecimal digits (RFC 9562 §4).
fn is_uuid(value: &str) -> bool {
    let groups: Vec<_> = value.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_cis2_client_id(value: &str) -> bool {
    value
        .strip_suffix(".apps.supplier")
        .or_else(|| value.strip_suffix(".apps.national"))
        .is_some_and(|numbers| {
            numbers
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        })
}

/// 32 letters and digits, of both kinds: what the portal shows as *Key*.
fn is_api_key_shaped(value: &str) -> bool {
    value.len() == 32
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_placeholder(value: &str) -> bool {
    let upper = value.to_ascii_uppercase();
    value.contains("{{")
        || (value.starts_with('<') && value.ends_with('>'))
        || ["YOUR_API_KEY", "YOUR-API-KEY", "API_KEY", "YOUR_KEY"].contains(&upper.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_api_key_is_not() {
        for (value, error) in [
            ("", IdentifierError::Empty),
            ("0F5e1c5a-68A0-4a9c-8c6e-0a4a7b1f7f10", IdentifierError::ApplicationIdAsApiKey),
            ("123456789012.apps.supplier", IdentifierError::Cis2ClientIdAsApiKey),
            ("123456789012.123456789012.apps.national", IdentifierError::Cis2ClientIdAsApiKey),
            ("YOUR_API_KEY", IdentifierError::Placeholder),
            ("{{api_key}}", IdentifierError::Placeholder),
            ("abc def", IdentifierError::Character),
            ("abc\r\nX: y", IdentifierError::Character),
            ("“abc”", IdentifierError::Character),
            ("-----BEGIN PRIVATE KEY-----", IdentifierError::KeyMaterial),
            ("eyJhbGciOiJSUzUxMiJ9.e30.x", IdentifierError::Token),
        ] {
            assert_eq!(ApiKey::parse(value), Err(error), "{value}");
        }
    }

    #[test]
    fn an_unusual_key_is_taken_and_remarked_on() {
        assert_eq!(ApiKey::parse(&"aB3d".repeat(8)).unwrap().oddity(), None);
        assert_eq!(ApiKey::parse("short").unwrap().oddity(), Some(Oddity::ApiKeyShape));
    }

    #[test]
    fn debug_shows_what_support_asks_for_and_no_more() {
        let key = ApiKey::parse("abcd0000111122223333444455556789").unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey(abcd…6789)");
        assert_eq!(format!("{:?}", ApiKey::parse("shortkey").unwrap()), "ApiKey(…)");
    }

    #[test]
    fn a_kid_may_be_base64() {
        assert_eq!(Kid::parse("b/O6Ov+y0=").unwrap().as_str(), "b/O6Ov+y0=");
        assert_eq!(Kid::parse("a\nb"), Err(IdentifierError::Character));
    }

    #[test]
    fn the_other_identifiers_keep_to_their_shapes() {
        assert!(Cis2ClientId::parse("999999999999.apps.national").is_ok());
        assert_eq!(Cis2ClientId::parse("abc"), Err(IdentifierError::NotACis2ClientId));
        assert_eq!(ApplicationId::parse("abc"), Err(IdentifierError::NotAUuid));
        let api_key = "aB3d".repeat(8);
        for parse in [Cis2ClientId::parse, Cis2ClientId::parse_for_mock] {
            assert_eq!(parse(&api_key), Err(IdentifierError::ApiKeyAsClientId));
            let uuid = "0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10";
            assert_eq!(parse(uuid), Err(IdentifierError::ApplicationIdAsClientId));
        }
        assert!(Cis2ClientId::parse_for_mock("test-client").is_ok());
        assert_eq!(
            NhsLoginClientId::parse("123456789012.apps.supplier"),
            Err(IdentifierError::Cis2ClientIdAtNhsLogin)
        );
        assert!(NhsLoginClientId::parse("some-client").is_ok());
    }
}
