//! `nhs-auth diagnose`.

mod bundle;
mod gather;
mod human;
mod json;
mod live;
mod redaction;
mod sarif;

use nhs_auth::LocalCrypto;
use nhs_auth_rules::diagnosis::{self, JwksInput, Report};

use crate::arguments::{Diagnose, Global, Output};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};

pub(crate) fn run(
    arguments: &Diagnose,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.bundle {
        bundle::must_be_new(path)?;
    }
    let gathered = gather::gather(arguments, console)?;
    let hosted = arguments.live.then(|| live::look(&gathered, console)).transpose()?;
    let fetched = hosted.as_ref().and_then(live::document);
    let mut inputs = gathered.inputs();
    if hosted.is_some() {
        inputs.jwks = fetched.as_deref().map(JwksInput::Document);
    }
    let mut report = diagnosis::diagnose(&inputs, &LocalCrypto::default());
    if let Some(hosted) = &hosted {
        live::add(&mut report, hosted, &inputs);
    }
    if let Some(path) = &arguments.bundle {
        let bundle = bundle::of(&gathered, &inputs, hosted.as_ref(), &report);
        bundle::write(path, &bundle)?;
        console.note(format_args!("wrote {}: read it before you post it", path.display()));
    }
    if arguments.fixed {
        answer_fixed(&report, console)?;
    } else if arguments.sarif {
        console::answer_json(&sarif::of(&report))?;
    } else if global.output == Output::Json {
        console::answer_json(&json::of(&report))?;
    } else {
        console::answer_text(&human::of(&report))?;
    }
    Ok(if report.has_error() { Exit::No } else { Exit::Done })
}

/// The repaired value alone, so that it can be piped.
fn answer_fixed(report: &Report, console: Console) -> Result<(), Failure> {
    let Some(fixed) = &report.fixed else {
        console.note("nothing was damaged, so there is nothing to print");
        return Ok(());
    };
    for repair in &report.repairs {
        console.note(format_args!("{}: {}", repair.input, repair.message));
    }
    console::answer_line(fixed.expose())
}
