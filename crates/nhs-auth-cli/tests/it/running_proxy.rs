//! `nhs-auth proxy` in a process of its own, as programs in other languages meet it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::scene::{Run, Scene, run};

/// The running sidecar. It ends when this is dropped.
pub(crate) struct RunningProxy {
    process: Child,
    stdout: BufReader<ChildStdout>,
    told: Arc<Mutex<String>>,
    /// Where it listens: a URL, or `unix:PATH`.
    pub(crate) url: String,
}

/// What it takes of this machine's memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}

impl RunningProxy {
    /// Starts a whole command, and waits until it has printed where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let (mut stderr, listening) = (process.stderr.take().unwrap(), Arc::clone(&told));
        thread::spawn(move || {
            let mut lines = BufReader::new(&mut stderr);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                listening.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        let url = url.trim_end().to_owned();
        let started = Self { process, stdout, told, url };
        assert!(!started.url.is_empty(), "it ended early: {}", started.told());
        started
    }

    /// As the scene's application, at free ports, with these arguments beside.
    pub(crate) fn as_app(scene: &Scene, arguments: &[&str]) -> Self {
        Self::start(&mut command_as_app(scene, arguments))
    }

    /// By the scene's file `nhs-auth.toml`, at free ports.
    pub(crate) fn by_file(scene: &Scene, arguments: &[&str]) -> Self {
        let mut command = scene.binary();
        Self::start(command.args(AT_FREE_PORTS).args(arguments))
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What it has told on standard error so far.
    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// Waits until it has told something.
    pub(crate) fn tells(&self, text: &str) {
        for _ in 0..400 {
            if self.told().contains(text) {
                return;
            }
            pause(25);
        }
        panic!("it doesn't tell {text:?}: {}", self.told());
    }

    /// What is at its listener for those who run it.
    pub(crate) fn admin(&self, path: &str) -> String {
        self.tells("/healthz");
        let told = self.told();
        let end = told.find("/healthz").unwrap();
        let begin = told[..end].rfind("http://").unwrap();
        get(&format!("{}{path}", &told[begin..end]))
    }

    /// Waits until `/readyz` begins so.
    pub(crate) fn becomes(&self, state: &str) {
        let mut last = String::new();
        for _ in 0..600 {
            last = self.admin("/readyz");
            if last.starts_with(state) {
                return;
            }
            pause(50);
        }
        panic!("it doesn't become {state}: {last}");
    }

    /// The count of that name and these labels; 0 when it is not there.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let metrics = self.admin("/metrics");
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
        lines.filter_map(|rest| rest.trim().parse::<u64>().ok()).sum()
    }

    pub(crate) fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()));
        let status = status.unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Memory { now: of("VmRSS:"), most: of("VmHWM:") }
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process_id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and takes what it left.
    pub(crate) fn ends(mut self) -> Run {
        let exit = self.process.wait().unwrap().code().unwrap_or(-1);
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        Run { exit, stdout, stderr: self.told() }
    }
}

impl Drop for RunningProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const AT_FREE_PORTS: [&str; 5] = ["proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

/// The command as the scene's application, whose requests go to the box unless `--upstream` is
/// among the arguments.
pub(crate) fn command_as_app(scene: &Scene, arguments: &[&str]) -> Command {
    let base_url = scene.platform.base_url();
    let who =
        ["--base-url", &base_url, "--api-key", "file:api-key.txt", "--private-key", "int-1.pem"];
    let mut command = scene.binary();
    if !arguments.contains(&"proxy") {
        command.args(AT_FREE_PORTS);
    }
    command.args(arguments).args(who);
    if !arguments.contains(&"--upstream") {
        command.args(["--upstream", &base_url]);
    }
    command
}

/// What is at a URL, by curl.
pub(crate) fn get(url: &str) -> String {
    run(Command::new("curl").args(["--silent", "--show-error", url]), "").exits(0).stdout
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
pub(crate) fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}
