//! Signers and stores for [`nhs_auth`] that bring heavy or native code. Each is a feature, and all
//! are off by default.
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `azure-key-vault` | `AzureKeyVault`: keys in Azure Key Vault and Managed HSM (`azurekeyvault:`), and secrets |
//! | `gcp-kms` | `GcpKms`: keys in Google Cloud KMS (`gcpkms:`) |
//! | `pkcs11` | `Pkcs11`: keys in a hardware security module, by `pkcs11:` URIs |
//! | `pkcs12` | `private_key_from_pkcs12`: a private key out of a `.p12` or `.pfx` file |
//! | `valkey` | `ValkeySessionStore`: sessions in Valkey or Redis, shared by all instances of a server |

#![forbid(unsafe_code)]

#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod call;
#[cfg(feature = "gcp-kms")]
mod gcp_kms;
#[cfg(feature = "azure-key-vault")]
mod key_vault;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod rsa;
#[cfg(feature = "valkey")]
mod valkey;

#[cfg(feature = "gcp-kms")]
pub use gcp_kms::GcpKms;
#[cfg(feature = "azure-key-vault")]
pub use key_vault::AzureKeyVault;
#[cfg(feature = "pkcs11")]
pub use pkcs11::Pkcs11;
#[cfg(feature = "pkcs12")]
pub use pkcs12::{
    Pkcs12Error, is_pkcs12, private_key_from_pkcs12, private_key_from_pkcs12_by_alias,
};
#[cfg(feature = "valkey")]
pub use valkey::{InvalidValkeyServer, ValkeyServer, ValkeySessionStore};
