//! A version of a key in Cloud KMS, which signs.

use std::fmt;
use std::sync::Arc;

use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm as Algorithm;
use google_cloud_kms_v1::model::{self, AsymmetricSignResponse, Digest};
use nhs_auth::{KeyUri, PublicKey, SignError, SignFuture, Signature, Signer, SigningAlgorithm};

use super::connection::Connection;
use super::crc32c::crc32c;
use super::uri::version_uri;
use crate::call::{Calls, Fault};
use crate::rsa;
use crate::said::said;

pub(super) struct KmsSigner {
    pub(super) uri: KeyUri,
    connection: Arc<Connection>,
    /// The version's full name.
    name: String,
    public_key: PublicKey,
}

impl KmsSigner {
    /// A signer of the version that Cloud KMS described, if it is one to sign with.
    pub(super) fn of(
        name: String,
        connection: Arc<Connection>,
        key: &model::PublicKey,
    ) -> Result<Self, Fault> {
        check_algorithm(&key.algorithm)?;
        if key.name != name {
            return Err(Fault::failed("the answer is of another key"));
        }
        if key.pem_crc32c.is_some_and(|sum| sum != crc32c(key.pem.as_bytes())) {
            return Err(Fault::failed("the public key was changed on its way here"));
        }
        let public_key =
            PublicKey::from_spki_pem(&key.pem).map_err(|error| Fault::failed(error.to_string()))?;
        rsa::check_size(&public_key)?;
        let uri = version_uri(&name, connection.endpoint.as_ref());
        Ok(Self { uri, connection, name, public_key })
    }

    async fn ask(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Signature, Fault> {
        if algorithm != SigningAlgorithm::Rs512 {
            let detail = "it signs RS512 alone: in Cloud KMS the algorithm belongs to the key";
            return Err(Fault::unsuitable(detail));
        }
        let hash = rsa::hash(algorithm, message).as_ref().to_vec();
        let calls = Calls::begin();
        let answer = self.connection.ask(&calls, |client| {
            let call = client
                .asymmetric_sign()
                .set_name(&self.name)
                .set_digest_crc32c(crc32c(&hash))
                .set_digest(Digest::new().set_sha512(hash.clone()));
            async move { call.send().await }
        });
        let answer = answer.await?;
        self.check(&answer)?;
        rsa::checked(&self.public_key, algorithm, message, answer.signature.to_vec())
    }

    /// What Google asks of its callers: that the right hash was signed, by the right key, and that
    /// the signature is as it was sent.
    fn check(&self, answer: &AsymmetricSignResponse) -> Result<(), Fault> {
        if answer.name != self.name {
            return Err(Fault::failed("the answer is of another key"));
        }
        if !answer.verified_digest_crc32c {
            return Err(Fault::failed("the hash was changed on its way there"));
        }
        if answer.signature_crc32c != Some(crc32c(&answer.signature)) {
            return Err(Fault::failed("the signature was changed on its way here"));
        }
        Ok(())
    }
}

/// In Cloud KMS a key has one algorithm for good.
pub(super) fn check_algorithm(algorithm: &Algorithm) -> Result<(), Fault> {
    if *algorithm == Algorithm::RsaSignPkcs14096Sha512 {
        return Ok(());
    }
    let name = algorithm.name().unwrap_or("unknown");
    let detail = format!("its algorithm is {}, not RSA_SIGN_PKCS1_4096_SHA512", said(name));
    Err(Fault::unsuitable(detail))
}

impl Signer for KmsSigner {
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

impl fmt::Debug for KmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSigner")
            .field("uri", &self.uri)
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
