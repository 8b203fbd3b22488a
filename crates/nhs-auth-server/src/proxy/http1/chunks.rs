//! The body of an answer that comes in chunks (RFC 9112 §7.1).

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::Status;

use super::connection::taken;
use super::error::Malformed;

/// The longest line that a chunk begins with, and the longest trailers, in bytes.
const LONGEST_LINE: usize = 4 * 1024;
const LONGEST_TRAILERS: usize = 16 * 1024;
const MOST_TRAILERS: usize = 64;

/// Where in the body the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the line that says how long a chunk is.
    Size,
    /// So many bytes before the end of a chunk.
    Data(u64),
    /// In the line's end behind a chunk.
    End,
    /// Behind the last chunk.
    Trailers,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Data(Bytes),
    /// The end of the body, and perhaps trailers.
    Last(Option<HeaderMap>),
}

impl Chunks {
    /// Takes the next piece out of what was read. `None` when more has to be read.
    pub(super) fn next(&mut self, read: &mut BytesMut) -> Result<Option<Piece>, Malformed> {
        loop {
            match self {
                // To httparse no digit is a zero, and so the end.
                Self::Size if read.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                    return Err(Malformed::Chunk);
                }
                Self::Size => match httparse::parse_chunk_size(read) {
                    Ok(Status::Complete((length, size))) if length <= LONGEST_LINE => {
                        read.advance(length);
                        *self = if size == 0 { Self::Trailers } else { Self::Data(size) };
                    }
                    Ok(Status::Partial) if read.len() < LONGEST_LINE => return Ok(None),
                    _ => return Err(Malformed::Chunk),
                },
                Self::Data(left) => {
                    if read.is_empty() {
                        return Ok(None);
                    }
                    let data = taken(read, *left);
                    *left -= data.len() as u64;
                    if *left == 0 {
                        *self = Self::End;
                    }
                    return Ok(Some(Piece::Data(data)));
                }
                Self::End => {
                    if !b"\r\n".starts_with(&read[..read.len().min(2)]) {
                        return Err(Malformed::Chunk);
                    }
                    if read.len() < 2 {
                        return Ok(None);
                    }
                    read.advance(2);
                    *self = Self::Size;
                }
                Self::Trailers => return trailers(read),
            }
        }
    }
}

fn trailers(read: &mut BytesMut) -> Result<Option<Piece>, Malformed> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let (length, lines) = match httparse::parse_headers(read, &mut lines) {
        Ok(Status::Complete((length, lines))) if length <= LONGEST_TRAILERS => (length, lines),
        Ok(Status::Partial) if read.len() < LONGEST_TRAILERS => return Ok(None),
        _ => return Err(Malformed::Trailers),
    };
    let mut trailers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        let (Ok(name), Ok(value)) = (name, value) else { return Err(Malformed::Trailers) };
        trailers.append(name, value);
    }
    read.advance(length);
    Ok(Some(Piece::Last(Some(trailers).filter(|trailers| !trailers.is_empty()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, its trailers, and what is left; read in pieces of so many bytes.
    fn read(text: &str, step: usize) -> Result<(String, Option<HeaderMap>, String), Malformed> {
        let (mut chunks, mut read, mut body) = (Chunks::Size, BytesMut::new(), Vec::new());
        let mut parts = text.as_bytes().chunks(step);
        loop {
            match chunks.next(&mut read)? {
                Some(Piece::Data(data)) => body.extend_from_slice(&data),
                Some(Piece::Last(trailers)) => {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    return Ok((text(&body), trailers, text(&read)));
                }
                None => read.extend_from_slice(parts.next().expect("it ends within the text")),
            }
        }
    }

    #[test]
    fn however_it_is_cut_a_body_is_the_same() {
        let text = "5\r\nhello\r\n0A;x=\"y\"\r\n 0123456\r\n\r\n0\r\nX-Sum: 1\r\n\r\n";
        for step in 1..text.len() {
            let (body, trailers, rest) = read(text, step).unwrap();
            assert_eq!((body.as_str(), rest.as_str()), ("hello 0123456\r\n", ""));
            assert_eq!(trailers.unwrap()["x-sum"], "1");
        }
        let (body, trailers, rest) = read("0\r\n\r\nmore", 100).unwrap();
        assert_eq!((body.as_str(), trailers, rest.as_str()), ("", None, "more"));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for text in ["x\r\n", "-1\r\n", "1\r\nabc", "1\r\na\n\n", "fffffffffffffffff\r\n", "\r\n"] {
            assert_eq!(read(text, 100), Err(Malformed::Chunk), "{text:?}");
        }
        let endless = format!("1;{}", "x".repeat(LONGEST_LINE));
        assert_eq!(read(&endless, 1000), Err(Malformed::Chunk));
        assert_eq!(read("0\r\na b: 1\r\n\r\n", 100), Err(Malformed::Trailers));
        let endless = format!("0\r\na: {}", "x".repeat(LONGEST_TRAILERS));
        assert_eq!(read(&endless, 1000), Err(Malformed::Trailers));
    }
}
