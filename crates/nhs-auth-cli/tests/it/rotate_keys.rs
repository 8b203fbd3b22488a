//! `rotate-keys` and what stands on it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::scene::{Run, Scene, binary_in, run};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn rotate(folder: &TempDir, arguments: &[&str]) -> Run {
    let mut command = binary_in(folder.path());
    run(command.args(["rotate-keys", "--key-ring", "keys"]).args(arguments), "")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

/// Each key with its state.
fn states(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = report["keys"].as_array().unwrap();
    keys.iter().map(|key| format!("{} {}", text(&key["kid"]), text(&key["state"]))).collect()
}

#[test]
fn the_first_run_makes_the_ring_and_the_next_does_nothing() {
    let folder = folder();
    let first = rotate(&folder, &["--env", "prod", "--output", "json"]).exits(0);
    assert_eq!(states(&json(&first)), ["prod-1 active"]);
    assert!(first.stderr.contains("made the key ring") && first.stderr.contains("prod-1 signs"));
    let ring = fs::read(folder.path().join("keys/key-ring.json")).unwrap();
    let next = rotate(&folder, &["--env", "prod", "--output", "json"]).exits(0);
    assert_eq!(json(&next)["done"], serde_json::json!([]));
    assert_eq!(json(&next)["next"]["step"], "announce");
    assert_eq!(fs::read(folder.path().join("keys/key-ring.json")).unwrap(), ring);
}

#[test]
fn a_plan_changes_nothing() {
    let folder = folder();
    let plan = rotate(&folder, &["--plan"]).exits(0);
    assert_eq!(plan.stdout.lines().count(), 5, "{}", plan.stdout);
    assert!(!folder.path().join("keys").exists());

    rotate(&folder, &[]).exits(0);
    let ring = fs::read(folder.path().join("keys/key-ring.json")).unwrap();
    let plan = rotate(&folder, &["--plan", "--output", "json"]).exits(0);
    let steps: Vec<_> =
        json(&plan)["plan"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, ["announce", "activate", "retire"]);
    assert_eq!(fs::read(folder.path().join("keys/key-ring.json")).unwrap(), ring);
}

#[test]
fn an_emergency_says_what_waits_and_what_a_new_url_saves() {
    let folder = folder();
    rotate(&folder, &[]).exits(0);
    let leaked = rotate(&folder, &["--emergency"]).exits(0);
    assert!(leaked.stdout.contains("int-1  active") && leaked.stdout.contains("leaked"));
    assert!(leaked.stdout.contains("int-2  announced"), "{}", leaked.stdout);
    for told in ["60 minutes", "--publish-to echo", "--new-url", "inferred"] {
        assert!(leaked.stderr.contains(told), "{}", leaked.stderr);
    }
}

#[test]
fn a_key_in_use_is_adopted_and_signs_on() {
    let scene = Scene::new();
    let ring = ["rotate-keys", "--key-ring", "keys"];
    scene.run(&[&ring[..], &["--adopt", "int-1.pem"]].concat()).exits(0);
    let base_url = scene.platform.base_url();
    let as_the_ring = |verb: &[&str]| {
        let who = ["--base-url", &base_url, "--api-key", "file:api-key.txt", "--key-ring", "keys"];
        scene.run(&[verb, &who].concat())
    };
    as_the_ring(&["get-token", "--no-cache"]).exits(0);
    let twice = scene.run(&[&ring[..], &["--adopt", "int-1.pem"]].concat()).exits(2);
    assert!(twice.stderr.contains("there is a key ring at keys"), "{}", twice.stderr);

    // The key ring and a key of its own are one too many.
    let both = as_the_ring(&["get-token", "--private-key", "int-1.pem"]).exits(2);
    assert!(both.stderr.contains("one of them signs"), "{}", both.stderr);
}

