//! The body of a request to a token endpoint (RFC 6749 §4.1.3, RFC 7523 §2.2, RFC 8693 §2.1).

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::assertion::ClientAssertion;

/// Room for an ID token and an assertion beside each other, so that no part of either is left
/// behind in memory where the text grew out of it.
const ROOM: usize = 16 * 1024;

/// A form that is being put together. It holds credentials, and is wiped when dropped.
pub(crate) struct Form(Zeroizing<String>);

impl Form {
    pub(crate) fn of_grant(grant_type: &str) -> Self {
        Self(Zeroizing::new(String::with_capacity(ROOM))).with("grant_type", grant_type)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(form_urlencoded::byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Who asks, by an assertion, which is consumed.
    pub(crate) fn with_assertion(self, assertion: ClientAssertion) -> Self {
        self.with("client_assertion_type", nhs_auth_rules::CLIENT_ASSERTION_TYPE)
            .with("client_assertion", assertion.into_compact().expose_secret())
    }

    pub(crate) fn into_bytes(mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(std::mem::take(&mut *self.0).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_keep_their_order() {
        let form = Form::of_grant("a:b").with("c d", "e&f=+").with_some("g", None);
        assert_eq!(&**form.into_bytes(), b"grant_type=a%3Ab&c+d=e%26f%3D%2B");
    }
}
