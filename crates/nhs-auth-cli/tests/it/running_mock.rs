//! `nhs-auth mock` in a process of its own, as programs in other languages meet it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::scene::binary_in;

/// The running command. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct RunningMock {
    process: Child,
    base_url: String,
    _folder: TempDir,
}

impl RunningMock {
    /// Starts it at a free port, and waits until it is ready.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mock = binary_in(folder.path());
        mock.args(["--quiet", "mock", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut process = mock.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://127.0.0.1:"), "{line:?}");
        Self { process, base_url: line.trim_end().to_owned(), _folder: folder }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for RunningMock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
