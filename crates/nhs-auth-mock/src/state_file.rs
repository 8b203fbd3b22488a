//! The file that keeps the platform's state from one run to the next.
//!
//! It holds what a client would miss: applications, products, clients and users, the clock, burnt
//! `jti`s, access and refresh tokens with their sessions, and the identity providers' keys. What
//! is under way (sign-ins and codes), the list of requests, faults and caches are not in it.
//!
//! It is written whole under another name and then renamed, so that there is the old one or the
//! new one and nothing between, and only its owner can read it: it holds secrets, though none that
//! opens anything but this platform.

mod saved;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::server::{Stop, stopped};
use crate::state::State;
pub(crate) use saved::Saved;

/// How often a state that has changed is written while the platform runs.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why a state file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// It is there, and can't be read.
    #[error("can't read the state file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It holds something else than a state.
    #[error("state file {}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It can't be written, or not in full.
    #[error("can't write the state file {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl StateFileError {
    fn content(path: &Path, reason: String) -> Self {
        Self::Content { path: path.to_owned(), reason }
    }
}

/// What the file holds. A file that isn't there yet holds nothing.
pub(crate) fn read(path: &Path) -> Result<Option<Saved>, StateFileError> {
    match fs::read(path) {
        Ok(text) => {
            Saved::read(&text).map(Some).map_err(|reason| StateFileError::content(path, reason))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateFileError::Read { path: path.to_owned(), source }),
    }
}

/// Puts a state that has just begun where the file says that it was.
pub(crate) fn restore(path: &Path, saved: Saved, state: &State) -> Result<(), StateFileError> {
    saved.restore(state).map_err(|reason| StateFileError::content(path, reason))
}

/// Writes the state, so that the file is there in whole or as it was before.
pub(crate) fn save(path: &Path, state: &State) -> Result<(), StateFileError> {
    write(path, &Saved::of(state))
        .map_err(|source| StateFileError::Write { path: path.to_owned(), source })
}

/// Writes the state now and then while it changes, until the platform stops.
pub(crate) async fn keep(path: PathBuf, state: Arc<State>, stop: Stop) {
    let mut written = state.changes();
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stopped(stop.clone()) => return,
        }
        let changes = state.changes();
        if changes == written {
            continue;
        }
        written = changes;
        let (path, state) = (path.clone(), Arc::clone(&state));
        let saved = tokio::task::spawn_blocking(move || save(&path, &state)).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "the state was not saved");
        }
    }
}

fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Before the temporary file, whose own error would speak of a name that nobody gave.
    fs::metadata(folder)?;
    let mut file = tempfile::Builder::new().prefix(".nhs-auth-mock-").tempfile_in(folder)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    serde_json::to_writer(&mut writer, saved)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name is on the disk when its folder is.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
