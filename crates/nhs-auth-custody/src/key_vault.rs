//! Keys and secrets in Azure Key Vault.

mod credential;
mod fault;
mod signer;
mod transport;
mod uri;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::credentials::TokenCredential;
use azure_core::http::ClientOptions;
use azure_security_keyvault_keys::models::{
    CreateKeyParameters, Key, KeyAttributes, KeyClientGetKeyOptions, KeyOperation, KeyType,
};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};
use azure_security_keyvault_secrets::models::SecretClientGetSecretOptions;
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use nhs_auth::{
    CreatedKey, Custody, CustodyError, CustodyErrorKind, CustodyFuture, KeyUri, Kid, Signer,
};
use secrecy::SecretString;

use self::credential::{EnvironmentCredential, NoCredential};
use self::signer::VaultSigner;
use self::uri::{Item, Vault, VaultKind};
use crate::call::{Calls, Fault};

/// The scheme of its URIs.
const SCHEME: &str = "azurekeyvault";

/// Keys in Azure Key Vault and in Managed HSM, by `azurekeyvault:` URIs.
///
/// ```no_run
/// use nhs_auth::{Custody, KeyUri};
/// use nhs_auth_custody::AzureKeyVault;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let uri = KeyUri::parse("azurekeyvault://my-vault.vault.azure.net/keys/int-1")?;
/// let signer = AzureKeyVault::from_environment().open(&uri).await?;
/// # Ok(())
/// # }
/// ```
///
/// A URI is `azurekeyvault://VAULT.vault.azure.net/keys/NAME`, with `/VERSION` behind it or not;
/// `azurekeyvault:https://…` is the same. The host is one of Azure's (`.vault.azure.net`,
/// `.managedhsm.azure.net`, and those of China and of the US government), or on this machine for
/// tests: a token is sent there, so every other is refused. Where the host is on this machine and
/// spoken to by `http:`, no real token is sent, unless [a credential was given](Self::with_credential).
///
/// - **A signer keeps its version.** Without one in the URI it is the newest when the key is
///   opened, and a rotation in the vault changes nothing before the key is opened again.
/// - **Making a key is two steps**, since a vault answers the making of a key that is there with a
///   new version of it: first it is asked whether there is one, and then to make it. Two who make
///   a key of the same name at the same time can both succeed, with two versions.
/// - **What it may**: `keys/get` and `keys/sign` (the role *Key Vault Crypto User*), and
///   `keys/create` for new keys (*Key Vault Crypto Officer*). A secret needs `secrets/get`.
/// - **How long it takes**: 10 seconds a call, 3 tries where that helps, 25 seconds in all.
pub struct AzureKeyVault {
    /// None for the environment's.
    given: Option<Arc<dyn TokenCredential>>,
    environment: Arc<EnvironmentCredential>,
    /// One for each vault, since each keeps the token that it got.
    clients: Mutex<HashMap<Vault, Arc<KeyClient>>>,
}

impl AzureKeyVault {
    /// Asks as whom the environment says, by the variables that Azure's SDKs read: an application
    /// with a client secret (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`), or a
    /// workload identity (`AZURE_FEDERATED_TOKEN_FILE` in place of the secret). Without those it is
    /// the machine's managed identity (that of `AZURE_CLIENT_ID`, if set), and at last whoever has
    /// signed in with `az login`. `AZURE_AUTHORITY_HOST` names another Entra ID.
    ///
    /// They are read when the first token is needed.
    pub fn from_environment() -> Self {
        Self::with(None)
    }

    /// Asks as this credential says.
    pub fn with_credential(credential: Arc<dyn TokenCredential>) -> Self {
        Self::with(Some(credential))
    }

    fn with(given: Option<Arc<dyn TokenCredential>>) -> Self {
        Self { given, environment: Arc::default(), clients: Mutex::default() }
    }

    /// Reads a secret: `azurekeyvault://VAULT.vault.azure.net/secrets/NAME`, with `/VERSION` behind
    /// it or not.
    ///
    /// # Errors
    ///
    /// [`CustodyError`] when there is none, or this program may not have it.
    pub async fn read_secret(&self, uri: &KeyUri) -> Result<SecretString, CustodyError> {
        check_scheme(uri)?;
        let item = Item::secret(uri)?;
        let value = self.secret_of(&item).await.map_err(|fault| fault.about(uri))?;
        value.map(SecretString::from).ok_or_else(|| Fault::failed("it has no value").about(uri))
    }

    async fn secret_of(&self, item: &Item) -> Result<Option<String>, Fault> {
        let client = self.secret_client(&item.vault)?;
        let calls = Calls::begin();
        let secret = calls.repeatable(|| async {
            let options = SecretClientGetSecretOptions {
                secret_version: item.version.clone(),
                ..SecretClientGetSecretOptions::default()
            };
            let answer = client.get_secret(&item.name, Some(options)).await?;
            Ok(answer.into_model()?)
        });
        Ok(secret.await?.value)
    }

