//! Where credentials, region and endpoint come from when a URI doesn't have them: for each
//! environment, this test is run once more in a process of its own.

use std::process::Command;

use nhs_auth::{Custody as _, KeyUri, Kid};
use nhs_auth_custody::AwsKms;

use crate::moto::{Moto, access_key};

const NAME: &str = "aws_environment::all_is_found_where_awss_own_tools_look";
const URI: &str = "NHS_AUTH_TEST_KEY_URI";

#[tokio::test]
async fn all_is_found_where_awss_own_tools_look() {
    if let Ok(uri) = std::env::var(URI) {
        match AwsKms::new().open(&KeyUri::parse(&uri).unwrap()).await {
            Ok(signer) => println!("opened {}", signer.public_key().thumbprint()),
            Err(error) => println!("{error}"),
        }
        return;
    }

    let moto = Moto::start().await;
    let url = moto.url();
    let place = KeyUri::parse(&format!("awskms:?region=eu-west-2&endpoint={url}")).unwrap();
    let kms = AwsKms::new().with_access_key(access_key());
    let created = kms.create(&place, &Kid::parse("int-1").unwrap()).await.unwrap();
    let opened = format!("opened {}", created.signer.public_key().thumbprint());

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = format!("[profile int]\nregion = eu-west-2\nendpoint_url = {url}\n");
    let config = file("config", &config);
    let keys = "[int]\naws_access_key_id = AKIAFILE\naws_secret_access_key = open-sesame\n";
    let files =
        [("AWS_CONFIG_FILE", &*config), ("AWS_SHARED_CREDENTIALS_FILE", &file("keys", keys))];
    let key = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "open-sesame")];
    let region = [("AWS_REGION", "eu-west-2")];
    let endpoint = [("AWS_ENDPOINT_URL_KMS", &*url)];
    let elsewhere = [("AWS_ENDPOINT_URL", "http://192.0.2.1")];

    let home = folder.path().to_str().unwrap();
    for (uri, environment, answer) in [
        ("awskms:alias/int-1", [&key[..], &region, &endpoint].concat(), &*opened),
        ("awskms:alias/int-1?profile=int", files.to_vec(), &opened),
        ("awskms:alias/int-1", [&files[..], &[("AWS_PROFILE", "int")]].concat(), &opened),
        ("awskms:alias/int-1", [&region[..], &endpoint].concat(), "no AWS credentials were found"),
        ("awskms:alias/int-1", key.to_vec(), "no region is known"),
        (
            "awskms:alias/int-1",
            [&key[..], &region, &elsewhere].concat(),
            "`endpoint` has to be https; http is for this machine's own",
        ),
    ] {
        let said = run(uri, home, &environment);
        assert!(said.contains(answer), "{environment:?}: {said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}

fn run(uri: &str, home: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([NAME, "--exact", "--nocapture"]).env(URI, uri).env("HOME", home);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
