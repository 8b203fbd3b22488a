//! `nhs-auth sign-in`, with a user at the box's sign-in page.

use std::net::TcpListener;
use std::process::Command;

use nhs_auth_mock::NewClient;
use serde_json::Value;

use crate::scene::{Scene, run};
use crate::waiting::Waiting;

/// A client of the box's CIS2 with a key, whose flags are in the answer.
fn cis2_client(scene: &Scene) -> Vec<String> {
    let jwks = std::fs::read_to_string(scene.path("int-1.json")).unwrap();
    let client = scene.platform.create_client(NewClient::cis2().jwks(jwks)).unwrap();
    flags(client.client_id())
}

fn nhs_login_client(scene: &Scene) -> Vec<String> {
    let jwks = std::fs::read_to_string(scene.path("int-1.json")).unwrap();
    let client = scene.platform.create_client(NewClient::nhs_login().jwks(jwks)).unwrap();
    flags(client.client_id())
}

fn flags(client_id: &str) -> Vec<String> {
    let flags =
        ["--client-id", client_id, "--no-browser", "--redirect-uri", "http://127.0.0.1:0/callback"];
    flags.map(ToOwned::to_owned).to_vec()
}

fn sign_in(scene: &Scene, with: &str, client: &[String], more: &[&str]) -> Command {
    let mut command = scene.binary();
    command.args(["sign-in", "--with", with, "--private-key", "int-1.pem"]);
    command.args(["--api-key", "file:api-key.txt", "--base-url", &scene.platform.base_url()]);
    command.args(client).args(more);
    command
}

#[test]
fn the_id_token_alone_is_on_standard_output_and_is_exchanged_from_there() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let signed_in =
        Waiting::start(&mut sign_in(&scene, "cis2", &client, &[])).sign_in("656005750104").exits(0);
    assert_eq!(signed_in.stdout.matches('.').count(), 2, "{signed_in:?}");
    assert_eq!(signed_in.stdout.lines().count(), 1);
    assert!(signed_in.stderr.contains("level aal3"), "{}", signed_in.stderr);
    assert!(signed_in.stderr.contains("NHSD-Session-URID: "), "{}", signed_in.stderr);

    scene.write("id-token.txt", &signed_in.stdout);
    for (value, stdin) in [
        ("id-token.txt", ""),
        ("file:id-token.txt", ""),
        ("-", signed_in.stdout.as_str()),
        (signed_in.stdout.trim(), ""),
    ] {
        let exchanged =
            scene.run_as_app_with(&["exchange-token", "--subject-token", value], stdin).exits(0);
        assert_eq!(exchanged.stdout.trim_end().len(), 28, "{exchanged:?}");
        assert_eq!(exchanged.stderr, "");
    }
    let arguments = ["exchange-token", "--subject-token", "id-token.txt", "--output", "json"];
    let answer: Value =
        serde_json::from_str(&scene.run_as_app(&arguments).exits(0).stdout).unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["expires_in"].is_u64() && answer["expires_at"].is_string(), "{answer}");
    assert_eq!(answer["refresh_token_expires_in"], "43199");
}

#[test]
fn a_ring_signs_at_the_provider_and_at_the_platform() {
    let scene = Scene::new();
    scene.run(&["rotate-keys", "--key-ring", "keys", "--adopt", "int-1.pem"]).exits(0);
    let mut command = scene.binary();
    command.args(["sign-in", "--with", "cis2", "--exchange", "--key-ring", "keys"]);
    command.args(["--api-key", "file:api-key.txt", "--base-url", &scene.platform.base_url()]);
    command.args(cis2_client(&scene));
    let signed_in = Waiting::start(&mut command).sign_in("656005750104").exits(0);
    assert_eq!(signed_in.stdout.trim_end().len(), 28, "{signed_in:?}");
}

#[test]
fn with_exchange_it_goes_on_to_a_platform_token() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let human = Waiting::start(&mut sign_in(&scene, "cis2", &client, &["--exchange"]));
    let token = human.sign_in("656005750104").exits(0).stdout;
    assert_eq!(token.trim_end().len(), 28, "{token:?}");

    let more = ["--exchange", "--output", "json", "--no-role"];
    let json = Waiting::start(&mut sign_in(&scene, "cis2", &client, &more)).sign_in("two-roles");
    let answer: Value = serde_json::from_str(&json.exits(0).stdout).unwrap();
    for name in ["access_token", "expires_at", "refresh_token", "id_token", "id_token_expires_at"] {
        assert!(answer[name].is_string(), "{name}: {answer}");
    }
    assert_eq!((&answer["provider"], &answer["level"]), (&"cis2".into(), &"aal3".into()));
    assert_eq!(answer["roles"].as_array().unwrap().len(), 2);
    assert_eq!(answer["role"], Value::Null, "there is one to choose");
    assert_eq!(answer["claims"]["sub"], "two-roles");
    assert_eq!(answer["user_info"]["sub"], answer["subject"]);
}

