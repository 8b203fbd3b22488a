//! `nhs-auth generate-keys`.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::scene::{Run, binary_in, run};

fn generate(folder: &Path, arguments: &[&str]) -> Run {
    run(binary_in(folder).arg("generate-keys").args(arguments), "")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn three_files_and_their_paths_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let made = generate(folder.path(), &["--api-key", &"aB3d".repeat(8), "--env", "int"]).exits(0);
    assert_eq!(names(folder.path()), ["int-1.json", "int-1.pem", "int-1.pem.pub"]);
    assert_eq!(made.stdout, "./int-1.pem\n./int-1.pem.pub\n./int-1.json\n");
    assert!(made.stderr.contains("Manage public key"), "{}", made.stderr);

    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("int-1.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(read("int-1.pem.pub").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let jwks: Value = serde_json::from_str(&read("int-1.json")).unwrap();
    let key = &jwks["keys"][0];
    assert_eq!(
        (&key["kid"], &key["alg"], &key["use"], &key["kty"], &key["e"]),
        (&"int-1".into(), &"RS512".into(), &"sig".into(), &"RSA".into(), &"AQAB".into())
    );
    assert_eq!(key.as_object().unwrap().len(), 6);
    assert_eq!(key["n"].as_str().unwrap().len(), 683, "4096 bits in base64url");
}

#[cfg(unix)]
#[test]
fn the_private_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), &["--output-dir", "new/auth"]).exits(0);
    let auth = folder.path().join("new/auth");
    let mode = |name| fs::metadata(auth.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("int-1.pem"), mode("int-1.pem.pub"), mode("int-1.json")),
        (0o600, 0o644, 0o644)
    );
    assert_eq!(names(&auth).len(), 3, "nothing is left beside them");
}

#[test]
fn nothing_is_ever_overwritten() {
    for taken in ["prod-1.pem", "prod-1.pem.pub", "prod-1.json"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(taken), "mine").unwrap();
        let refused = generate(folder.path(), &["--env", "prod"]).exits(2);
        assert!(
            refused.stderr.contains(&format!("{taken} is there already")),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "");
        assert_eq!(names(folder.path()), [taken]);
        assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "mine");
    }
}

#[test]
fn a_key_named_by_its_thumbprint() {
    let folder = tempfile::tempdir().unwrap();
    let made = generate(folder.path(), &["--kid", "thumbprint", "--output", "json"]).exits(0);
    let answer: Value = serde_json::from_str(&made.stdout).unwrap();
    let kid = answer["kid"].as_str().unwrap();
    assert_eq!((kid.len(), &answer["thumbprint"]), (43, &answer["kid"]));
    assert!(folder.path().join(format!("{kid}.pem")).is_file());
}

#[test]
fn what_can_not_be_a_name_or_a_place() {
    let folder = tempfile::tempdir().unwrap();
    for kid in ["../escape", "a/b", "", ".hidden", "a\nb"] {
        generate(folder.path(), &["--kid", kid]).exits(2);
    }
    fs::write(folder.path().join("file"), "").unwrap();
    generate(folder.path(), &["--output-dir", "file"]).exits(2);
    generate(folder.path(), &["--env", "live"]).exits(2);
    generate(folder.path(), &["--api-key", "991b96c6-f571-4f65-abc8-18caeeba65ed"]).exits(2);
    assert_eq!(names(folder.path()), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn killed_at_any_moment_it_leaves_nothing_half() {
    for millis in (0..600).step_by(60) {
        let folder = tempfile::tempdir().unwrap();
        let mut making = binary_in(folder.path());
        making.arg("generate-keys").stdout(Stdio::null()).stderr(Stdio::null());
        let mut making = making.spawn().unwrap();
        wait(Duration::from_millis(millis));
        let _ = making.kill();
        making.wait().unwrap();
        let left = names(folder.path());
        let whole = ["int-1.json", "int-1.pem", "int-1.pem.pub"];
        assert!(left.iter().all(|name| whole.contains(&name.as_str())), "{left:?}");
        if left.iter().any(|name| name == "int-1.pem") {
            assert_eq!(left, whole);
        }
        for name in left {
            let text = fs::read_to_string(folder.path().join(&name)).unwrap();
            assert!(text.ends_with("-----\n") || text.ends_with("]}\n"), "{name}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a process of its own is to be caught in its work")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
