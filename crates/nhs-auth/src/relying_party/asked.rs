//! What a sign-in was begun with, and what its end is held against.

use serde::{Deserialize, Serialize};

use super::cis2::Acr;
use super::nhs_login::VectorOfTrust;

/// What the user was asked to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Asked {
    Cis2 {
        acr_values: Vec<Acr>,
        /// How long before the sign-in was begun the user may have authenticated, in seconds.
        max_age_s: i64,
        /// Whether CIS2 was to ask for a role.
        role: bool,
    },
    NhsLogin {
        vectors: Vec<VectorOfTrust>,
        /// Whether a scope was asked for that brings the level of proofing.
        level: bool,
        /// Whether the user was to authenticate now.
        prompt_login: bool,
    },
}
