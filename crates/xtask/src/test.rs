//! `cargo xtask test`: all that has to hold before a change is shared.

use std::num::NonZero;
use std::process::Command;
use std::thread;

use crate::process::{self, Failure};
use crate::{docs, root, tools};

/// What is off unless it is asked for.
const FEATURES: &str = "--features nhs-auth-cli/otel";

/// Installs what the tests need, then checks and tests everything. `args` go to `cargo test`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let tools = tools::install()?;

    process::run("format", &mut cargo("fmt --all --check"))?;
    docs::check()?;
    process::run("lints", &mut cargo("clippy --workspace --all-targets --locked -- -D warnings"))?;
    // Everything again with what is off unless it is asked for: only what differs is looked at.
    process::run(
        "lints of features",
        &mut cargo(&format!("clippy --workspace --all-targets {FEATURES} --locked -- -D warnings")),
    )?;
    // What users build, which has fewer features of what it depends on than the tests below.
    process::run("check", &mut cargo("check --locked"))?;
    process::run(
        "tests",
        cargo("test --workspace --locked")
            .args(args)
            .envs([test_threads()])
            .env("NHS_AUTH_TEST_PYTHON", &tools.python)
            .env("NHS_AUTH_TEST_NODE_MODULES", &tools.node_modules),
    )?;
    process::run(
        "tests of features",
        cargo(&format!("test --workspace {FEATURES} --locked --lib --test it trace"))
            .envs([test_threads()]),
    )?;
    process::run(
        "docs",
        // Libraries alone: the binary `nhs-auth` would write over the pages of its namesake.
        cargo(&format!("doc --workspace --lib --no-deps {FEATURES} --locked"))
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;

    eprintln!("xtask: all steps passed");
    Ok(())
}

/// Tests wait more than they work, for outages and for those who say nothing: so more of them run at
/// once than there are cores. Whoever says `-- --test-threads` is heard.
fn test_threads() -> (&'static str, String) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    ("RUST_TEST_THREADS", (2 * cores).to_string())
}

fn cargo(line: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(line.split(' ')).current_dir(root());
    command
}
