//! What `cargo xtask test` installs: a Python, and Node with its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scene::run;

const NODE_MODULES: &str = "NHS_AUTH_TEST_NODE_MODULES";

/// A file of the checkout.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A Python that has what `tests/interop/requirements.txt` lists.
pub(crate) fn python() -> Command {
    let mut python = Command::new(installed("NHS_AUTH_TEST_PYTHON", "python/bin/python"));
    // Nothing that is run here leaves files in the checkout.
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// Node, with the packages that `tests/interop/package.json` lists.
pub(crate) fn node() -> Command {
    let mut node = Command::new("node");
    node.env(NODE_MODULES, installed(NODE_MODULES, "node/node_modules"));
    node
}

/// Runs a file of tests with Node's own runner. So many must pass, and none may be skipped.
#[track_caller]
pub(crate) fn node_tests_pass(node: &mut Command, file: &str, count: usize) {
    node.args(["--test", "--test-reporter=tap"]).arg(project(file));
    let tested = run(node, "").exits(0);
    for line in [format!("# pass {count}"), "# fail 0".to_owned(), "# skipped 0".to_owned()] {
        assert!(tested.stdout.lines().any(|it| it == line), "{line}: {}", tested.stdout);
    }
}

#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where it put them")]
fn installed(variable: &str, usual: &str) -> PathBuf {
    let path = std::env::var_os(variable)
        .map_or_else(|| project("target/tools").join(usual), PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test`, which installs it",
        path.display()
    );
    path
}
