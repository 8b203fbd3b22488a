//! The project's own chores, as `cargo xtask CHORE`.
#![expect(clippy::print_stderr, reason = "progress and failures are for people to read")]

mod bench;
mod deb;
mod docs;
mod process;
mod test;
mod tools;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Bench => bench::run(),
        Chore::Deb(deb) => deb::run(deb),
        Chore::Docs => docs::write(),
        Chore::Soak { minutes, sidecar } => bench::soak(minutes, sidecar),
        Chore::Test { args } => test::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Measure what it costs, beside what else does the same job, in one run.
    Bench,
    /// Make the Debian package.
    Deb(deb::Deb),
    /// Write the pages that are made from the rulebook anew.
    Docs,
    /// Load the mock or the sidecar for minutes, and see whether its memory is flat.
    Soak {
        /// The sidecar, and not the mock.
        #[arg(long)]
        sidecar: bool,
        /// For how long.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
        minutes: u16,
    },
    /// Install what the tests need, then check and test everything.
    Test {
        /// Arguments for `cargo test`, such as a test's name.
        #[arg(last = true)]
        args: Vec<String>,
    },
}

/// The top of the checkout.
fn root() -> &'static Path {
    let this_crate = Path::new(env!("CARGO_MANIFEST_DIR"));
    this_crate.ancestors().nth(2).expect("this crate lives two folders down")
}
