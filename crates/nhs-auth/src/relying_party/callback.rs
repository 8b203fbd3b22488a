//! What the browser comes back with (RFC 6749 §4.1.2).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use nhs_auth_rules::UnixMillis;

use super::pending::PATIENCE_MIN;
use super::signed_jwt::shown;

/// A query that is longer is no answer of a provider's.
const LONGEST: usize = 16 * 1024;

/// The parameters with which a provider sends the browser back. `Debug` doesn't show the code.
#[derive(Clone, Default)]
pub struct Callback {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

/// Why the browser's coming back is not the end of this sign-in. No code was redeemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The sign-in was begun too long ago.
    #[error("the sign-in was begun more than {minutes} minutes ago")]
    TooLate {
        /// How long it may take.
        minutes: i64,
    },
    /// There is neither a code nor an error.
    #[error("the browser came back with neither a code nor an error")]
    NoCode,
    /// The answer is another provider's (RFC 9207): a mix-up.
    #[error("the answer is of the issuer `{found}`, and the sign-in was begun at `{expected}`")]
    OtherIssuer {
        /// Who the answer says it is of; empty when it doesn't say.
        found: String,
        /// Who it should be of.
        expected: String,
    },
    /// The sign-in was begun for another client, or with another redirect URI.
    #[error(
        "the sign-in was begun for another client id or redirect URI than it is completed with"
    )]
    OtherClient,
    /// The sign-in was begun at another provider.
    #[error("the sign-in was begun at `{begun_at}`, and not at `{here}`")]
    OtherProvider {
        /// Where it was begun.
        begun_at: String,
        /// Where it should be completed.
        here: String,
    },
    /// A parameter stands twice.
    #[error("the parameter `{0}` stands twice")]
    Repeated(&'static str),
    /// `state` is missing or another: this browser did not begin this sign-in.
    #[error("`state` is not the one that the sign-in was begun with")]
    State,
    /// The query is too long.
    #[error("the query is longer than {LONGEST} bytes")]
    TooLong,
}

impl Callback {
    /// Reads the query of the redirect URI as it was called, with or without the `?` before it.
    ///
    /// # Errors
    ///
    /// [`CallbackError`] when it is too long, or a parameter stands twice.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        if query.len() > LONGEST {
            return Err(CallbackError::TooLong);
        }
        let query = query.strip_prefix('?').unwrap_or(query);
        let mut callback = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (slot, name) = match &*name {
                "code" => (&mut callback.code, "code"),
                "state" => (&mut callback.state, "state"),
                "iss" => (&mut callback.iss, "iss"),
                "error" => (&mut callback.error, "error"),
                "error_description" => (&mut callback.error_description, "error_description"),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(CallbackError::Repeated(name));
            }
        }
        Ok(callback)
    }

    /// The `state`, which names the sign-in: for finding it where a browser has several under way.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Whether it is this browser that began the sign-in with that `state`.
    pub(crate) fn check_state(&self, begun_with: &str) -> Result<(), CallbackError> {
        let found = self.state.as_deref().unwrap_or_default();
        verify_slices_are_equal(found.as_bytes(), begun_with.as_bytes())
            .map_err(|_| CallbackError::State)
    }

    /// The code, if there is one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref().filter(|code| !code.is_empty())
    }

    /// The error in words, if there is one.
    pub(crate) fn error_text(&self) -> Option<String> {
        let error = shown(self.error.as_deref()?);
        Some(match &self.error_description {
            Some(description) => format!("{error}: {}", shown(description)),
            None => error,
        })
    }
}

/// Whether a sign-in may still be completed.
pub(crate) fn check_patience(begun_at: UnixMillis, now: UnixMillis) -> Result<(), CallbackError> {
    if now.0.saturating_sub(begun_at.0) > PATIENCE_MIN * 60_000 {
        return Err(CallbackError::TooLate { minutes: PATIENCE_MIN });
    }
    Ok(())
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("code", &self.code.is_some())
            .field("state", &self.state.is_some())
            .field("iss", &self.iss)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_read_once_and_unescaped() {
        let callback = Callback::parse("?code=a%2Bb&state=s+1&session_state=x").unwrap();
        assert_eq!(callback.code.as_deref(), Some("a+b"));
        assert_eq!(callback.state(), Some("s 1"));
        assert_eq!(Callback::parse("code=a&code=b").unwrap_err(), CallbackError::Repeated("code"));
        assert_eq!(Callback::parse(&"a".repeat(20_000)).unwrap_err(), CallbackError::TooLong);
    }

    #[test]
    fn debug_shows_no_code() {
        let callback = Callback::parse("code=hush&state=hush").unwrap();
        assert!(!format!("{callback:?}").contains("hush"));
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_read_or_refused(query in any::<String>()) {
            let _ = Callback::parse(&query);
        }

        #[test]
        fn whatever_the_provider_says_comes_back_and_its_code_is_not_shown(
            code in "[!-~é ]{8,40}",
            state in any::<String>(),
        ) {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("code", &code), ("state", &state)])
                .finish();
            let callback = Callback::parse(&query).unwrap();
            prop_assert_eq!(callback.code(), Some(&*code));
            prop_assert_eq!(callback.state(), Some(&*state));
            let shown = format!("{callback:?}");
            prop_assert!(!shown.contains(&code), "{}", shown);
        }
    }
}
