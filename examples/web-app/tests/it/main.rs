//! The application in Chromium, from sign-in to sign-out. Pictures of its pages are left in
//! `target/screenshots`.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const NODE_MODULES: &str = "NHS_AUTH_TEST_NODE_MODULES";

/// How many tests the script has: none may be left out.
const TESTS: usize = 12;

/// The running application. It ends when this is dropped.
struct WebApp {
    process: Child,
    url: String,
    box_url: String,
}

impl WebApp {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_web-app"));
        command.env("WEB_APP_LISTEN", "127.0.0.1:0").stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap();
        let in_a_box = lines.next().unwrap().unwrap();
        let box_url = in_a_box.strip_prefix("the platform in a box: ").unwrap().to_owned();
        Self { process, url, box_url }
    }
}

impl Drop for WebApp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The packages that the browser is driven with.
#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where it put them")]
fn node_modules() -> PathBuf {
    let usual = || project("target/tools/node/node_modules");
    let path = std::env::var_os(NODE_MODULES).map_or_else(usual, PathBuf::from);
    let shown = path.display();
    assert!(path.exists(), "{shown} is missing: run `cargo xtask test`, which installs it");
    path
}

#[test]
fn from_sign_in_to_sign_out_in_chromium() {
    let app = WebApp::start();
    let screenshots = project("target/screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let output = Command::new("node")
        .env(NODE_MODULES, node_modules())
        .env("APP_URL", &app.url)
        .env("BASE_URL", &app.box_url)
        .env("SCREENSHOTS", screenshots)
        .args(["--test", "--test-reporter=tap"])
        .arg(project("tests/browser/web_app.test.mjs"))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    for line in [format!("# pass {TESTS}"), "# fail 0".into(), "# skipped 0".into()] {
        assert!(stdout.lines().any(|it| it == line), "{line}: {stdout}");
    }
}
