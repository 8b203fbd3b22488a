//! The two identity providers, and what a user's level of assurance at them opens.

use std::fmt;

use crate::javascript;
use crate::json::Object;

/// Who signs users in. Which issuer each has depends on the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the platform has these two")]
pub enum IdentityProvider {
    /// NHS CIS2 Authentication: people who work in health and care.
    Cis2,
    /// NHS login: the public.
    NhsLogin,
}

impl IdentityProvider {
    /// The name as identifiers and configuration have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cis2 => "cis2",
            Self::NhsLogin => "nhs-login",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Cis2, Self::NhsLogin].into_iter().find(|provider| provider.name() == name)
    }

    /// The claim of its ID tokens that holds the level.
    pub(crate) const fn level_claim(self) -> &'static str {
        match self {
            Self::Cis2 => "authentication_assurance_level",
            Self::NhsLogin => "identity_proofing_level",
        }
    }
}

impl fmt::Display for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The level of assurance as it stands in a scope, such as `aal3` or `P9`, from an ID token's
/// payload.
///
/// Of CIS2 it is the text of `authentication_assurance_level`, whatever that is: without the claim
/// it is `aalnull`, which no scope has. Of NHS login it is the first two characters of
/// `identity_proofing_level`, and `None` when that is no string.
pub fn assurance_level(provider: IdentityProvider, payload: &Object) -> Option<String> {
    let claim = payload.get(provider.level_claim());
    match provider {
        IdentityProvider::Cis2 => {
            let level = claim.as_ref().map_or_else(|| "null".to_owned(), javascript::to_string);
            Some(format!("aal{level}"))
        }
        IdentityProvider::NhsLogin => Some(claim?.as_str()?.chars().take(2).collect()),
    }
}

/// The scopes that a user's token keeps (rule S16): those that contain the user's level between
/// colons, and no others. A higher level doesn't bring a lower one's.
pub fn user_scopes(provider: IdentityProvider, payload: &Object, scopes: &[String]) -> Vec<String> {
    let Some(level) = assurance_level(provider, payload) else { return Vec::new() };
    let level = format!(":{level}:");
    scopes.iter().filter(|scope| scope.contains(&level)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(provider: IdentityProvider, payload: &str) -> Option<String> {
        assurance_level(provider, &Object::parse(payload).unwrap())
    }

    #[test]
    fn the_level_is_the_claims_text() {
        for (payload, expected) in [
            (r#"{"authentication_assurance_level": 3}"#, "aal3"),
            (r#"{"authentication_assurance_level": "3"}"#, "aal3"),
            (r#"{"authentication_assurance_level": null}"#, "aalnull"),
            ("{}", "aalnull"),
        ] {
            assert_eq!(level(IdentityProvider::Cis2, payload).as_deref(), Some(expected));
        }
        for (payload, expected) in [
            (r#"{"identity_proofing_level": "P9"}"#, Some("P9")),
            (r#"{"identity_proofing_level": "P9.Cp.Cd"}"#, Some("P9")),
            (r#"{"identity_proofing_level": ""}"#, Some("")),
            (r#"{"identity_proofing_level": 9}"#, None),
            ("{}", None),
        ] {
            assert_eq!(level(IdentityProvider::NhsLogin, payload).as_deref(), expected);
        }
    }

    #[test]
    fn only_the_scopes_of_exactly_this_level_are_kept() {
        let scopes = [
            "urn:nhsd:apim:app:level3:hello-world",
            "urn:nhsd:apim:user-nhs-cis2:aal2:hello-world",
            "urn:nhsd:apim:user-nhs-cis2:aal3:hello-world",
            "urn:nhsd:apim:user-nhs-cis2:aal3:personal-demographics",
            "urn:nhsd:apim:user-nhs-login:P9:hello-world",
        ]
        .map(str::to_owned);
        let kept =
            |provider, payload| user_scopes(provider, &Object::parse(payload).unwrap(), &scopes);
        let cis2 = IdentityProvider::Cis2;
        assert_eq!(kept(cis2, r#"{"authentication_assurance_level": 3}"#), scopes[2..4]);
        assert_eq!(kept(cis2, r#"{"authentication_assurance_level": "2"}"#), scopes[1..2]);
        assert_eq!(kept(cis2, "{}"), [""; 0]);
        let nhs_login = IdentityProvider::NhsLogin;
        assert_eq!(kept(nhs_login, r#"{"identity_proofing_level": "P9"}"#), scopes[4..]);
        assert_eq!(kept(nhs_login, r#"{"identity_proofing_level": "P5"}"#), [""; 0]);
        assert_eq!(kept(nhs_login, r#"{"identity_proofing_level": ""}"#), [""; 0]);
        assert_eq!(kept(nhs_login, "{}"), [""; 0]);
    }
}
