//! The addresses of the inspector's pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::PREFIX;

/// What stands in a URL as it is (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A page with these parameters, less the empty ones.
pub(super) fn page(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    for (index, (name, value)) in given.enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, ESCAPED));
        url.push('=');
        url.extend(utf8_percent_encode(value, ESCAPED));
    }
    url
}

/// The page of one request.
pub(super) fn request(id: u64) -> String {
    format!("{PREFIX}/requests/{id}")
}

/// The page of one application.
pub(super) fn app(application_id: &str) -> String {
    format!("{PREFIX}/apps/{}", utf8_percent_encode(application_id, ESCAPED))
}

/// Something else of the inspector's, such as `style.css`.
pub(super) fn own(name: &str) -> String {
    format!("{PREFIX}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_value_holds_it_stays_one_value() {
        assert_eq!(
            page("/", &[("app", "a&b=c d"), ("q", ""), ("x", "é")]),
            "/?app=a%26b%3Dc%20d&x=%C3%A9"
        );
        assert_eq!(app("../a?b#c"), "/_mock/inspector/apps/..%2Fa%3Fb%23c");
    }
}
