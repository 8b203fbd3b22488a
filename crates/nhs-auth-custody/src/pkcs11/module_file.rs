//! Which file a URI's module is.

use std::path::{Path, PathBuf};

use nhs_auth::CustodyErrorKind as Kind;

use super::failure::Failure;
use super::uri::TokenUri;

/// Where systems keep PKCS#11 modules, and their libraries.
const FOLDERS: [&str; 13] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/softhsm",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64/pkcs11",
    "/usr/lib64",
    "/usr/lib/pkcs11",
    "/usr/lib/softhsm",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/lib",
];

/// The whole path of the module: the URI's, or else `default`.
pub(super) fn find(uri: &TokenUri, default: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = uri.module_path.as_deref();
    match (path, uri.module_name.as_deref()) {
        (Some(folder), Some(name)) if folder.is_dir() => named(name, &[folder]),
        (Some(path), _) => at(path),
        (None, Some(name)) => named(name, &FOLDERS.map(Path::new)),
        (None, None) => at(default.ok_or_else(|| {
            Failure::invalid_uri("it has no `module-path`, which says what to load")
        })?),
    }
}

fn at(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_file() {
        // Whole, so that the linker doesn't look for it elsewhere, and one file has one name.
        return path.canonicalize().map_err(|error| {
            Failure::new(Kind::NotFound, format!("its module {}: {error}", path.display()))
        });
    }
    let detail = format!("there is no file {}, which should be its module", path.display());
    Err(Failure::new(Kind::NotFound, detail))
}

/// RFC 7512, section 2.3: a name comes without `lib` and `.so`.
fn named(name: &str, folders: &[&Path]) -> Result<PathBuf, Failure> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(Failure::invalid_uri("its `module-name` has to be a name, not a path"));
    }
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let names = [
        format!("{prefix}{name}{suffix}"),
        format!("{name}{suffix}"),
        format!("{name}-pkcs11{suffix}"),
    ];
    let mut paths = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    match paths.find(|path| path.is_file()) {
        Some(path) => at(&path),
        None => Err(Failure::new(
            Kind::NotFound,
            format!("no module `{name}` is in the usual folders; name the file with `module-path`"),
        )),
    }
}
