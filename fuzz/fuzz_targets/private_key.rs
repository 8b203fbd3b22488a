//! Arbitrary bytes as a private key's file: an error that names what it is, and no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nhs_auth::PrivateKey;

fuzz_target!(|data: &[u8]| {
    if let Err(error) = PrivateKey::from_bytes("key.pem", data, None) {
        assert!(!error.to_string().is_empty());
        let _ = error.hints();
    }
});