    async fn open_item(&self, item: &Item) -> Result<VaultSigner, Fault> {
        let client = self.key_client(&item.vault)?;
        let key = get(&Calls::begin(), &client, item).await?;
        VaultSigner::of(item, client, &key)
    }

    async fn create_item(&self, item: &Item) -> Result<VaultSigner, Fault> {
        let client = self.key_client(&item.vault)?;
        let calls = Calls::begin();
        match get(&calls, &client, item).await {
            Ok(_) => return Err(Fault::new(CustodyErrorKind::AlreadyThere, "")),
            Err(fault) if fault.kind == CustodyErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
        let parameters = new_key(item.vault.kind());
        let key = calls.once(|| async {
            let content = parameters.clone().try_into()?;
            Ok(client.create_key(&item.name, content, None).await?.into_model()?)
        });
        VaultSigner::of(item, Arc::clone(&client), &key.await?)
    }

    fn key_client(&self, vault: &Vault) -> Result<Arc<KeyClient>, Fault> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(vault) {
            return Ok(Arc::clone(client));
        }
        let options = KeyClientOptions {
            client_options: options_for(vault)?,
            verify_challenge_resource: Some(vault.kind() != VaultKind::Loopback),
            ..KeyClientOptions::default()
        };
        let client = KeyClient::new(&endpoint(vault), self.credential_for(vault), Some(options))?;
        let client = Arc::new(client);
        clients.insert(vault.clone(), Arc::clone(&client));
        Ok(client)
    }

    fn secret_client(&self, vault: &Vault) -> Result<SecretClient, Fault> {
        let options = SecretClientOptions {
            client_options: options_for(vault)?,
            verify_challenge_resource: Some(vault.kind() != VaultKind::Loopback),
            ..SecretClientOptions::default()
        };
        Ok(SecretClient::new(&endpoint(vault), self.credential_for(vault), Some(options))?)
    }

    fn credential_for(&self, vault: &Vault) -> Arc<dyn TokenCredential> {
        match &self.given {
            Some(given) => Arc::clone(given),
            None if vault.is_plain() => Arc::new(NoCredential),
            None => Arc::clone(&self.environment) as _,
        }
    }
}

impl Custody for AzureKeyVault {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move {
            check_scheme(uri)?;
            let item = Item::key(uri)?;
            let signer = self.open_item(&item).await.map_err(|fault| fault.about(uri))?;
            Ok(Arc::new(signer) as Arc<dyn Signer>)
        })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move {
            check_scheme(place)?;
            let item = Item::new_key(place, kid)?;
            let signer = self.create_item(&item).await.map_err(|fault| fault.about(place))?;
            Ok(CreatedKey { uri: signer.uri.clone(), signer: Arc::new(signer) })
        })
    }
}

impl fmt::Debug for AzureKeyVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureKeyVault").finish_non_exhaustive()
    }
}

fn check_scheme(uri: &KeyUri) -> Result<(), CustodyError> {
    if uri.scheme() == SCHEME { Ok(()) } else { Err(CustodyError::unsupported(uri)) }
}

async fn get(calls: &Calls, client: &KeyClient, item: &Item) -> Result<Key, Fault> {
    let key = calls.repeatable(|| async {
        let options = KeyClientGetKeyOptions {
            key_version: item.version.clone(),
            ..KeyClientGetKeyOptions::default()
        };
        Ok(client.get_key(&item.name, Some(options)).await?.into_model()?)
    });
    key.await
}

/// To sign, to verify, and nothing else; and never to be exported.
fn new_key(vault: VaultKind) -> CreateKeyParameters {
    let attributes = KeyAttributes { exportable: Some(false), ..KeyAttributes::default() };
    CreateKeyParameters {
        kty: Some(match vault {
            VaultKind::ManagedHsm => KeyType::RsaHsm,
            VaultKind::Vault | VaultKind::Loopback => KeyType::Rsa,
        }),
        key_size: Some(4096),
        key_ops: Some(vec![KeyOperation::Sign, KeyOperation::Verify]),
        key_attributes: Some(attributes),
        ..CreateKeyParameters::default()
    }
}

fn options_for(vault: &Vault) -> Result<ClientOptions, Fault> {
    Ok(if vault.is_plain() { transport::plain_loopback()? } else { transport::network()? })
}

/// Always `https`, since the SDK insists on it.
fn endpoint(vault: &Vault) -> String {
    vault.origin().as_str().replacen("http:", "https:", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_managed_hsm_makes_keys_of_its_own_type() {
        let kind = |vault| new_key(vault).kty.unwrap().as_ref().to_owned();
        assert_eq!(kind(VaultKind::ManagedHsm), "RSA-HSM");
        assert_eq!(kind(VaultKind::Vault), "RSA");
    }
}
