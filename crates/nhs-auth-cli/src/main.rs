//! The binary `nhs-auth`: arguments, configuration and printing. What it does is the library's work.

mod arguments;
mod commands;
mod config_file;
mod console;
mod custody;
mod failure;
mod headers;
mod identity;
mod key_ring;
mod layers;
mod private_key;
mod publisher;
mod secret;

use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use crate::arguments::{Cli, Verb};
use crate::console::Console;
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    let code = panic::catch_unwind(run).unwrap_or(Exit::Fault);
    ExitCode::from(code as u8)
}

fn run() -> Exit {
    let (cli, console) = match layers::parse(std::env::args_os()) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return Exit::Done,
        Err(failure) => return Console::failure(&failure),
    };
    console.start_logging(cli.verb.log_form());
    match perform(cli, console) {
        Ok(exit) => exit,
        Err(failure) => Console::failure(&failure),
    }
}

fn perform(cli: Cli, console: Console) -> Result<Exit, Failure> {
    let Cli { global, verb } = cli;
    match verb {
        Verb::CallApi(arguments) => commands::call_api::run(&arguments, &global, console),
        Verb::Completions(arguments) => commands::completions::run(&arguments),
        Verb::Demo => commands::demo::run(console),
        Verb::Diagnose(arguments) => commands::diagnose::run(&arguments, &global, console),
        Verb::ExchangeToken(arguments) => {
            commands::exchange_token::run(&arguments, &global, console)
        }
        Verb::Explain(arguments) => commands::explain::run(&arguments, &global),
        Verb::GenerateKeys(arguments) => commands::generate_keys::run(&arguments, &global, console),
        Verb::GetToken(arguments) => commands::get_token::run(&arguments, &global, console),
        Verb::Man(arguments) => commands::man::run(&arguments),
        Verb::Mock(arguments) => commands::mock::run(&arguments, &global, console),
        Verb::Proxy(arguments) => commands::proxy::run(&arguments, &global, console),
        Verb::PublishJwks(arguments) => commands::publish_jwks::run(&arguments, &global, console),
        Verb::RotateKeys(arguments) => commands::rotate_keys::run(&arguments, &global, console),
        Verb::ServeJwks(arguments) => commands::serve_jwks::run(&arguments, &global, console),
        Verb::SignAssertion(arguments) => {
            commands::sign_assertion::run(&arguments, &global, console)
        }
        Verb::SignIn(arguments) => commands::sign_in::run(&arguments, &global, console),
    }
}

/// A panic is a fault of ours. Its message is not shown: it may hold what it was about.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    Console::failure(&Failure::fault(format!("this should not have happened, at {place}")));
}
