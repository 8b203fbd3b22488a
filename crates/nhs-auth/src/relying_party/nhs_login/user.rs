//! A patient who has signed in.

use std::fmt;

use serde_json::{Map, Value};

use super::vector::{IdentityProofingLevel, VectorOfTrust};
use crate::relying_party::party::Proven;

/// A patient, as NHS login's ID token and user info tell of them. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct NhsLoginUser {
    subject: String,
    id_token: Map<String, Value>,
    user_info: Map<String, Value>,
}

impl NhsLoginUser {
    pub(super) fn new(proven: &Proven) -> Self {
        Self {
            subject: proven.id_token.subject().to_owned(),
            id_token: proven.id_token.claims().clone(),
            user_info: proven.user_info.clone().unwrap_or_default(),
        }
    }

    /// `sub`: the user, at NHS login.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `vot`: how the user signed in this time.
    pub fn vector(&self) -> Option<VectorOfTrust> {
        self.text("vot")?.parse().ok()
    }

    /// `identity_proofing_level`: how well the user's identity is proven, however they signed in.
    pub fn proofing_level(&self) -> Option<IdentityProofingLevel> {
        self.text("identity_proofing_level")?.parse().ok()
    }

    /// `nhs_number`, ten digits, which comes with the scope `profile` for those whose identity is
    /// proven.
    pub fn nhs_number(&self) -> Option<&str> {
        self.text("nhs_number")
    }

    /// `family_name`.
    pub fn family_name(&self) -> Option<&str> {
        self.text("family_name")
    }

    /// `birthdate`, as `YYYY-MM-DD`.
    pub fn birthdate(&self) -> Option<&str> {
        self.text("birthdate")
    }

    /// `email`.
    pub fn email(&self) -> Option<&str> {
        self.text("email")
    }

    /// Every claim of the user info, which is not signed.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.user_info
    }

    /// Of the ID token, which is signed, before the user info.
    fn text(&self, name: &str) -> Option<&str> {
        self.id_token.get(name).or_else(|| self.user_info.get(name))?.as_str()
    }
}

impl fmt::Debug for NhsLoginUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NhsLoginUser").finish_non_exhaustive()
    }
}
