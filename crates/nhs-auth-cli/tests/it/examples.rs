//! What stands in `examples/`, run as its README says.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::installed::{node_tests_pass, project, python};
use crate::running_mock::RunningMock;
use crate::scene::run;

#[test]
fn pytest() {
    let mut pytest = python();
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider"]).arg(project("examples/pytest"));
    // The interoperability tests have plugins of their own installed.
    pytest.env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1");
    let tested = run(with_the_binary(&mut pytest), "").exits(0);
    assert!(tested.stdout.contains("= 3 passed in "), "{}", tested.stdout);
}

#[test]
fn nodes_test_runner() {
    // The example brings no package.
    let mut node = Command::new("node");
    let file = "examples/node-test/hello-world.test.mjs";
    node_tests_pass(with_the_binary(&mut node), file, 4);
}

#[test]
fn java() {
    let mock = RunningMock::start();
    let mut java = Command::new("java");
    java.arg(project("examples/java/HelloWorld.java")).arg(mock.base_url());
    let called = run(&mut java, "").exits(0);
    assert_eq!(called.stdout, "{\"message\":\"Hello Application!\"}\n");
}

/// The binary under test comes first on the `PATH`.
#[expect(clippy::disallowed_methods, reason = "the examples find their programs as a person's do")]
fn with_the_binary(command: &mut Command) -> &mut Command {
    let ours = Path::new(env!("CARGO_BIN_EXE_nhs-auth")).parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([ours].into_iter().chain(env::split_paths(&path))).unwrap();
    command.env("PATH", path)
}
