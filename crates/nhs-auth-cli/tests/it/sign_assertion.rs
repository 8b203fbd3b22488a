//! `nhs-auth sign-assertion`.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;

#[test]
fn a_jwt_that_the_platform_takes_once_from_curl() {
    let scene = Scene::new();
    let signed = scene.run_as_app(&["sign-assertion", "--curl"]).exits(0);
    let curl = || {
        let output = Command::new("sh").args(["-c", &signed.stdout]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(curl().contains("access_token"), "the tests need curl: apt-get install curl");
    assert!(curl().contains("Non-unique 'jti' claim"), "a second time it is refused");
}

#[test]
fn the_jwt_alone_or_in_a_file_of_its_owners() {
    let scene = Scene::new();
    let printed = scene.run_as_app(&["sign-assertion"]).exits(0);
    assert_eq!((printed.stdout.matches('.').count(), printed.stdout.lines().count()), (2, 1));
    let written = scene.run_as_app(&["sign-assertion", "--out", "jwt.txt"]).exits(0);
    assert_eq!(written.stdout, "");
    let jwt = fs::read_to_string(scene.path("jwt.txt")).unwrap();
    assert!(jwt.matches('.').count() == 2 && !jwt.contains('\n'));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(scene.path("jwt.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(scene.requests().is_empty(), "nothing is sent");
}

#[test]
fn as_json_with_its_lifetime() {
    let scene = Scene::new();
    let signed =
        scene.run_as_app(&["sign-assertion", "--output", "json", "--lifetime", "300"]).exits(0);
    let answer: Value = serde_json::from_str(&signed.stdout).unwrap();
    let jwt = nhs_auth_rules::Jwt::decode(answer["client_assertion"].as_str().unwrap());
    let exp = jwt.payload.content.unwrap().get("exp").unwrap().text().parse::<i64>().unwrap();
    let left = exp - scene.platform.now().to_seconds().0;
    assert!((298..=300).contains(&left), "{left}");
    assert!(answer["expires_at"].as_str().unwrap().ends_with('Z'));
    scene.run_as_app(&["sign-assertion", "--lifetime", "301"]).exits(2);
}

#[test]
fn a_key_is_never_overwritten_and_an_old_assertion_is() {
    let scene = Scene::new();
    let key = fs::read_to_string(scene.path("int-1.pem")).unwrap();
    scene.run_as_app(&["sign-assertion", "--out", "int-1.pem"]).exits(2);
    assert_eq!(fs::read_to_string(scene.path("int-1.pem")).unwrap(), key);
    scene.run_as_app(&["sign-assertion", "--out", "jwt.txt"]).exits(0);
    let first = fs::read_to_string(scene.path("jwt.txt")).unwrap();
    scene.run_as_app(&["sign-assertion", "--out", "jwt.txt"]).exits(0);
    assert_ne!(fs::read_to_string(scene.path("jwt.txt")).unwrap(), first);
}
