//! Folders that are their owner's alone.

use std::fs;
use std::io;
use std::path::Path;

/// Makes a folder and those above it, as far as they aren't there, each for its owner alone.
#[cfg(unix)]
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
