//! Keys that are not in a PEM file: in PKCS#12, in a hardware security module, with a key management
//! service; and key sets and secrets in a cloud.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::installed::python;
use crate::scene::{Run, Scene, run};

const PIN: &str = "4711-hush";

fn openssl(scene: &Scene, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    run(command.current_dir(scene.path("")).args(arguments), "").exits(0);
}

/// Registers the key set in a file, and has the binary ask for a token with this key.
fn token_with(scene: &Scene, jwks: &str, key: &[&str]) -> Run {
    let jwks = fs::read_to_string(scene.path(jwks)).unwrap();
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("mine").jwks(jwks));
    scene.write("mine.txt", app.api_key());
    let base_url = scene.platform.base_url();
    let who = ["--no-cache", "--base-url", &base_url, "--api-key", "file:mine.txt"];
    scene.run(&[&["get-token"], key, &who].concat())
}

#[test]
fn a_pfx_is_a_private_key_like_any_other() {
    let scene = Scene::new();
    scene.write("passphrase.txt", "open sesame\n");
    let request = ["req", "-x509", "-key", "int-1.pem", "-subj", "/CN=mine", "-out", "cert.pem"];
    openssl(&scene, &request);
    let export = ["pkcs12", "-export", "-inkey", "int-1.pem", "-in", "cert.pem"];
    for (options, name) in [
        (&["-passout", "file:passphrase.txt"][..], "int-1.pfx"),
        (&["-legacy", "-passout", "file:passphrase.txt"], "old.p12"),
    ] {
        openssl(&scene, &[&export[..], options, &["-out", name]].concat());
        let key = ["--private-key", name, "--passphrase", "file:passphrase.txt", "--kid", "int-1"];
        token_with(&scene, "int-1.json", &key).exits(0);
    }
    // Its name less its ending is its kid.
    let key = ["--private-key", "int-1.pfx", "--passphrase", "file:passphrase.txt"];
    token_with(&scene, "int-1.json", &key).exits(0);
    openssl(&scene, &[&export[..], &["-passout", "pass:", "-out", "empty.pfx"]].concat());
    token_with(&scene, "int-1.json", &["--private-key", "empty.pfx", "--kid", "int-1"]).exits(0);

    scene.write("wrong.txt", "shut");
    let key = ["--private-key", "int-1.pfx", "--passphrase", "file:wrong.txt"];
    let wrong = token_with(&scene, "int-1.json", &key).exits(2);
    assert!(wrong.stderr.contains("int-1.pfx") && !wrong.stderr.contains("shut"), "{wrong:?}");
    let none = token_with(&scene, "int-1.json", &["--private-key", "int-1.pfx"]).exits(2);
    assert!(none.stderr.contains("--passphrase file:PATH"), "{none:?}");
}

/// A token of SoftHSM in the scene's folder; its URI's first part, and its module.
fn softhsm(scene: &Scene) -> (Command, String) {
    fs::create_dir(scene.path("tokens")).unwrap();
    let tokens = scene.path("tokens").display().to_string();
    scene.write("softhsm2.conf", &format!("directories.tokendir = {tokens}\n"));
    scene.write("pin.txt", &format!("{PIN}\n"));
    let module = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"];
    let module = module.into_iter().find(|path| Path::new(path).exists());
    let module = module.expect("SoftHSM is installed: `cargo xtask test` does it");
    let mut init = Command::new("softhsm2-util");
    init.args(["--init-token", "--free", "--label", "nhs", "--so-pin", "officer", "--pin", PIN]);
    run(init.env("SOFTHSM2_CONF", scene.path("softhsm2.conf")), "").exits(0);
    let pin = scene.path("pin.txt").display().to_string();
    let uri = format!("pkcs11:token=nhs?module-path={module}&pin-source=file:{pin}");
    (with_softhsm(scene), uri)
}

fn with_softhsm(scene: &Scene) -> Command {
    let mut binary = scene.binary();
    binary.env("SOFTHSM2_CONF", scene.path("softhsm2.conf"));
    binary
}

