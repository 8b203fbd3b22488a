//! Flag, variable, file, default: which one counts.

use std::fs;

use crate::scene::{Scene, run};

fn with_file(scene: &Scene, more: &str) {
    scene.write(
        "nhs-auth.toml",
        &format!(
            "base-url = {:?}\napi-key = \"file:api-key.txt\"\nprivate-key = \"int-1.pem\"\n{more}",
            scene.platform.base_url()
        ),
    );
}

#[test]
fn a_file_in_the_working_directory_is_enough() {
    let scene = Scene::new();
    with_file(&scene, "no-cache = true\n");
    let first = scene.run(&["get-token"]).exits(0).stdout;
    assert_ne!(scene.run(&["get-token"]).exits(0).stdout, first, "no-cache is read too");
}

#[test]
fn the_users_file_comes_second_and_a_named_one_first() {
    let scene = Scene::new();
    with_file(&scene, "");
    fs::create_dir_all(scene.path("config/nhs-auth")).unwrap();
    let text = fs::read_to_string(scene.path("nhs-auth.toml")).unwrap();
    fs::rename(scene.path("nhs-auth.toml"), scene.path("elsewhere.toml")).unwrap();
    scene.run(&["get-token"]).exits(2);
    scene.run(&["get-token", "--config", "elsewhere.toml"]).exits(0);
    for name in ["int-1.pem", "api-key.txt"] {
        fs::copy(scene.path(name), scene.path("config/nhs-auth").join(name)).unwrap();
    }
    fs::write(scene.path("config/nhs-auth/nhs-auth.toml"), text).unwrap();
    scene.run(&["get-token"]).exits(0);
}

#[test]
fn a_flag_goes_before_a_variable_and_that_before_the_file() {
    let scene = Scene::new();
    with_file(&scene, "kid = \"from-the-file\"\n");
    let kid = |variable: Option<&str>, flag: &[&str]| {
        let mut command = scene.binary();
        command.arg("get-token").args(flag);
        if let Some(value) = variable {
            command.env("NHS_AUTH_KID", value);
        }
        run(&mut command, "").exit
    };
    assert_eq!(kid(None, &[]), 1);
    assert_eq!(kid(Some("int-1"), &[]), 0);
    assert_eq!(kid(Some("wrong"), &["--kid", "int-1"]), 0);
    assert_eq!(kid(Some(""), &[]), 1, "an empty variable counts as none");
}

#[test]
fn every_kind_of_flag_reads_its_variable() {
    let scene = Scene::new();
    with_file(&scene, "");
    let url = format!("{}/hello-world/hello/application", scene.platform.base_url());
    let mut command = scene.binary();
    command.arg("call-api").envs([
        ("NHS_AUTH_URL", url.as_str()),
        ("NHS_AUTH_HEADER", "X-Correlation-ID: abc"),
        ("NHS_AUTH_OUTPUT", "json"),
        ("NHS_AUTH_QUIET", "1"),
        ("NHS_AUTH_NO_CACHE", "true"),
    ]);
    let called = run(&mut command, "").exits(0);
    assert!(called.stdout.contains(r#""x-correlation-id": "abc""#), "{called:?}");
    assert_eq!(called.stderr, "");
    assert!(!scene.path("cache").exists());
}

#[test]
fn an_application_by_its_name() {
    let scene = Scene::new();
    with_file(&scene, "kid = \"wrong\"\n[app.good]\nkid = \"int-1\"\n");
    scene.run(&["get-token"]).exits(1);
    scene.run(&["get-token", "--app", "good"]).exits(0);
    let failed = scene.run(&["get-token", "--app", "other"]).exits(2);
    assert!(failed.stderr.contains("there is no table `[app.other]`"), "{}", failed.stderr);
    let text = fs::read_to_string(scene.path("nhs-auth.toml")).unwrap();
    scene.write("nhs-auth.toml", &format!("default-app = \"good\"\n{text}"));
    scene.run(&["get-token"]).exits(0);
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let scene = Scene::new();
    for (text, said) in [
        ("api_key = \"x\"\n", "did you mean `api-key`?"),
        ("nonsense = 1\n", "`nonsense` is not a key"),
        ("env = \n", "line 1"),
        ("env = \"live\"\n", "`live` stands in nhs-auth.toml"),
        ("env = 1.5\n", "`env` must be"),
        ("app = 1\n", "`app` must be a table"),
    ] {
        scene.write("nhs-auth.toml", text);
        let failed = scene.run(&["get-token"]).exits(2);
        assert!(failed.stderr.contains(said), "{text}: {}", failed.stderr);
    }
    let missing = scene.run(&["get-token", "--config", "nowhere.toml"]).exits(2);
    assert!(missing.stderr.contains("nowhere.toml"), "{}", missing.stderr);
}

#[test]
fn help_shows_no_secret_of_the_file_or_the_environment() {
    let scene = Scene::new();
    scene.write("nhs-auth.toml", "passphrase = \"hush1\"\n");
    let mut command = scene.binary();
    let help =
        run(command.args(["get-token", "--help"]).env("NHS_AUTH_API_KEY", "hush2"), "").exits(0);
    assert!(
        !help.stdout.contains("hush") && help.stdout.contains("NHS_AUTH_API_KEY"),
        "{}",
        help.stdout
    );
}

#[test]
fn what_needs_no_file_is_not_kept_back_by_a_bad_one() {
    let scene = Scene::new();
    fs::write(scene.path("nhs-auth.toml"), b"\xff\xfe nonsense").unwrap();
    for arguments in
        [&["--help"][..], &["get-token", "--help"], &["completions", "bash"], &["explain", "A1"]]
    {
        scene.run(arguments).exits(0);
    }
    scene.run(&["get-token"]).exits(2);
}

#[test]
fn a_file_that_sends_assertions_elsewhere_is_remarked_on() {
    let scene = Scene::new();
    scene.write("nhs-auth.toml", "base-url = \"https://example.invalid\"\n");
    let arguments =
        ["sign-assertion", "--api-key", "file:api-key.txt", "--private-key", "int-1.pem"];
    let signed = scene.run(&arguments).exits(0);
    assert!(signed.stderr.contains("not NHS England's"), "{}", signed.stderr);
    with_file(&scene, "");
    assert!(!scene.run(&["sign-assertion"]).exits(0).stderr.contains("not NHS England's"));
}
