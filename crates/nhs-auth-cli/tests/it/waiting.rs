//! `nhs-auth sign-in` with a user whose browser is curl.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::scene::{Run, run};

/// The command while it waits for its user.
pub(crate) struct Waiting {
    process: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
    /// Where the user is to go.
    pub(crate) url: String,
}

impl Waiting {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut told = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended early: {told}");
            told.push_str(&line);
            if line.starts_with("http") {
                break line.trim_end().to_owned();
            }
        };
        Self { process, stderr, told, url }
    }

    /// The user signs in, and the browser goes where it is sent.
    pub(crate) fn sign_in(self, username: &str) -> Run {
        let callback = callback(&self.url, username);
        self.come_back(&callback)
    }

    pub(crate) fn come_back(mut self, callback: &str) -> Run {
        let page = curl(&["--include", callback]);
        assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
        assert!(page.contains("referrer-policy: no-referrer"), "{page}");
        let mut stdout = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut self.told).unwrap();
        let exit = self.process.wait().unwrap().code().unwrap_or(-1);
        Run { exit, stdout, stderr: std::mem::take(&mut self.told) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn curl(arguments: &[&str]) -> String {
    run(Command::new("curl").args(["--silent", "--show-error"]).args(arguments), "").exits(0).stdout
}

/// What the browser is sent back to after that user has signed in.
fn callback(url: &str, username: &str) -> String {
    let page = curl(&[url]);
    let form = page.split("id=\"kc-form-login\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    let action = form.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let username = format!("username={username}");
    let write_out = ["--output", "/dev/null", "--write-out", "%{redirect_url}"];
    curl(&[&["--data", &username, &action.replace("&amp;", "&")], &write_out[..]].concat())
}
