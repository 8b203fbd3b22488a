//! `nhs-auth get-token`.

use std::fs::{self, File};
use std::time::Duration;

use nhs_auth_mock::{Fault, FaultKind};
use serde_json::Value;

use crate::scene::{Scene, run};

#[test]
fn the_bare_token_and_nothing_else() {
    let scene = Scene::new();
    let got = scene.run_as_app(&["get-token"]).exits(0);
    let token = got.stdout.strip_suffix('\n').unwrap();
    assert!(token.len() == 28 && token.chars().all(|c| c.is_ascii_alphanumeric()), "{got:?}");
    assert_eq!(got.stderr, "");
}

#[test]
fn as_json() {
    let scene = Scene::new();
    let got = scene.run_as_app(&["get-token", "--output", "json"]).exits(0);
    let answer: Value = serde_json::from_str(&got.stdout).unwrap();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&"Bearer".into(), &599.into()));
    let expires_at = answer["expires_at"].as_str().unwrap();
    assert!(expires_at.len() == 20 && expires_at.ends_with('Z'), "{expires_at}");
    assert!(answer["issued_at"].is_string(), "what else the platform sent");
}

#[test]
fn runs_share_a_token_unless_told_not_to() {
    let scene = Scene::new();
    let first = scene.run_as_app(&["get-token"]).exits(0).stdout;
    assert_eq!(scene.run_as_app(&["get-token"]).exits(0).stdout, first);
    assert_eq!(scene.requests().len(), 1);
    assert_ne!(scene.run_as_app(&["get-token", "--no-cache"]).exits(0).stdout, first);
    assert_eq!(scene.requests().len(), 2);
    // Another kid is another identity, even if the platform refuses it.
    scene.run_as_app(&["get-token", "--kid", "int1"]).exits(1);
    assert_eq!(scene.requests().len(), 3);
}

#[test]
fn of_runs_at_the_same_time_one_asks() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| scene.run_as_app(&["get-token"]).exits(0).stdout))
            .collect();
        let tokens: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    });
    assert_eq!(scene.requests().len(), 1);
}

#[test]
fn a_refusal_exits_1_and_says_which_rule() {
    let scene = Scene::new();
    let refused = scene.run_as_app(&["get-token", "--kid", "int1"]).exits(1);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("no matching public key"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("(A19)") && refused.stderr.contains("rrt-"),
        "{}",
        refused.stderr
    );
}

#[test]
fn no_usable_answer_exits_3() {
    for kind in [
        FaultKind::CaptivePortal,
        FaultKind::Empty,
        FaultKind::Oversized,
        FaultKind::MalformedJson,
        FaultKind::InternalError,
        FaultKind::TooManyRequests,
        FaultKind::Truncated,
    ] {
        let scene = Scene::new();
        scene.platform.add_fault(Fault::new(kind).retry_after_s(0));
        let failed = scene.run_as_app(&["get-token"]).exits(3);
        assert_eq!(failed.stdout, "", "{kind:?}");
        assert!(failed.stderr.starts_with("error: "), "{kind:?}: {}", failed.stderr);
    }
}

#[test]
fn nobody_there_exits_3() {
    let scene = Scene::new();
    let key = ["--api-key", "file:api-key.txt", "--private-key", "int-1.pem"];
    let base_url = ["get-token", "--base-url", "http://127.0.0.1:1"];
    let failed = scene.run(&[&base_url[..], &key].concat()).exits(3);
    assert!(
        failed.stderr.contains("can't reach http://127.0.0.1:1/oauth2/token"),
        "{}",
        failed.stderr
    );
}

#[test]
fn an_attempt_that_takes_too_long_ends() {
    let scene = Scene::new();
    scene.platform.add_fault(Fault::new(FaultKind::Hang));
    let failed = scene.run_as_app(&["get-token", "--timeout", "1"]).exits(3);
    assert!(
        failed.stderr.contains("did not answer within 1 s (after 3 attempts)"),
        "{}",
        failed.stderr
    );
}

#[test]
fn what_is_missing_or_wrong_exits_2_and_sends_nothing() {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    let get = |more: &[&str]| scene.run(&[&["get-token", "--base-url", &base_url], more].concat());
    let key = ["--private-key", "int-1.pem"];
    for (arguments, said) in [
        (vec![], "there is no API key"),
        (vec!["--api-key", "file:api-key.txt"], "there is no private key"),
        (vec!["--api-key", "file:nowhere", key[0], key[1]], "can't read --api-key from `nowhere`"),
        (vec!["--api-key", "env:NOT_SET", key[0], key[1]], "the variable `NOT_SET` is not set"),
        (vec!["--api-key", "991b96c6-f571-4f65-abc8-18caeeba65ed", key[0], key[1]], "a UUID"),
        (vec!["--api-key", "123456789012.apps.supplier", key[0], key[1]], "a CIS2 client id"),
        (vec!["--api-key", "{{key}}", key[0], key[1]], "a placeholder"),
        (vec!["--api-key", "file:api-key.txt", "--private-key", "nowhere.pem"], "nowhere.pem"),
        (vec!["--api-key", "file:api-key.txt", "--private-key", "int-1.json"], "int-1.json"),
        (vec!["--api-key", "file:api-key.txt", "--private-key", "pkcs11:token=x"], "--kid"),
        (vec!["--api-key", "file:api-key.txt", "--private-key", "vault:x"], "`vault:`"),
        (vec!["--env", "live"], "invalid value 'live'"),
        (vec!["--nonsense"], "unexpected argument '--nonsense'"),
    ] {
        let failed = get(&arguments).exits(2);
        assert!(failed.stderr.contains(said), "{arguments:?}: {}", failed.stderr);
        assert_eq!(failed.stdout, "", "{arguments:?}");
    }
    for base_url in ["http://example.org", "ftp://127.0.0.1", "nonsense"] {
        scene
            .run(&[
                "get-token",
                "--api-key",
                "file:api-key.txt",
                key[0],
                key[1],
                "--base-url",
                base_url,
            ])
            .exits(2);
    }
    assert!(scene.requests().is_empty());
}

