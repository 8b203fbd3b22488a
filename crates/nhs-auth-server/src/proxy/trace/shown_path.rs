//! A path without what it may say of a patient.

/// What stands in the place of a segment that isn't shown.
const HIDDEN: &str = "*";

/// How many digits a segment may have: `R4` and `v1` are words, an NHS number is none.
const MOST_DIGITS: usize = 3;

/// The longest segment that is taken for a word.
const LONGEST: usize = 64;

/// The path, whose segments are shown where they are words of an API (`Patient`, `R4`, `$process`)
/// and hidden where they may name somebody or something: `/Patient/9000000009` is a patient.
pub(super) fn shown(path: &str) -> String {
    let segments = path.split('/').map(|segment| if is_a_word(segment) { segment } else { HIDDEN });
    segments.collect::<Vec<_>>().join("/")
}

/// Anything percent-encoded may be anything.
fn is_a_word(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.$".contains(&byte);
    segment.len() <= LONGEST && digits <= MOST_DIGITS && segment.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_and_names_are_not() {
        for (path, expected) in [
            ("/", "/"),
            ("/personal-demographics/FHIR/R4/Patient", "/personal-demographics/FHIR/R4/Patient"),
            ("/Patient/9000000009", "/Patient/*"),
            ("/Patient/900-000-0009/", "/Patient/*/"),
            ("/Patient/%39000000009", "/Patient/*"),
            ("/Patient/9%30%30000000", "/Patient/*"),
            ("/$process-message", "/$process-message"),
            ("/by/j.smith@example.org", "/by/*"),
            ("/Task/0d8f5bfc-5b3e-4a7e-9a49-53c0a1b9c2d1/x", "/Task/*/x"),
            ("/a//b", "/a//b"),
            ("/a;id=1", "/*"),
            ("*", "*"),
        ] {
            assert_eq!(shown(path), expected, "{path}");
        }
        assert_eq!(shown(&format!("/{}", "a".repeat(65))), "/*");
    }
}
