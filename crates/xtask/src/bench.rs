//! `cargo xtask bench`: what it costs, beside what else does the same job, in one run.

use std::process::Command;

use crate::process::{self, Failure};
use crate::{root, tools};

/// Builds for release, and measures.
pub(crate) fn run() -> Result<(), Failure> {
    let tools = tools::install()?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "-p", "nhs-auth-cli", "-p", "nhs-auth-bench"]);
    process::run_as_progress("build", build.current_dir(root()))?;

    let release = root().join("target/release");
    let mut bench = Command::new(release.join("nhs-auth-bench"));
    process::run("bench", bench.arg(release.join("nhs-auth")).arg(&tools.python))
}
