//! `nhs-auth man`: the manual pages, made from what the help is made from.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, CommandFactory as _, ValueHint};
use clap_mangen::roff::{Roff, bold, roman};

use crate::arguments::Cli;
use crate::console;
use crate::failure::{Exit, Failure};

/// Write the manual pages, one for each verb
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder to write them to
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output_dir: PathBuf,
}

pub(crate) fn run(arguments: &Man) -> Result<Exit, Failure> {
    let folder = &arguments.output_dir;
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let pages = whole.get_subcommands().filter(|verb| !verb.is_hide_set()).chain([&whole]);
    for command in pages {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = folder.join(format!("{name}.1"));
        let written = page(command).and_then(|page| fs::write(&path, page));
        written.map_err(|error| cannot_write(&path, &error))?;
        console::answer_line(&path.display().to_string())?;
    }
    Ok(Exit::Done)
}

/// A page without a date: one version's page is the same whenever it is made.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let version = env!("CARGO_PKG_VERSION");
    // Not by `render_title`, which drops an empty date, so that the version takes its place.
    let mut page = format!(".TH {name} 1 \"\" \"nhs-auth {version}\" nhs-auth\n").into_bytes();
    let man = clap_mangen::Man::new(command.clone());
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(help) = command.get_after_help() {
        examples(&help.to_string()).to_writer(&mut page)?;
    }
    closing(name).to_writer(&mut page)?;
    Ok(page)
}

/// What follows the help, its lines as they stand: examples are columns and commands.
fn examples(help: &str) -> Roff {
    let mut roff = Roff::new();
    for paragraph in help.split("\n\n") {
        match paragraph.split_once(":\n") {
            Some(("Example" | "Examples", lines)) => {
                roff.control("SH", ["EXAMPLES"]).control("nf", []);
                for line in lines.lines() {
                    roff.text([roman(line)]);
                }
                roff.control("fi", []);
            }
            _ => {
                roff.control("SH", ["NOTES"]).text([roman(paragraph)]);
            }
        }
    }
    roff
}

/// What holds for every verb.
fn closing(name: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    roff.control("SH", ["ENVIRONMENT"]).text([
        roman("Every flag also reads a variable: "),
        bold("--api-key"),
        roman(" is "),
        bold("NHS_AUTH_API_KEY"),
        roman(". The flag goes before the variable, and the variable before the file."),
    ]);
    roff.control("SH", ["FILES"]);
    for (path, meaning) in FILES {
        roff.control("TP", []).text([bold(path)]).text([roman(meaning)]);
    }
    let mut also = vec![bold("nhs-auth.toml"), roman("(5)")];
    if name != "nhs-auth" {
        also.splice(0..0, [bold("nhs-auth"), roman("(1), ")]);
    }
    roff.control("SH", ["SEE ALSO"]).text(also);
    roff
}

const EXIT_CODES: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "The answer is no: of the platform, of the API, or of a diagnosis."),
    ("2", "Wrong usage, input or files."),
    ("3", "No usable answer: unreachable, too late, or not what was asked for."),
    ("4", "A fault of nhs-auth itself."),
];

const FILES: [(&str, &str); 2] = [
    ("./nhs-auth.toml", "The configuration, unless --config names another file."),
    ("~/.config/nhs-auth/nhs-auth.toml", "The configuration where the working directory has none."),
];

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("can't write {}: {error}", path.display()))
}
