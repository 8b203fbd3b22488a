//! `nhs-auth mock`, `nhs-auth demo`, `nhs-auth completions`, and help.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::scene::{Scene, binary_in, run};

#[test]
fn the_mock_is_ready_when_its_base_url_is_printed_and_ends_when_asked_to() {
    let scene = Scene::new();
    let api_key = "aB3d".repeat(8);
    scene.write(
        "nhs-auth.toml",
        &format!(
            "listen = \"127.0.0.1:0\"\n[mock]\n[[mock.apps]]\nname = \"mine\"\napi_key = {api_key:?}\n\
             jwks_file = \"int-1.json\"\n"
        ),
    );
    let mut mock = scene.binary();
    let mut mock = mock.arg("mock").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(mock.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let base_url = line.trim_end();
    assert!(base_url.starts_with("http://127.0.0.1:"), "{line:?}");

    let who = ["--api-key", &api_key, "--private-key", "int-1.pem", "--base-url", base_url];
    scene.run(&[&["get-token"], &who[..]].concat()).exits(0);
    let status = Command::new("kill").arg(mock.id().to_string()).status().unwrap();
    assert!(status.success());
    assert_eq!(mock.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_or_none() {
    let scene = Scene::new();
    let address = scene.platform.base_url().replace("http://", "");
    let failed = scene.run(&["mock", "--listen", &address]).exits(2);
    assert!(failed.stderr.contains(&address), "{}", failed.stderr);
    scene.run(&["mock", "--listen", "nonsense"]).exits(2);
    scene.write("nhs-auth.toml", "[mock]\nnonsense = 1\n");
    let failed = scene.run(&["mock"]).exits(2);
    assert!(failed.stderr.contains("nonsense"), "{}", failed.stderr);
}

#[test]
fn the_demo_needs_nothing_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shown = run(binary_in(folder.path()).arg("demo"), "").exits(0);
    assert_eq!(shown.stdout, "{\"message\":\"Hello Application!\"}\n");
    for part in ["a key pair", "a token", "a call", "(A19)", "not sent: this is a UUID"] {
        assert!(shown.stderr.contains(part), "{part}: {}", shown.stderr);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn completions_for_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let made = run(binary_in(folder.path()).args(["completions", shell]), "").exits(0);
        assert!(made.stdout.contains("generate-keys") && made.stderr.is_empty(), "{shell}");
    }
    run(binary_in(folder.path()).args(["completions", "tcsh"]), "").exits(2);
}

#[test]
fn help_and_version_are_answers_and_no_verb_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| run(binary_in(folder.path()).args(arguments), "");
    assert_eq!(
        ask(&["--version"]).exits(0).stdout,
        concat!("nhs-auth ", env!("CARGO_PKG_VERSION"), "\n")
    );
    for verb in
        ["generate-keys", "get-token", "call-api", "sign-assertion", "mock", "demo", "completions"]
    {
        let help = ask(&[verb, "--help"]).exits(0);
        assert!(help.stdout.contains("Usage: nhs-auth") && help.stderr.is_empty(), "{verb}");
    }
    let none = ask(&[]).exits(2);
    assert!(none.stdout.is_empty() && none.stderr.contains("Usage: nhs-auth"), "{none:?}");
    ask(&["nonsense"]).exits(2);
}
