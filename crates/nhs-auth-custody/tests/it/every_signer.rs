//! What every signer keeps to, wherever its key is. Run for each.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nhs_auth::{CustodyError, PublicKey, SignError, Signature, Signer, SigningAlgorithm};

pub(crate) const RS512: SigningAlgorithm = SigningAlgorithm::Rs512;

/// An assertion has some 500 bytes; the edges of a hash's blocks are here too.
pub(crate) const LENGTHS: [usize; 7] = [0, 1, 111, 112, 128, 500, 2000];

/// Has it sign, alone and many times at once, and has OpenSSL verify each signature.
pub(crate) async fn keeps_to_it(signer: Arc<dyn Signer>, algorithms: &[SigningAlgorithm]) {
    keeps_to_it_for(signer, algorithms, &LENGTHS).await;
}

/// The same for messages of these lengths.
pub(crate) async fn keeps_to_it_for(
    signer: Arc<dyn Signer>,
    algorithms: &[SigningAlgorithm],
    lengths: &[usize],
) {
    assert_eq!(signer.public_key().bits(), 4096);
    for algorithm in algorithms {
        for length in lengths {
            let message = vec![b'a' + u8::try_from(length % 26).unwrap(); *length];
            let signature = signer.sign(*algorithm, &message).await.unwrap();
            assert_eq!(signature.as_bytes().len(), 512);
            assert_verified(signer.public_key(), *algorithm, &message, &signature);
            let again = signer.sign(*algorithm, &message).await.unwrap();
            assert!(again == signature, "PKCS#1 v1.5 has no randomness");
        }
        many_at_once(&signer, *algorithm).await;
    }
    an_abandoned_signature_harms_nobody(&signer).await;
}

async fn many_at_once(signer: &Arc<dyn Signer>, algorithm: SigningAlgorithm) {
    let signing: Vec<_> = (0..12_u8)
        .map(|n| {
            let signer = Arc::clone(signer);
            tokio::spawn(async move {
                let message = vec![n; 400];
                let signature = signer.sign(algorithm, &message).await.unwrap();
                (message, signature)
            })
        })
        .collect();
    for signed in signing {
        let (message, signature) = signed.await.unwrap();
        assert_verified(signer.public_key(), algorithm, &message, &signature);
    }
}

async fn an_abandoned_signature_harms_nobody(signer: &Arc<dyn Signer>) {
    let algorithm = SigningAlgorithm::Rs512;
    for _ in 0..3 {
        let abandoned = signer.sign(algorithm, b"nobody waits for this");
        let _ = tokio::time::timeout(std::time::Duration::from_micros(50), abandoned).await;
    }
    let signature = signer.sign(algorithm, b"and this is waited for").await.unwrap();
    assert_verified(signer.public_key(), algorithm, b"and this is waited for", &signature);
}

/// What its service says when it does not sign.
pub(crate) async fn sign_error(signer: &dyn Signer) -> CustodyError {
    match signer.sign(RS512, b"message").await.unwrap_err() {
        SignError::Custody(error) => error,
        other => panic!("{other}"),
    }
}

/// By OpenSSL, which had no part in it; and that it sees a message that was changed.
pub(crate) fn assert_verified(
    key: &PublicKey,
    algorithm: SigningAlgorithm,
    message: &[u8],
    signature: &Signature,
) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let key = file("key.pem", key.to_spki_pem().as_bytes());
    let signature = file("signature", signature.as_bytes());
    let other = file("other", &[message, b"!"].concat());
    let message = file("message", message);
    assert!(openssl_verifies(&key, algorithm, &message, &signature));
    assert!(!openssl_verifies(&key, algorithm, &other, &signature));
}

fn openssl_verifies(
    key: &Path,
    algorithm: SigningAlgorithm,
    message: &Path,
    signature: &Path,
) -> bool {
    let digest = match algorithm {
        SigningAlgorithm::Rs256 => "-sha256",
        SigningAlgorithm::Rs512 => "-sha512",
    };
    let verified = Command::new("openssl")
        .args(["dgst", digest, "-verify"])
        .arg(key)
        .arg("-signature")
        .args([signature, message])
        .output()
        .expect("openssl is installed");
    String::from_utf8_lossy(&verified.stdout).contains("Verified OK")
}
