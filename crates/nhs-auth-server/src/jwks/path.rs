//! Where a key set is served.

use std::fmt;

/// The path of a key set's URL: `/.well-known/jwks.json` unless told otherwise.
///
/// A request's path has to be the same to the letter; its query is ignored.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct JwksPath(String);

impl JwksPath {
    /// Takes a path: it begins with `/`, and has no query, no fragment, no white space and nothing
    /// but ASCII.
    ///
    /// # Errors
    ///
    /// [`InvalidJwksPath`] if it is none. So is the empty path: the platform can't fetch
    /// `https://host` alone.
    pub fn parse(path: &str) -> Result<Self, InvalidJwksPath> {
        let is_path = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
        if path.starts_with('/') && path.bytes().all(is_path) {
            Ok(Self(path.to_owned()))
        } else {
            Err(InvalidJwksPath { path: path.to_owned() })
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for JwksPath {
    fn default() -> Self {
        Self("/.well-known/jwks.json".to_owned())
    }
}

impl fmt::Display for JwksPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That is no path for a key set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path:?} is no path of a URL: it has to look like `/.well-known/jwks.json`")]
pub struct InvalidJwksPath {
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_or_refused() {
        for path in ["/", "/jwks", "/a/b%20c/jwks.json", "/.well-known/jwks.json"] {
            assert_eq!(JwksPath::parse(path).unwrap().as_str(), path);
        }
        for path in ["", "jwks", "/a?b", "/a#b", "/a b", "/a\r\nX: y", "/\u{e9}", "\\jwks", "*"] {
            assert!(JwksPath::parse(path).is_err(), "{path:?}");
        }
        assert_eq!(JwksPath::default(), JwksPath::parse("/.well-known/jwks.json").unwrap());
    }
}
