//! What is done here of a signature that is made elsewhere: the hash before, and a check after.

use aws_lc_rs::digest::{Digest, SHA256, SHA512, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};
use nhs_auth::{PublicKey, Signature, SigningAlgorithm};

use crate::call::Fault;

/// How long a key has to be, in bits.
const BITS: usize = 4096;

pub(crate) fn hash(algorithm: SigningAlgorithm, message: &[u8]) -> Digest {
    match algorithm {
        SigningAlgorithm::Rs256 => digest(&SHA256, message),
        SigningAlgorithm::Rs512 => digest(&SHA512, message),
    }
}

pub(crate) fn check_size(key: &PublicKey) -> Result<(), Fault> {
    match key.bits() {
        BITS => Ok(()),
        bits => Err(Fault::unsuitable(format!("it has {bits} bits rather than {BITS}"))),
    }
}

/// Takes a service's signature if it is one, by this key: whoever gets it could only say no.
pub(crate) fn checked(
    key: &PublicKey,
    algorithm: SigningAlgorithm,
    message: &[u8],
    signature: Vec<u8>,
) -> Result<Signature, Fault> {
    let parameters = match algorithm {
        SigningAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        SigningAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
    };
    let key = RsaPublicKeyComponents { n: key.modulus(), e: key.exponent() };
    key.verify(parameters, message, &signature)
        .map_err(|_| Fault::failed("the signature that was answered is not by this key"))?;
    Ok(Signature::new(signature))
}
