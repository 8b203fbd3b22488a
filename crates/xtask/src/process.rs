//! Running other programs, with failures that name the step.

use std::io;
use std::process::{Command, Stdio};

/// Runs a command to its end, having announced it. Its output goes where ours goes.
pub(crate) fn run(step: &'static str, command: &mut Command) -> Result<(), Failure> {
    let line = command_line(command);
    eprintln!("xtask: {step}: {line}");
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(step, format!("`{line}` ended with {status}"))),
        Err(error) => Err(Failure::new(step, format!("`{line}` can't be started: {error}"))),
    }
}

/// As [`run`], but all that it prints is progress, so it goes to standard error.
pub(crate) fn run_as_progress(step: &'static str, command: &mut Command) -> Result<(), Failure> {
    run(step, command.stdout(io::stderr()))
}

/// What a command prints, or nothing if it can't be run or says no.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A step that didn't do its work.
#[derive(Debug, thiserror::Error)]
#[error("step `{step}` failed: {reason}")]
pub(crate) struct Failure {
    step: &'static str,
    reason: String,
}

impl Failure {
    pub(crate) fn new(step: &'static str, reason: String) -> Self {
        Self { step, reason }
    }
}

fn command_line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_with_its_step() {
        let failure = run("lints", Command::new("sh").args(["-c", "exit 3"])).unwrap_err();

        let told = "step `lints` failed: `sh -c exit 3` ended with exit status: 3";
        assert_eq!(failure.to_string(), told);
    }

    #[test]
    fn a_program_that_is_not_there_is_told_with_its_step() {
        let failure = run("lints", &mut Command::new("no-such-program")).unwrap_err();

        let told = "step `lints` failed: `no-such-program` can't be started: ";
        assert!(failure.to_string().starts_with(told), "{failure}");
    }

    #[test]
    fn only_a_command_that_succeeds_has_an_answer() {
        let shell = |script| answer(Command::new("sh").args(["-c", script]));

        assert_eq!(shell("echo yes"), Some("yes".to_owned()));
        assert_eq!(shell("echo yes; exit 1"), None);
        assert_eq!(answer(&mut Command::new("no-such-program")), None);
    }
}
