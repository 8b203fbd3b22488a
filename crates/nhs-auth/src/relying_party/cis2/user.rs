//! A healthcare worker who has signed in.

use std::fmt;

use serde_json::{Map, Value};

use super::role::{self, NoSuchRole, Organisation, Role, RoleChoice, SelectedRole};
use crate::relying_party::asked::Asked;
use crate::relying_party::party::Proven;

/// A healthcare worker, as CIS2's ID token and user info tell of them. `Debug` shows no name.
#[derive(Clone)]
pub struct Cis2User {
    subject: String,
    claims: Map<String, Value>,
    roles: Vec<Role>,
    organisations: Vec<Organisation>,
    selected: SelectedRole,
    role_was_asked_for: bool,
}

impl Cis2User {
    pub(super) fn new(proven: &Proven) -> Self {
        let claims = proven.user_info.clone().unwrap_or_default();
        let roles = role::roles_in(&claims);
        Self {
            subject: proven.id_token.subject().to_owned(),
            selected: role::selected(proven.id_token.claims(), &claims, &roles),
            organisations: role::organisations(&claims),
            role_was_asked_for: matches!(proven.asked, Asked::Cis2 { role: true, .. }),
            roles,
            claims,
        }
    }

    /// `sub`: the user, at CIS2.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `name`, which comes with the scope `profile`.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// `nhsid_useruid`, which comes with the scopes `nhsperson` and `nationalrbacaccess`.
    pub fn useruid(&self) -> Option<&str> {
        self.text("nhsid_useruid")
    }

    /// Every role of the user; they come with the scope `nationalrbacaccess`.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The organisations of the user; they come with the scope `associatedorgs`.
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// What CIS2 says of the role that was chosen there.
    pub fn selected_role(&self) -> &SelectedRole {
        &self.selected
    }

    /// Whether CIS2 was asked to let the user choose a role.
    pub fn role_was_asked_for(&self) -> bool {
        self.role_was_asked_for
    }

    /// What is left to choose: nothing when a role was chosen at CIS2, or when there is one alone.
    pub fn role_choice(&self) -> RoleChoice {
        role::choice(&self.selected, &self.roles)
    }

    /// The role of that `person_roleid`, which the user has chosen in the application.
    ///
    /// # Errors
    ///
    /// [`NoSuchRole`] when it isn't one of the user's.
    pub fn role(&self, person_roleid: &str) -> Result<&Role, NoSuchRole> {
        self.roles.iter().find(|role| role.person_roleid == person_roleid).ok_or(NoSuchRole)
    }

    /// Every claim of the user info.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

impl fmt::Debug for Cis2User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cis2User")
            .field("subject", &self.subject)
            .field("roles", &self.roles.len())
            .finish_non_exhaustive()
    }
}
