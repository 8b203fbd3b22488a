//! Other people's clients: a Python that has what `tests/interop/requirements.txt` lists.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// A script of `tests/interop`, to be run by that Python.
#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where it put it")]
pub(crate) fn script(name: &str) -> Command {
    let python = std::env::var_os("NHS_AUTH_TEST_PYTHON")
        .map_or_else(|| project("target/tools/python/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing: run `cargo xtask test`, which installs it",
        python.display()
    );
    let mut command = Command::new(python);
    command.arg(project("tests/interop").join(name));
    // Nothing that is run here leaves files in the checkout, nor asks for what is elsewhere.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    command
}

/// Runs it, and gives what it printed.
pub(crate) async fn run(command: &mut Command) -> String {
    let ran = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
    printed
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
