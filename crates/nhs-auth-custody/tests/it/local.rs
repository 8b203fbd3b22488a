//! The suite itself, on a key of this process.

use std::sync::Arc;

use nhs_auth::{LocalSigner, PrivateKey, SigningAlgorithm};

use crate::every_signer;

#[tokio::test]
async fn a_key_of_this_process_keeps_to_it() {
    let signer = Arc::new(LocalSigner::new(PrivateKey::generate().unwrap()));
    every_signer::keeps_to_it(signer, &[SigningAlgorithm::Rs512, SigningAlgorithm::Rs256]).await;
}
