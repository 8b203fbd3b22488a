//! A whole `get-token` process, against the same job in Python with PyJWT and requests.

use std::path::Path;
use std::process::Command;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::mock::RunningMock;
use crate::{Bar, Figure, Setting, cpu, median};

const ROUNDS: usize = 3;
const RUNS: u32 = 5;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("int-1.pem");
    let key = PrivateKey::generate().unwrap();
    std::fs::write(&key_file, key.to_pkcs8_pem().as_bytes()).unwrap();
    let kid = Kid::parse("int-1").unwrap();
    let jwks = KeySet::new(vec![PublishedKey::new(kid, key.public().clone())]).unwrap().to_json();

    let mock = RunningMock::start(&setting.binary);
    let api_key = mock.register(&jwks);
    let base_url = mock.base_url();
    let ours = format!(
        "{} get-token --no-cache --quiet --base-url {base_url} --api-key {api_key} --private-key {}",
        setting.binary.display(),
        key_file.display()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/get_token.py");
    let theirs = format!(
        "{} {} --token-url {base_url}/oauth2/token --api-key {api_key} --kid int-1 --private-key {}",
        setting.python.display(),
        script.display(),
        key_file.display()
    );
    for command in [&ours, &theirs] {
        let status = Command::new("bash").args(["-c", &format!("{command} >/dev/null")]).status();
        assert!(status.unwrap().success(), "`{command}` failed");
    }
    let (mut our_cpu, mut their_cpu) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_cpu.push(cpu::of_runs(&ours, RUNS * 4));
        their_cpu.push(cpu::of_runs(&theirs, RUNS));
    }
    let (ours, theirs) = (median(our_cpu), median(their_cpu));
    vec![Figure {
        name: "get-token, against PyJWT and requests",
        value: theirs / ours,
        unit: "times less",
        bar: Bar::AtLeast(10.0),
        from: format!("{:.1} ms against {:.1} ms of CPU", ours * 1e3, theirs * 1e3),
    }]
}
