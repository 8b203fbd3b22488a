//! The programs and the configuration that the guide to the sidecar prints.

use std::fs;
use std::process::Command;

use crate::installed::{node, project, python};
use crate::running_proxy::RunningProxy;
use crate::scene::{Scene, run};

const PRINTED_ADDRESS: &str = "http://127.0.0.1:8081";

/// The blocks of the guide that are in that language.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(project("docs/guides/sidecar.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn its_programs_greet() {
    let scene = Scene::new();
    let proxy = RunningProxy::as_app(&scene, &[]);
    for (language, file, mut program) in [
        ("python", "hello.py", python()),
        ("js", "hello.mjs", node()),
        ("java", "Hello.java", Command::new("java")),
    ] {
        let sources = blocks(language);
        let [source] = &sources[..] else { panic!("one block of {language}") };
        assert!(source.contains(PRINTED_ADDRESS), "{source}");
        scene.write(file, &source.replace(PRINTED_ADDRESS, &proxy.url));
        let said = run(program.arg(scene.path(file)), "").exits(0).stdout;
        assert!(said.contains("Hello Application!"), "{language}: {said}");
    }
}

/// Each `toml` block is one that the sidecar starts with.
#[test]
fn its_configuration_is_taken() {
    let scene = Scene::new();
    for (from, to) in [("api-key.txt", "reports-api-key.txt"), ("int-1.pem", "reports-1.pem")] {
        fs::copy(scene.path(from), scene.path(to)).unwrap();
    }
    let blocks = blocks("toml");
    let [applications, _, _] = &blocks[..] else { panic!("{blocks:#?}") };
    for block in &blocks {
        let routed = block.contains("[[proxy.routes]]");
        let defined = block.contains("[app.");
        let applications = if defined { "" } else { applications };
        // It asks for tokens at its start, and not at the real platform.
        let base_url = scene.platform.base_url();
        let text = format!("base-url = \"{base_url}\"\n{applications}{block}");
        scene.write("nhs-auth.toml", &text);
        let upstream = ["--app", "int", "--upstream", "https://int.api.service.nhs.uk"];
        let arguments: &[&str] = if routed { &[] } else { &upstream };
        RunningProxy::by_file(&scene, arguments);
    }
}
