//! `nhs-auth completions`.

use clap::CommandFactory as _;

use crate::arguments::{Cli, Completions};
use crate::console;
use crate::failure::{Exit, Failure};

pub(crate) fn run(arguments: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "nhs-auth", &mut script);
    console::answer(&script)?;
    Ok(Exit::Done)
}
