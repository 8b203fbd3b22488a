//! What `cargo xtask test` installs: a Python and Node's packages.

use std::path::{Path, PathBuf};
use std::process::Command;

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
