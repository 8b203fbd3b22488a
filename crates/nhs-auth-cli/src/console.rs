//! Standard output carries the answer alone; everything else goes to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::LogForm;
use crate::failure::{Exit, Failure};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();

/// Where people are told things.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Console {
    quiet: bool,
    verbosity: u8,
}

impl Console {
    pub(crate) fn new(quiet: bool, verbosity: u8) -> Self {
        Self { quiet, verbosity }
    }

    /// The library's own account of what it does: warnings, or more with `-v`. Other libraries'
    /// accounts are left out, since nobody has promised that they hold no secret.
    pub(crate) fn start_logging(self, form: LogForm) {
        let level = match self.verbosity {
            _ if self.quiet => LevelFilter::ERROR,
            0 if form == LogForm::Human => LevelFilter::WARN,
            0 | 1 => LevelFilter::INFO,
            2 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        let targets =
            ["nhs_auth", "nhs_auth_custody", "nhs_auth_mock", "nhs_auth_rules", "nhs_auth_server"];
        let (people, programs) = match form {
            LogForm::Human => (Some(tracing_subscriber::fmt::layer()), None),
            LogForm::Json => (None, Some(tracing_subscriber::fmt::layer())),
        };
        let people = people
            .map(|layer| layer.with_writer(anstream::stderr).without_time().with_target(false));
        let programs = programs
            .map(|layer| layer.json().flatten_event(true).with_writer(io::stderr).with_ansi(false));
        let filter =
            targets.into_iter().fold(Targets::new(), |all, one| all.with_target(one, level));
        // A second subscriber could only be one of a test's.
        let _ = tracing_subscriber::registry().with(people).with(programs).with(filter).try_init();
    }

    /// The same, telling people nothing but errors: what there is to tell is told as events.
    pub(crate) fn hushed(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Progress, and what may be good to know.
    pub(crate) fn note(self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// What nobody can go on without, told even when quiet.
    #[expect(clippy::unused_self, reason = "beside the others, which look at what was asked for")]
    pub(crate) fn always(self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// A line that stands out.
    pub(crate) fn heading(self, text: impl Display) {
        self.note(format_args!("{HEADING}{text}{HEADING:#}"));
    }

    /// Something that has worked.
    pub(crate) fn done(self, text: impl Display) {
        self.note(format_args!("{GOOD}✓{GOOD:#} {text}"));
    }

    /// Something that works and should not be left so.
    pub(crate) fn warn(self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{WARNING}warning{WARNING:#}: {text}");
        }
    }

    /// What to do next.
    pub(crate) fn hint(self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{HINT}hint{HINT:#}: {text}");
        }
    }

    /// Why a command ended early. Errors are told even when quiet.
    pub(crate) fn failure(failure: &Failure) -> Exit {
        if !failure.message.is_empty() {
            let _ = writeln!(anstream::stderr(), "{ERROR}error{ERROR:#}: {}", failure.message);
            for hint in &failure.hints {
                let _ = writeln!(anstream::stderr(), "{HINT}hint{HINT:#}: {hint}");
            }
        }
        failure.exit
    }

    /// Whether progress can be drawn.
    pub(crate) fn is_interactive(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Writes a piece of the answer to standard output.
pub(crate) fn answer(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::reader_gone();
        }
        Failure::usage(format!("can't write to standard output: {error}"))
    })
}

/// Writes a line of the answer.
pub(crate) fn answer_line(line: &str) -> Result<(), Failure> {
    answer(format!("{line}\n").as_bytes())
}

/// Writes a text with colours in it, which stay where they are wanted.
pub(crate) fn answer_text(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Writes the answer as JSON, for programs.
pub(crate) fn answer_json(value: &serde_json::Value) -> Result<(), Failure> {
    answer(format!("{value:#}\n").as_bytes())
}