#[test]
fn a_patient_signs_in_at_the_level_that_is_asked_for() {
    let scene = Scene::new();
    let client = nhs_login_client(&scene);
    for vtr in ["P5.Cp.Cd P9.Cp.Cd", r#"["P5.Cp.Cd"]"#] {
        let mut command = sign_in(&scene, "nhs-login", &client, &["--vtr", vtr]);
        let signed_in = Waiting::start(&mut command).sign_in("9912003072").exits(0);
        assert!(signed_in.stderr.contains("level P5"), "{}", signed_in.stderr);
    }
    let mut command = sign_in(&scene, "nhs-login", &client, &[]);
    let refused = Waiting::start(&mut command).sign_in("9912003072").exits(1);
    assert!(refused.stderr.contains("error: `vot` is P5.Cp.Cd, and P9.Cp.Cd or "), "{refused:?}");
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_client_with_a_secret_and_one_with_another_algorithm() {
    let scene = Scene::new();
    let client = scene.platform.create_client(NewClient::cis2()).unwrap();
    scene.write("secret.txt", client.client_secret());
    let more = ["--client-secret", "file:secret.txt"];
    let with_secret = flags(client.client_id());
    Waiting::start(&mut sign_in(&scene, "cis2", &with_secret, &more))
        .sign_in("656005750104")
        .exits(0);

    let jwks = std::fs::read_to_string(scene.path("int-1.json")).unwrap();
    let registered = nhs_auth_mock::SigningAlgorithm::Rs256;
    let client = NewClient::cis2().jwks(jwks).signing_algorithm(registered);
    let client = flags(scene.platform.create_client(client).unwrap().client_id());
    let signing = |more: &[&str]| {
        Waiting::start(&mut sign_in(&scene, "cis2", &client, more)).sign_in("656005750104")
    };
    signing(&["--client-alg", "RS256"]).exits(0);
    let refused = signing(&[]).exits(1);
    assert!(refused.stderr.contains("invalid_client: JWT is not valid"), "{}", refused.stderr);
    assert!(refused.stderr.matches("hint: ").count() > 2, "{}", refused.stderr);
}

#[test]
fn whoever_comes_back_with_another_state_or_an_error_has_not_signed_in() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let redirect_uri = |waiting: &Waiting| {
        let encoded = waiting.url.split("redirect_uri=").nth(1).unwrap().split('&').next().unwrap();
        encoded.replace("%3A", ":").replace("%2F", "/")
    };
    let waiting = Waiting::start(&mut sign_in(&scene, "cis2", &client, &[]));
    let wrong = format!("{}?code=c&state=another", redirect_uri(&waiting));
    let refused = waiting.come_back(&wrong).exits(1);
    assert!(refused.stderr.contains("error: `state` is not the one"), "{}", refused.stderr);

    let waiting = Waiting::start(&mut sign_in(&scene, "cis2", &client, &[]));
    let state = waiting.url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let denied = format!("{}?error=access_denied&state={state}", redirect_uri(&waiting));
    let refused = waiting.come_back(&denied).exits(1);
    assert!(refused.stderr.contains("error: the provider answered access_denied"), "{refused:?}");
    assert!(refused.stderr.contains("hint: the user cancelled"), "{refused:?}");
    assert_eq!(refused.stdout, "");
}

#[test]
fn what_is_wrong_with_the_flags_is_told_before_the_user_is_troubled() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("http://{}/callback", taken.local_addr().unwrap());
    let refused = |with: &str, client: &[String], more: &[&str], expected: &str| {
        let refused = run(&mut sign_in(&scene, with, client, more), "").exits(2);
        assert!(refused.stderr.contains(expected), "{expected}: {}", refused.stderr);
        assert_eq!(refused.stdout, "");
    };
    refused("cis2", &[], &[], "there is no client id");
    let api_key = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF";
    refused("cis2", &flags(api_key), &[], "this has the shape of an API key of the platform");
    let uuid = "0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10";
    refused("cis2", &flags(uuid), &[], "this is a UUID");
    refused("nhs-login", &client, &[], "this is a CIS2 client id, which NHS login does not know");
    let more = ["--vtr", "P9.Cp.Cd"];
    refused("cis2", &client, &more, "--vtr is NHS login's");
    refused("cis2", &client, &["--acr-values", "AAL4"], "`AAL4` is not an `acr_values`");
    refused("cis2", &client, &["--scope", "openid admin"], "`admin` is not a scope of CIS2");
    let patient = nhs_login_client(&scene);
    refused("nhs-login", &patient, &["--max-age", "300"], "--max-age is CIS2's");
    refused("nhs-login", &patient, &["--vtr", "[“P9.Cp”]"], "is not a vector of trust");
    let more = ["--scope", "profile basic_demographics"];
    refused("nhs-login", &patient, &more, "exclude each other");
    let only_id = &client[..2];
    refused("cis2", only_id, &["--redirect-uri", &taken], "can't listen on 127.0.0.1:");
    let more = ["--redirect-uri", "https://app.example.org/callback"];
    refused("cis2", only_id, &more, "is not http on this machine");
    let more = ["--redirect-uri", "http://example.org/callback"];
    refused("cis2", only_id, &more, "plain http to another machine");
    refused("cis2", &client, &["--client-private-key", "nowhere.pem"], "nowhere.pem");
    let more = ["--client-private-key", "-----BEGIN PRIVATE KEY-----"];
    refused("cis2", &client, &more, "is a key, where its path belongs");
    refused("cis2", &client, &["--issuer", "http://example.org"], "plain http");
    let more = ["--client-secret", "env:HOME"];
    refused("nhs-login", &patient, &more, "NHS login takes no client secret");
    refused("nhs-login", &patient, &["--client-alg", "RS256"], "NHS login takes RS512 alone");
    let api_key = std::fs::read_to_string(scene.path("api-key.txt")).unwrap();
    let as_client = flags(api_key.trim());
    refused("nhs-login", &as_client, &[], "is not a client id of the provider");
    let more = ["--exchange", "--scope", "openid email"];
    refused("nhs-login", &patient, &more, "(S15)");
    assert!(scene.requests().is_empty());
}

