//! The URI of a key that is kept elsewhere.

use std::fmt;

/// Names a private key that is kept elsewhere: `pkcs11:`, `awskms:`, `azurekeyvault:` or `gcpkms:`,
/// and whatever that place calls its keys.
///
/// Only the scheme is looked at here. A `pin-value` (RFC 7512, section 2.4) is a secret, and shows
/// neither in `Display` nor in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyUri(String);

impl KeyUri {
    /// Takes a URI.
    ///
    /// # Errors
    ///
    /// [`KeyUriError`] when it has no scheme, or holds what no URI holds.
    pub fn parse(uri: &str) -> Result<Self, KeyUriError> {
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
        let has_scheme = scheme.is_some_and(|scheme| {
            // One letter is a drive on Windows.
            scheme.len() > 1
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
        });
        if !has_scheme {
            return Err(KeyUriError::NoScheme);
        }
        if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(KeyUriError::Characters);
        }
        Ok(Self(uri.to_owned()))
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> String {
        self.halves().0.to_ascii_lowercase()
    }

    /// What stands behind the scheme and its colon, secrets and all.
    pub fn rest(&self) -> &str {
        self.halves().1
    }

    /// The whole URI, secrets and all.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a secret stands in it: such a URI is not to be kept in a file.
    pub fn holds_a_secret(&self) -> bool {
        self.query().is_some_and(|query| query.split('&').any(is_secret))
    }

    fn query(&self) -> Option<&str> {
        self.0.split_once('?').map(|(_, query)| query)
    }

    fn halves(&self) -> (&str, &str) {
        self.0.split_once(':').expect("it was parsed with a scheme")
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(query) = self.query() else {
            return f.write_str(&self.0);
        };
        f.write_str(&self.0[..self.0.len() - query.len()])?;
        for (at, part) in query.split('&').enumerate() {
            f.write_str(if at == 0 { "" } else { "&" })?;
            match part.split_once('=') {
                Some((name, _)) if is_secret(part) => write!(f, "{name}=…")?,
                // What stands behind an `&` in a PIN that should have been written as %26.
                None if self.holds_a_secret() => f.write_str("…")?,
                _ => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Whether a part of a query is a PIN, by whatever name: a misspelt one is as secret.
fn is_secret(part: &str) -> bool {
    let name = part.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.contains("pin") && name != "pin-source"
}

impl fmt::Debug for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUri({self})")
    }
}

/// Why a text is no key URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyUriError {
    /// It begins with no scheme.
    #[error("it has no scheme, such as `pkcs11:`")]
    NoScheme,
    /// It has a space or a control character in it.
    #[error("a space or control character stands in it: write it as %20, or what it is")]
    Characters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_not_shown() {
        let uri = KeyUri::parse("pkcs11:token=nhs?pin-value=hush&module-path=/m.so").unwrap();
        assert_eq!(uri.to_string(), "pkcs11:token=nhs?pin-value=…&module-path=/m.so");
        assert!(!format!("{uri:?}").contains("hush"));
        assert!(uri.holds_a_secret() && uri.expose().contains("hush"));
        for (uri, shown) in [
            ("pkcs11:token=a?PIN_VALUE=hush", "pkcs11:token=a?PIN_VALUE=…"),
            (
                "pkcs11:token=a?pin-value=hu&sh&module-name=m",
                "pkcs11:token=a?pin-value=…&…&module-name=m",
            ),
            ("pkcs11:token=a?pin-source=file:pin", "pkcs11:token=a?pin-source=file:pin"),
        ] {
            assert_eq!(KeyUri::parse(uri).unwrap().to_string(), shown);
        }
        assert_eq!(KeyUri::parse("awskms:alias/a").unwrap().to_string(), "awskms:alias/a");
    }

    #[test]
    fn a_scheme_is_more_than_a_letter() {
        assert_eq!(KeyUri::parse("PKCS11:token=a").unwrap().scheme(), "pkcs11");
        assert_eq!(KeyUri::parse("C:\\keys\\a.pem"), Err(KeyUriError::NoScheme));
        assert_eq!(KeyUri::parse("int-1.pem"), Err(KeyUriError::NoScheme));
        assert_eq!(KeyUri::parse("awskms:a b"), Err(KeyUriError::Characters));
    }
}
