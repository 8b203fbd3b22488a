//! The rulebook: what NHS England's API platform checks, in which order, and what it answers.
//!
//! This crate is pure. It does no input or output, reads no clock, draws no random number and
//! brings no crypto: whoever judges hands the evidence in, signature checks included (through
//! [`SignatureVerifier`]). That is what lets three readers share it: the client follows the rules,
//! the mock enforces them, and the diagnosis explains them.
//!
//! A judgement goes one way: bytes → [`Evidence`] → [`Rule`]s in the platform's order → an
//! [`Answer`]. The platform stops at the first failure ([`Inquiry`]); a diagnosis wants them all
//! ([`findings`]). Both read the same rows.
//!
//! ```
//! use nhs_auth_rules::{Evidence, Inquiry, Jwt, Step, UnixMillis, assertion};
//!
//! let jwt = Jwt::decode("bm90IGpzb24.e30.");
//! let evidence = Evidence { assertion: Some(&jwt), now: Some(UnixMillis(0)), ..Evidence::default() };
//! let malformed = assertion::RULES.iter().find(|rule| rule.id.as_str() == "A3").unwrap();
//! assert!(malformed.check(&evidence).is_fail());
//! assert_eq!(malformed.answer.error_description, "Malformed JWT in client_assertion");
//! ```
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

pub mod assertion;
pub mod authorization_code;
pub mod authorize;
pub mod callback;
mod client;
pub mod diagnosis;
pub mod environment;
mod evidence;
mod form;
pub mod gateway;
mod id_token;
mod identifier;
mod identity_provider;
mod inquiry;
mod issuer;
pub mod javascript;
pub mod json;
mod judged_jwt;
mod jwk;
mod jwt;
pub mod limits;
pub mod logout_token;
mod parameter;
mod provider_environment;
mod quotable;
pub mod refresh_token;
pub mod request;
pub mod rotation;
mod rule;
mod rulebook;
mod signature;
mod signing_algorithm;
mod span;
#[cfg(test)]
mod staged;
pub mod subject_token;
mod time;
pub mod userinfo;

pub use environment::Environment;
pub use evidence::{
    ApplicationRecord, CodeRecord, Evidence, JtiHistory, KeySetRecord, Quota, RefreshTokenRecord,
    SecretRecord, SessionRecord, SignInRecord,
};
pub use form::{CLIENT_ASSERTION_TYPE, Form, GrantType, ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT};
pub use identifier::{
    ApiKey, ApplicationId, Cis2ClientId, IdentifierError, Kid, NhsLoginClientId, Oddity,
};
pub use identity_provider::{IdentityProvider, assurance_level, user_scopes};
pub use inquiry::{Finding, Inquiry, Step, findings};
pub use jwk::{Jwk, Jwks, JwksShape};
pub use jwt::{Damage, Jwt, Part};
pub use provider_environment::{Distrust, ProviderEnvironment, hosted_mock_path, trusted_issuer};
pub use rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
pub use rulebook::{all, answered_with, explain};
pub use signature::{SignatureAlgorithm, SignatureVerifier};
pub use signing_algorithm::SigningAlgorithm;
pub use span::Span;
pub use time::{UnixMillis, UnixSeconds};
