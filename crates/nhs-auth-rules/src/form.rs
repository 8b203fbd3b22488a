//! The body of a token request (RFC 6749 §4.4.2, RFC 7523 §2.2, RFC 8693 §2.1).

use std::borrow::Cow;

/// `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `subject_token_type` of an ID token (RFC 8693 §3).
pub const ID_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id_token";

/// `grant_type` of token exchange (RFC 8693 §2.1).
pub const TOKEN_EXCHANGE_GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A form's parameters, decoded, in their order.
#[derive(Clone, Default)]
pub struct Form {
    parameters: Vec<(String, String)>,
}

/// The grants that the platform tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantType {
    /// `authorization_code`
    AuthorizationCode,
    /// `client_credentials`
    ClientCredentials,
    /// `refresh_token`
    RefreshToken,
    /// The token-exchange URN.
    TokenExchange,
    /// Anything else.
    Unknown,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded` text. There is no text that this refuses.
    pub fn parse(body: &[u8]) -> Self {
        Self { parameters: form_urlencoded::parse(body).map(own).collect() }
    }

    /// The parameter's value. Of a repeated parameter the first is taken (inferred: no test of
    /// the platform shows it).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated, in their order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The names of all parameters, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|(name, _)| name.as_str())
    }

    /// The `grant_type`, if there is one.
    pub fn grant_type(&self) -> Option<GrantType> {
        self.get("grant_type").map(|grant_type| match grant_type {
            "authorization_code" => GrantType::AuthorizationCode,
            "client_credentials" => GrantType::ClientCredentials,
            "refresh_token" => GrantType::RefreshToken,
            TOKEN_EXCHANGE_GRANT => GrantType::TokenExchange,
            _ => GrantType::Unknown,
        })
    }

    /// Whether the platform takes this for token exchange: by the subject token's type, whatever
    /// the grant type.
    pub fn is_token_exchange(&self) -> bool {
        self.get("subject_token_type") == Some(ID_TOKEN_TYPE)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Form {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(parameters: I) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { parameters: parameters.into_iter().map(own).collect() }
    }
}

impl std::fmt::Debug for Form {
    /// Names only: the values hold assertions and secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

fn own((name, value): (Cow<'_, str>, Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeated_parameter_is_taken() {
        let form = Form::parse(b"grant_type=client_credentials&grant_type=password");
        assert_eq!(form.grant_type(), Some(GrantType::ClientCredentials));
    }

    #[test]
    fn an_empty_value_is_there_all_the_same() {
        let form = Form::parse(b"grant_type=&x");
        assert_eq!(form.grant_type(), Some(GrantType::Unknown));
        assert_eq!(form.get("x"), Some(""));
        assert_eq!(form.get("y"), None);
    }

    #[test]
    fn debug_shows_names_only() {
        let form = Form::parse(b"client_secret=hush&code=hush");
        assert_eq!(format!("{form:?}"), r#"["client_secret", "code"]"#);
    }
}
