//! Headers, as flags give them.

use http::{HeaderName, HeaderValue};

use crate::failure::Failure;

/// The header of `--product-id`.
pub(crate) const PRODUCT_ID: HeaderName = HeaderName::from_static("nhse-product-id");

/// A header given as "Name: value".
pub(crate) fn line(line: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let Some((name, text)) = line.split_once(':') else {
        // The line may hold a secret, so it is not repeated.
        return Err(Failure::usage("a --header has no colon in it")
            .hint("write it as \"Name: value\", such as --header \"Accept: application/json\""));
    };
    let parsed = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| {
        Failure::usage(format!("{:?} is not the name of a header", name.trim()))
            .hint("write it as \"Name: value\"")
    })?;
    Ok((parsed, value(&format!("--header {}", name.trim()), text)?))
}

/// The value that a flag gives a header.
pub(crate) fn value(flag: &str, text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text.trim()).or_else(|_| {
        let is_safe = !text.chars().any(char::is_control);
        HeaderValue::from_bytes(text.trim().as_bytes()).ok().filter(|_| is_safe).ok_or_else(|| {
            Failure::usage(format!("the value of {flag} has a character that no header can carry"))
        })
    })
}
