//! A file that is whole before it has a name.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// A file that is written and on the disk, and not to be seen under its name yet.
///
/// On Linux it has no name at all, so nothing is left of it when the process is killed. Elsewhere,
/// and on file systems that can't do that, it has a passing one.
pub(super) enum NewFile {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Passing(NamedTempFile),
}

impl NewFile {
    /// Writes a file in `folder`. Nobody else can read it until all of it is there.
    pub(super) fn write(folder: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let new = Self::create(folder)?;
        let mut file = new.file();
        file.write_all(bytes)?;
        set_mode(file, mode)?;
        file.sync_all()?;
        Ok(new)
    }

    #[cfg(target_os = "linux")]
    fn create(folder: &Path) -> io::Result<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) if Path::new("/proc/self/fd").is_dir() => Ok(Self::Nameless(file.into())),
            _ => Self::create_passing(folder),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn create(folder: &Path) -> io::Result<Self> {
        Self::create_passing(folder)
    }

    fn create_passing(folder: &Path) -> io::Result<Self> {
        tempfile::Builder::new().prefix(".nhs-auth-").tempfile_in(folder).map(Self::Passing)
    }

    fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Passing(file) => file.as_file(),
        }
    }

    /// Gives it its name, unless something has that name.
    pub(super) fn name(self, path: &Path) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => {
                use std::os::fd::AsRawFd as _;

                use rustix::fs::{AtFlags, CWD};
                let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
                Ok(rustix::fs::linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
            }
            Self::Passing(file) => Ok(file.persist_noclobber(path).map(drop)?),
        }
    }
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
