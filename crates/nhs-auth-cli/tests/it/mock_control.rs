//! The OpenAPI document of the mock's control API: it is what the mock does.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::installed::{project, python};
use crate::running_mock::RunningMock;
use crate::scene::run;

const DOCUMENT: &str = "crates/nhs-auth-mock/openapi.json";

fn document() -> Value {
    serde_json::from_str(&fs::read_to_string(project(DOCUMENT)).unwrap()).unwrap()
}

#[test]
fn every_documented_operation_answers_as_documented() {
    let mock = RunningMock::start();
    let mut script = python();
    script.arg(project("tests/interop/control_api.py")).arg(mock.base_url()).arg(project(DOCUMENT));
    let done = run(&mut script, "").exits(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(done["seen"].as_u64() > Some(40), "{done}");
}

#[test]
fn every_path_is_documented() {
    let documented: BTreeSet<_> =
        document()["paths"].as_object().unwrap().keys().map(|path| unnamed(path)).collect();
    assert_eq!(documented, routed());
}

#[test]
fn the_document_has_the_version_of_the_mock() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// The paths that the control API routes, read from its source: arms such as
/// `("apps", Some(id), None) =>`.
fn routed() -> BTreeSet<String> {
    let source = fs::read_to_string(project("crates/nhs-auth-mock/src/control.rs")).unwrap();
    let arms =
        source.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", "));
    arms.map(|(collection, rest)| {
        let (parameters, _) = rest.split_once(" =>").unwrap();
        format!("/{collection}{}", "/{}".repeat(parameters.matches("Some(").count()))
    })
    .collect()
}

/// A documented path without the names of its parameters.
fn unnamed(path: &str) -> String {
    let segments = path.split('/').map(|it| if it.starts_with('{') { "{}" } else { it });
    segments.collect::<Vec<_>>().join("/")
}
