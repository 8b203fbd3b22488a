//! A folder, a platform, and the binary between them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nhs_auth_mock::{MockPlatform, NewApp, RecordedRequest};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What one run of the binary left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Insists on an exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self:#?}");
        self
    }
}

/// The platform in a box, an application there, its key in `int-1.pem`, and a folder to be in.
pub(crate) struct Scene {
    pub(crate) runtime: Runtime,
    pub(crate) platform: MockPlatform,
    folder: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (pem, jwks) = key_files();
        fs::write(folder.path().join("int-1.pem"), pem).unwrap();
        fs::write(folder.path().join("int-1.json"), jwks).unwrap();
        let runtime = Runtime::new().unwrap();
        let platform = runtime.block_on(MockPlatform::start()).unwrap();
        let app = platform.create_app(NewApp::new("test").jwks(jwks));
        fs::write(folder.path().join("api-key.txt"), format!("{}\n", app.api_key())).unwrap();
        Self { runtime, platform, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.platform.requests()
    }

    /// The binary in the folder, with nothing of this machine's environment.
    pub(crate) fn binary(&self) -> Command {
        binary_in(self.folder.path())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(self.binary().args(arguments), "")
    }

    /// With the flags that say who asks, and where.
    pub(crate) fn run_as_app(&self, arguments: &[&str]) -> Run {
        self.run_as_app_with(arguments, "")
    }

    pub(crate) fn run_as_app_with(&self, arguments: &[&str], stdin: &str) -> Run {
        let base_url = self.platform.base_url();
        let who = [
            "--base-url",
            &base_url,
            "--api-key",
            "file:api-key.txt",
            "--private-key",
            "int-1.pem",
        ];
        run(self.binary().args(arguments).args(who), stdin)
    }
}

pub(crate) fn binary_in(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nhs-auth"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder.join("home"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_CONFIG_HOME", folder.join("config"));
    command
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Run {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A command that doesn't read its input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// One key pair for all tests, made by the binary itself.
fn key_files() -> (&'static str, &'static str) {
    static FILES: OnceLock<(String, String)> = OnceLock::new();
    let (pem, jwks) = FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run(binary_in(folder.path()).arg("generate-keys"), "").exits(0);
        let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        (read("int-1.pem"), read("int-1.json"))
    });
    (pem, jwks)
}
