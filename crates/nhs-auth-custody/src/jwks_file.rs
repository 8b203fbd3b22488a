//! The key set as a file.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use nhs_auth::KeySet;

use crate::publication::{PublishError, Published};

/// What is read of a file at most, in bytes: no key set has more.
const MOST_BYTES: u64 = 1024 * 1024;

/// For the web server to read, whoever runs it.
#[cfg(unix)]
const MODE: u32 = 0o644;

/// A file of this machine that holds the public key set, for a web server to serve.
///
/// It is whole at every moment: a reader sees the old one or the new one. Two that publish at the
/// same time are told apart on Unix, by a lock on the folder. The web server has to give it the
/// content type `application/jwk-set+json` or `application/json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksFile {
    path: PathBuf,
}

impl JwksFile {
    /// The file at that path, whose folder is there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Publishes a key set there. It waits for the disk.
    ///
    /// # Errors
    ///
    /// [`PublishError`], after which the file is as it was.
    pub fn publish(&self, keys: &KeySet) -> Result<Published, PublishError> {
        if keys.keys().is_empty() {
            return Err(PublishError::Empty);
        }
        let json = keys.to_json();
        let folder = self.folder();
        let opened = open_folder(folder).map_err(|error| self.failed("write", &error))?;
        if !lock(opened.as_ref()).map_err(|error| self.failed("write", &error))? {
            return Err(PublishError::Conflict { place: self.place() });
        }
        let before = match self.there() {
            Ok(None) => Published::Created,
            Ok(Some(bytes)) if bytes == json.as_bytes() => return Ok(Published::Unchanged),
            Ok(Some(bytes)) if is_key_set(&bytes) => Published::Replaced,
            Ok(Some(_)) => return Err(PublishError::SomethingElse { place: self.place() }),
            Err(error) => return Err(self.failed("read", &error)),
        };
        self.replace(json.as_bytes()).map_err(|error| self.failed("write", &error))?;
        // The new name is on the disk once the folder is.
        opened
            .map_or(Ok(()), |folder| folder.sync_all())
            .map_err(|it| self.failed("write", &it))?;
        match fs::read(&self.path) {
            Ok(bytes) if bytes == json.as_bytes() => Ok(before),
            Ok(_) => Err(PublishError::NotShown { place: self.place(), reason: OTHER_BYTES }),
            Err(error) => Err(self.failed("read back", &error)),
        }
    }

    /// What is there, if it is a file.
    fn there(&self) -> io::Result<Option<Vec<u8>>> {
        match self.path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(there) if !there.is_file() => Err(io::Error::other("it is not a file")),
            Ok(_) => {
                let mut bytes = Vec::new();
                File::open(&self.path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
        }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".jwks-").tempfile_in(self.folder())?;
        new.write_all(bytes)?;
        #[cfg(unix)]
        new.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(MODE))?;
        new.as_file().sync_all()?;
        // Through a link to what it leads to.
        new.persist(self.path.canonicalize().unwrap_or_else(|_| self.path.clone()))?;
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, act: &'static str, error: &io::Error) -> PublishError {
        let reason = error.to_string();
        PublishError::Unavailable { act, place: self.place(), reason, passing: false }
    }
}

/// Whether a file is a key set of before, or empty: nothing else is overwritten, and a private key
/// least of all.
fn is_key_set(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    text.is_empty()
        || (text.starts_with('{') && text.contains("\"keys\"") && !text.contains("\"d\""))
}

pub(crate) const OTHER_BYTES: &str = "something else is read there";

#[cfg(unix)]
fn open_folder(folder: &Path) -> io::Result<Option<File>> {
    File::open(folder).map(Some)
}

/// A folder can't be opened so elsewhere.
#[cfg(not(unix))]
fn open_folder(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Whether nobody else publishes there now. The lock goes with the file.
fn lock(folder: Option<&File>) -> io::Result<bool> {
    match folder.map(File::try_lock) {
        None | Some(Ok(())) => Ok(true),
        Some(Err(fs::TryLockError::WouldBlock)) => Ok(false),
        Some(Err(fs::TryLockError::Error(error))) => Err(error),
    }
}
