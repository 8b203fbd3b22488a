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
        bar: Bar::AtLeast(2.0),
        from: format!("{ours:.0}/s against {theirs:.0}/s"),
    }]
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