#[test]
fn a_key_is_made_in_a_module_and_signs_there() {
    let scene = Scene::new();
    let (mut binary, place) = softhsm(&scene);
    let made =
        run(binary.args(["generate-keys", "--kid", "hsm-1", "--private-key", &place]), "").exits(0);
    let uri = made.stdout.lines().next().unwrap().to_owned();
    assert!(uri.starts_with("pkcs11:") && uri.contains("hsm-1"), "{uri}");
    assert!(!made.stdout.contains(PIN) && !made.stderr.contains(PIN), "{made:?}");
    assert!(scene.path("hsm-1.json").exists() && scene.path("hsm-1.pem.pub").exists());
    assert!(!scene.path("hsm-1.pem").exists(), "nothing private is written");

    let jwks = fs::read_to_string(scene.path("hsm-1.json")).unwrap();
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("hsm").jwks(jwks));
    scene.write("mine.txt", app.api_key());
    let base_url = scene.platform.base_url();
    let who = ["get-token", "--no-cache", "--base-url", &base_url, "--api-key", "file:mine.txt"];
    let with = |key: &[&str]| run(with_softhsm(&scene).args(who).args(key), "");
    with(&["--private-key", &uri, "--kid", "hsm-1"]).exits(0);

    let no_kid = with(&["--private-key", &uri]).exits(2);
    assert!(no_kid.stderr.contains("--kid"), "{no_kid:?}");
    let again = run(
        with_softhsm(&scene)
            .args(["generate-keys", "--kid", "hsm-1", "--output-dir", "b"])
            .args(["--private-key", &place]),
        "",
    )
    .exits(2);
    assert!(again.stderr.contains("there already"), "{again:?}");
    let no_pin = uri.split("&pin-source").next().unwrap().to_owned();
    let no_pin = with(&["--private-key", &no_pin, "--kid", "hsm-1"]).exits(2);
    assert!(no_pin.stderr.contains("PIN is needed"), "{no_pin:?}");
}

#[test]
fn a_ring_of_a_module_rotates_there() {
    let scene = Scene::new();
    let (_, place) = softhsm(&scene);
    let rotate = |arguments: &[&str]| {
        let mut binary = with_softhsm(&scene);
        binary.args(["rotate-keys", "--key-ring", "keys", "--output", "json"]).args(arguments);
        let run = run(&mut binary, "").exits(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let first = rotate(&["--keys-at", &place]);
    assert!(first["keys"][0]["private_key"].as_str().unwrap().starts_with("pkcs11:"), "{first}");
    let begun = rotate(&["--start"]);
    assert_eq!(begun["keys"][1]["state"], "announced");
    let files = fs::read_dir(scene.path("keys")).unwrap().count();
    assert_eq!(files, 2, "the ring and its lock, and no private key");

    let base_url = scene.platform.base_url();
    let mut publish = scene.binary();
    run(publish.args(["publish-jwks", "--key-ring", "keys", "--to", "portal"]), "").exits(0);
    let jwks = {
        let mut publish = scene.binary();
        run(publish.args(["publish-jwks", "--key-ring", "keys", "--to", "portal"]), "").stdout
    };
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("hsm").jwks(jwks));
    scene.write("mine.txt", app.api_key());
    let who = ["get-token", "--base-url", &base_url, "--api-key", "file:mine.txt"];
    run(with_softhsm(&scene).args(who).args(["--key-ring", "keys"]), "").exits(0);
}

/// Another's stand-in for AWS, which goes with the test.
pub(crate) struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    #[expect(clippy::disallowed_methods, reason = "a server's start is waited for")]
    pub(crate) fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = python()
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { child, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return moto;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("moto does not start");
    }

    /// The binary, as somebody whom AWS knows.
    fn binary(&self, scene: &Scene) -> Command {
        let mut binary = scene.binary();
        self.know(binary.env("AWS_REGION", "eu-west-2"));
        binary
    }

    /// Gives a program what it needs to ask there.
    pub(crate) fn know(&self, program: &mut Command) {
        program
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
            .env("AWS_SECRET_ACCESS_KEY", "open-sesame");
    }

    /// A call of AWS's own library.
    pub(crate) fn call(&self, script: &str) {
        let script = format!(
            "import boto3\nclient = lambda name: boto3.client(name, endpoint_url='{}', \
             region_name='eu-west-2', aws_access_key_id='a', aws_secret_access_key='b')\n{script}",
            self.url
        );
        run(python().args(["-c", &script]), "").exits(0);
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_cloud_keeps_the_keys_the_key_set_the_ring_and_the_secrets() {
    let scene = Scene::new();
    let moto = Moto::start();
    moto.call(
        "client('s3').create_bucket(Bucket='keys', CreateBucketConfiguration={\
         'LocationConstraint': 'eu-west-2'})",
    );
    let aws = |arguments: &[&str]| run(moto.binary(&scene).args(arguments), "");

    // A key that the service makes and keeps.
    let made = aws(&["generate-keys", "--kid", "kms-1", "--private-key", "awskms:"]).exits(0);
    let uri = made.stdout.lines().next().unwrap().to_owned();
    assert!(uri.starts_with("awskms:arn:aws:kms:"), "{uri}");
    let jwks = fs::read_to_string(scene.path("kms-1.json")).unwrap();
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("kms").jwks(&jwks));
    // The API key is a secret of the same cloud.
    moto.call(&format!(
        "client('secretsmanager').create_secret(Name='nhs', SecretString='{{\"key\": \"{}\"}}')",
        app.api_key()
    ));
    let base_url = scene.platform.base_url();
    let who = ["get-token", "--no-cache", "--base-url", &base_url];
    let with = |key: &str, api_key: &str| {
        let key = ["--private-key", key, "--kid", "kms-1", "--api-key", api_key];
        aws(&[&who[..], &key].concat())
    };
    with(&uri, "awssecret:nhs#key").exits(0);
    let missing = with(&uri, "awssecret:nothing").exits(2);
    assert!(missing.stderr.contains("awssecret:nothing"), "{missing:?}");
    let unknown = with("awskms:alias/nothing", "awssecret:nhs#key").exits(2);
    assert!(unknown.stderr.contains("awskms:alias/nothing"), "{unknown:?}");

    // A key set, published twice, and a ring, whose keys are there too.
    for _ in 0..2 {
        let to = ["publish-jwks", "--jwks", "kms-1.json", "--to", "s3://keys/one/jwks.json"];
        assert_eq!(aws(&to).exits(0).stdout, "s3://keys/one/jwks.json\n");
    }
    let ring = ["rotate-keys", "--key-ring", "s3://keys/ring", "--keys-at", "awskms:"];
    let published = [&ring[..], &["--publish-to", "s3://keys/jwks.json"]].concat();
    let rotated = aws(&published).exits(0);
    assert!(rotated.stdout.contains("int-1  active"), "{rotated:?}");
    moto.call(&format!(
        "s3 = client('s3')\nset = s3.get_object(Bucket='keys', Key='jwks.json')\n\
         assert set['ContentType'] == 'application/jwk-set+json', set\n\
         assert 'max-age=300' in set['CacheControl'], set\n\
         open('{}', 'wb').write(set['Body'].read())",
        scene.path("published.json").display()
    ));
    let jwks = fs::read_to_string(scene.path("published.json")).unwrap();
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("ring").jwks(jwks));
    scene.write("ring.txt", app.api_key());
    let follow = ["--key-ring", "s3://keys/ring", "--api-key", "file:ring.txt"];
    aws(&[&who[..], &follow].concat()).exits(0);

    let no_keys = aws(&["rotate-keys", "--key-ring", "s3://keys/other"]).exits(2);
    assert!(no_keys.stderr.contains("can't hold private keys"), "{no_keys:?}");
    let no_bucket = aws(&["publish-jwks", "--jwks", "kms-1.json", "--to", "s3://none/a"]).exits(2);
    assert!(no_bucket.stderr.contains("s3://none/a"), "{no_bucket:?}");
}

