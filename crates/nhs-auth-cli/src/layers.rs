//! Where a flag's value comes from: the command line, then the environment, then the file, then
//! the default.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use crate::arguments::Cli;
use crate::config_file::ConfigFile;
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Flags that choose the file can't come from it.
const NOT_IN_THE_FILE: [&str; 4] = ["app", "config", "help", "version"];

/// Verbs that a configuration can't change.
const NO_FILE: [&str; 4] = ["completions", "demo", "explain", "man"];

/// Reads the arguments, with what lies below them. `None` when help or a version was asked for,
/// and has been printed.
pub(crate) fn parse(
    arguments: impl Iterator<Item = OsString>,
) -> Result<Option<(Cli, Console)>, Failure> {
    let arguments: Vec<_> = arguments.collect();
    let command = with_environment(Cli::command());
    let file = match chosen_file(&command, &arguments) {
        // What needs no file, and help above all, is not kept back by one that can't be read.
        Err(_) if needs_no_file(&command, &arguments) => ConfigFile::default(),
        file => file?,
    };
    let command = with_file(command, &file);
    let parsed = command
        .clone()
        .try_get_matches_from(&arguments)
        .and_then(|matches| match outranked(&matches) {
            none if none.is_empty() => Ok(matches),
            outranked => without(command, &outranked).try_get_matches_from(arguments),
        })
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(mut cli) => {
            let console = Console::new(cli.global.quiet, cli.global.verbose);
            file.warn_of_stand_in(console);
            cli.global.file = file;
            Ok(Some((cli, console)))
        }
        Err(error) if !error.use_stderr() => {
            print_help(&error)?;
            Ok(None)
        }
        Err(error) => Err(usage_failure(&error, &file)),
    }
}

/// Every flag reads `NHS_AUTH_<FLAG>` too.
fn with_environment(command: Command) -> Command {
    each_flag(command, &|flag, name| {
        let variable = format!("NHS_AUTH_{}", name.to_uppercase().replace('-', "_"));
        let flag = match flag.get_action() {
            ArgAction::SetTrue => flag.value_parser(BoolishValueParser::new()),
            _ => flag,
        };
        // An empty variable counts as none.
        if is_empty_variable(&variable) { flag } else { flag.env(variable).hide_env_values(true) }
    })
}

#[expect(clippy::disallowed_methods, reason = "this is the layer that reads the environment")]
fn is_empty_variable(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}

fn with_file(command: Command, file: &ConfigFile) -> Command {
    each_flag(command, &|flag, name| match file.values.get(name) {
        Some(values) if !NOT_IN_THE_FILE.contains(&name) => {
            let takes_value = flag.get_action().takes_values();
            let flag = flag.default_values(values);
            // What stands in a file may be a secret, and is not for the help.
            if takes_value { flag.hide_default_value(true) } else { flag }
        }
        _ => flag,
    })
}

/// Flags of which only one counts, whichever is given nearer to the command line.
pub(crate) const ONE_OR_THE_OTHER: [(&str, &str); 2] =
    [("key-ring", "private-key"), ("key-ring", "jwks")];

/// The flags whose value gives way to another flag's, which stands before it in precedence.
fn outranked(matches: &ArgMatches) -> Vec<&'static str> {
    let Some((_, verb)) = matches.subcommand() else { return Vec::new() };
    let rank = |flag: &str| match verb.try_contains_id(&flag.replace('-', "_")) {
        Ok(true) => verb.value_source(&flag.replace('-', "_")).map(|source| match source {
            ValueSource::CommandLine => 0,
            ValueSource::EnvVariable => 1,
            _ => 2,
        }),
        _ => None,
    };
    let give_way =
        ONE_OR_THE_OTHER.iter().filter_map(|(one, other)| match (rank(one)?, rank(other)?) {
            (one_rank, other_rank) if one_rank < other_rank => Some(*other),
            (one_rank, other_rank) if one_rank > other_rank => Some(*one),
            _ => None,
        });
    give_way.collect()
}

/// The same without what the environment and the file say of these flags.
fn without(command: Command, flags: &[&str]) -> Command {
    each_flag(command, &|flag, name| {
        if flags.contains(&name) {
            flag.env(None::<&str>).default_values(None::<&str>)
        } else {
            flag
        }
    })
}

fn each_flag(command: Command, change: &dyn Fn(Arg, &str) -> Arg) -> Command {
    let by_name = |flag: Arg| match flag.get_long().map(ToOwned::to_owned) {
        Some(name) => change(flag, &name),
        None => flag,
    };
    command.mut_args(by_name).mut_subcommands(|verb| verb.mut_args(by_name))
}

/// The file is chosen by two flags, which therefore are read before the rest.
fn chosen_file(command: &Command, arguments: &[OsString]) -> Result<ConfigFile, Failure> {
    let flags = flag_names(command);
    let matches = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok();
    let chosen = |name: &str| matches.as_ref().and_then(|all| all.get_one::<String>(name).cloned());
    let config = chosen("config");
    ConfigFile::find(config.as_deref().map(Path::new), chosen("app").as_deref(), &flags)
}

fn needs_no_file(command: &Command, arguments: &[OsString]) -> bool {
    match command.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches.subcommand_name().is_some_and(|verb| NO_FILE.contains(&verb)),
        Err(error) => !error.use_stderr(),
    }
}

fn flag_names(command: &Command) -> BTreeSet<String> {
    let of = |command: &Command| {
        command
            .get_arguments()
            .filter_map(|flag| flag.get_long().map(ToOwned::to_owned))
            .collect::<Vec<_>>()
    };
    let verbs = command.get_subcommands().flat_map(of);
    verbs.chain(of(command)).filter(|name| !NOT_IN_THE_FILE.contains(&name.as_str())).collect()
}

fn print_help(error: &clap::Error) -> Result<(), Failure> {
    let text = error.render();
    let written = write!(anstream::stdout(), "{}", text.ansi());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::usage(format!("can't write to standard output: {error}")),
    })
}

/// clap's own words, which are good, unless they repeat a key.
fn usage_failure(error: &clap::Error, file: &ConfigFile) -> Failure {
    let text = error.render().to_string();
    if text.contains("eyJ") {
        return Failure::usage("an argument is a token, where something else belongs")
            .hint("give the ID token with --subject-token: a file, or `-` for standard input");
    }
    if ["-----BEGIN", "PRIVATE KEY", "MIIE", "MIIJ"].iter().any(|sign| text.contains(sign)) {
        return Failure::usage("an argument holds key material, where a path belongs")
            .hint("give the private key's path with --private-key");
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(anstream::stderr(), "{}", error.render().ansi());
        return Failure { exit: Exit::Usage, message: String::new(), hints: Vec::new() };
    }
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let failure = Failure::usage(text);
    match (&file.path, value_at_fault(error)) {
        (Some(path), Some(value)) if file.values.values().flatten().any(|own| *own == value) => {
            failure.hint(format!("`{value}` stands in {}", path.display()))
        }
        _ => failure,
    }
}

fn value_at_fault(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidValue)? {
        ContextValue::String(value) => Some(value.clone()),
        _ => None,
    }
}
