//! `nhs-auth diagnose --bundle`.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scene::{Run, binary_in, run};

const API_KEY: &str = "aB3dEf9hIjKlMn0pQrStUvWxYz07g2k5";

/// A key pair, an assertion signed with it, and a subject token about a person.
struct Desk {
    folder: TempDir,
    assertion: String,
    subject_token: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(binary_in(folder.path()).arg("generate-keys"), "").exits(0);
        let arguments = ["sign-assertion", "--api-key", API_KEY, "--private-key", "int-1.pem"];
        let signed = run(binary_in(folder.path()).args(arguments), "").exits(0).stdout;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let subject_token = format!(
            "{}.{}.{}",
            part(json!({ "alg": "RS256", "typ": "JWT", "kid": "idp-1", "x-seat": "Ward Seven" })),
            part(json!({
                "iss": "https://identity.example.org/realm",
                "sub": "555036632103",
                "aud": "client-7",
                "exp": 1_800_000_000,
                "iat": 1_799_999_000,
                "authentication_assurance_level": "3",
                "nhs_number": "9912003071",
                "name": "Beatrix Ashgrove",
                "address": { "street": "Larkspur Row" },
            })),
            URL_SAFE_NO_PAD.encode([0x5a; 256]),
        );
        Self { folder, assertion: signed.trim().to_owned(), subject_token }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = binary_in(self.folder.path());
        run(command.args(["diagnose", "--bundle", "bundle.json"]).args(arguments), "")
    }

    fn bundle(&self) -> (String, Value) {
        let text = fs::read_to_string(self.path("bundle.json")).unwrap();
        fs::remove_file(self.path("bundle.json")).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    /// Insists that nothing of any secret is in a text, whatever piece of it.
    #[track_caller]
    fn nothing_secret_in(&self, text: &str) {
        let pem = fs::read_to_string(self.path("int-1.pem")).unwrap();
        let tokens =
            [&self.assertion, &self.subject_token].into_iter().flat_map(|it| it.split('.'));
        for secret in tokens.chain(pem.lines().filter(|line| !line.starts_with("--"))) {
            for piece in secret.as_bytes().windows(16) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!text.contains(piece), "{piece} in {text}");
            }
        }
        for piece in API_KEY.as_bytes().windows(6) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!text.contains(piece), "{piece} in {text}");
        }
        for personal in
            ["555036632103", "9912003071", "Beatrix", "Ashgrove", "Larkspur", "Ward Seven"]
        {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[test]
fn what_helps_is_in_it_and_no_secret_is() {
    let desk = Desk::new();
    let error = r#"{"error":"invalid_request","error_description":"Invalid 'kid' header in client_assertion JWT - no matching public key","message_id":"rrt-1234567890123456789-a-geu2-12345-6789-1"}"#;
    let arguments = [
        &["--assertion", &desk.assertion, "--subject-token", &desk.subject_token][..],
        &["--private-key", "int-1.pem", "--jwks", "int-1.json", "--api-key", API_KEY],
        &["--env", "int", "--error", error, "--at", "1800000000"],
    ];
    let run = desk.run(&arguments.concat());
    assert!(run.stderr.contains("wrote bundle.json"), "{run:?}");
    let (text, bundle) = desk.bundle();
    desk.nothing_secret_in(&text);

    let jwks: Value =
        serde_json::from_str(&fs::read_to_string(desk.path("int-1.json")).unwrap()).unwrap();
    assert!(!text.contains(&jwks["keys"][0]["n"].as_str().unwrap()[..40]));
    assert_eq!((&bundle["schema"], &bundle["api_key"]), (&1.into(), &"aB3d…g2k5".into()));
    let assertion = &bundle["assertions"][0];
    assert_eq!(assertion["claims"]["iss"], "aB3d…g2k5");
    assert_eq!(assertion["claims"]["aud"], "https://int.api.service.nhs.uk/oauth2/token");
    assert_eq!(
        (&assertion["header"]["kid"], &assertion["signature_bytes"]),
        (&"int-1".into(), &512.into())
    );
    let subject = &bundle["subject_tokens"][0]["claims"];
    assert_eq!(subject["iss"], "https://identity.example.org/realm");
    assert_eq!(subject["(names of others)"], json!(["address", "name", "nhs_number", "sub"]));
    let key = &bundle["jwks"]["keys"][0];
    assert_eq!(
        (&key["bits"], &key["thumbprint"]),
        (&4096.into(), &bundle["private_key"]["thumbprint"])
    );
    assert_eq!(key["thumbprint"].as_str().unwrap().len(), 43);
    assert_eq!(bundle["error"]["message_id"], "rrt-1234567890123456789-a-geu2-12345-6789-1");
    assert_eq!(
        (&bundle["environment"], &bundle["at"]),
        (&"int".into(), &"2027-01-15T08:00:00Z".into())
    );
    assert_eq!(bundle["report"]["schema"], 1);
    assert!(
        bundle["nhs_auth"].is_string() && bundle["os"].is_string() && bundle["now"].is_string()
    );
}

#[test]
fn damaged_and_wrapped_and_inside_a_request_a_token_stays_out_too() {
    let desk = Desk::new();
    let wrapped: Vec<_> = desk.assertion.as_bytes().chunks(40).collect();
    let wrapped = String::from_utf8(wrapped.join(&b'\n')).unwrap();
    let damaged = desk.assertion.replacen('.', "\u{2013}.", 1);
    let standard = desk.assertion.replace('-', "+").replace('_', "/");
    let cut = &desk.assertion[..desk.assertion.len() - 40];
    let quoted = format!("b'{}'", desk.assertion);
    for token in [&wrapped, &damaged, &standard, cut, &quoted] {
        desk.run(&["--assertion", token, "--jwks", "int-1.json", "--env", "int"]);
        desk.nothing_secret_in(&desk.bundle().0);
    }
    let form = format!(
        "grant_type=\"client_credentials\"&client_secret=s3cret-s3cret-s3cret&client_id={API_KEY}\
         &client_assertion={}&subject_token={}&subject_token_type={}",
        desk.assertion, desk.subject_token, desk.assertion
    );
    let curl = format!("curl https://me:p4ssw0rd@int.api.service.nhs.uk/oauth2/token -d '{form}'");
    let raw = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: int.api.service.nhs.uk\r\nAuthorization: Bearer {}\
         \r\nContent-Type: text/plain\r\n\r\n{form}",
        desk.subject_token
    );
    for request in [&form, &curl, &raw] {
        desk.run(&["--request", request, "--env", "int"]);
        let (text, bundle) = desk.bundle();
        desk.nothing_secret_in(&text);
        assert!(!text.contains("s3cret") && !text.contains("p4ssw0rd"), "{text}");
        assert_eq!(bundle["assertions"][0]["header"]["kid"], "int-1", "{text}");
        assert_eq!(bundle["subject_tokens"][0]["header"]["kid"], "idp-1", "{text}");
    }
}

