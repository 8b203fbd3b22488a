//! The commands in the README and the guides, as printed: each `sh` block is run, in order, in one
//! folder, against the platform in a box.
//!
//! What is printed is for the real platform, so its origin is replaced by the box's, and `cargo`
//! commands by what they run. A block that is not to be run is a `console` block.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::scene::{Scene, run};

const REAL_ORIGIN: &str = "https://int.api.service.nhs.uk";

fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// What a block does here; `None` when it is this very test run, or installs the binary.
fn runnable(block: &str, base_url: &str) -> Option<String> {
    if block.starts_with("cargo xtask test") || block.starts_with("cargo install") {
        return None;
    }
    let block = block.replace("cargo run --release -- ", "nhs-auth ");
    Some(block.replace(REAL_ORIGIN, base_url))
}

fn run_page(page: &str) -> usize {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    // The reader has no key yet, and registers the one that the page makes.
    fs::remove_file(scene.path("int-1.pem")).unwrap();
    fs::remove_file(scene.path("int-1.json")).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_nhs-auth")).parent().unwrap();
    let mut ran = 0;
    for block in blocks(page) {
        let Some(script) = runnable(&block, &base_url) else { continue };
        let mut shell = Command::new("sh");
        let environment = scene.binary();
        let environment = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
        shell.args(["-euc", &script]).current_dir(scene.path("")).env_clear().envs(environment);
        shell.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        shell.env("NHS_AUTH_BASE_URL", &base_url);
        run(&mut shell, "").exits(0);
        ran += 1;
        if block.contains("generate-keys") {
            register(&scene);
            if page == "README.md" {
                write_printed_configuration(&scene);
            }
        }
    }
    ran
}

fn register(scene: &Scene) {
    let jwks = fs::read_to_string(scene.path("int-1.json")).unwrap();
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("docs").jwks(jwks));
    scene.write("api-key.txt", app.api_key());
}

fn write_printed_configuration(scene: &Scene) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(path).unwrap();
    let toml = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    scene.write("nhs-auth.toml", toml);
}

#[test]
fn the_readme() {
    // The demo, keys, a token, a call, a token by the file, an assertion, a ring, two diagnoses.
    assert_eq!(run_page("README.md"), 9);
}

#[test]
fn the_first_guide() {
    assert_eq!(run_page("docs/guides/first-call.md"), 5);
}

#[test]
fn the_guide_to_rotation() {
    // A ring, the same again, its plan, a rotation, an emergency.
    assert_eq!(run_page("docs/guides/rotate-keys.md"), 5);
}