#[test]
fn by_hand_the_waits_count_from_when_it_is_done() {
    let folder = folder();
    let first = rotate(&folder, &["--publish-to", "echo", "--output", "json"]).exits(0);
    assert_eq!(states(&json(&first)), ["int-1 announced"]);
    assert!(first.stderr.contains("https://api.service.nhs.uk/mock-jwks/"), "{}", first.stderr);
    let mark = json(&first)["key_set_mark"].as_str().unwrap().to_owned();
    assert!(first.stderr.contains(&format!("--done {mark}")), "{}", first.stderr);

    let publish = |arguments: &[&str]| {
        let mut command = binary_in(folder.path());
        run(command.args(["publish-jwks", "--key-ring", "keys"]).args(arguments), "")
    };
    let url = publish(&[]).exits(0);
    assert!(url.stdout.starts_with("https://api.service.nhs.uk/mock-jwks/eyJ"), "{}", url.stdout);
    assert_eq!(url.stdout.lines().count(), 1);
    let wrong = publish(&["--done", "0123456789"]).exits(2);
    assert!(wrong.stderr.contains("has changed since"), "{}", wrong.stderr);
    publish(&["--done", &mark]).exits(0);
    assert_eq!(states(&json(&rotate(&folder, &["--output", "json"]).exits(0))), ["int-1 active"]);
}

