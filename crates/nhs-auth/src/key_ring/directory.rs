//! A ring in a folder: its file, its lock, and the private keys beside it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::store::{
    KeyRingLock, KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion, StoredKeyRing,
};
use crate::key::base64url;
use crate::{KeyError, NewFile, PrivateKey, private_folder};

/// The ring's file in its folder.
const FILE: &str = "key-ring.json";

/// Whoever holds the lock of this file may change the ring. It stays there.
const LOCK: &str = "key-ring.lock";

/// The most that is read of a ring's file, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// How long another may hold the lock: it makes a key and publishes a file, but doesn't wait for
/// anybody.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long a read may take.
const READ_WITHIN: Duration = Duration::from_secs(10);

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A folder with a ring in it.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    folder: PathBuf,
}

impl Directory {
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a private key, readable by its owner alone. `false` when there is a file of that
    /// name, which stays as it is.
    pub(super) fn write_key(
        &self,
        name: &str,
        key: &PrivateKey,
    ) -> Result<bool, KeyRingStoreError> {
        let path = self.path(name);
        let failed = |error| failed("write", &path, &error);
        let file =
            NewFile::write(&self.folder, key.to_pkcs8_pem().as_bytes(), 0o600).map_err(failed)?;
        match file.name(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed(error)),
        }
        .inspect(|_| self.sync())
    }

    pub(super) fn load_key(&self, name: &str) -> Result<PrivateKey, KeyError> {
        Ok(PrivateKey::load(&self.path(name), None)?.key)
    }

    /// Takes a private key away, if it is there.
    pub(super) fn remove_key(&self, name: &str) -> Result<(), KeyRingStoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &path, &error))
            }
            _ => {
                self.sync();
                Ok(())
            }
        }
    }

    /// So that names survive a crash of the machine. Not every file system can.
    fn sync(&self) {
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
    }

    fn make_folder(&self) -> Result<(), KeyRingStoreError> {
        private_folder::make(&self.folder).map_err(|error| failed("make", &self.folder, &error))
    }

    fn read_file(&self) -> Result<Option<StoredKeyRing>, KeyRingStoreError> {
        let path = self.path(FILE);
        let mut bytes = Vec::new();
        let read =
            open_file(&path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path, &error)),
            Ok(_) if bytes.len() as u64 > MOST_BYTES => {
                Err(KeyRingStoreError::TooLarge { place: path.display().to_string() })
            }
            Ok(_) => Ok(Some(StoredKeyRing { version: version_of(&bytes), bytes })),
        }
    }

    fn write_file(
        &self,
        bytes: &[u8],
        last: Option<&KeyRingVersion>,
    ) -> Result<KeyRingVersion, KeyRingStoreError> {
        let path = self.path(FILE);
        let there = self.read_file()?.map(|there| there.version);
        if there.as_ref() != last {
            return Err(KeyRingStoreError::Conflict { place: path.display().to_string() });
        }
        let failed = |error| failed("write", &path, &error);
        let file = NewFile::write(&self.folder, bytes, 0o644).map_err(failed)?;
        // Through a link to what it leads to.
        file.replace(&path.canonicalize().unwrap_or_else(|_| path.clone())).map_err(failed)?;
        self.sync();
        Ok(version_of(bytes))
    }

    fn try_lock(&self) -> Result<Option<KeyRingLock>, KeyRingStoreError> {
        self.make_folder()?;
        let path = self.path(LOCK);
        let failed = |error: io::Error| failed("lock", &path, &error);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(KeyRingLock::of(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl KeyRingStore for Directory {
    fn place(&self) -> String {
        self.path(FILE).display().to_string()
    }

    fn lock(&self) -> KeyRingStoreFuture<'_, KeyRingLock> {
        Box::pin(async {
            let mut waited = Duration::ZERO;
            loop {
                if let Some(lock) = self.try_lock()? {
                    return Ok(lock);
                }
                if waited >= LONGEST_WAIT {
                    return Err(KeyRingStoreError::Locked { place: self.place() });
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                waited += LOOK_AGAIN;
            }
        })
    }

    fn read(&self) -> KeyRingStoreFuture<'_, Option<StoredKeyRing>> {
        let directory = self.clone();
        Box::pin(async move {
            // A folder of another machine may not answer, and keeps nobody else waiting.
            let reading = tokio::task::spawn_blocking(move || directory.read_file());
            let path = self.path(FILE);
            let late = |_| failed("read", &path, &io::ErrorKind::TimedOut.into());
            let read = tokio::time::timeout(READ_WITHIN, reading).await.map_err(late)?;
            read.expect("reading a file does not panic")
        })
    }

    fn write<'a>(
        &'a self,
        bytes: &'a [u8],
        last: Option<&'a KeyRingVersion>,
    ) -> KeyRingStoreFuture<'a, KeyRingVersion> {
        Box::pin(async move { self.write_file(bytes, last) })
    }
}

fn failed(act: &'static str, path: &Path, error: &io::Error) -> KeyRingStoreError {
    KeyRingStoreError::Unavailable {
        act,
        place: path.display().to_string(),
        reason: error.to_string(),
        passing: false,
    }
}

/// Nothing but a file: a pipe would have to be waited for.
fn open_file(path: &Path) -> io::Result<File> {
    match path.metadata() {
        Ok(there) if !there.is_file() => Err(io::Error::other("it is not a file")),
        Ok(_) => File::open(path),
        Err(error) => Err(error),
    }
}

/// A hash: whoever holds the lock is alone, but a file may have been edited by hand before.
fn version_of(bytes: &[u8]) -> KeyRingVersion {
    KeyRingVersion::new(base64url(digest(&SHA256, bytes).as_ref()))
}
