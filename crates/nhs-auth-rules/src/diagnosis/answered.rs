//! The error that came back: its possible causes, less those that the other inputs rule out.

use super::case::cache_ends;
use super::moment::hour_and_minute;
use super::{Confidence, Diagnosed, Inputs, Report, RootCause, Unchecked, causes_of_error};
use crate::UnixMillis;

/// Adds the causes of the error's text that nothing else has proved or ruled out.
pub(super) fn judge(inputs: &Inputs<'_>, now: UnixMillis, report: &mut Report) {
    let Some(error) = inputs.error else { return };
    let causes = causes_of_error(error);
    if causes.is_empty() {
        report.findings.push(
            Diagnosed::note(RootCause::Unknown, "the error's text is none that is known here")
                .possible()
                .why("it may come from something between you and the platform, or be new")
                .fix("quote its `message_id` when you ask the platform's support"),
        );
        return;
    }
    let has_token = !inputs.assertions.is_empty() || inputs.request.is_some();
    let named = causes.first().and_then(|cause| cause.rule);
    let is_named = report.findings.iter().any(|finding| {
        finding.severity == super::Severity::Error
            && finding.rule.zip(named).is_some_and(|(a, b)| a.answer == b.answer)
    });
    let is_unchecked = |rule: &crate::Rule, report: &Report| {
        report.unchecked.iter().any(|unchecked| unchecked.rule.id == rule.id)
    };
    for cause in causes {
        if report.findings.iter().any(|finding| finding.cause == cause.cause) {
            continue;
        }
        // What the files decide has been decided; what only the platform knows has not.
        let passed = has_token
            && decided_by_files(cause.cause)
            && cause.rule.is_some_and(|rule| !is_unchecked(rule, report));
        if passed || (has_token && is_named && cause.confidence == Confidence::Possible) {
            continue;
        }
        let is_likely = cause.confidence == Confidence::Likely && !is_named;
        let mut message = cause.message.to_owned();
        if cause.cause == RootCause::JwksCache && (inputs.at.is_some() || has_token) {
            message =
                format!("{message}; wait until {} at the latest", hour_and_minute(cache_ends(now)));
        }
        let finding = if is_likely {
            Diagnosed::warning(cause.cause, message).likely()
        } else {
            Diagnosed::note(cause.cause, message).possible()
        };
        let why = match cause.dated {
            Some(dated) => format!("{} ({dated})", cause.cause.title()),
            None => cause.cause.title().to_owned(),
        };
        report.findings.push(finding.rule_if(cause.rule).why(why).fix(cause.fix));
        if !has_token
            && let Some(rule) = cause.rule
            && let Some(needs) = needs(rule)
            && !is_unchecked(rule, report)
        {
            report.unchecked.push(Unchecked { rule, needs: needs.to_owned() });
        }
    }
}

/// The inputs that would let a rule be checked; `None` for one that no file tells anything of.
fn needs(rule: &crate::Rule) -> Option<&'static str> {
    match rule.id.as_str().as_bytes().first() {
        Some(b'A' | b'R') => Some("the assertion, the registered key set and the environment"),
        Some(b'S' | b'D') => Some("the subject token and the environment"),
        _ => None,
    }
}

/// Whether the assertion and the key set alone say if it is this.
fn decided_by_files(cause: RootCause) -> bool {
    !matches!(
        cause,
        RootCause::JwksCache
            | RootCause::JwksUnreachable
            | RootCause::NotApproved
            | RootCause::NotSubscribed
            | RootCause::KeyUnknown
            | RootCause::NoPublicKey
            | RootCause::RegLag
            | RootCause::RateLimited
            | RootCause::PlatformMisreport
            | RootCause::SubjectToken
            | RootCause::JtiReuse
            | RootCause::ExpClock
            | RootCause::AppAttrs
            | RootCause::EnvMismatch
    )
}
