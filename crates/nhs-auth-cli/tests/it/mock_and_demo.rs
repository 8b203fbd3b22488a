//! `nhs-auth mock`, `nhs-auth demo`, `nhs-auth completions`, and help.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

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

/// A mock in a process of its own.
struct Mock {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Mock {
    fn start(scene: &Scene, arguments: &[&str]) -> Self {
        let mut command = scene.binary();
        let command = command.args(["mock", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self { process, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn end(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

const WITH_AN_APP: &str = "[mock]\n[[mock.apps]]\nname = \"mine\"\njwks_file = \"int-1.json\"\n";

#[test]
fn a_ready_file_is_there_when_the_mock_is_and_gone_afterwards() {
    let scene = Scene::new();
    scene.write("nhs-auth.toml", WITH_AN_APP);
    scene.write("ready.json", "left by an earlier run");
    let mut mock = Mock::start(&scene, &["--ready-file", "ready.json"]);
    let base_url = mock.line();
    let text = std::fs::read_to_string(scene.path("ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ready["base_url"], base_url);
    assert_eq!(ready["token_url"], format!("{base_url}/oauth2/token"));
    assert_eq!(ready["apps"][0]["api_key"].as_str().unwrap().len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(scene.path("ready.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "API keys are in it");
    }
    mock.end();
    assert!(!scene.path("ready.json").exists());
}

#[test]
fn the_variables_are_what_the_other_verbs_read() {
    let scene = Scene::new();
    scene.write("nhs-auth.toml", WITH_AN_APP);
    let mut mock = Mock::start(&scene, &["--print-env"]);
    let base_url = mock.line();
    let lines: Vec<_> = (0..8).map(|_| mock.line()).collect();
    assert_eq!(lines[0], format!("NHS_AUTH_BASE_URL={base_url}"));
    let mut command = scene.binary();
    for line in &lines {
        let (name, value) = line.split_once('=').unwrap();
        command.env(name, value);
    }
    run(command.args(["get-token", "--private-key", "int-1.pem"]), "").exits(0);
    mock.end();
}

#[test]
fn the_state_is_kept_and_a_damaged_file_is_named() {
    let scene = Scene::new();
    scene.write("nhs-auth.toml", WITH_AN_APP);
    let keys: Vec<_> = (0..2)
        .map(|_| {
            let mut mock = Mock::start(&scene, &["--state", "state.json", "--print-env"]);
            let lines: Vec<_> = (0..9).map(|_| mock.line()).collect();
            mock.end();
            lines.into_iter().find(|line| line.starts_with("NHS_AUTH_API_KEY=")).unwrap()
        })
        .collect();
    assert_eq!(keys[0], keys[1]);

    scene.write("state.json", "{");
    let failed = scene.run(&["mock", "--listen", "127.0.0.1:0", "--state", "state.json"]).exits(2);
    assert!(failed.stderr.contains("state file state.json:"), "{}", failed.stderr);
    assert!(failed.stderr.contains("move the file away"), "{}", failed.stderr);
    let missing = ["mock", "--listen", "127.0.0.1:0", "--state", "no/such/folder/state.json"];
    let failed = scene.run(&missing).exits(2);
    let said = "can't write the state file no/such/folder/state.json: No such file or directory";
    assert!(failed.stderr.contains(said), "{}", failed.stderr);
    assert!(!failed.stderr.contains("move the file away"), "{}", failed.stderr);
    assert!(!failed.stderr.contains(".nhs-auth-mock-"), "{}", failed.stderr);
}

#[test]
fn the_configuration_in_the_reference_can_be_used_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/mock.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<_> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [base_path, whole] = blocks[..] else { panic!("{} blocks", blocks.len()) };
    let scene = Scene::new();
    std::fs::copy(scene.path("int-1.json"), scene.path("cis2-1.json")).unwrap();
    for configuration in [base_path, whole] {
        scene.write("nhs-auth.toml", configuration);
        let mut mock = Mock::start(&scene, &[]);
        assert!(mock.line().starts_with("http://127.0.0.1:"), "{configuration}");
        mock.end();
    }
}

#[test]
fn an_environment_that_there_is_not() {
    let scene = Scene::new();
    let failed = scene.run(&["mock", "--environment", "moon"]).exits(2);
    assert!(failed.stderr.contains("internal-qa"), "{}", failed.stderr);
    scene.write("nhs-auth.toml", "[mock]\nenvironment = \"moon\"\n");
    let failed = scene.run(&["mock"]).exits(2);
    assert!(failed.stderr.contains("`moon`"), "{}", failed.stderr);
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
