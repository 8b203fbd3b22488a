//! A whole diagnosis with assertion, key set and private key, beyond what the process costs anyway.

use std::process::Command;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::{Bar, Figure, Setting, cpu, median};

const ROUNDS: usize = 3;
const RUNS: u32 = 30;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let key = PrivateKey::generate().unwrap();
    let published = PublishedKey::new(Kid::parse("int-1").unwrap(), key.public().clone());
    let jwks = KeySet::new(vec![published]).unwrap().to_json();
    std::fs::write(file("int-1.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
    std::fs::write(file("int-1.json"), jwks).unwrap();

    let binary = setting.binary.display();
    let api_key = "aB3d".repeat(8);
    let (pem, jwks, jwt) = (file("int-1.pem"), file("int-1.json"), file("jwt.txt"));
    let sign =
        format!("{binary} sign-assertion -q --api-key {api_key} --private-key {pem} --out {jwt}");
    assert!(
        Command::new("bash").args(["-c", &sign]).status().unwrap().success(),
        "`{sign}` failed"
    );

    let whole =
        format!("{binary} diagnose --assertion {jwt} --jwks {jwks} --private-key {pem} --env int");
    let start = format!("{binary} --version");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with.push(cpu::of_runs(&whole, RUNS));
        without.push(cpu::of_runs(&start, RUNS));
    }
    let (with, without) = (median(with), median(without));
    vec![Figure {
        name: "a diagnosis, beyond the process's start",
        value: (with - without) * 1e3,
        unit: "ms of CPU",
        bar: Bar::AtMost(10.0),
        from: format!("{:.1} ms less {:.1} ms", with * 1e3, without * 1e3),
    }]
}
