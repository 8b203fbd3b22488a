//! What the tests need from outside the workspace: a few programs of the machine, and other
//! people's clients, which are kept in `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::process::{Failure, answer, run_as_progress};
use crate::root;

/// Where the tests find other people's libraries.
pub(crate) struct Tools {
    /// A Python that has what `requirements.txt` lists.
    pub(crate) python: PathBuf,
    /// The folder that has what `package.json` lists.
    pub(crate) node_modules: PathBuf,
}

/// Installs what is missing. What is there already is left as it is.
pub(crate) fn install() -> Result<Tools, Failure> {
    install_programs(&PROGRAMS)?;
    let interop = root().join("tests/interop");
    let tools = root().join("target/tools");
    Ok(Tools {
        python: install_python(&interop, &tools.join("python"))?,
        node_modules: install_node(&interop, &tools.join("node"))?,
    })
}

/// The same, with what a measurement needs beside it.
pub(crate) fn install_for_bench() -> Result<Tools, Failure> {
    install_programs(&PROGRAMS_OF_THE_BENCH)?;
    install()
}

fn install_programs(programs: &'static [Program]) -> Result<(), Failure> {
    let mut missing = missing_of(programs);
    if !missing.is_empty() && may_use_apt() {
        let packages = missing.iter().flat_map(|program| program.packages);
        run_as_progress(STEP, apt_get().arg("update"))?;
        run_as_progress(STEP, apt_get().args(["install", "-y"]).args(packages))?;
        missing = missing_of(programs);
    }
    if missing.is_empty() { Ok(()) } else { Err(Failure::new(STEP, advice(&missing))) }
}

fn install_python(interop: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let requirements = interop.join("requirements.txt");
    let version = answer(Command::new("python3").arg("--version")).unwrap_or_default();
    let made_from = format!("# {version}\n{}", read(&requirements)?);
    let python = folder.join("bin/python");

    fill_once(folder, &made_from, || {
        let mut venv = Command::new("python3");
        run_as_progress(STEP, venv.args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(&python);
        run_as_progress(STEP, pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))
    })?;
    Ok(python)
}

fn install_node(interop: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let made_from = read(&interop.join("package-lock.json"))?;

    fill_once(folder, &made_from, || {
        for name in ["package.json", "package-lock.json"] {
            let copy = folder.join(name);
            fs::copy(interop.join(name), &copy).map_err(told_with(&copy))?;
        }
        run_as_progress(STEP, Command::new("npm").arg("ci").current_dir(folder))
    })?;
    Ok(folder.join("node_modules"))
}

/// Fills a folder anew if it was made from something else. The stamp comes last, so that an
/// attempt cut short isn't taken for a whole one.
fn fill_once(
    folder: &Path,
    made_from: &str,
    fill: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stamp = folder.join("made-from.txt");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == made_from) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(told_with(folder))?;
    }
    fs::create_dir_all(folder).map_err(told_with(folder))?;
    fill()?;
    fs::write(&stamp, made_from).map_err(told_with(&stamp))
}

