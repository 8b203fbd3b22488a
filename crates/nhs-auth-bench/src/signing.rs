//! RS512 with a key of 4096 bits, against `openssl speed`.

use std::process::Command;
use std::time::Duration;

use nhs_auth::{Clock as _, LocalSigner, PrivateKey, Signer as _, SigningAlgorithm, SystemClock};

use crate::{Bar, Figure, Setting, median};

const ROUNDS: usize = 5;

pub(crate) fn measure(_: &Setting) -> Vec<Figure> {
    let signer = LocalSigner::new(PrivateKey::generate().unwrap());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(signatures_a_second(&signer));
        theirs.push(openssl_signatures_a_second());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    vec![Figure {
        name: "RS512-4096 signing, against openssl speed",
        value: ours / theirs,
        unit: "times",
        bar: Bar::AtLeast(expected()),
        from: format!("{ours:.0}/s against {theirs:.0}/s"),
    }]
}

/// AWS-LC's lead is its code for AVX-512 IFMA alone: elsewhere it has to be no slower, within what
/// two measurements differ by.
fn expected() -> f64 {
    if has_avx512_ifma() { 2.0 } else { 0.9 }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512_ifma() -> bool {
    std::arch::is_x86_feature_detected!("avx512ifma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512_ifma() -> bool {
    false
}

fn signatures_a_second(signer: &LocalSigner) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let message = [b'x'; 600];
    let start = SystemClock::default().steady();
    let mut count = 0;
    while start.elapsed() < Duration::from_secs(1) {
        runtime.block_on(signer.sign(SigningAlgorithm::Rs512, &message)).unwrap();
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn openssl_signatures_a_second() -> f64 {
    let output =
        Command::new("openssl").args(["speed", "-seconds", "1", "rsa4096"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("rsa 4096 bits")).unwrap();
    let columns: Vec<_> = line.split_whitespace().collect();
    // rsa 4096 bits <sign s> <verify s> <sign/s> <verify/s>
    columns[5].parse().unwrap()
}
