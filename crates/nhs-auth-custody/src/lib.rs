//! Signers and stores for [`nhs_auth`] that bring heavy or native code. Each is a feature, and all
//! are off by default.
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `valkey` | `ValkeySessionStore`: sessions in Valkey or Redis, shared by all instances of a server |

#![forbid(unsafe_code)]

#[cfg(feature = "valkey")]
mod valkey;

#[cfg(feature = "valkey")]
pub use valkey::{InvalidValkeyServer, ValkeyServer, ValkeySessionStore};
