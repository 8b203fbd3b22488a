//! A session as the bytes of one value: `NAS1`, its version, its end in milliseconds, how long its
//! content is (numbers in big-endian order, of 8, 8 and 4 bytes), how long the name of its
//! provider's session is (one byte: 0 or 43), that name, and the content.
//!
//! The scripts read it too (`frame.lua`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{ProviderSession, SessionRecord, UnixMillis};

const MAGIC: &[u8; 4] = b"NAS1";

/// `None` for content that is longer than 4 GiB.
pub(super) fn write(record: &SessionRecord) -> Option<Vec<u8>> {
    let length = u32::try_from(record.content.len()).ok()?;
    let session = record.provider_session.map(|session| session.to_string()).unwrap_or_default();
    let parts: [&[u8]; 7] = [
        MAGIC,
        &version(record.version),
        &record.expires_at.0.to_be_bytes(),
        &length.to_be_bytes(),
        &[u8::try_from(session.len()).expect("32 bytes in base64url are 43")],
        session.as_bytes(),
        &record.content,
    ];
    Some(parts.concat())
}

/// `None` for anything but a whole one.
pub(super) fn read(value: &[u8]) -> Option<SessionRecord> {
    let value = value.strip_prefix(MAGIC)?;
    let (version, value) = value.split_first_chunk()?;
    let (end, value) = value.split_first_chunk()?;
    let (length, value) = value.split_first_chunk()?;
    let (&session_length, value) = value.split_first()?;
    let (session, content) = value.split_at_checked(session_length.into())?;
    if content.len() != usize::try_from(u32::from_be_bytes(*length)).ok()? {
        return None;
    }
    let session = (!session.is_empty()).then(|| name(session).ok_or(())).transpose().ok()?;
    Some(SessionRecord {
        version: u64::from_be_bytes(*version),
        content: content.to_vec(),
        provider_session: session.map(ProviderSession::from_bytes),
        expires_at: UnixMillis(i64::from_be_bytes(*end)),
    })
}

/// A version as it stands in the value, which is how scripts compare it.
pub(super) fn version(version: u64) -> Vec<u8> {
    version.to_be_bytes().to_vec()
}

/// The 32 bytes that a name stands for.
pub(super) fn name(text: &[u8]) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(provider_session: Option<ProviderSession>) -> SessionRecord {
        SessionRecord {
            version: u64::MAX - 1,
            content: b"sealed".to_vec(),
            provider_session,
            expires_at: UnixMillis(-1),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for session in [None, Some(ProviderSession::from_bytes([7; 32]))] {
            let record = record(session);
            assert_eq!(read(&write(&record).unwrap()), Some(record));
        }
    }

    #[test]
    fn what_is_cut_off_or_has_more_to_it_is_none() {
        let whole = write(&record(Some(ProviderSession::from_bytes([7; 32])))).unwrap();
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        assert_eq!(read(&[&whole[..], b"."].concat()), None);
        let mut other_name = whole;
        other_name[30] = b'!';
        assert_eq!(read(&other_name), None);
    }
}
