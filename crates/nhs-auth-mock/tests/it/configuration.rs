//! The configuration file.

use nhs_auth_mock::{MockConfig, MockPlatform};

use crate::assertion::KID;
use crate::key::Key;
use crate::world::World;

#[tokio::test]
async fn a_file_says_what_is_there_from_the_start() {
    let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("configuration");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("keys.json"), Key::usual().jwks(KID)).unwrap();
    let file = directory.join("mock.toml");
    let text = r#"
        listen = "127.0.0.1:0"
        clock_offset_s = 60
        status_key = "k"
        [[apps]]
        name = "from the file"
        application_id = "1b671a64-40d5-491e-99b0-da01ff1f3341"
        api_key = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF"
        jwks_file = "keys.json"
        rate_limit = 1
    "#;
    std::fs::write(&file, text).unwrap();
    let config = MockConfig::load(&file).unwrap();
    let platform = MockPlatform::builder().config(config).unwrap().start().await.unwrap();
    let app = platform.first_apps()[0].clone();
    assert_eq!(app.api_key(), "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF");
    let world = World { platform, app };
    assert_eq!(world.ask(world.assertion()).await.status, 200);
    assert_eq!(world.ask(world.assertion()).await.status, 429);
}

#[test]
fn a_file_that_is_wrong_is_named() {
    let error = MockConfig::load(std::path::Path::new("no/such/mock.toml")).unwrap_err();
    assert!(error.to_string().contains("no/such/mock.toml"), "{error}");
}

#[test]
fn what_a_base_path_can_not_trust_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mock.toml");
    for (trust, told) in [
        (r#"cis2 = "real", nhs_login = "deployment""#, "can't trust that"),
        (r#"cis2 = "nope", nhs_login = "real""#, "\"any\", \"real\", \"mock\""),
        (r#"cis2 = "real""#, "nhs_login"),
    ] {
        let text = format!("base_paths = [{{ path = \"/oauth2\", {trust} }}]\n");
        std::fs::write(&file, text).unwrap();
        let error = match MockConfig::load(&file) {
            Err(error) => error.to_string(),
            Ok(config) => MockPlatform::builder().config(config).err().unwrap().to_string(),
        };
        assert!(error.contains(told), "{trust}: {error}");
    }
    std::fs::write(&file, "clock_offset_s = inf\n").unwrap();
    let config = MockConfig::load(&file).unwrap();
    let error = MockPlatform::builder().config(config).err().unwrap().to_string();
    assert!(error.contains("clock_offset_s"), "{error}");
}
