//! The files of the package, each in its place.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{STEP, VERSION, changed, read, told_with};
use crate::process::{self, Failure};
use crate::root;

pub(super) const BINARY: &str = "usr/bin/nhs-auth";
const DOC: &str = "usr/share/doc/nhs-auth";
const EXAMPLES: &str = "usr/share/doc/nhs-auth/examples";
const UNITS: &str = "usr/lib/systemd/system";

/// Files of the checkout, and where they go.
const COPIES: [(&str, &str, &str); 7] = [
    ("packaging/systemd/nhs-auth-proxy.service", UNITS, "nhs-auth-proxy.service"),
    ("packaging/systemd/nhs-auth-proxy.socket", UNITS, "nhs-auth-proxy.socket"),
    ("packaging/debian/nhs-auth.toml", EXAMPLES, "nhs-auth.toml"),
    ("packaging/prometheus/alerts.yaml", EXAMPLES, "alerts.yaml"),
    ("packaging/grafana/nhs-auth-proxy.json", EXAMPLES, "nhs-auth-proxy.json"),
    ("packaging/debian/copyright", DOC, "copyright"),
    ("README.md", DOC, "README.md"),
];

/// Which shell looks where.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/nhs-auth"),
    ("fish", "usr/share/fish/vendor_completions.d/nhs-auth.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_nhs-auth"),
];

/// Puts everything into an empty tree.
pub(super) fn put(binary: &Path, tree: &Path) -> Result<(), Failure> {
    let program = tree.join(BINARY);
    write(&program, &fs::read(binary).map_err(told_with(binary))?, 0o755)?;
    let mut strip = Command::new("strip");
    strip.args(["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note"]);
    process::run_as_progress(STEP, strip.arg(&program))?;

    put_pages(&program, &tree.join("usr/share/man"))?;
    for (shell, path) in COMPLETIONS {
        let mut complete = Command::new(&program);
        let script = complete.args(["completions", shell]).output().map_err(told_with(&program))?;
        write(&tree.join(path), &script.stdout, 0o644)?;
    }
    for (source, folder, name) in COPIES {
        let text = read(&root().join(source))?;
        write(&tree.join(folder).join(name), text.as_bytes(), 0o644)?;
    }
    put_changelogs(&tree.join(DOC))?;

    // Empty, for the operator to fill: secrets are for root alone to read.
    for (folder, mode) in [("etc/nhs-auth", 0o755), ("etc/nhs-auth/credentials", 0o700)] {
        let folder = tree.join(folder);
        fs::create_dir_all(&folder).map_err(told_with(&folder))?;
        set_mode(&folder, mode)?;
    }
    Ok(())
}

fn put_pages(program: &Path, folder: &Path) -> Result<(), Failure> {
    let verbs = folder.join("man1");
    let mut write_pages = Command::new(program);
    process::run_as_progress(STEP, write_pages.args(["man", "--output-dir"]).arg(&verbs))?;
    for page in fs::read_dir(&verbs).map_err(told_with(&verbs))? {
        let page = page.map_err(told_with(&verbs))?.path();
        set_mode(&page, 0o644)?;
        compress(&page)?;
    }
    let file = folder.join("man5/nhs-auth.toml.5");
    let text = read(&root().join("packaging/debian/man/nhs-auth.toml.5"))?;
    write(&file, text.as_bytes(), 0o644)?;
    compress(&file)
}

fn put_changelogs(folder: &Path) -> Result<(), Failure> {
    let of_the_package = format!(
        "nhs-auth ({VERSION}-1) unstable; urgency=medium\n\n  * What changed is in changelog.gz.\n\n \
         -- nhs-auth developers <developers@nhs-auth.invalid>  {}\n",
        changed("%cD")?
    );
    let changes = read(&root().join("CHANGELOG.md"))?;
    for (name, text) in [("changelog", changes), ("changelog.Debian", of_the_package)] {
        let file = folder.join(name);
        write(&file, text.as_bytes(), 0o644)?;
        compress(&file)?;
    }
    Ok(())
}

fn compress(file: &Path) -> Result<(), Failure> {
    // Without a name and a time, so that the same text gives the same bytes.
    process::run_as_progress(STEP, Command::new("gzip").args(["-9", "-n"]).arg(file))
}

/// Writes a file with a mode of its own, whatever the umask, and the folders above it.
pub(super) fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(told_with(folder))?;
    }
    fs::write(file, bytes).map_err(told_with(file))?;
    set_mode(file, mode)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(told_with(path))
}
