//! `cargo xtask deb`: the Debian package, with what belongs to a program of a system: manual pages,
//! completions, units, and an example of the configuration.

mod contents;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use clap::Args;

use crate::process::{self, Failure, answer};
use crate::root;

const STEP: &str = "deb";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the package is made of, and how.
#[derive(Args)]
pub(crate) struct Deb {
    /// The binary `nhs-auth` to put into it; by default one is built as it is distributed.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where to put it; `target/debian` of the checkout unless you say otherwise.
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Compress little, for a test.
    #[arg(long)]
    quick: bool,
}

/// Makes `nhs-auth_VERSION-1_ARCHITECTURE.deb`.
pub(crate) fn run(deb: Deb) -> Result<(), Failure> {
    let binary = deb.binary.map_or_else(build, Ok)?;
    let output_dir = deb.output_dir.unwrap_or_else(|| root().join("target/debian"));
    fs::create_dir_all(&output_dir).map_err(told_with(&output_dir))?;
    // What is asked below has a working directory of its own.
    let output_dir = fs::canonicalize(&output_dir).map_err(told_with(&output_dir))?;
    let work = output_dir.join("nhs-auth.deb-work");
    start_anew(&work)?;
    let tree = work.join("tree");
    contents::put(&binary, &tree)?;
    write_control(&work, &tree)?;

    let architecture = asked("dpkg", &["--print-architecture"])?;
    let package = output_dir.join(format!("nhs-auth_{VERSION}-1_{architecture}.deb"));
    let mut make = Command::new("dpkg-deb");
    // The same files give the same package, whenever and by whomever it is made.
    make.env("SOURCE_DATE_EPOCH", changed("%ct")?);
    if deb.quick {
        make.args(["-Zgzip", "-z1"]);
    }
    make.args(["--root-owner-group", "--build"]).arg(&tree).arg(&package);
    process::run_as_progress(STEP, &mut make)?;
    fs::remove_dir_all(&work).map_err(told_with(&work))?;
    eprintln!("xtask: {STEP}: {}", package.display());
    Ok(())
}

fn build() -> Result<PathBuf, Failure> {
    let mut build = Command::new("cargo");
    build.args(["build", "--profile", "dist", "--locked", "-p", "nhs-auth-cli", "--target-dir"]);
    let target = root().join("target");
    process::run_as_progress("build", build.arg(&target).current_dir(root()))?;
    Ok(target.join("dist/nhs-auth"))
}

fn start_anew(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(told_with(folder))?;
    }
    fs::create_dir_all(folder).map_err(told_with(folder))
}

/// What the package says of itself, and the sums of its files.
fn write_control(work: &Path, tree: &Path) -> Result<(), Failure> {
    let sums = Command::new("find")
        .args(["usr", "-type", "f", "-exec", "md5sum", "{}", "+"])
        .current_dir(tree)
        .output()
        .map_err(told_with(tree))?;
    let size = asked("du", &["--summarize", "--apparent-size", &tree.display().to_string()])?;
    let size = size.split_whitespace().next().unwrap_or_default();
    let control = read(&root().join("packaging/debian/control"))?
        .replace("@VERSION@", VERSION)
        .replace("@ARCHITECTURE@", &asked("dpkg", &["--print-architecture"])?)
        .replace("@INSTALLED_SIZE@", size)
        .replace("@DEPENDS@", &depends(work, tree)?);
    let folder = tree.join("DEBIAN");
    contents::write(&folder.join("control"), control.as_bytes(), 0o644)?;
    contents::write(&folder.join("md5sums"), &sums.stdout, 0o644)
}

/// The libraries that the binary asks for, as packages with their least versions.
fn depends(work: &Path, tree: &Path) -> Result<String, Failure> {
    let source = "Source: nhs-auth\n\nPackage: nhs-auth\nArchitecture: any\n";
    contents::write(&work.join("debian/control"), source.as_bytes(), 0o644)?;
    let mut ask = Command::new("dpkg-shlibdeps");
    ask.arg("-O").arg(tree.join(contents::BINARY)).current_dir(work);
    let failed = || Failure::new(STEP, "dpkg-shlibdeps (package dpkg-dev) has no answer".into());
    let answer = answer(&mut ask).ok_or_else(failed)?;
    answer.strip_prefix("shlibs:Depends=").map(str::to_owned).ok_or_else(failed)
}

/// When the last change was made, in a format of `git log`.
fn changed(format: &str) -> Result<String, Failure> {
    let folder = root().display().to_string();
    asked("git", &["-C", &folder, "log", "-1", &format!("--format={format}")])
}

fn asked(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    answer(Command::new(program).args(arguments))
        .ok_or_else(|| Failure::new(STEP, format!("`{program} {}` failed", arguments.join(" "))))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(told_with(file))
}

fn told_with(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::new(STEP, format!("{}: {error}", path.display()))
}
