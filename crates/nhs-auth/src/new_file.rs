//! A file that is whole before it has a name.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// A file that is written and on the disk, and not to be seen under its name yet.
///
/// On Linux it has no name at all, so nothing is left of it when the process is killed. Elsewhere,
/// and on file systems that can't do that, it has a passing one.
#[derive(Debug)]
pub struct NewFile(Kind);

#[derive(Debug)]
enum Kind {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Passing(NamedTempFile),
}

impl NewFile {
    /// Writes a file in `folder`, with this mode where there are modes. Nobody else can read it until
    /// all of it is there.
    ///
    /// # Errors
    ///
    /// What the operating system said: the folder isn't there, or the disk is full.
    pub fn write(folder: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let new = Kind::create(folder)?;
        let mut file = new.file();
        file.write_all(bytes)?;
        set_mode(file, mode)?;
        file.sync_all()?;
        Ok(Self(new))
    }

    /// Gives it its name, unless something has that name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when something has, and it stays as it is.
    pub fn name(self, path: &Path) -> io::Result<()> {
        self.0.name(path)
    }

    /// Gives it its name, in place of the file that has it: at no moment is there none. Only for
    /// those who keep others from doing so at the same time.
    ///
    /// # Errors
    ///
    /// What the operating system said; the file of before is then as it was.
    pub fn replace(self, path: &Path) -> io::Result<()> {
        match self.0 {
            #[cfg(target_os = "linux")]
            nameless @ Kind::Nameless(_) => {
                // A name can be given to a nameless file only where there is none.
                let passing = path.with_added_extension("new");
                match std::fs::remove_file(&passing) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => nameless.name(&passing)?,
                }
                std::fs::rename(&passing, path)
            }
            Kind::Passing(file) => Ok(file.persist(path).map(drop)?),
        }
    }
}

impl Kind {
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

    fn name(self, path: &Path) -> io::Result<()> {
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
