//! Keys of every kind that a build knows, by the scheme of their URIs.

use std::sync::{Arc, OnceLock};

use nhs_auth::{CreatedKey, Custody, CustodyError, CustodyFuture, KeyUri, Kid, Signer};
use secrecy::SecretString;

/// Opens keys by whichever of this crate's kinds their URI is of, as far as the build has them:
/// `pkcs11:`, `awskms:`, `azurekeyvault:` and `gcpkms:`. Each asks with the identity that its
/// environment gives it, and is set up when it is first needed.
#[derive(Clone, Debug, Default)]
pub struct EveryCustody(Arc<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    #[cfg_attr(not(feature = "pkcs11"), expect(dead_code, reason = "only modules want a PIN"))]
    pin: Option<SecretString>,
    #[cfg(feature = "pkcs11")]
    pkcs11: OnceLock<crate::Pkcs11>,
    #[cfg(feature = "aws-kms")]
    aws_kms: OnceLock<crate::AwsKms>,
    #[cfg(feature = "azure-key-vault")]
    azure_key_vault: OnceLock<crate::AzureKeyVault>,
    #[cfg(feature = "gcp-kms")]
    gcp_kms: OnceLock<crate::GcpKms>,
}

impl EveryCustody {
    /// With no PIN: `pkcs11:` URIs say where theirs is.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a PIN for `pkcs11:` URIs that don't say where theirs is.
    pub fn with_pin(pin: SecretString) -> Self {
        Self(Arc::new(Kinds { pin: Some(pin), ..Kinds::default() }))
    }

    fn of(&self, uri: &KeyUri) -> Result<&dyn Custody, CustodyError> {
        let kinds = &*self.0;
        match uri.scheme().as_str() {
            #[cfg(feature = "pkcs11")]
            "pkcs11" => Ok(kinds.pkcs11.get_or_init(|| match &kinds.pin {
                Some(pin) => crate::Pkcs11::new().with_pin(pin.clone()),
                None => crate::Pkcs11::new(),
            })),
            #[cfg(feature = "aws-kms")]
            "awskms" => Ok(kinds.aws_kms.get_or_init(crate::AwsKms::new)),
            #[cfg(feature = "azure-key-vault")]
            "azurekeyvault" => {
                Ok(kinds.azure_key_vault.get_or_init(crate::AzureKeyVault::from_environment))
            }
            #[cfg(feature = "gcp-kms")]
            "gcpkms" => Ok(kinds.gcp_kms.get_or_init(crate::GcpKms::from_environment)),
            _ => Err(CustodyError::unsupported(uri)),
        }
    }
}

impl Custody for EveryCustody {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move { self.of(uri)?.open(uri).await })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move { self.of(place)?.create(place, kid).await })
    }
}
