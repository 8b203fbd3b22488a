//! The head of an answer, from bytes.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use httparse::{ParserConfig, Status};
use hyper::ext::ReasonPhrase;

use super::error::Malformed;

/// The longest head, in bytes, and the most headers in it.
pub(super) const LONGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 128;

/// How the end of an answer's body is known (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// By the end of the connection.
    Closing,
}

/// A head that is all there.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Response<()>,
    pub(super) framing: Framing,
    /// Whether the connection can be used again when the body has come.
    pub(super) persists: bool,
    /// How many bytes it took.
    pub(super) length: usize,
}

/// Reads the head of the answer to a request of this method. `None` when not all of it is there.
pub(super) fn read(bytes: &[u8], to: &Method) -> Result<Option<Answer>, Malformed> {
    let mut parsed = httparse::Response::new(&mut []);
    let mut lines = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let config = ParserConfig::default();
    let status = config
        .parse_response_with_uninit_headers(&mut parsed, bytes, &mut lines)
        .map_err(Malformed::Head)?;
    let length = match status {
        Status::Complete(length) if length <= LONGEST_HEAD => length,
        Status::Partial if bytes.len() < LONGEST_HEAD => return Ok(None),
        Status::Complete(_) | Status::Partial => return Err(Malformed::HeadTooLong),
    };
    let code = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    let code = code.ok_or(Malformed::Head(httparse::Error::Status))?;
    let is_http11 = parsed.version == Some(1);

    // One copy for all values.
    let shared = Bytes::copy_from_slice(&bytes[..length]);
    let value = |part: &[u8]| {
        if part.is_empty() {
            return Bytes::new(); // it may be anywhere
        }
        let start = part.as_ptr().addr() - bytes.as_ptr().addr();
        shared.slice(start..start + part.len())
    };
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for line in &*parsed.headers {
        let name = HeaderName::from_bytes(line.name.as_bytes())
            .map_err(|_| Malformed::Head(httparse::Error::HeaderName))?;
        let value = HeaderValue::from_maybe_shared(value(line.value))
            .map_err(|_| Malformed::Head(httparse::Error::HeaderValue))?;
        headers.append(name, value);
    }
    let mut head = Response::new(());
    let reason = parsed.reason.unwrap_or_default();
    if Some(reason) != code.canonical_reason()
        && let Ok(reason) = ReasonPhrase::try_from(value(reason.as_bytes()))
    {
        head.extensions_mut().insert(reason);
    }
    let framing = framing(to, code, &headers, is_http11)?;
    let persists = is_http11 && framing != Framing::Closing && !says_close(&headers);
    *head.status_mut() = code;
    *head.version_mut() = if is_http11 { Version::HTTP_11 } else { Version::HTTP_10 };
    *head.headers_mut() = headers;
    Ok(Some(Answer { head, framing, persists, length }))
}

/// RFC 9112 §6.3.
fn framing(
    to: &Method,
    code: StatusCode,
    headers: &HeaderMap,
    is_http11: bool,
) -> Result<Framing, Malformed> {
    let has_no_body = code.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&code);
    if has_no_body || *to == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        let codings = listed(headers, &TRANSFER_ENCODING).last();
        return match codings {
            _ if !is_http11 => Err(Malformed::Coding),
            Some(last) if last.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            _ => Ok(Framing::Closing),
        };
    }
    let mut lengths = listed(headers, &CONTENT_LENGTH).map(decimal);
    match lengths.next() {
        None if headers.contains_key(CONTENT_LENGTH) => Err(Malformed::Length),
        None => Ok(Framing::Closing),
        Some(Some(length)) if lengths.all(|other| other == Some(length)) => {
            Ok(Framing::Length(length))
        }
        Some(_) => Err(Malformed::Length),
    }
}

fn says_close(headers: &HeaderMap) -> bool {
    listed(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case(b"close"))
}

/// What a header lists, in one line or more.
fn listed<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Digits, and nothing else.
fn decimal(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Answer, Malformed> {
        read(text.as_bytes(), &Method::GET).map(|answer| answer.expect("it is all there"))
    }

    fn framed(lines: &str) -> Result<(Framing, bool), Malformed> {
        let answer = answer(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n"))?;
        Ok((answer.framing, answer.persists))
    }

    #[test]
    fn a_head_is_read_whole_or_not_at_all() {
        let text =
            "HTTP/1.1 299 Quite Fine\r\nX-A: 1\r\nx-a:2 \r\nx-b:\r\nContent-Length: 3\r\n\r\n";
        for end in 0..text.len() {
            assert!(read(&text.as_bytes()[..end], &Method::GET).unwrap().is_none());
        }
        let Answer { head, framing, persists, length } = answer(&format!("{text}abc")).unwrap();
        assert_eq!((framing, persists, length), (Framing::Length(3), true, text.len()));
        assert_eq!((head.status().as_u16(), head.version()), (299, Version::HTTP_11));
        let reason: &ReasonPhrase = head.extensions().get().unwrap();
        assert_eq!(reason.as_bytes(), b"Quite Fine");
        let lines: Vec<_> = head
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(lines, [("x-a", "1"), ("x-a", "2"), ("x-b", ""), ("content-length", "3")]);
    }

    #[test]
    fn the_end_of_a_body_is_known_by_its_head() {
        assert_eq!(framed(""), Ok((Framing::Closing, false)));
        assert_eq!(framed("Content-Length: 5, 5\r\n"), Ok((Framing::Length(5), true)));
        assert_eq!(
            framed("Content-Length: 5\r\nTransfer-Encoding: Chunked\r\n"),
            Ok((Framing::Chunked, true))
        );
        assert_eq!(framed("Transfer-Encoding: gzip, chunked\r\n"), Ok((Framing::Chunked, true)));
        assert_eq!(framed("Transfer-Encoding: chunked, gzip\r\n"), Ok((Framing::Closing, false)));
        assert_eq!(
            framed("Content-Length: 5\r\nConnection: x, Close\r\n"),
            Ok((Framing::Length(5), false))
        );
        for wrong in
            ["5\r\nContent-Length: 6", "5, 6", "", "+5", "0x5", "5 5", "99999999999999999999"]
        {
            let lines = format!("Content-Length: {wrong}\r\n");
            assert_eq!(framed(&lines), Err(Malformed::Length), "{wrong}");
        }
    }

    #[test]
    fn some_answers_have_no_body_whatever_they_say() {
        let text = "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(answer(text).unwrap().framing, Framing::Length(0));
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let head = read(text.as_bytes(), &Method::HEAD).unwrap().unwrap();
        assert_eq!((head.framing, head.persists), (Framing::Length(0), true));
    }

    #[test]
    fn http_1_0_ends_with_its_connection() {
        let text = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert!(!answer(text).unwrap().persists);
        let text = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(answer(text).unwrap_err(), Malformed::Coding);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for text in [
            "SSH-2.0-x\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 99x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx : 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n",
        ] {
            assert!(read(text.as_bytes(), &Method::GET).is_err(), "{text:?}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(LONGEST_HEAD));
        assert_eq!(read(long.as_bytes(), &Method::GET).unwrap_err(), Malformed::HeadTooLong);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MOST_HEADERS + 1));
        assert!(read(many.as_bytes(), &Method::GET).is_err());
    }
}
