//! What a sign-in at CIS2 asks for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::acr::Acr;
use crate::relying_party::asked::Asked;

/// A scope of CIS2, beside `openid`, which every sign-in has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cis2Scope {
    /// The organisations that the user belongs to.
    AssociatedOrgs,
    /// The email address.
    Email,
    /// The user's roles.
    NationalRbacAccess,
    /// The user as the directory knows them.
    NhsPerson,
    /// Memberships of organisations.
    OrganisationalMemberships,
    /// Registration numbers of professional bodies.
    ProfessionalMemberships,
    /// The name.
    Profile,
}

/// Not a scope that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a scope of {provider}; there are {known}")]
#[non_exhaustive]
pub struct UnknownScope {
    /// What was given.
    pub name: String,
    /// Whose it should be.
    pub provider: &'static str,
    /// What there is.
    pub known: String,
}

/// How a sign-in at CIS2 is kept from being an old one. Its conformance asks for one of the two
/// (`NHS CIA Ses Req 002`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cis2Freshness {
    /// The user may have authenticated so long ago, in whole seconds (`max_age`).
    MaxAge(Duration),
    /// The user authenticates now (`prompt=login`).
    PromptLogin,
}

/// Whether CIS2 asks for a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RolePrompt {
    /// For another than the one before (`changedrole`).
    Change,
    None,
    /// `selectedrole`
    Select,
}

/// A sign-in to be begun at CIS2.
///
/// Unless told otherwise: an authenticator of level 3 (`AAL3_ANY`), used now (`prompt=login`), the
/// user's name and roles, and a role chosen at CIS2 (`openid profile nationalrbacaccess
/// selectedrole`).
#[derive(Clone, Debug)]
pub struct Cis2SignIn {
    scopes: Vec<Cis2Scope>,
    acr_values: Vec<Acr>,
    freshness: Cis2Freshness,
    role: RolePrompt,
}

impl Default for Cis2SignIn {
    fn default() -> Self {
        Self {
            scopes: vec![Cis2Scope::Profile, Cis2Scope::NationalRbacAccess],
            acr_values: vec![Acr::Aal3Any],
            freshness: Cis2Freshness::PromptLogin,
            role: RolePrompt::Select,
        }
    }
}

impl Cis2SignIn {
    /// The usual sign-in.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these scopes, and no other than `openid` and the one of the role. Ask only for what
    /// you need (`NHS CIA SC Req 003`).
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = Cis2Scope>) -> Self {
        self.scopes = scopes.into_iter().collect();
        self
    }

    /// With any of these authenticators. The ID token is checked to say one of them, and a level
    /// that is not lower than the lowest. An empty list changes nothing.
    pub fn acr_values(mut self, acr_values: impl IntoIterator<Item = Acr>) -> Self {
        let acr_values: Vec<_> = acr_values.into_iter().collect();
        if !acr_values.is_empty() {
            self.acr_values = acr_values;
        }
        self
    }

    /// How it is kept from being an old one.
    pub fn freshness(mut self, freshness: Cis2Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Without asking for a role at CIS2: the application lets the user choose one of
    /// [`Cis2User::roles`](super::Cis2User::roles).
    pub fn without_role(mut self) -> Self {
        self.role = RolePrompt::None;
        self
    }

    /// To choose another role: `changedrole` in place of `selectedrole`, and the user
    /// authenticates now.
    pub fn change_role(mut self) -> Self {
        self.role = RolePrompt::Change;
        self.freshness = Cis2Freshness::PromptLogin;
        self
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let names: Vec<_> = self.acr_values.iter().map(|acr| acr.name()).collect();
        let mut parameters = vec![("scope", self.scope()), ("acr_values", names.join(" "))];
        parameters.push(match self.freshness {
            Cis2Freshness::MaxAge(age) => ("max_age", age.as_secs().to_string()),
            Cis2Freshness::PromptLogin => ("prompt", "login".to_owned()),
        });
        parameters
    }

    fn scope(&self) -> String {
        let role = match self.role {
            RolePrompt::Change => Some("changedrole"),
            RolePrompt::None => None,
            RolePrompt::Select => Some("selectedrole"),
        };
        let mut names = vec!["openid"];
        for name in self.scopes.iter().map(|scope| scope.name()).chain(role) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" ")
    }

    pub(super) fn asked(&self) -> Asked {
        let max_age_s = match self.freshness {
            Cis2Freshness::MaxAge(age) => i64::try_from(age.as_secs()).unwrap_or(i64::MAX / 4),
            Cis2Freshness::PromptLogin => 0,
        };
        let role = self.role != RolePrompt::None;
        Asked::Cis2 { acr_values: self.acr_values.clone(), max_age_s, role }
    }
}

impl Cis2Scope {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Profile,
        Self::Email,
        Self::NhsPerson,
        Self::NationalRbacAccess,
        Self::AssociatedOrgs,
        Self::ProfessionalMemberships,
        Self::OrganisationalMemberships,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssociatedOrgs => "associatedorgs",
            Self::Email => "email",
            Self::NationalRbacAccess => "nationalrbacaccess",
            Self::NhsPerson => "nhsperson",
            Self::OrganisationalMemberships => "organisationalmemberships",
            Self::ProfessionalMemberships => "professionalmemberships",
            Self::Profile => "profile",
        }
    }
}

impl fmt::Display for Cis2Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cis2Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name).ok_or_else(|| UnknownScope {
            name: name.chars().filter(|c| !c.is_control()).take(40).collect(),
            provider: "CIS2",
            known: Self::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(sign_in: &Cis2SignIn) -> String {
        let parameters = sign_in.parameters();
        let texts: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        texts.join("&")
    }

    #[test]
    fn the_usual_sign_in() {
        assert_eq!(
            parameters(&Cis2SignIn::new()),
            "scope=openid profile nationalrbacaccess selectedrole&acr_values=AAL3_ANY&prompt=login"
        );
    }

    #[test]
    fn another_role_is_chosen_with_a_fresh_authentication() {
        let sign_in = Cis2SignIn::new()
            .scopes([Cis2Scope::NationalRbacAccess])
            .freshness(Cis2Freshness::MaxAge(Duration::from_mins(5)));
        assert_eq!(
            parameters(&sign_in),
            "scope=openid nationalrbacaccess selectedrole&acr_values=AAL3_ANY&max_age=300"
        );
        assert_eq!(
            parameters(&sign_in.change_role()),
            "scope=openid nationalrbacaccess changedrole&acr_values=AAL3_ANY&prompt=login"
        );
    }

    #[test]
    fn scopes_have_names() {
        for scope in Cis2Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(*scope));
        }
        assert!("openid profile".parse::<Cis2Scope>().is_err());
    }
}
