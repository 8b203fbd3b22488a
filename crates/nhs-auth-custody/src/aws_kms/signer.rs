//! A key that KMS keeps.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::get_public_key::GetPublicKeyOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};
use nhs_auth::{
    CustodyError, CustodyErrorKind, KeyUri, PublicKey, SignFuture, Signature, Signer,
    SigningAlgorithm,
};

use crate::aws::{Failure, failure_of};

/// How long a message is that KMS hashes itself, in bytes. Of any other it wants the hash.
const MESSAGE_LENGTHS: RangeInclusive<usize> = 1..=4096;

const BITS: usize = 4096;

pub(super) struct KmsSigner {
    client: Client,
    uri: KeyUri,
    /// Under which the public key was given. An alias may come to mean another key.
    arn: String,
    public_key: PublicKey,
}

impl KmsSigner {
    /// The key of that id, if it can sign as the platform wants it.
    pub(super) async fn open(client: Client, uri: &KeyUri, id: String) -> Result<Self, Failure> {
        let key = client.get_public_key().key_id(id).send().await;
        let key = key.map_err(|error| failure_of(&error))?;
        let unsuitable = |detail| Failure::new(CustodyErrorKind::Unsuitable, detail);
        check(&key).map_err(unsuitable)?;
        let unreadable = || Failure::new(CustodyErrorKind::Failed, "its answer has no public key");
        let der = key.public_key().ok_or_else(unreadable)?;
        let public_key = PublicKey::from_spki_der(der.as_ref()).map_err(|_| unreadable())?;
        if public_key.bits() != BITS {
            return Err(unsuitable(format!("it has {} bits, not {BITS}", public_key.bits())));
        }
        let arn = key.key_id().ok_or_else(unreadable)?.to_owned();
        Ok(Self { client, uri: uri.clone(), arn, public_key })
    }

    async fn ask(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let (spec, hash) = match algorithm {
            SigningAlgorithm::Rs256 => (SigningAlgorithmSpec::RsassaPkcs1V15Sha256, &SHA256),
            SigningAlgorithm::Rs512 => (SigningAlgorithmSpec::RsassaPkcs1V15Sha512, &SHA512),
        };
        let (kind, message) = if MESSAGE_LENGTHS.contains(&message.len()) {
            (MessageType::Raw, message.to_vec())
        } else {
            (MessageType::Digest, digest(hash, message).as_ref().to_vec())
        };
        let request = self.client.sign().key_id(&self.arn).signing_algorithm(spec);
        let signed = request.message_type(kind).message(Blob::new(message)).send().await;
        let signature = signed.map_err(|error| failure_of(&error))?.signature;
        let signature = signature.map(Blob::into_inner).unwrap_or_default();
        if signature.len() == self.public_key.modulus().len() {
            Ok(signature)
        } else {
            let detail = format!("its signature has {} bytes", signature.len());
            Err(Failure::new(CustodyErrorKind::Failed, detail))
        }
    }
}

fn check(key: &GetPublicKeyOutput) -> Result<(), String> {
    if let Some(other) = key.key_spec().filter(|spec| **spec != KeySpec::Rsa4096) {
        return Err(format!("it is of the kind {other}, and has to be RSA_4096"));
    }
    if key.key_usage() != Some(&KeyUsageType::SignVerify) {
        return Err("its usage is another than SIGN_VERIFY".into());
    }
    let wanted = SigningAlgorithmSpec::RsassaPkcs1V15Sha512;
    if key.signing_algorithms().contains(&wanted) {
        Ok(())
    } else {
        Err(format!("it does not sign by {wanted}"))
    }
}

impl Signer for KmsSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move {
            let signed = self.ask(algorithm, message).await;
            let failed = |it: Failure| CustodyError::new(it.kind, &self.uri, it.detail);
            signed.map(Signature::new).map_err(|failure| failed(failure).into())
        })
    }
}

impl fmt::Debug for KmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSigner").field("key", &self.arn).finish_non_exhaustive()
    }
}