#[test]
fn a_folder_takes_a_key_set_too() {
    let scene = Scene::new();
    let folder: PathBuf = scene.path("site");
    fs::create_dir(&folder).unwrap();
    let run = scene.run(&["publish-jwks", "--jwks", "int-1.json", "--to", "site"]).exits(0);
    assert!(run.stdout.trim_end().ends_with("site"), "{run:?}");
    let published = fs::read_to_string(folder.join("jwks.json")).unwrap();
    assert_eq!(published, fs::read_to_string(scene.path("int-1.json")).unwrap().trim_end());
    let run = scene.run(&["publish-jwks", "--jwks", "int-1.pem", "--to", "site"]).exits(2);
    assert!(run.stderr.contains("no key set") && !run.stderr.contains("PRIVATE"), "{run:?}");
    // And nothing else is overwritten.
    let key = fs::read(scene.path("int-1.pem")).unwrap();
    let over = scene.run(&["publish-jwks", "--jwks", "int-1.json", "--to", "int-1.pem"]).exits(2);
    assert!(over.stderr.contains("something else than a key set"), "{over:?}");
    assert_eq!(fs::read(scene.path("int-1.pem")).unwrap(), key);
    let null = scene.run(&["publish-jwks", "--jwks", "int-1.json", "--to", "/dev/null"]).exits(2);
    assert!(null.stderr.contains("not a file"), "{null:?}");
    scene.run(&["publish-jwks", "--jwks", "int-1.json", "--to", "serve"]).exits(2);
}
