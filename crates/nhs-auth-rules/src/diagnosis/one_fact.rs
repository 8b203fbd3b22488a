//! One fact, one error: where two findings are of one fact, the one that tells more stays.

use super::{Diagnosed, Report, RootCause, Severity};

/// Leaves out what another finding explains.
pub(super) fn once(report: &mut Report) {
    let has = |is: &dyn Fn(&Diagnosed) -> bool| {
        report.findings.iter().any(|finding| finding.severity == Severity::Error && is(finding))
    };
    let is_padded = has(&|finding| matches!(finding.cause, RootCause::EncPad | RootCause::EncB64));
    let has_bad_key = has(&|finding| {
        broken(finding, "A20")
            && matches!(finding.cause, RootCause::JwkN | RootCause::JwkWeak | RootCause::JwksShape)
    });
    let has_bad_set =
        has(&|finding| broken(finding, "A19") && finding.cause == RootCause::JwksShape);
    // A body that is no form has none of the parameters, which is one fault and not four.
    let is_no_form = has(&|finding| finding.cause == RootCause::ReqContentType)
        && ["R7b", "A1", "A2"].iter().all(|id| has(&|finding| broken(finding, id)));
    report.findings.retain(|finding| match finding.cause {
        RootCause::KeyMismatch => !(is_padded || has_bad_key),
        RootCause::KidMismatch => !(has_bad_set && broken(finding, "A19")),
        RootCause::ReqForm => !is_no_form,
        _ => true,
    });
}

fn broken(finding: &Diagnosed, id: &str) -> bool {
    finding.rule.is_some_and(|rule| rule.id.as_str() == id)
}
