//! Signers and stores for [`nhs_auth`] that bring heavy or native code. Each is a feature, and all
//! are off by default.
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `azure-key-vault` | `AzureKeyVault`: keys in Azure Key Vault and Managed HSM (`azurekeyvault:`), and secrets |
//! | `gcp-kms` | `GcpKms`: keys in Google Cloud KMS (`gcpkms:`) |
//! | `valkey` | `ValkeySessionStore`: sessions in Valkey or Redis, shared by all instances of a server |

#![forbid(unsafe_code)]

#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod call;
#[cfg(feature = "gcp-kms")]
mod gcp_kms;
#[cfg(feature = "azure-key-vault")]
mod key_vault;
#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod rsa;
#[cfg(feature = "valkey")]
mod valkey;

#[cfg(feature = "gcp-kms")]
pub use gcp_kms::GcpKms;
#[cfg(feature = "azure-key-vault")]
pub use key_vault::AzureKeyVault;
#[cfg(feature = "valkey")]
pub use valkey::{InvalidValkeyServer, ValkeyServer, ValkeySessionStore};
