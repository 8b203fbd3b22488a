//! Keys in Google Cloud KMS.

mod connection;
mod crc32c;
mod fault;
mod signer;
mod uri;
mod version;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use google_cloud_auth::credentials::Credentials;
use google_cloud_kms_v1::model::crypto_key::CryptoKeyPurpose;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm;
use google_cloud_kms_v1::model::{CryptoKey as NewKey, CryptoKeyVersionTemplate, ProtectionLevel};
use nhs_auth::{CreatedKey, Custody, CustodyError, CustodyFuture, KeyUri, Kid, Signer};

use self::connection::Connection;
use self::signer::KmsSigner;
use self::uri::{CryptoKey, Endpoint, Place};
use crate::call::{Calls, Fault};

/// The scheme of its URIs.
const SCHEME: &str = "gcpkms";

/// Keys in Google Cloud KMS, by `gcpkms:` URIs.
///
/// ```no_run
/// use nhs_auth::{Custody, KeyUri};
/// use nhs_auth_custody::GcpKms;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let uri = "gcpkms:projects/p/locations/europe-west2/keyRings/nhs/cryptoKeys/int-1";
/// let signer = GcpKms::from_environment().open(&KeyUri::parse(uri)?).await?;
/// # Ok(())
/// # }
/// ```
///
/// A URI is a key's name in Cloud KMS, with `/cryptoKeyVersions/V` (or `/versions/V`) behind it or
/// not; `gcpkms://projects/…` is the same. A new key's is that of its key ring. Behind a `?` may
/// stand `endpoint=URL`, another of Google's (`https://….googleapis.com`: a token is sent there) or
/// one on this machine without TLS (to which none is sent), and `protection=hsm` for a new key in a
/// hardware security module.
///
/// - **A proxy** that `HTTPS_PROXY` or `HTTP_PROXY` names is used by Google's client, for endpoints
///   on this machine too: `NO_PROXY=localhost,127.0.0.1` lets those be reached.
/// - **RS512 alone.** A key of Cloud KMS has one algorithm for good, and it has to be
///   `RSA_SIGN_PKCS1_4096_SHA512`.
/// - **A signer keeps its version.** Without one in the URI it is the highest that is enabled when
///   the key is opened.
/// - **What it may**: `roles/cloudkms.signerVerifier`; to open a key without a version also
///   `cloudkms.cryptoKeyVersions.list`; and to make one `cloudkms.cryptoKeys.create` and
///   `cloudkms.cryptoKeyVersions.get`.
/// - **A new key takes a while to be generated.** It is waited for. When it takes longer than 25
///   seconds in all, the error says so, and the key is there to be opened later.
/// - **How long it takes**: 10 seconds a call, 3 tries where that helps, 25 seconds in all.
pub struct GcpKms {
    /// None for the environment's.
    given: Option<Credentials>,
    connections: Mutex<HashMap<Option<Endpoint>, Arc<Connection>>>,
}

impl GcpKms {
    /// Asks as Google's *Application Default Credentials* say: by the file that
    /// `GOOGLE_APPLICATION_CREDENTIALS` names, by that of `gcloud auth application-default login`,
    /// or as the machine's service account. They are looked for when they are first needed.
    pub fn from_environment() -> Self {
        Self { given: None, connections: Mutex::default() }
    }

    /// Asks as these credentials say, wherever the endpoint is.
    pub fn with_credentials(credentials: Credentials) -> Self {
        Self { given: Some(credentials), connections: Mutex::default() }
    }

    async fn open_place(&self, place: &Place, key: &CryptoKey) -> Result<KmsSigner, Fault> {
        let connection = self.connection(place.endpoint.as_ref());
        let calls = Calls::begin();
        let name = match &place.version {
            Some(version) => key.version(version),
            None => version::newest(&connection, &calls, key).await?,
        };
        opened(connection, &calls, name).await
    }

    async fn create_key(&self, place: &Place, key: &CryptoKey) -> Result<KmsSigner, Fault> {
        let connection = self.connection(place.endpoint.as_ref());
        let calls = Calls::begin();
        let created = connection.ask_once(&calls, |client| {
            let call = client
                .create_crypto_key()
                .set_parent(&place.key_ring)
                .set_crypto_key_id(&key.id)
                .set_crypto_key(new_key(place.is_hsm));
            async move { call.send().await }
        });
        created.await?;
        let name = key.version("1");
        version::generated(&connection, &calls, &name).await?;
        opened(connection, &calls, name).await
    }

    fn connection(&self, endpoint: Option<&Endpoint>) -> Arc<Connection> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connections
            .entry(endpoint.cloned())
            .or_insert_with(|| Arc::new(Connection::new(endpoint.cloned(), self.given.clone())));
        Arc::clone(connection)
    }
}

impl Custody for GcpKms {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move {
            check_scheme(uri)?;
            let place = Place::read(uri)?;
            let key = place.key(uri)?;
            let signer = self.open_place(&place, &key).await.map_err(|fault| fault.about(uri))?;
            Ok(Arc::new(signer) as Arc<dyn Signer>)
        })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move {
            check_scheme(place)?;
            let read = Place::read(place)?;
            let key = read.new_key(place, kid)?;
            let signer = self.create_key(&read, &key).await.map_err(|fault| fault.about(place))?;
            Ok(CreatedKey { uri: signer.uri.clone(), signer: Arc::new(signer) })
        })
    }
}

impl fmt::Debug for GcpKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpKms").finish_non_exhaustive()
    }
}

fn check_scheme(uri: &KeyUri) -> Result<(), CustodyError> {
    if uri.scheme() == SCHEME { Ok(()) } else { Err(CustodyError::unsupported(uri)) }
}

/// Reads the public key, which a key that encrypts has not.
async fn opened(
    connection: Arc<Connection>,
    calls: &Calls,
    name: String,
) -> Result<KmsSigner, Fault> {
    let key = connection.ask(calls, |client| {
        let call = client.get_public_key().set_name(&name);
        async move { call.send().await }
    });
    let key = key.await?;
    KmsSigner::of(name, connection, &key)
}

fn new_key(is_hsm: bool) -> NewKey {
    let protection = if is_hsm { ProtectionLevel::Hsm } else { ProtectionLevel::Software };
    let template = CryptoKeyVersionTemplate::new()
        .set_algorithm(CryptoKeyVersionAlgorithm::RsaSignPkcs14096Sha512)
        .set_protection_level(protection);
    NewKey::new().set_purpose(CryptoKeyPurpose::AsymmetricSign).set_version_template(template)
}
