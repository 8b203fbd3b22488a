//! The stores and signers from outside, on servers of their own.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

#[path = "../../../nhs-auth/tests/it/box_browser.rs"]
mod box_browser;
mod every_signer;
mod every_store;
mod faults;
mod gcp_kms;
mod installed;
mod key_vault;
mod keys;
mod local;
mod pkcs11;
mod pkcs11_uris;
mod pkcs12;
mod proxy;
mod server;
mod sessions;
mod softhsm;
mod tls;
mod valkey;
