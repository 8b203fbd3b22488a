//! The head of a request, as bytes.

use bytes::{BufMut as _, BytesMut};
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;

/// How the end of a request's body is told (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body, and nothing is said of one but that it is empty, if the caller said so.
    None,
    Length(u64),
    Chunked,
}

/// Writes it. Of the body's length it says what `framing` does, and nothing else.
pub(super) fn write(head: &Parts, host: &HeaderValue, framing: Framing, to: &mut BytesMut) {
    to.put_slice(head.method.as_str().as_bytes());
    to.put_u8(b' ');
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    if !target.starts_with('/') {
        to.put_u8(b'/');
    }
    to.put_slice(target.as_bytes());
    to.put_slice(b" HTTP/1.1\r\n");
    line(HOST.as_str(), host.as_bytes(), to);
    for (name, value) in &head.headers {
        if ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            line(name.as_str(), value.as_bytes(), to);
        }
    }
    match framing {
        Framing::None if head.headers.contains_key(CONTENT_LENGTH) => {
            line(CONTENT_LENGTH.as_str(), b"0", to);
        }
        Framing::None => {}
        Framing::Length(length) => {
            line(CONTENT_LENGTH.as_str(), length.to_string().as_bytes(), to);
        }
        Framing::Chunked => line(TRANSFER_ENCODING.as_str(), b"chunked", to),
    }
    to.put_slice(b"\r\n");
}

/// One header. What a [`HeaderValue`] holds can't end the line.
pub(super) fn line(name: &str, value: &[u8], to: &mut BytesMut) {
    to.put_slice(name.as_bytes());
    to.put_slice(b": ");
    to.put_slice(value);
    to.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn written(request: http::request::Builder, framing: Framing) -> String {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut to = BytesMut::new();
        write(&head, &HeaderValue::from_static("api"), framing, &mut to);
        String::from_utf8(to.to_vec()).unwrap()
    }

    #[test]
    fn a_head_is_written_as_it_is() {
        let request = Request::get("https://api/a%2fb?c=%20+&&d").header("X-A", "1");
        let request = request.header("x-a", "2").header("x-b", "");
        assert_eq!(
            written(request, Framing::None),
            "GET /a%2fb?c=%20+&&d HTTP/1.1\r\nhost: api\r\nx-a: 1\r\nx-a: 2\r\nx-b: \r\n\r\n"
        );
        let bare = "GET / HTTP/1.1\r\nhost: api\r\n\r\n";
        assert_eq!(written(Request::get("https://api"), Framing::None), bare);
    }

    #[test]
    fn a_length_is_said_once() {
        let post = || Request::post("/").header("content-length", "7, 7").header("host", "x");
        let head = |lines: &str| format!("POST / HTTP/1.1\r\nhost: api\r\n{lines}\r\n");
        assert_eq!(written(post(), Framing::Length(7)), head("content-length: 7\r\n"));
        assert_eq!(written(post(), Framing::None), head("content-length: 0\r\n"));
        assert_eq!(written(post(), Framing::Chunked), head("transfer-encoding: chunked\r\n"));
    }
}