#[test]
fn private_members_of_a_key_set_stay_out() {
    let desk = Desk::new();
    let secret = STANDARD.encode([0x77; 96]);
    for leaked in [
        format!(r#"{{"keys":[{{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","d":"{secret}"}}]}}"#),
        format!(r#"{{"kty":"RSA","kid":"a","d":"{secret}","oth":[{{"r":"{secret}"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"RSA","kid":"a","d":"{secret}""#),
    ] {
        desk.run(&["--jwks", &leaked]).exits(1);
        let (text, _) = desk.bundle();
        assert!(!text.contains(&secret[..16]), "{text}");
    }
}

#[test]
fn an_identifier_in_the_place_of_the_key_is_masked_without_being_told() {
    let desk = Desk::new();
    desk.run(&["--assertion", &desk.assertion, "--env", "int"]);
    desk.nothing_secret_in(&desk.bundle().0);
}

#[test]
fn no_file_is_ever_overwritten() {
    let desk = Desk::new();
    fs::write(desk.path("bundle.json"), "mine").unwrap();
    let refused = desk.run(&["--jwks", "int-1.json"]).exits(2);
    assert!(refused.stderr.contains("bundle.json is there already"), "{refused:?}");
    assert_eq!(refused.stdout, "");
    assert_eq!(fs::read_to_string(desk.path("bundle.json")).unwrap(), "mine");
    let mut nowhere = binary_in(desk.folder.path());
    let arguments = ["diagnose", "--jwks", "int-1.json", "--bundle", "no/such/folder.json"];
    run(nowhere.args(arguments), "").exits(2);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.run(&["--jwks", "int-1.json"]).exits(0);
    let mode = fs::metadata(desk.path("bundle.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
