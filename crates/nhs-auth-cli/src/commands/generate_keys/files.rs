//! The three files of one key: all of them or none, and never over one that is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nhs_auth::{NewFile, PrivateKey, PublicKey};

use crate::failure::Failure;

/// The three files of one key.
pub(super) struct Files {
    pub(super) private: PathBuf,
    pub(super) public: PathBuf,
    pub(super) jwks: PathBuf,
}

impl Files {
    pub(super) fn named(folder: &Path, kid: &str) -> Result<Self, Failure> {
        let cannot_name_a_file = kid.is_empty()
            || kid.starts_with('.')
            || kid.contains(['/', '\\', ':'])
            || kid.chars().any(char::is_control);
        if cannot_name_a_file {
            return Err(Failure::usage(format!("the kid {kid:?} can't be the name of a file"))
                .hint("use letters, digits and hyphens, or --kid thumbprint"));
        }
        let file = |ending| folder.join(format!("{kid}.{ending}"));
        Ok(Self { private: file("pem"), public: file("pem.pub"), jwks: file("json") })
    }

    pub(super) fn paths(&self) -> [&Path; 3] {
        [&self.private, &self.public, &self.jwks]
    }

    pub(super) fn must_be_new(&self) -> Result<(), Failure> {
        match self.paths().into_iter().find(|path| path.symlink_metadata().is_ok()) {
            None => Ok(()),
            Some(path) => Err(exists(path)),
        }
    }

    /// Those that anybody may read.
    pub(super) fn public_paths(&self) -> [&Path; 2] {
        [&self.public, &self.jwks]
    }

    /// Writes what is given, and only then gives the files their names. The private key is named
    /// last: where it is, the others are.
    pub(super) fn write(
        &self,
        private: Option<&PrivateKey>,
        public: &PublicKey,
        jwks: &str,
    ) -> Result<(), Failure> {
        let folder = self.private.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        let written = |path: &Path, bytes: &[u8], mode| {
            NewFile::write(folder, bytes, mode).map_err(|error| cannot_write(path, &error))
        };
        let mut files = vec![
            (written(&self.public, public.to_spki_pem().as_bytes(), 0o644)?, &self.public),
            (written(&self.jwks, format!("{jwks}\n").as_bytes(), 0o644)?, &self.jwks),
        ];
        if let Some(key) = private {
            let private = written(&self.private, key.to_pkcs8_pem().as_bytes(), 0o600)?;
            files.push((private, &self.private));
        }

        let mut named = Vec::new();
        for (file, path) in files {
            if let Err(error) = file.name(path) {
                for path in named {
                    let _ = fs::remove_file(path);
                }
                return Err(match error.kind() {
                    io::ErrorKind::AlreadyExists => exists(path),
                    _ => cannot_write(path, &error),
                });
            }
            named.push(path);
        }
        // So that the names survive a crash. Not every file system can, and the files are there.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already, and is not overwritten", path.display()))
        .hint("choose another name with --kid, or another folder with --output-dir")
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("can't write {}: {error}", path.display()))
}
