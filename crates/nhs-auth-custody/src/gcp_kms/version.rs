//! Which version of a key is used: the newest that is enabled, or the first of a new key.

use std::time::Duration;

use google_cloud_kms_v1::model::CryptoKeyVersion;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionState as State;
use nhs_auth::CustodyErrorKind;

use super::connection::Connection;
use super::signer::check_algorithm;
use super::uri::CryptoKey;
use crate::call::{Calls, Fault};
use crate::said::said;

/// How many versions are listed at a time.
const PAGE: i32 = 200;

/// The pause before the second look at a new version. It doubles, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The highest version that is enabled, by its full name.
pub(super) async fn newest(
    connection: &Connection,
    calls: &Calls,
    key: &CryptoKey,
) -> Result<String, Fault> {
    let mut newest: Option<(u64, CryptoKeyVersion)> = None;
    let mut page = String::new();
    loop {
        let answer = connection.ask(calls, |client| {
            let call = client
                .list_crypto_key_versions()
                .set_parent(&key.name)
                .set_page_size(PAGE)
                .set_page_token(&page)
                .set_filter("state=ENABLED");
            async move { call.send().await }
        });
        let answer = answer.await?;
        for version in answer.crypto_key_versions {
            let number = number_of(&version, key).filter(|_| version.state == State::Enabled);
            let is_newer = number > newest.as_ref().map(|(number, _)| *number);
            if let Some(number) = number.filter(|_| is_newer) {
                newest = Some((number, version));
            }
        }
        page = answer.next_page_token;
        if page.is_empty() {
            break;
        }
    }
    let (_, version) = newest.ok_or_else(|| Fault::unsuitable("no version of it is enabled"))?;
    check_algorithm(&version.algorithm)?;
    Ok(version.name)
}

/// Waits until a new key has been generated.
pub(super) async fn generated(
    connection: &Connection,
    calls: &Calls,
    name: &str,
) -> Result<(), Fault> {
    let mut pause = FIRST_PAUSE;
    loop {
        let version = connection.ask(calls, |client| {
            let call = client.get_crypto_key_version().set_name(name);
            async move { call.send().await }
        });
        let version = version.await?;
        match version.state {
            State::Enabled => return Ok(()),
            State::PendingGeneration => {}
            _ => {
                let state = version.state.name().unwrap_or("unknown");
                let reason = said(&format!("{state} {}", version.generation_failure_reason));
                return Err(Fault::failed(format!("it was made, and is {reason}")));
            }
        }
        if !calls.pause(pause).await {
            let detail = "it was made, and is still being generated: open it later";
            return Err(Fault::new(CustodyErrorKind::TimedOut, detail));
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn number_of(version: &CryptoKeyVersion, key: &CryptoKey) -> Option<u64> {
    let rest = version.name.strip_prefix(&key.version(""))?;
    rest.parse().ok()
}
