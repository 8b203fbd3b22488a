//! Signers and stores for [`nhs_auth`] that bring heavy or native code. Each is a feature, and all
//! are off by default.
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `aws-kms` | `AwsKms`: keys that AWS KMS keeps, by `awskms:` URIs |
//! | `aws-secrets-manager` | `AwsSecrets`: passphrases and other secrets out of AWS Secrets Manager, by `awssecret:` references |
//! | `azure-key-vault` | `AzureKeyVault`: keys in Azure Key Vault and Managed HSM (`azurekeyvault:`), and secrets |
//! | `gcp-kms` | `GcpKms`: keys in Google Cloud KMS (`gcpkms:`) |
//! | `jwks-file` | `JwksFile`: the public key set as a file that a web server serves |
//! | `object-store` | `JwksObject`: the public key set as an object in S3, Azure Blob Storage or Google Cloud Storage; `ObjectKeyRingStore`: a key ring there |
//! | `pkcs11` | `Pkcs11`: keys in a hardware security module, by `pkcs11:` URIs |
//! | `pkcs12` | `private_key_from_pkcs12`: a private key out of a `.p12` or `.pfx` file |
//! | `valkey` | `ValkeySessionStore`: sessions in Valkey or Redis, shared by all instances of a server; `ValkeyTokenStore`: one token there for a whole fleet |
//!
//! `EveryCustody` opens a key by whichever kind its URI is of, as far as the build has them.

#![forbid(unsafe_code)]

#[cfg(any(feature = "aws-kms", feature = "aws-secrets-manager"))]
mod aws;
#[cfg(feature = "aws-kms")]
mod aws_kms;
#[cfg(feature = "aws-secrets-manager")]
mod aws_secrets;
#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod call;
#[cfg(any(
    feature = "aws-kms",
    feature = "azure-key-vault",
    feature = "gcp-kms",
    feature = "pkcs11"
))]
mod every;
#[cfg(feature = "gcp-kms")]
mod gcp_kms;
#[cfg(feature = "jwks-file")]
mod jwks_file;
#[cfg(feature = "object-store")]
mod jwks_object;
#[cfg(feature = "azure-key-vault")]
mod key_vault;
#[cfg(any(feature = "aws-kms", feature = "aws-secrets-manager", feature = "object-store"))]
mod loopback;
#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(feature = "jwks-file")]
mod publication;
#[cfg(any(feature = "azure-key-vault", feature = "gcp-kms"))]
mod rsa;
#[cfg(any(
    feature = "aws",
    feature = "azure-key-vault",
    feature = "gcp-kms",
    feature = "object-store"
))]
mod said;
#[cfg(feature = "valkey")]
mod valkey;

#[cfg(any(feature = "aws-kms", feature = "aws-secrets-manager"))]
pub use aws::AwsAccessKey;
#[cfg(feature = "aws-kms")]
pub use aws_kms::AwsKms;
#[cfg(feature = "aws-secrets-manager")]
pub use aws_secrets::{AwsSecretError, AwsSecretRef, AwsSecrets, InvalidAwsSecretRef};
#[cfg(any(
    feature = "aws-kms",
    feature = "azure-key-vault",
    feature = "gcp-kms",
    feature = "pkcs11"
))]
pub use every::EveryCustody;
#[cfg(feature = "gcp-kms")]
pub use gcp_kms::GcpKms;
#[cfg(feature = "jwks-file")]
pub use jwks_file::JwksFile;
#[cfg(feature = "object-store")]
pub use jwks_object::JwksObject;
#[cfg(feature = "azure-key-vault")]
pub use key_vault::AzureKeyVault;
#[cfg(feature = "object-store")]
pub use objects::{
    CloudSettings, InvalidCloudSettings, InvalidObjectLocation, ObjectKeyRingStore, ObjectLocation,
};
#[cfg(feature = "pkcs11")]
pub use pkcs11::Pkcs11;
#[cfg(feature = "pkcs12")]
pub use pkcs12::{
    Pkcs12Error, is_pkcs12, private_key_from_pkcs12, private_key_from_pkcs12_by_alias,
};
#[cfg(feature = "jwks-file")]
pub use publication::{PublishError, Published};
#[cfg(feature = "valkey")]
pub use valkey::{InvalidValkeyServer, ValkeyServer, ValkeySessionStore, ValkeyTokenStore};
