//! The box's pages in Chromium. Their pictures are left in `target/screenshots`.

use std::fs;

use crate::installed::{node, node_tests_pass, project};
use crate::running_mock::RunningMock;

fn in_chromium(file: &str, count: usize) {
    let mock = RunningMock::start();
    let screenshots = project("target/screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let mut node = node();
    node.env("BASE_URL", mock.base_url()).env("SCREENSHOTS", screenshots);
    node_tests_pass(&mut node, file, count);
}

#[test]
fn the_sign_in_pages() {
    in_chromium("tests/browser/sign_in.test.mjs", 21);
}

#[test]
fn the_inspector() {
    in_chromium("tests/browser/inspector.test.mjs", 6);
}
