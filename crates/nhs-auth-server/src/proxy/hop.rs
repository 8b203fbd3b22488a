//! Headers that belong to one connection, and not to what is sent over it (RFC 9110 §7.6.1).

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Whether a header of that name is for one connection alone.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Takes them out, with those that `Connection` names. That trailers are welcome is said again.
pub(super) fn strip(headers: &mut HeaderMap) {
    let found: Vec<_> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    // Whoever sends `TE` names it in `Connection`, so it is looked at first (RFC 9110 §10.1.4).
    let takes_trailers = found.contains(&TE) && takes_trailers(headers);
    if found.contains(&CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
    for name in found {
        headers.remove(name);
    }
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// What can't be meant for a connection stays: without it a message would be another.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let options = values.flat_map(|value| value.split(',')).map(str::trim);
    let is_name = |option: &&str| !["close", "keep-alive"].contains(option); // the usual ones
    let names = options.filter(is_name).filter_map(|name| name.parse().ok());
    names.filter(|name| ![CONTENT_LENGTH, HOST].contains(name)).collect()
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    let codings = values.flat_map(|value| value.split(','));
    codings.into_iter().any(|coding| {
        coding.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("trailers"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(lines: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        strip(&mut headers);
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn what_is_for_the_connection_goes() {
        assert_eq!(
            stripped(&[
                ("connection", "close, X-Mine"),
                ("connection", "x-other"),
                ("x-mine", "1"),
                ("x-other", "2"),
                ("keep-alive", "timeout=5"),
                ("proxy-authorization", "Basic eA=="),
                ("transfer-encoding", "chunked"),
                ("upgrade", "websocket"),
                ("trailer", "x-sum"),
                ("x-stays", "3"),
            ]),
            ["trailer: x-sum", "x-stays: 3"]
        );
    }

    #[test]
    fn what_frames_a_message_stays_whatever_is_said_of_it() {
        assert_eq!(
            stripped(&[("connection", "content-length, host, , a b"), ("content-length", "3")]),
            ["content-length: 3"]
        );
    }

    #[test]
    fn that_trailers_are_welcome_is_said_again() {
        assert_eq!(stripped(&[("te", "gzip;q=0.5, Trailers;q=1")]), ["te: trailers"]);
        assert_eq!(stripped(&[("connection", "te"), ("te", "trailers")]), ["te: trailers"]);
        assert!(stripped(&[("te", "gzip")]).is_empty());
    }
}