fn missing_of(programs: &'static [Program]) -> Vec<&'static Program> {
    let missing =
        |program: &&Program| answer(Command::new(program.name).args(program.probe)).is_none();
    programs.iter().filter(missing).collect()
}

fn may_use_apt() -> bool {
    let is_root = answer(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    is_root && answer(apt_get().arg("--version")).is_some()
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn advice(missing: &[&Program]) -> String {
    let wanted: Vec<_> = missing.iter().map(|program| program.wanted).collect();
    let packages: Vec<_> = missing.iter().flat_map(|program| program.packages).copied().collect();
    format!(
        "the tests need {}, missing, incomplete or too old here: on Debian or Ubuntu, \
         `sudo apt-get install {}`; elsewhere, install them and put them on the PATH",
        wanted.join(", "),
        packages.join(" "),
    )
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(told_with(file))
}

fn told_with(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::new(STEP, format!("{}: {error}", path.display()))
}

/// A program of the machine.
struct Program {
    name: &'static str,
    /// What is asked for where it is missing.
    wanted: &'static str,
    /// Arguments with which it succeeds if it has all that we need.
    probe: &'static [&'static str],
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
}

const PROGRAMS: [Program; 16] = [
    Program {
        name: "chromium",
        wanted: "chromium",
        probe: &["--version"],
        packages: &["chromium"],
    },
    Program { name: "curl", wanted: "curl", probe: &["--version"], packages: &["curl"] },
    Program { name: "dpkg-deb", wanted: "dpkg", probe: &["--version"], packages: &["dpkg"] },
    Program {
        name: "dpkg-shlibdeps",
        wanted: "dpkg-dev",
        probe: &["--version"],
        packages: &["dpkg-dev"],
    },
    Program {
        name: "javac", // `java` may be a runtime alone, which can't start a source file
        wanted: "a JDK of Java 17 or later",
        probe: &["--release", "17", "--version"],
        packages: &["default-jdk-headless"],
    },
    Program { name: "lintian", wanted: "lintian", probe: &["--version"], packages: &["lintian"] },
    Program { name: "man", wanted: "man", probe: &["--version"], packages: &["man-db"] },
    Program {
        name: "mandoc", // which doesn't tell its version
        wanted: "mandoc",
        probe: &["/dev/null"],
        packages: &["mandoc"],
    },
    Program {
        name: "node",
        wanted: "node 20.18 or later",
        probe: &["-e", "process.exit(URL.parse ? 0 : 1)"], // which 20.18 brought
        packages: &["nodejs"],
    },
    Program { name: "npm", wanted: "npm", probe: &["--version"], packages: &["npm"] },
    Program { name: "openssl", wanted: "openssl", probe: &["version"], packages: &["openssl"] },
    Program {
        name: "promtool",
        wanted: "promtool",
        probe: &["--version"],
        packages: &["prometheus"],
    },
    Program {
        name: "python3",
        wanted: "python 3.10 or later with venv",
        probe: &["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"],
        packages: &["python3", "python3-venv"],
    },
    Program {
        name: "redis-server",
        wanted: "redis-server",
        probe: &["--version"],
        packages: &["redis-server"],
    },
    Program {
        name: "softhsm2-util",
        wanted: "SoftHSM 2",
        probe: &["--version"],
        packages: &["softhsm2"],
    },
    Program {
        name: "systemd-analyze",
        wanted: "systemd-analyze",
        probe: &["--version"],
        packages: &["systemd"],
    },
];

/// What else is measured beside, and with.
const PROGRAMS_OF_THE_BENCH: [Program; 3] = [
    Program { name: "haproxy", wanted: "haproxy", probe: &["-v"], packages: &["haproxy"] },
    Program { name: "nginx", wanted: "nginx", probe: &["-v"], packages: &["nginx"] },
    // It says no even when it is asked for its version.
    Program { name: "which", wanted: "wrk", probe: &["wrk"], packages: &["wrk"] },
];

const STEP: &str = "tools";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_programs_and_packages() {
        let missing: Vec<_> = PROGRAMS.iter().filter(|it| it.name != "curl").collect();

        let advice = advice(&missing);

        assert!(
            advice.contains(
                "need chromium, dpkg, dpkg-dev, a JDK of Java 17 or later, lintian, man, mandoc, \
                 node 20.18 or later, npm, openssl, promtool, python 3.10 or later with venv, \
                 redis-server, SoftHSM 2, systemd-analyze, missing"
            ),
            "{advice}"
        );
        assert!(
            advice.contains(
                "`sudo apt-get install chromium dpkg dpkg-dev default-jdk-headless lintian man-db \
                 mandoc nodejs npm openssl prometheus python3 python3-venv redis-server softhsm2 \
                 systemd`"
            ),
            "{advice}"
        );
    }

    #[test]
    fn a_folder_is_filled_anew_only_when_its_source_changes() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("python");
        let mut fills = 0;

        for made_from in ["one", "one", "two", "two"] {
            let fill = || {
                fills += 1;
                Ok(())
            };
            fill_once(&folder, made_from, fill).unwrap();
        }

        assert_eq!(fills, 2);
    }

    #[test]
    fn a_folder_half_filled_is_filled_anew() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("python");
        let cut_short = || {
            fs::write(folder.join("half"), "").unwrap();
            Err(Failure::new(STEP, "cut short".to_owned()))
        };

        fill_once(&folder, "one", cut_short).unwrap_err();
        fill_once(&folder, "one", || Ok(())).unwrap();

        assert!(!folder.join("half").exists());
    }
}
