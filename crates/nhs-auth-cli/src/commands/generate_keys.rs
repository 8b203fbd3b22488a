//! `nhs-auth generate-keys`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use nhs_auth::{Environment, KeySet, Kid, PrivateKey, PublishedKey};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::arguments::{GenerateKeys, Global, Output};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::identity;

/// The developer portal.
const PORTAL: &str = "https://onboarding.prod.api.platform.nhs.uk/";

pub(crate) fn run(
    arguments: &GenerateKeys,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    if let Some(api_key) = &arguments.api_key {
        identity::api_key(Some(api_key), console)?;
    }
    let environment = identity::environment(&arguments.env)?;
    let folder = &arguments.output_dir;
    let named = match arguments.kid.as_deref() {
        Some("thumbprint") => None,
        Some(kid) => Some(kid.to_owned()),
        None => Some(format!("{environment}-1")),
    };
    if let Some(name) = &named {
        Files::named(folder, name)?.must_be_new()?;
    }

    let key = make_key(console)?;
    let name = named.unwrap_or_else(|| key.public().thumbprint());
    let kid = Kid::parse(&name).map_err(|error| Failure::identifier("--kid", error))?;
    let jwks = KeySet::new(vec![PublishedKey::new(kid, key.public().clone())])?.to_json();
    let files = Files::named(folder, &name)?;
    files.write(&key, &jwks)?;

    match global.output {
        Output::Human => {
            for path in files.paths() {
                console::answer_line(&path.display().to_string())?;
            }
        }
        Output::Json => console::answer_json(&json!({
            "jwks": files.jwks,
            "kid": name,
            "private_key": files.private,
            "public_key": files.public,
            "thumbprint": key.public().thumbprint(),
        }))?,
    }
    tell_next_steps(console, environment, &name, &files);
    Ok(Exit::Done)
}

pub(crate) fn make_key(console: Console) -> Result<PrivateKey, Failure> {
    if !console.is_interactive() {
        console.note("making an RSA key of 4096 bits");
        return Ok(PrivateKey::generate()?);
    }
    let progress = ProgressBar::new_spinner().with_message("making an RSA key of 4096 bits");
    progress.enable_steady_tick(Duration::from_millis(100));
    let key = PrivateKey::generate();
    progress.finish_and_clear();
    Ok(key?)
}

fn tell_next_steps(console: Console, environment: Environment, kid: &str, files: &Files) {
    let portal_name = environment.portal_name.unwrap_or(environment.name);
    console.done(format_args!("made the key pair {kid}"));
    console.heading("next steps");
    console.note(format_args!(
        "  1. in the developer portal, {PORTAL}, open your application of the environment \
         {portal_name:?},\n     then `Manage public key`, and upload {}",
        files.jwks.display()
    ));
    console.note(format_args!(
        "  2. nhs-auth get-token --env {environment} --private-key {} --api-key <API key>\n     \
         (the portal shows it under `Active API keys`; it is not the application ID)",
        files.private.display()
    ));
    console.note(format_args!(
        "  keep {} to yourself: never commit it, send it or paste it anywhere",
        files.private.display()
    ));
}

/// The three files of one key.
struct Files {
    private: PathBuf,
    public: PathBuf,
    jwks: PathBuf,
}

impl Files {
    fn named(folder: &Path, kid: &str) -> Result<Self, Failure> {
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

    fn paths(&self) -> [&Path; 3] {
        [&self.private, &self.public, &self.jwks]
    }

    fn must_be_new(&self) -> Result<(), Failure> {
        match self.paths().into_iter().find(|path| path.symlink_metadata().is_ok()) {
            None => Ok(()),
            Some(path) => Err(exists(path)),
        }
    }

    /// All three or none. The private key comes last: where it is, the others are.
    fn write(&self, key: &PrivateKey, jwks: &str) -> Result<(), Failure> {
        let folder = self.private.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;

        let public = written(folder, &self.public, key.public().to_spki_pem().as_bytes())?;
        let jwks = written(folder, &self.jwks, format!("{jwks}\n").as_bytes())?;
        let private = written(folder, &self.private, key.to_pkcs8_pem().as_bytes())?;
        make_readable(&public, &self.public)?;
        make_readable(&jwks, &self.jwks)?;

        let mut placed = Vec::new();
        for (file, path) in [(public, &self.public), (jwks, &self.jwks), (private, &self.private)] {
            if let Err(error) = file.persist_noclobber(path) {
                for path in placed {
                    let _ = fs::remove_file(path);
                }
                return Err(match error.error.kind() {
                    std::io::ErrorKind::AlreadyExists => exists(path),
                    _ => cannot_write(path, &error.error),
                });
            }
            placed.push(path);
        }
        sync_folder(folder);
        Ok(())
    }
}

/// A file beside its later place, whole and on the disk. It has mode 0600 from its first byte.
fn written(folder: &Path, path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Failure> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".nhs-auth-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| cannot_write(path, &error))
}

#[cfg(unix)]
fn make_readable(file: &NamedTempFile, path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(permissions).map_err(|error| cannot_write(path, &error))
}

#[cfg(not(unix))]
fn make_readable(_: &NamedTempFile, _: &Path) -> Result<(), Failure> {
    Ok(())
}

/// So that the names survive a crash. Not every file system can, and the files are there already.
fn sync_folder(folder: &Path) {
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already, and is not overwritten", path.display()))
        .hint("choose another name with --kid, or another folder with --output-dir")
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("can't write {}: {error}", path.display()))
}