#[test]
fn a_pasted_key_is_refused_and_never_repeated() {
    let scene = Scene::new();
    let pem = fs::read_to_string(scene.path("int-1.pem")).unwrap();
    let line = pem.lines().nth(3).unwrap();
    let one_line = pem.replace('\n', "");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for arguments in [
        vec!["get-token", "--api-key", "file:api-key.txt", "--private-key", &pem],
        vec!["get-token", "--api-key", "file:api-key.txt", "--private-key", &one_line],
        vec!["get-token", "--api-key", "file:api-key.txt", "--private-key", &body],
        vec!["get-token", "--api-key", "file:api-key.txt", "--private-key", line],
        vec!["get-token", "--api-key", &pem],
        vec!["get-token", &pem],
        vec![
            "get-token",
            "--kid",
            &pem,
            "--api-key",
            "file:api-key.txt",
            "--private-key",
            "int-1.pem",
        ],
    ] {
        let refused = scene.run(&arguments).exits(2);
        assert!(!refused.stderr.contains(line), "{}", refused.stderr);
    }
}

#[test]
fn an_encrypted_key_takes_its_passphrase_from_a_file_or_a_variable() {
    let scene = Scene::new();
    let status = std::process::Command::new("openssl")
        .args([
            "pkcs8",
            "-topk8",
            "-in",
            "int-1.pem",
            "-out",
            "enc-1.pem",
            "-passout",
            "pass:hush hush",
        ])
        .current_dir(scene.path(""))
        .status()
        .expect("the tests need openssl: apt-get install openssl");
    assert!(status.success());
    scene.write("passphrase.txt", "hush hush\n");
    let base_url = scene.platform.base_url();
    let with = |more: &[&str]| {
        let who = ["get-token", "--no-cache", "--kid", "int-1", "--base-url", &base_url];
        let key = ["--api-key", "file:api-key.txt", "--private-key", "enc-1.pem"];
        let mut command = scene.binary();
        run(command.env("HUSH", "hush hush").args(who).args(key).args(more), "")
    };
    with(&["--passphrase", "file:passphrase.txt"]).exits(0);
    with(&["--passphrase", "env:HUSH"]).exits(0);
    let wrong = with(&["--passphrase", "not this one"]).exits(2);
    assert!(!wrong.stderr.contains("not this one"), "{}", wrong.stderr);
    let missing = with(&[]).exits(2);
    assert!(missing.stderr.contains("--passphrase file:PATH"), "{}", missing.stderr);
}

#[test]
fn a_renewal_is_due_after_four_fifths_and_the_old_token_serves_if_it_fails() {
    let scene = Scene::new();
    let first = scene.run_as_app(&["get-token"]).exits(0).stdout;
    let folder = scene.path("cache/nhs-auth/tokens");
    let kept = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let kept =
        kept.into_iter().find(|path| path.extension().is_some_and(|it| it == "json")).unwrap();
    let mut json: Value = serde_json::from_str(&fs::read_to_string(&kept).unwrap()).unwrap();
    json["requested_at_ms"] = (json["requested_at_ms"].as_i64().unwrap() - 500_000).into();
    fs::write(&kept, json.to_string()).unwrap();

    scene.platform.add_fault(Fault::new(FaultKind::CaptivePortal).times(1));
    let old = scene.run_as_app(&["get-token"]).exits(0);
    assert_eq!(old.stdout, first);
    assert!(old.stderr.contains("the old one still serves"), "{}", old.stderr);
    assert_ne!(scene.run_as_app(&["get-token"]).exits(0).stdout, first);
}

#[test]
fn a_wrong_clock_is_told() {
    let scene = Scene::new();
    scene.platform.advance(Duration::from_hours(1));
    let got = scene.run_as_app(&["get-token"]).exits(0);
    assert!(got.stderr.contains("clock is 3"), "{}", got.stderr);
    assert_eq!(scene.requests().len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_reader_who_has_gone() {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    let command = || {
        let mut command = scene.binary();
        command.args(["get-token", "--base-url", &base_url, "--api-key", "file:api-key.txt"]);
        command.args(["--private-key", "int-1.pem"]);
        command
    };
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command().stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}
