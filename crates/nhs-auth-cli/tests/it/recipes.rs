//! The recipes of `examples/rotate-keys`, run as far as a test can.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::installed::{project, python};
use crate::keys_elsewhere::Moto;
use crate::scene::{Scene, run};

/// The folder of the binary, where a shell finds it.
fn path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_nhs-auth")).parent().unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display())
}

#[test]
fn the_crontab_rotates_and_is_silent() {
    let scene = Scene::new();
    let crontab = fs::read_to_string(project("examples/rotate-keys/crontab")).unwrap();
    let line = crontab.lines().find(|line| line.starts_with("*/15")).unwrap();
    let command = line.splitn(6, ' ').last().unwrap();
    let here = scene.path("keys").display().to_string();
    let command = command.replace("/var/lib/nhs-auth/keys", &here);
    assert!(command.contains(&here), "{command}");
    for _ in 0..2 {
        // As cron does it: a bare shell, and what is printed would be mailed.
        let mut shell = Command::new("sh");
        shell.env_clear().env("PATH", path()).current_dir(scene.path("")).args(["-c", &command]);
        let ran = run(&mut shell, "").exits(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    }
    let ring = fs::read_to_string(scene.path("keys/key-ring.json")).unwrap();
    assert!(ring.contains("\"prod-1\"") && !ring.contains("\"prod-2\""), "{ring}");
}

/// The steps of the workflow that are ours, with its variables, on a stand-in for AWS.
#[test]
fn the_workflow_makes_publishes_and_rotates() {
    let scene = Scene::new();
    let moto = Moto::start();
    moto.call(
        "client('s3').create_bucket(Bucket='my-nhs-keys', CreateBucketConfiguration={\
         'LocationConstraint': 'eu-west-2'})",
    );
    let workflow = as_json(&project("examples/rotate-keys/github-actions.yml"));
    let variables = workflow["env"].as_object().unwrap().clone();
    let steps = workflow["jobs"]["rotate"]["steps"].as_array().unwrap().clone();
    let ours: Vec<_> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .filter(|script| script.contains("nhs-auth rotate-keys"))
        .collect();
    assert_eq!(ours.len(), 2, "{steps:?}");
    let summary = scene.path("summary.md");
    for order in ["", "--start", ""] {
        for script in &ours {
            let mut shell = Command::new("bash");
            shell.env_clear().env("PATH", path()).current_dir(scene.path(""));
            for (name, value) in &variables {
                shell.env(name, value.as_str().unwrap());
            }
            moto.know(&mut shell);
            shell.env("ORDER", order).env("GITHUB_STEP_SUMMARY", &summary).env("HOME", "/nowhere");
            run(shell.args(["-eo", "pipefail", "-c", script]), "").exits(0);
        }
    }
    let summary = fs::read_to_string(summary).unwrap();
    assert!(
        summary.contains("prod-1  active") && summary.contains("prod-2  announced"),
        "{summary}"
    );
    assert!(summary.contains("prod-1 is retired"), "{summary}");
    moto.call(
        "import json\nset = client('s3').get_object(Bucket='my-nhs-keys', Key='public/jwks.json')\n\
         kids = [key['kid'] for key in json.load(set['Body'])['keys']]\n\
         assert kids == ['prod-1', 'prod-2'], kids",
    );
}

/// YAML, by another's reader.
fn as_json(file: &Path) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)";
    let read = run(python().args(["-c", script]).arg(file), "").exits(0);
    // `on` is a boolean in YAML 1.1, and becomes a key that is text.
    serde_json::from_str(&read.stdout).unwrap()
}
