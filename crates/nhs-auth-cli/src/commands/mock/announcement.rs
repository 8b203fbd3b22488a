//! What a test is told when the platform is ready.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nhs_auth_mock::MockPlatform;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The file that says that the platform is ready. It is gone when this is.
pub(super) struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Takes away what an earlier run may have left: nobody is to read that.
    pub(super) fn clear(path: &Path) -> Result<(), Failure> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::usage(format!("remove {}: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// Writes it, whole and readable by its owner alone: API keys are in it.
    pub(super) fn write(path: &Path, platform: &MockPlatform) -> Result<Self, Failure> {
        let text = format!("{:#}\n", facts(platform));
        put(path, text.as_bytes())
            .map_err(|error| Failure::usage(format!("write {}: {error}", path.display())))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Where this fails there is nobody left to tell.
        let _ = fs::remove_file(&self.0);
    }
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".nhs-auth-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn facts(platform: &MockPlatform) -> Value {
    let apps: Vec<_> = platform
        .first_apps()
        .iter()
        .map(|app| {
            json!({
                "application_id": app.application_id(),
                "api_key": app.api_key(),
                "client_secret": app.client_secret(),
            })
        })
        .collect();
    json!({
        "base_url": platform.base_url(),
        "token_url": platform.token_url(),
        "control_url": format!("{}/_mock", platform.base_url()),
        "cis2_issuer": platform.cis2_url(),
        "nhs_login_issuer": platform.nhs_login_url(),
        "apps": apps,
    })
}

/// Lines for a shell or an `.env` file. The first application, if there is one, is the one that
/// every verb then uses.
pub(super) fn variables(platform: &MockPlatform) -> String {
    let mut variables = vec![
        ("BASE_URL", platform.public_url()),
        ("MOCK_TOKEN_URL", platform.token_url()),
        ("MOCK_CONTROL_URL", platform.base_url() + "/_mock"),
        ("MOCK_CIS2_ISSUER", platform.cis2_url()),
        ("MOCK_NHS_LOGIN_ISSUER", platform.nhs_login_url()),
    ];
    if let Some(app) = platform.first_apps().first() {
        variables.extend([
            ("API_KEY", app.api_key().to_owned()),
            ("MOCK_APPLICATION_ID", app.application_id().to_owned()),
            ("MOCK_CLIENT_SECRET", app.client_secret().to_owned()),
        ]);
    }
    let line = |(name, value): (&str, String)| format!("NHS_AUTH_{name}={}\n", quoted(&value));
    variables.into_iter().map(line).collect()
}

/// A value as a shell reads it: in quotes where something in it would mean more than itself.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:/@%+,-".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_means_more_to_a_shell_is_quoted() {
        assert_eq!(
            quoted("http://127.0.0.1:9000/oauth2/token"),
            "http://127.0.0.1:9000/oauth2/token"
        );
        assert_eq!(quoted("a b; $(x)"), "'a b; $(x)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
