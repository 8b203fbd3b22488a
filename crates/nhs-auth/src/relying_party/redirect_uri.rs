//! Where the provider sends the browser back to.

use std::fmt;

use url::Url;

use crate::endpoint::is_loopback;

/// A redirect URI (RFC 6749 §3.1.2), kept to the letter: providers compare it as text with what is
/// registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedirectUri(String);

/// Why something can't be a redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectUriError {
    /// Whitespace, or a character that has to be percent-encoded in a URL.
    #[error("`{0}` has a space, a line break or another character that no URL has")]
    Character(String),
    /// It has a fragment.
    #[error("`{0}` has a fragment, which a redirect URI can't have")]
    Fragment(String),
    /// Plain HTTP to another machine.
    #[error("`{0}` is plain http to another machine, and the code travels there")]
    Insecure(String),
    /// No absolute URL.
    #[error("`{0}` is not an absolute URL")]
    NotAUrl(String),
    /// NHS login allows none with a query.
    #[error("`{0}` has a query, which NHS login doesn't allow in a redirect URI")]
    Query(String),
}

impl RedirectUri {
    /// Takes an absolute URL: https, or http on loopback.
    ///
    /// # Errors
    ///
    /// [`RedirectUriError`] for anything else.
    pub fn parse(uri: &str) -> Result<Self, RedirectUriError> {
        let text = || uri.chars().filter(|c| !c.is_control()).take(200).collect();
        // `Url` drops some and encodes others, and what is sent would not be what is registered.
        if uri.chars().any(|c| !c.is_ascii_graphic()) {
            return Err(RedirectUriError::Character(text()));
        }
        let url = Url::parse(uri).map_err(|_| RedirectUriError::NotAUrl(text()))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(RedirectUriError::Insecure(text())),
            _ => return Err(RedirectUriError::NotAUrl(text())),
        }
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment(text()));
        }
        Ok(Self(uri.to_owned()))
    }

    /// The URI, to the letter.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses one that NHS login would (its interface specification, §7.3).
    pub(super) fn for_nhs_login(self) -> Result<Self, RedirectUriError> {
        if self.0.contains('?') { Err(RedirectUriError::Query(self.0)) } else { Ok(self) }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kept_to_the_letter() {
        for uri in ["https://APP.example.org:443/a/../b?x=1", "http://localhost:3000/callback"] {
            assert_eq!(RedirectUri::parse(uri).unwrap().as_str(), uri);
        }
    }

    #[test]
    fn what_no_code_is_sent_to() {
        let error = |uri: &str| RedirectUri::parse(uri).unwrap_err().to_string();
        assert!(error("http://app.example.org/callback").contains("plain http"));
        assert!(error("https://app.example.org/#/callback").contains("fragment"));
        for uri in ["", "/callback", "app.example.org/callback", "myapp:/callback"] {
            assert!(error(uri).ends_with("is not an absolute URL"), "{uri}");
        }
        for uri in
            ["https://app.example.org/cb\n", " https://app.example.org/", "https://é.example/"]
        {
            assert!(error(uri).ends_with("another character that no URL has"), "{uri}");
        }
        let with_query = RedirectUri::parse("https://app.example.org/callback?a=b").unwrap();
        assert!(with_query.for_nhs_login().is_err());
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_kept_to_the_letter_or_refused(
            uri in r"(https?://)?(localhost|app\.example)?[ -~\n\tÀ-ÿ]{0,40}",
        ) {
            if let Ok(parsed) = RedirectUri::parse(&uri) {
                prop_assert_eq!(parsed.as_str(), &uri);
                prop_assert!(!uri.contains(['#', ' ', '\n', '\t']));
                let url = Url::parse(&uri).unwrap();
                prop_assert!(url.scheme() == "https" || is_loopback(&url));
            }
        }
    }
}
