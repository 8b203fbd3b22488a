//! What JavaScript makes of a JSON value.
//!
//! The platform's checks of an assertion's claims (rules A5 to A14) are a few lines of JavaScript.
//! Whether `null`, `""`, `"1700000000"`, `[]` or `1e30` passes is therefore decided by ECMAScript's
//! own conversions (ECMA-262 §7.1 and §7.2), and this module reproduces those, for the values that
//! JSON can hold.

use crate::json::{Kind, Value};

/// How deep arrays are followed when one is turned into text. Deeper ones count as objects do.
const DEPTH: usize = 32;

/// `!!value` (ECMA-262 §7.1.2). A member that is absent is falsy.
pub fn is_truthy(value: Option<&Value<'_>>) -> bool {
    let Some(value) = value else { return false };
    match value.kind() {
        Kind::Null => false,
        Kind::Boolean => value.text() == "true",
        Kind::Number => value.as_number().is_some_and(|number| number != 0.0 && !number.is_nan()),
        Kind::String => value.text() != r#""""#,
        Kind::Array | Kind::Object => true,
    }
}

/// `Number(value)` (ECMA-262 §7.1.4). NaN where there is no number to be had.
pub fn to_number(value: &Value<'_>) -> f64 {
    match value.kind() {
        Kind::Null => 0.0,
        Kind::Boolean => f64::from(value.text() == "true"),
        Kind::Number => value.as_number().unwrap_or(f64::NAN),
        Kind::String => value.as_str().map_or(f64::NAN, |text| string_to_number(&text)),
        Kind::Array => string_to_number(&to_text(value, DEPTH)),
        Kind::Object => f64::NAN,
    }
}

/// `a == b` (ECMA-262 §7.2.13), each read from a document of its own member: two objects are
/// never the same object.
#[expect(clippy::float_cmp, reason = "JavaScript compares exactly")]
pub fn loosely_equal(a: &Value<'_>, b: &Value<'_>) -> bool {
    use Kind::{Array, Boolean, Null, Number, Object, String};
    match (a.kind(), b.kind()) {
        (Null, Null) => true,
        (Null, _) | (_, Null) | (Object | Array, Object | Array) => false,
        (String, String) => a.as_str() == b.as_str(),
        // An array or object becomes text first; against a string that text is compared.
        (String, Array | Object) => a.as_str().is_some_and(|text| text == to_text(b, DEPTH)),
        (Array | Object, String) => b.as_str().is_some_and(|text| text == to_text(a, DEPTH)),
        (Number | Boolean, _) | (_, Number | Boolean) => to_number(a) == to_number(b),
    }
}

/// `String(value)` (ECMA-262 §7.1.17, and `Array.prototype.join`).
pub fn to_string(value: &Value<'_>) -> String {
    to_text(value, DEPTH)
}

/// StringToNumber (ECMA-262 §7.1.4.1.1).
fn string_to_number(text: &str) -> f64 {
    // ECMA-262 §12.2: Unicode's white space, with U+FEFF and without U+0085.
    let is_space = |c: char| (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}';
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    let radix = match text.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        return digits_to_number(&text[2..], radix);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "Infinity" {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // Rust also reads `inf` and `nan`, which JavaScript does not.
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if numeric { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

fn digits_to_number(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    digits
        .chars()
        .try_fold(0.0, |sum, digit| {
            digit.to_digit(radix).map(|digit| sum * f64::from(radix) + f64::from(digit))
        })
        .unwrap_or(f64::NAN)
}

fn to_text(value: &Value<'_>, depth: usize) -> String {
    match value.kind() {
        Kind::String => value.as_str().unwrap_or_default().into_owned(),
        Kind::Array if depth > 0 => {
            let elements = value.elements().unwrap_or_default();
            let texts: Vec<_> = elements
                .iter()
                .map(|element| match element.kind() {
                    Kind::Null => String::new(),
                    _ => to_text(element, depth - 1),
                })
                .collect();
            texts.join(",")
        }
        Kind::Array | Kind::Object => "[object Object]".to_owned(),
        Kind::Number => value.as_number().unwrap_or(f64::NAN).to_string(),
        Kind::Boolean | Kind::Null => value.text().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(json: &str) -> f64 {
        to_number(&Value::parse(json).unwrap())
    }

    #[test]
    fn numbers_as_javascript_makes_them() {
        for (json, expected) in [
            ("null", 0.0),
            ("true", 1.0),
            ("false", 0.0),
            (r#""""#, 0.0),
            (r#""  ""#, 0.0),
            (r#""1700000000""#, 1.7e9),
            (r#"" 17e8 ""#, 1.7e9),
            (r#""0x10""#, 16.0),
            (r#""-Infinity""#, f64::NEG_INFINITY),
            ("1.5", 1.5),
            ("1e30", 1e30),
            ("1e400", f64::INFINITY),
            ("[]", 0.0),
            ("[null]", 0.0),
            ("[1700000000]", 1.7e9),
            (r#"[["5"]]"#, 5.0),
        ] {
            assert_eq!(number(json).to_bits(), expected.to_bits(), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_to_javascript() {
        for json in [
            "{}",
            r#""abc""#,
            "[1,2]",
            r#""inf""#,
            r#""nan""#,
            r#""0x""#,
            r#""1_0""#,
            "\"\u{85}5\"",
            r#""2026-11-21""#,
        ] {
            assert!(number(json).is_nan(), "{json}");
        }
    }

    #[test]
    fn truthiness() {
        for json in ["null", "0", "-0", "0.0", r#""""#, "false"] {
            assert!(!is_truthy(Some(&Value::parse(json).unwrap())), "{json}");
        }
        for json in ["1", r#""0""#, r#"" ""#, "[]", "{}", "true", "1e30", r#""false""#] {
            assert!(is_truthy(Some(&Value::parse(json).unwrap())), "{json}");
        }
        assert!(!is_truthy(None));
    }

    #[test]
    fn loose_equality() {
        let equal = |a, b| loosely_equal(&Value::parse(a).unwrap(), &Value::parse(b).unwrap());
        for (a, b) in [
            (r#""x""#, r#""x""#),
            (r#""x""#, r#""\u0078""#),
            ("5", r#""5""#),
            ("true", "1"),
            (r#"["x"]"#, r#""x""#),
            (r#""1,2""#, "[1,2]"),
            ("[]", "0"),
            (r#""""#, "0"),
        ] {
            assert!(equal(a, b) && equal(b, a), "{a} == {b}");
        }
        for (a, b) in
            [("{}", "{}"), ("[1]", "[1]"), (r#""x""#, r#""X""#), ("null", "0"), ("{}", "1")]
        {
            assert!(!equal(a, b) && !equal(b, a), "{a} != {b}");
        }
    }
}
