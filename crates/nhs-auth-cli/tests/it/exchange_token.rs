//! `nhs-auth exchange-token`: what it sends, what it doesn't, and what it says of the answer.

use nhs_auth::Environment;
use nhs_auth_mock::{MockPlatform, NewIdToken};

use crate::scene::Scene;

#[test]
fn what_is_pasted_where_it_does_not_belong_is_not_repeated() {
    let scene = Scene::new();
    let pem = std::fs::read_to_string(scene.path("int-1.pem")).unwrap();
    let line = pem.lines().nth(3).unwrap();
    let token = scene.platform.id_token(&NewIdToken::cis2()).unwrap();
    for value in [
        pem.clone(),
        pem.replace('\n', " "),
        format!("file:{token}"),
        format!("env:{token}"),
        format!("./{token}"),
        format!("https://app.example.org/callback?id_token={token}"),
        "9SrRLS/XxM65UGJRlXR_6lqf604".to_owned(),
        "int-1.pem".to_owned(),
    ] {
        let refused = scene.run_as_app(&["exchange-token", "--subject-token", &value]).exits(2);
        assert!(!refused.stderr.contains(line), "{}", refused.stderr);
        assert!(!refused.stderr.contains(&token[..40]), "{}", refused.stderr);
        assert!(!refused.stderr.contains("XxM65UGJRlXR"), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: "), "{value}: {}", refused.stderr);
    }
    for arguments in [&["exchange-token", &*token][..], &["sign-in", "--with", &token]] {
        let refused = scene.run(arguments).exits(2);
        assert!(!refused.stderr.contains("eyJ"), "{}", refused.stderr);
    }
    assert!(scene.requests().is_empty());
}

#[test]
fn what_the_platform_would_refuse_is_not_sent() {
    let scene = Scene::new();
    let expired = NewIdToken::cis2().claim("exp", 1_000_000.into());
    scene.write("expired.txt", &scene.platform.id_token(&expired).unwrap());
    scene.write("empty.txt", "\n");
    for (token, expected) in [
        ("9xQTz0kP4hVbW2mDs8LcY1uRfJ6", "error: nothing was sent: the subject token is not a JWT"),
        ("expired.txt", "error: nothing was sent: the subject token expired"),
        ("empty.txt", "error: the subject token is empty"),
    ] {
        let refused = scene.run_as_app(&["exchange-token", "--subject-token", token]).exits(2);
        assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    }
    scene.run_as_app(&["exchange-token"]).exits(2);
    let logout = scene.platform.logout_token("a session");
    scene.write("logout.txt", &logout);
    let no_level =
        NewIdToken::nhs_login().claim("identity_proofing_level", serde_json::Value::Null);
    scene.write("no-level.txt", &scene.platform.id_token(&no_level).unwrap());
    for (file, expected) in
        [("logout.txt", "is a logout token and not an ID token"), ("no-level.txt", "(S15)")]
    {
        let refused = scene.run_as_app(&["exchange-token", "--subject-token", file]).exits(2);
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    assert!(scene.requests().is_empty());

    // Of a real environment it is known whom it trusts.
    let foreign = NewIdToken::cis2().claim(
        "iss",
        "https://am.nhsidentity.spineservices.nhs.uk:443/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare".into(),
    );
    scene.write("foreign.txt", &scene.platform.id_token(&foreign).unwrap());
    let arguments = [
        "exchange-token",
        "--subject-token",
        "foreign.txt",
        "--api-key",
        "file:api-key.txt",
        "--private-key",
        "int-1.pem",
    ];
    let refused = scene.run(&arguments).exits(2);
    assert!(refused.stderr.contains("CIS2's production environment"), "{}", refused.stderr);
}

#[test]
fn what_the_platform_refuses_is_explained() {
    let scene = Scene::new();
    let platform = MockPlatform::builder().environment(Environment::INT);
    let platform = scene.runtime.block_on(platform.start()).unwrap();
    let jwks = std::fs::read_to_string(scene.path("int-1.json")).unwrap();
    let app = platform.create_app(nhs_auth_mock::NewApp::new("test").jwks(jwks));
    scene.write("other.txt", app.api_key());
    scene.write("id-token.txt", &platform.id_token(&NewIdToken::cis2()).unwrap());
    let base_url = platform.base_url();
    let at = |base_path: &str| {
        let who = ["--api-key", "file:other.txt", "--private-key", "int-1.pem", "--base-url"];
        let arguments = [&["exchange-token", "--subject-token", "id-token.txt"], &who[..]].concat();
        scene.run(&[&arguments[..], &[&base_url, "--base-path", base_path]].concat())
    };
    at("/oauth2").exits(0);
    let refused = at("/oauth2-mock").exits(1);
    assert!(refused.stderr.contains("'iss' claim in subject_token JWT"), "{}", refused.stderr);
    assert!(refused.stderr.contains("(S11)"), "{}", refused.stderr);

    let token = platform.id_token(&NewIdToken::cis2()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let reversed: String = signature.chars().rev().skip(2).chain("AA".chars()).collect();
    scene.write("id-token.txt", &format!("{signed}.{reversed}"));
    let refused = at("/oauth2").exits(1);
    assert!(refused.stderr.contains("the subject token was changed"), "{}", refused.stderr);
    assert!(refused.stderr.contains("(S14)"), "{}", refused.stderr);
}
