//! What a sign-in at NHS login asks for (its interface specification, §3.4).

use std::fmt;
use std::str::FromStr;

use super::vector::VectorOfTrust;
use crate::relying_party::asked::Asked;
use crate::relying_party::cis2::UnknownScope;

/// What NHS login tells of who the user is. Its two scopes exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Demographics {
    /// Birthdate, family name and level of proofing (`basic_demographics`).
    Basic,
    /// Nothing, not even the level: the platform can't exchange such an ID token (rule S15).
    None,
    /// The same as [`Demographics::Basic`], and the NHS number (`profile`).
    Profile,
}

/// A scope of NHS login, beside `openid` and that of the demographics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NhsLoginScope {
    /// What the client has noted of the user.
    ClientMetadata,
    /// The email address.
    Email,
    /// What an IM1 client needs of the GP's system.
    GpIntegrationCredentials,
    /// The GP's ODS code.
    GpRegistrationDetails,
    /// The number of a landline.
    Landline,
    /// The phone number.
    Phone,
    /// The given name.
    ProfileExtended,
}

/// Whether the user is asked, who may be signed in already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NhsLoginPrompt {
    /// Each time. That it was so can be checked where the ID token has an `auth_time`, which NHS
    /// login doesn't promise.
    Login,
    /// Never: without a sign-in that is there, the answer is `sso_login_required`.
    None,
    /// When it is needed.
    WhenNeeded,
}

/// A sign-in to be begun at NHS login.
///
/// Unless told otherwise: proven by a document, with two factors ([`VectorOfTrust::HIGH`]), the
/// scope `openid profile`, and the user is asked when it is needed. There is no `max_age` and no
/// `acr_values`, which NHS login would pass over:
///
/// ```compile_fail
/// use nhs_auth::{Acr, NhsLoginSignIn};
///
/// NhsLoginSignIn::new().acr_values([Acr::Aal3Any]);
/// ```
#[derive(Clone, Debug)]
pub struct NhsLoginSignIn {
    vectors: Vec<VectorOfTrust>,
    demographics: Demographics,
    scopes: Vec<NhsLoginScope>,
    prompt: NhsLoginPrompt,
    allow_registration: bool,
}

impl Default for NhsLoginSignIn {
    fn default() -> Self {
        Self {
            vectors: VectorOfTrust::HIGH.to_vec(),
            demographics: Demographics::Profile,
            scopes: Vec::new(),
            prompt: NhsLoginPrompt::WhenNeeded,
            allow_registration: true,
        }
    }
}

impl NhsLoginSignIn {
    /// The usual sign-in.
    pub fn new() -> Self {
        Self::default()
    }

    /// With any of these vectors. Ask for the lowest level of proofing that will do. The ID token
    /// is checked to say one of them. An empty list changes nothing.
    pub fn vectors(mut self, vectors: impl IntoIterator<Item = VectorOfTrust>) -> Self {
        let vectors: Vec<_> = vectors.into_iter().collect();
        if !vectors.is_empty() {
            self.vectors = vectors;
        }
        self
    }

    /// What is told of who the user is.
    pub fn demographics(mut self, demographics: Demographics) -> Self {
        self.demographics = demographics;
        self
    }

    /// With these scopes, and no other than `openid` and that of the demographics.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = NhsLoginScope>) -> Self {
        self.scopes = scopes.into_iter().collect();
        self
    }

    /// Whether the user is asked, who may be signed in already.
    pub fn prompt(mut self, prompt: NhsLoginPrompt) -> Self {
        self.prompt = prompt;
        self
    }

    /// Without the way to make a new account.
    pub fn without_registration(mut self) -> Self {
        self.allow_registration = false;
        self
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let vectors: Vec<_> = self.vectors.iter().map(ToString::to_string).collect();
        let vtr = serde_json::to_string(&vectors).expect("strings can always be written");
        let mut parameters = vec![("scope", self.scope()), ("vtr", vtr)];
        match self.prompt {
            NhsLoginPrompt::Login => parameters.push(("prompt", "login".to_owned())),
            NhsLoginPrompt::None => parameters.push(("prompt", "none".to_owned())),
            NhsLoginPrompt::WhenNeeded => {}
        }
        if !self.allow_registration {
            parameters.push(("allow_registration", "false".to_owned()));
        }
        parameters
    }

    fn scope(&self) -> String {
        let demographics = match self.demographics {
            Demographics::Basic => Some("basic_demographics"),
            Demographics::None => None,
            Demographics::Profile => Some("profile"),
        };
        let mut names = vec!["openid"];
        for name in demographics.into_iter().chain(self.scopes.iter().map(|scope| scope.name())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" ")
    }

    pub(super) fn asked(&self) -> Asked {
        let level = self.demographics != Demographics::None;
        let prompt_login = self.prompt == NhsLoginPrompt::Login;
        Asked::NhsLogin { vectors: self.vectors.clone(), level, prompt_login }
    }
}

impl NhsLoginScope {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::ProfileExtended,
        Self::Email,
        Self::Phone,
        Self::Landline,
        Self::GpRegistrationDetails,
        Self::GpIntegrationCredentials,
        Self::ClientMetadata,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientMetadata => "client_metadata",
            Self::Email => "email",
            Self::GpIntegrationCredentials => "gp_integration_credentials",
            Self::GpRegistrationDetails => "gp_registration_details",
            Self::Landline => "landline",
            Self::Phone => "phone",
            Self::ProfileExtended => "profile_extended",
        }
    }
}

impl fmt::Display for NhsLoginScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NhsLoginScope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name).ok_or_else(|| UnknownScope {
            name: name.chars().filter(|c| !c.is_control()).take(40).collect(),
            provider: "NHS login",
            known: ["profile", "basic_demographics"]
                .into_iter()
                .chain(Self::ALL.iter().map(|it| it.name()))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_are_always_said() {
        let parameters = NhsLoginSignIn::new().parameters();
        let vtr = r#"["P9.Cp.Cd","P9.Cp.Ck","P9.Cm"]"#;
        assert_eq!(parameters, [("scope", "openid profile".to_owned()), ("vtr", vtr.to_owned())]);
    }

    #[test]
    fn profile_and_basic_demographics_exclude_each_other() {
        let sign_in = NhsLoginSignIn::new()
            .demographics(Demographics::Basic)
            .scopes([NhsLoginScope::Email, NhsLoginScope::Email])
            .vectors(["P5.Cp.Cd".parse().unwrap()])
            .prompt(NhsLoginPrompt::Login)
            .without_registration();
        let texts: Vec<_> = sign_in
            .parameters()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            texts,
            [
                "scope=openid basic_demographics email",
                r#"vtr=["P5.Cp.Cd"]"#,
                "prompt=login",
                "allow_registration=false"
            ]
        );
    }
}
