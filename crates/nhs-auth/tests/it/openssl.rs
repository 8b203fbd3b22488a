//! A directory of its own for each test, and the `openssl` command in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A new directory that goes away with the test.
pub(crate) struct Workshop {
    directory: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// With the shared RSA key of 4096 bits in `key.pem` (PKCS#8), and a certificate of its own in
    /// `cert.pem`.
    pub(crate) fn with_key() -> Self {
        static KEY: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
        let (key, certificate) = KEY.get_or_init(|| {
            let workshop = Self::new();
            workshop.rsa(4096, "key.pem");
            workshop.openssl("req -x509 -new -key key.pem -subj /CN=test -days 1 -out cert.pem");
            (workshop.read("key.pem"), workshop.read("cert.pem"))
        });
        let workshop = Self::new();
        workshop.write("key.pem", key);
        workshop.write("cert.pem", certificate);
        workshop
    }

    /// Makes an RSA key.
    pub(crate) fn rsa(&self, bits: usize, out: &str) {
        self.openssl(&format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out {out}"));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn read_text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs `openssl` with these arguments, parted by spaces, and gives what it printed.
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        self.run("openssl", "openssl", &arguments)
    }

    /// Makes an SSH key without a passphrase.
    pub(crate) fn ssh_keygen(&self, arguments: &str) {
        let arguments: Vec<&str> = arguments.split(' ').chain(["-q", "-N", ""]).collect();
        self.run("ssh-keygen", "openssh-client", &arguments);
    }

    /// Runs one line of a POSIX shell, as a person would who follows a hint.
    pub(crate) fn shell(&self, line: &str) -> String {
        self.run("sh", "dash", &["-c", line])
    }

    fn run(&self, program: &str, package: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap_or_else(|error| {
                panic!("this test needs `{program}` (`apt-get install {package}`): {error}")
            });
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {printed}{complaint}");
        printed
    }
}
