//! What a paste does, undone.

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Fixed, Inputs, JwksInput, Report};

/// A good assertion whose text has `--` and `_` in it, so that every damage shows.
fn assertion() -> String {
    (0..10_000)
        .map(|number| good().claim("jti", format!("jti-{number}")).signed())
        .find(|signed| signed.contains("--") && signed.contains('_'))
        .unwrap()
}

fn assert_repaired(damaged: &str, whole: &str, cause: Cause) -> Report {
    let report = judge_assertion(damaged);
    assert!(!report.has_error(), "{cause} {report:#?}");
    assert!(report.repairs.iter().any(|repair| repair.cause == cause), "{cause} {report:#?}");
    assert_eq!(report.fixed.as_ref().map(Fixed::expose), Some(whole), "{cause}");
    assert!(report.findings[0].message.contains("the copy was damaged"), "{report:#?}");
    report
}

#[test]
fn each_damage_is_undone_and_told() {
    let whole = assertion();
    let (front, back) = whole.split_at(100);
    let wrapped: Vec<&str> =
        whole.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    for (damaged, cause) in [
        (whole.replace("--", "–"), Cause::EncDash),
        (whole.replace("--", "—"), Cause::EncDash),
        (whole.replace('-', "\u{2011}"), Cause::EncDash),
        (format!("“{whole}”"), Cause::EncWrap),
        (format!("b'{whole}'"), Cause::EncWrap),
        (format!("\"{whole}\","), Cause::EncWrap),
        (format!("Bearer {whole}"), Cause::EncWrap),
        (format!("client_assertion={whole}"), Cause::EncWrap),
        (format!("{{{{{whole}}}}}"), Cause::EncWrap),
        (wrapped.join("\r\n"), Cause::EncWs),
        (wrapped.join("\\n"), Cause::EncWs),
        (format!("{front} {back}"), Cause::EncWs),
        (format!("{front}%20{back}"), Cause::EncWs),
        (format!("{front}\u{200b}{back}"), Cause::EncWs),
        (format!("\u{feff}{whole}"), Cause::EncWs),
        (format!("{whole}=="), Cause::EncPad),
        (whole.replace('-', "+").replace('_', "/"), Cause::EncB64),
    ] {
        assert_repaired(&damaged, &whole, cause);
    }
}

#[test]
fn a_line_break_at_the_end_of_a_file_is_no_damage() {
    let report = judge_assertion(&format!("{}\n", good().signed()));
    assert!(report.findings.is_empty() && report.repairs.is_empty(), "{report:#?}");
}

#[test]
fn a_repair_has_its_place_and_only_a_few_characters() {
    let whole = assertion();
    let report = judge_assertion(&format!(" {whole}"));
    assert_eq!(report.repairs[0].offset, 0);
    assert_eq!((report.repairs[0].before.as_str(), report.repairs[0].after.as_str()), (" ", ""));
}

#[test]
fn without_a_key_set_an_encoders_fault_stays_an_error() {
    let signed = good().signed();
    let padded = format!("{signed}==");
    let report = judge(&Inputs { assertions: vec![&padded], ..inputs() });
    assert_one(&report, Cause::EncPad, "A3");
    let wrapped = format!("b'{signed}'");
    let report = judge(&Inputs { assertions: vec![&wrapped], ..inputs() });
    assert_warning(&report, Cause::EncWrap);
}

#[test]
fn what_cannot_be_repaired_is_an_error() {
    let signed = good().signed();
    let (message, _) = signed.rsplit_once('.').unwrap();
    for (damaged, cause) in [
        ("{{client_assertion}}", Cause::Malformed),
        (message, Cause::Trunc),
        (&signed[..90], Cause::Trunc),
        ("abcdef", Cause::Malformed),
        ("a.b.c.d.e", Cause::Malformed),
        (&format!("{}...", &signed[..60]), Cause::Trunc),
    ] {
        assert_one(&judge_assertion(damaged), cause, "A3");
    }
}

#[test]
fn a_key_set_with_curly_quotes_is_repaired() {
    let jwks = Key::usual().jwks(KID);
    let mut open = false;
    let curly: String = jwks
        .chars()
        .map(|c| match c {
            '"' => {
                open = !open;
                if open { '“' } else { '”' }
            }
            c => c,
        })
        .collect();
    let report = judge(&Inputs { jwks: Some(JwksInput::Document(&curly)), ..inputs() });
    assert_clean(&report);
    assert_eq!(report.repairs[0].cause, Cause::EncDash);
    assert_eq!(report.fixed.unwrap().expose(), jwks);
}
