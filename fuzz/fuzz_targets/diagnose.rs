//! Arbitrary texts in every input of a diagnosis: no panic, and spans inside their sources.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nhs_auth::{LocalCrypto, UnixMillis};
use nhs_auth_rules::diagnosis::{Inputs, JwksInput, Profile, diagnose, recognise};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\u{1f}');
    let mut next = || parts.next();
    let inputs = Inputs {
        assertions: next().into_iter().chain(next()).collect(),
        jwks: next().map(JwksInput::Document),
        api_key: next(),
        token_url: next(),
        subject_token: next(),
        error: next(),
        request: next(),
        now: UnixMillis(1_800_000_000_000),
        profile: Profile::ALL[data.len() % Profile::ALL.len()],
        ..Inputs::default()
    };
    let report = diagnose(&inputs, &LocalCrypto::default());
    for label in report.findings.iter().flat_map(|finding| &finding.labels) {
        assert!(report.source(label.source).text.get(label.span.start..label.span.end).is_some());
    }
    recognise(&text);
});
