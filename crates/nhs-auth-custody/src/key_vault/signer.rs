//! A version of a key in a vault, which signs.

use std::fmt;
use std::sync::Arc;

use azure_security_keyvault_keys::KeyClient;
use azure_security_keyvault_keys::models::{
    Key, KeyClientSignOptions, KeyOperation, KeyType, SignParameters, SignatureAlgorithm,
};
use nhs_auth::{
    CustodyErrorKind, KeyUri, PublicKey, SignError, SignFuture, Signature, Signer, SigningAlgorithm,
};

use super::uri::Item;
use crate::call::{Calls, Fault};
use crate::rsa;
use crate::said::said;

/// What stays the same for as long as there is a signer: the version above all, which a vault
/// would otherwise take to be the newest.
pub(super) struct VaultSigner {
    pub(super) uri: KeyUri,
    client: Arc<KeyClient>,
    name: String,
    version: String,
    public_key: PublicKey,
}

impl VaultSigner {
    /// A signer of the key that a vault described, if it is one to sign with.
    pub(super) fn of(item: &Item, client: Arc<KeyClient>, key: &Key) -> Result<Self, Fault> {
        let version = version_of(key, item)?;
        check_use(key)?;
        let public_key = public_key_of(key)?;
        rsa::check_size(&public_key)?;
        let (uri, name) = (item.key_uri(&version), item.name.clone());
        Ok(Self { uri, client, name, version, public_key })
    }

    async fn ask(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Signature, Fault> {
        let parameters = SignParameters {
            algorithm: Some(match algorithm {
                SigningAlgorithm::Rs256 => SignatureAlgorithm::Rs256,
                SigningAlgorithm::Rs512 => SignatureAlgorithm::Rs512,
            }),
            value: Some(rsa::hash(algorithm, message).as_ref().to_vec()),
        };
        let calls = Calls::begin();
        let answer = calls.repeatable(|| async {
            let options = KeyClientSignOptions {
                key_version: Some(self.version.clone()),
                ..KeyClientSignOptions::default()
            };
            let content = parameters.clone().try_into()?;
            let answer = self.client.sign(&self.name, content, Some(options)).await?;
            Ok(answer.into_model()?)
        });
        let signature = answer.await?.result.unwrap_or_default();
        rsa::checked(&self.public_key, algorithm, message, signature)
    }
}

impl Signer for VaultSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move {
            let signed = self.ask(algorithm, message).await;
            signed.map_err(|fault| SignError::Custody(fault.about(&self.uri)))
        })
    }
}

impl fmt::Debug for VaultSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSigner")
            .field("uri", &self.uri)
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// The version that a vault described: the last part of the key's own URL.
fn version_of(key: &Key, item: &Item) -> Result<String, Fault> {
    let kid = key.key.as_ref().and_then(|key| key.kid.as_deref()).unwrap_or_default();
    let version = kid.rsplit_once("/keys/").and_then(|(_, path)| path.split_once('/'));
    let version = version.filter(|(name, version)| {
        let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        name.eq_ignore_ascii_case(&item.name) && !version.is_empty() && is_name(version)
    });
    let Some((_, version)) = version else {
        return Err(Fault::failed("the answer has no key of this name"));
    };
    match &item.version {
        Some(asked) if asked != version => Err(Fault::failed("the answer has another version")),
        _ => Ok(version.to_owned()),
    }
}

fn check_use(key: &Key) -> Result<(), Fault> {
    let is_enabled = key.attributes.as_ref().and_then(|attributes| attributes.enabled);
    if is_enabled == Some(false) {
        return Err(Fault::unsuitable("it is disabled"));
    }
    let operations = key.key.as_ref().and_then(|key| key.key_ops.as_deref());
    let sign = KeyOperation::Sign;
    match operations {
        Some(operations) if !operations.iter().any(|operation| operation == sign.as_ref()) => {
            let may = said(&operations.join(", "));
            Err(Fault::unsuitable(format!("its operations have no `sign`: {may}")))
        }
        _ => Ok(()),
    }
}

fn public_key_of(key: &Key) -> Result<PublicKey, Fault> {
    let Some(key) = &key.key else { return Err(Fault::failed("the answer has no key")) };
    if !matches!(key.kty, Some(KeyType::Rsa | KeyType::RsaHsm)) {
        let kind = key.kty.as_ref().map_or("unknown", KeyType::as_ref);
        return Err(Fault::unsuitable(format!("its type is {}", said(kind))));
    }
    let (n, e) = (key.n.as_deref().unwrap_or_default(), key.e.as_deref().unwrap_or_default());
    PublicKey::from_components(n, e)
        .map_err(|error| Fault::new(CustodyErrorKind::Failed, said(&error.to_string())))
}
