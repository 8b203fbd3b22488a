//! The stores and signers from outside, on servers of their own.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests have a clock and an environment of their own"
)]

mod aws_environment;
mod aws_kms;
mod aws_secrets;
mod azurite;
#[path = "../../../nhs-auth/tests/it/box_browser.rs"]
mod box_browser;
mod every_object_store;
mod every_signer;
mod every_store;
mod faults;
mod faulty_way;
mod fleet;
mod gcp_kms;
mod gcs;
mod installed;
mod jwks_file;
mod key_vault;
mod keys;
mod local;
mod moto;
mod names;
mod object_stores;
mod pkcs11;
mod pkcs11_uris;
mod pkcs12;
mod proxy;
mod server;
mod sessions;
mod softhsm;
mod tls;
mod tokens;
mod valkey;