#[test]
fn what_cannot_be_done_is_told() {
    let folder = folder();
    for (arguments, says) in [
        (&["--keys-at", "vault:keys"][..], "not supported by this build"),
        (&["--keys-at", "pkcs11:token=a?pin-value=hush"], "holds a PIN"),
        (&["--keys-at", "keys"], "not a key URI"),
        (&["--keys-at", "pkcs11:token=a b?pin-value=hush"], "no key URI"),
        (&["--keys-at", "pkcs11:token=a?pin-source=file:pin.txt"], "relative path"),
        (&["--key-ring", ""], "is empty"),
        (&["--publish-to", "-"], "`-`"),
        (&["--emergency", "--leaked-kid", "int-9"], "there is no key `int-9`"),
        (&["--adopt", "nothing.pem"], "nothing.pem"),
        (&["--next-kid", ""], "--next-kid"),
        (&["--rotate-every", "0"], "--rotate-every"),
    ] {
        let mut command = binary_in(folder.path());
        let ring = ["rotate-keys", "--key-ring", "keys"];
        let ring = if arguments.contains(&"--key-ring") { &ring[..1] } else { &ring[..] };
        let run = run(command.args(ring).args(arguments), "").exits(2);
        assert!(run.stderr.contains(says) && !run.stderr.contains("hush"), "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
    let mut command = binary_in(folder.path());
    let no_ring = run(command.arg("rotate-keys"), "").exits(2);
    assert!(no_ring.stderr.contains("--key-ring"), "{}", no_ring.stderr);
}

#[test]
fn first_runs_at_once_make_one_ring() {
    let folder = folder();
    let start = |_| {
        let mut command = binary_in(folder.path());
        command.args(["rotate-keys", "--key-ring", "keys", "--output", "json"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..4).map(start).collect();
    for child in running {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(check(&folder), 1);
}

#[test]
fn a_lost_key_is_told_of_before_it_is_needed() {
    let folder = folder();
    rotate(&folder, &[]).exits(0);
    rotate(&folder, &["--start"]).exits(0);
    fs::remove_file(folder.path().join("keys/int-2.pem")).unwrap();
    let told = rotate(&folder, &[]).exits(0);
    assert!(told.stderr.contains("private key of int-2"), "{}", told.stderr);
    let retired = rotate(&folder, &["--emergency", "--leaked-kid", "int-2"]).exits(0);
    assert!(retired.stderr.contains("int-2 is out of the key set"), "{}", retired.stderr);
}

#[test]
fn the_nearer_of_two_signers_counts() {
    let scene = Scene::new();
    scene.run(&["rotate-keys", "--key-ring", "keys", "--adopt", "int-1.pem"]).exits(0);
    scene.write(
        "nhs-auth.toml",
        "key-ring = 'nowhere'\nkid = 'int-1'\n[app.ring]\nkey-ring = 'keys'\n",
    );
    let base_url = scene.platform.base_url();
    let who = ["get-token", "--no-cache", "--base-url", &base_url, "--api-key", "file:api-key.txt"];
    let get = |more: &[&str]| scene.run(&[&who[..], more].concat());
    get(&["--private-key", "int-1.pem"]).exits(0);
    get(&["--app", "ring"]).exits(0);
    get(&["--key-ring", "keys"]).exits(0);
    get(&[]).exits(2);
    let mut by_variable = scene.binary();
    run(by_variable.args(who).env("NHS_AUTH_PRIVATE_KEY", "int-1.pem"), "").exits(0);
    scene.write("nhs-auth.toml", "private-key = 'nowhere.pem'\n[app.ring]\nkey-ring = 'keys'\n");
    get(&["--app", "ring"]).exits(0);
}

/// Killed at a thousand moments of making and rotating, the ring is whole each time, and so is
/// every key of it; and of what `generate-keys` writes all is there or nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long a process lives is what is tested")]
fn a_thousand_kills_leave_a_whole_ring() {
    let folder = folder();
    let mut kills = 0;
    let mut delay = Duration::ZERO;
    let mut most_keys = 0;
    while kills < 1000 {
        let arguments: &[&str] = if kills % 2 == 0 {
            &["rotate-keys", "--key-ring", "keys", "--start", "--quiet"]
        } else {
            &["generate-keys", "--output-dir", "made", "--quiet"]
        };
        let mut child = binary_in(folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        let killed = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        kills += usize::from(killed);
        // A little longer after each kill, and from the beginning once it came to its end.
        delay = if killed { delay + Duration::from_micros(150) } else { delay / 4 };
        most_keys = most_keys.max(check(&folder));
        check_files(&folder);
        if most_keys == 2 {
            // Begin again with an empty folder: both keys are there.
            fs::remove_dir_all(folder.path().join("keys")).unwrap();
            most_keys = 0;
        }
    }
    rotate(&folder, &["--start"]).exits(0);
    assert!(check(&folder) >= 1);
}

/// Insists that a private key has its public files beside it, and begins anew.
fn check_files(folder: &TempDir) {
    let made = folder.path().join("made");
    if made.join("int-1.pem").exists() {
        nhs_auth::PrivateKey::load(&made.join("int-1.pem"), None).expect("the key is whole");
        for public in ["int-1.pem.pub", "int-1.json"] {
            assert!(!fs::read(made.join(public)).unwrap().is_empty(), "{public}");
        }
    }
    let _ = fs::remove_dir_all(made);
}

/// Insists on a whole ring, whose keys are all there and no others, and counts them.
fn check(folder: &TempDir) -> usize {
    let keys = folder.path().join("keys");
    let Ok(text) = fs::read_to_string(keys.join("key-ring.json")) else {
        return 0;
    };
    let ring: Value = serde_json::from_str(&text).expect("the ring is whole");
    let entries = ring["keys"].as_array().unwrap();
    let active = entries.iter().filter(|key| key["state"] == "active").count();
    assert!(active <= 1, "{text}");
    for entry in entries {
        let path = keys.join(entry["private_key"].as_str().unwrap());
        let key = nhs_auth::PrivateKey::load(&path, None).expect("the private key is whole").key;
        let n = nhs_auth::KeySet::new(vec![nhs_auth::PublishedKey::new(
            nhs_auth::Kid::parse("x").unwrap(),
            key.public().clone(),
        )]);
        assert!(n.unwrap().to_json().contains(entry["n"].as_str().unwrap()));
    }
    // At most one key that the ring doesn't know yet, and one file on its way.
    let files = fs::read_dir(&keys).unwrap().count();
    assert!(files <= entries.len() + 4, "{files} files");
    entries.len()
}

/// The binary as it is found by a shell.
#[test]
fn cron_has_nothing_to_say_when_nothing_is_due() {
    let folder = folder();
    rotate(&folder, &[]).exits(0);
    let mut shell = Command::new("sh");
    let line = "nhs-auth rotate-keys --key-ring keys --quiet > /dev/null";
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_nhs-auth")).parent().unwrap().to_owned();
    let quiet = run(
        shell
            .current_dir(folder.path())
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .args(["-c", line]),
        "",
    )
    .exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}
