//! When a certificate is valid.

use nhs_auth::UnixSeconds;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Validity {
    pub(super) from: UnixSeconds,
    pub(super) until: UnixSeconds,
}

impl Validity {
    /// Reads it from a certificate in DER, or says what can't be read.
    pub(super) fn of(der: &[u8]) -> Result<Self, x509_cert::der::Error> {
        let certificate = Certificate::from_der(der)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self { from: seconds(validity.not_before), until: seconds(validity.not_after) })
    }
}

fn seconds(time: Time) -> UnixSeconds {
    UnixSeconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}
