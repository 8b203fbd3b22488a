//! The platform in a box, asked over HTTP.
//!
//! Assertions are signed here with the crypto library itself, so that no client's mistake can
//! hide one of the platform's.

#![expect(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod agreement;
mod assertion;
mod authorization_code;
mod authorize;
mod backchannel_logout;
mod browser;
mod callback;
mod cis2;
mod cis2_clients;
mod client_rows;
mod clock;
mod combined;
mod configuration;
mod control;
mod control_identity;
mod cross_origin;
mod exchange;
mod faults;
mod gateway;
mod hosted_mocks;
mod http;
mod id_token;
mod inspector;
mod jwt;
mod key;
mod key_sets;
mod limits;
mod logs;
mod nhs_login;
mod nhs_login_clients;
mod provider;
mod provider_faults;
mod provider_keys;
mod refresh_token;
mod refusal;
mod relying_party;
mod rows;
mod sign_in_page;
mod site;
mod state_file;
mod token;
mod token_exchange;
mod token_exchange_rows;
mod trust;
mod userinfo;
mod world;
