//! A token that outlives its process: one file for each identity, for programs that are run again
//! and again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use zeroize::Zeroizing;

use super::written::Written;
use crate::{Application, IssuedToken, private_folder};

/// What is read of a file at most, in bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// How long another process may hold the lock. It makes three attempts of 30 s at most, but whoever
/// waits that long is better off asking for itself.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The file that keeps one identity's token.
///
/// The folder is only its owner's (0700), the file too (0600) from its first byte, and it is
/// replaced whole or not at all. Its name is a hash, so that a listing shows no API key.
#[derive(Debug)]
pub struct TokenFile {
    folder: PathBuf,
    name: String,
}

impl TokenFile {
    /// The file for this application's tokens in `folder`, which is made when needed.
    pub fn new(folder: &Path, application: &Application) -> Self {
        Self { folder: folder.to_owned(), name: application.identity() }
    }

    /// Waits for other processes that use this file, 30 s at most, and keeps them waiting until the
    /// answer is dropped: of several that find no token, one asks for it.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`] when the folder or the lock's file can't be made, or the other process
    /// takes too long.
    pub async fn lock(&self) -> Result<TokenFileLock, TokenFileError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if waited >= LONGEST_WAIT {
                let path = self.folder.join(format!("{}.lock", self.name));
                return Err(failed("lock", &path)(io::ErrorKind::WouldBlock.into()));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }

    /// The same without waiting: `None` when another process has it.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`] when the folder or the lock's file can't be made.
    pub fn try_lock(&self) -> Result<Option<TokenFileLock>, TokenFileError> {
        private_folder::make(&self.folder).map_err(failed("make", &self.folder))?;
        let path = self.folder.join(format!("{}.lock", self.name));
        let mut options = private_options();
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(TokenFileLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// The token in the file, if there is one that has not expired at `now`. A file that can't be
    /// read, or isn't what was written, counts as none.
    pub fn read(&self, now: UnixMillis) -> Option<IssuedToken> {
        let mut text = Zeroizing::new(String::new());
        let file = File::open(self.path()).ok()?;
        file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        let token = Written::token_in(text.as_bytes())?;
        // A token from the future was written by a clock that has been set back since.
        let usable = token.requested_at <= now && token.expires_at().is_some_and(|end| now < end);
        usable.then_some(token)
    }

    /// Keeps a token, in place of the one before.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`] when it can't be written; the file is then as it was.
    pub fn write(&self, token: &IssuedToken) -> Result<(), TokenFileError> {
        let Some(text) = Written::bytes_of(token) else {
            return Ok(());
        };
        private_folder::make(&self.folder).map_err(failed("make", &self.folder))?;
        let path = self.path();
        if text.len() as u64 > MOST_BYTES {
            // It would not be read again.
            return Ok(());
        }
        // Made by `tempfile` with mode 0600.
        let mut file =
            tempfile::NamedTempFile::new_in(&self.folder).map_err(failed("write", &path))?;
        file.write_all(&text).map_err(failed("write", &path))?;
        file.persist(&path).map_err(|error| failed("write", &path)(error.error))?;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }
}

/// Others wait while this lives.
#[derive(Debug)]
pub struct TokenFileLock {
    _file: File,
}

/// A file of the token cache that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("can't {act} {path}: {source}", path = path.display())]
#[non_exhaustive]
pub struct TokenFileError {
    /// What was tried.
    pub act: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TokenFileError {
    let path = path.to_owned();
    move |source| TokenFileError { act, path, source }
}

#[cfg(unix)]
fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_options() -> OpenOptions {
    OpenOptions::new()
}
