//! `cargo xtask bench`: what it costs, beside what else does the same job, in one run; and
//! `cargo xtask soak`: whether the mock's memory is flat under load, or the sidecar's.

use std::ffi::OsStr;
use std::process::Command;

use crate::process::{self, Failure};
use crate::{root, tools};

/// Builds as it is distributed, and measures.
pub(crate) fn run() -> Result<(), Failure> {
    let tools = tools::install_for_bench()?;
    bench(&[tools.python.as_os_str()])
}

/// Builds as it is distributed, and loads the mock or the sidecar for so many minutes.
pub(crate) fn soak(minutes: u16, sidecar: bool) -> Result<(), Failure> {
    let minutes = minutes.to_string();
    if sidecar {
        tools::install_for_bench()?;
        return bench(&[minutes.as_ref(), "sidecar".as_ref()]);
    }
    bench(&[minutes.as_ref()])
}

fn bench(arguments: &[&OsStr]) -> Result<(), Failure> {
    let mut build = Command::new("cargo");
    build.args(["build", "--profile", "dist", "--locked"]);
    build.args(["-p", "nhs-auth-cli", "-p", "nhs-auth-bench"]);
    process::run_as_progress("build", build.current_dir(root()))?;

    let dist = root().join("target/dist");
    let mut bench = Command::new(dist.join("nhs-auth-bench"));
    process::run("bench", bench.arg(dist.join("nhs-auth")).args(arguments))
}