#[test]
fn flags_come_from_the_file_and_the_environment_too() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    scene.write(
        "nhs-auth.toml",
        &format!(
            "with = \"cis2\"\nclient-id = {:?}\nclient-private-key = \"int-1.pem\"\n\
             base-url = {:?}\nredirect-uri = \"http://localhost:0/callback\"\n",
            client[1],
            scene.platform.base_url()
        ),
    );
    let mut command = scene.binary();
    command.arg("sign-in").env("NHS_AUTH_NO_BROWSER", "true");
    Waiting::start(&mut command).sign_in("656005750104").exits(0);
    scene.write("nhs-auth.toml", "");
    let refused = scene.run(&["sign-in"]).exits(2);
    assert!(refused.stderr.contains("--with cis2"), "{}", refused.stderr);
}

#[test]
fn with_a_box_it_goes_where_the_environment_would() {
    let scene = Scene::new();
    for (with, env, base_path, path) in [
        ("cis2", "int", "/oauth2", "/openam/"),
        ("cis2", "int", "/oauth2-mock", "/realms/Cis2-mock-int/"),
        ("cis2", "sandbox", "/oauth2", "/realms/Cis2-mock-sandbox/"),
        ("cis2", "dev", "/oauth2", "/realms/Cis2-mock-dev/"),
        ("cis2", "dev", "/oauth2-dep", "/deployment/openam/"),
        ("nhs-login", "dev", "/oauth2", "/nhs-login/"),
        ("nhs-login", "sandbox", "/oauth2", "/realms/NHS-Login-mock-sandbox/"),
    ] {
        let client = if with == "cis2" { cis2_client(&scene) } else { nhs_login_client(&scene) };
        let more = ["--env", env, "--base-path", base_path];
        let waiting = Waiting::start(&mut sign_in(&scene, with, &client, &more));
        let expected = format!("{}{path}", scene.platform.base_url());
        assert!(waiting.url.starts_with(&expected), "{env} {base_path}: {}", waiting.url);
    }
}

#[test]
fn environments_that_do_not_trust_each_other_are_told_apart_at_the_start() {
    let scene = Scene::new();
    let mut command = scene.binary();
    command.args(["sign-in", "--with", "cis2", "--exchange", "--env", "int"]);
    command.args(["--api-key", "file:api-key.txt", "--private-key", "int-1.pem"]);
    command.args(flags("123456789012.apps.supplier"));
    command.args(["--issuer", "https://am.nhsidentity.spineservices.nhs.uk/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare"]);
    let refused = run(&mut command, "").exits(2);
    assert!(refused.stderr.contains("would refuse every ID token"), "{}", refused.stderr);
    assert!(refused.stderr.contains("CIS2's production environment"), "{}", refused.stderr);
}

#[test]
fn a_user_or_a_provider_that_does_not_come() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let late = run(&mut sign_in(&scene, "cis2", &client, &["--wait", "1"]), "").exits(3);
    assert!(late.stderr.contains("nobody signed in within 1 s"), "{}", late.stderr);
    let more = ["--issuer", "http://127.0.0.1:1/realm"];
    let nowhere = run(&mut sign_in(&scene, "cis2", &client, &more), "").exits(3);
    assert!(nowhere.stderr.contains("can't reach http://127.0.0.1:1/realm"), "{}", nowhere.stderr);
}

#[test]
fn no_secret_is_told_however_loud_it_is() {
    let scene = Scene::new();
    let client = cis2_client(&scene);
    let more = ["--exchange", "-vvv"];
    let loud = Waiting::start(&mut sign_in(&scene, "cis2", &client, &more)).sign_in("656005750104");
    let loud = loud.exits(0);
    assert!(loud.stderr.contains("token request"), "{}", loud.stderr);
    assert!(!loud.stderr.contains("eyJ"), "{}", loud.stderr);
    assert!(!loud.stderr.contains(loud.stdout.trim()), "{}", loud.stderr);
    let state = loud.stderr.split("state=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(loud.stderr.matches(state).count(), 1, "in the URL to open, and nowhere else");
}
