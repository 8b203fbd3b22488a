//! Finds PEM blocks (RFC 7468) in any text, and says what is wrong with a block that is broken.
//!
//! A scanner of our own, because the usual readers skip or refuse, without a reason, most of what
//! people have: lost line breaks, text around the block, the headers of RFC 1421, wrong dashes.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// One block, as far as it is there.
pub(super) struct Block<'t> {
    /// What stands after `BEGIN`, such as `RSA PRIVATE KEY`.
    pub(super) label: &'t str,
    /// All between the first line and the last.
    body: &'t [u8],
    /// The line on which the body begins, counted from 1.
    line: usize,
    fault: Option<Fault>,
}

/// Why a block can't be decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The line, counted from 1.
    Base64(usize),
    CutOff,
    /// The line, counted from 1.
    Dashes(usize),
    LiteralLineBreaks,
    /// Encrypted as RFC 1421, section 4.6.1.1, has it.
    ProcType,
}

impl Block<'_> {
    pub(super) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// The bytes that the base64 stands for. White space may stand anywhere or be missing.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if contains(self.body, b"Proc-Type:") {
            return Err(Fault::ProcType);
        }
        if contains(self.body, br"\n") {
            return Err(Fault::LiteralLineBreaks);
        }
        decode_base64(self.body).map_err(|symbol| Fault::Base64(self.line_of(symbol)))
    }

    /// The line of the body's `symbol`th character that is not white space.
    fn line_of(&self, symbol: usize) -> usize {
        let mut seen = 0;
        let before = self.body.iter().take_while(|byte| {
            seen += usize::from(!byte.is_ascii_whitespace());
            seen <= symbol
        });
        self.line + count_line_breaks(before)
    }
}

/// A key with every certificate authority of a machine has a few hundred. Each block is looked for
/// in the whole text, so their number is bounded.
const MOST_BLOCKS: usize = 1000;

/// All blocks of the text, in order, the broken ones too.
pub(super) fn blocks(text: &[u8]) -> Vec<Block<'_>> {
    let marks = marks(text);
    let mut blocks = Vec::new();
    let mut rest = marks.as_slice();
    while let [mark, after @ ..] = rest {
        if blocks.len() == MOST_BLOCKS {
            break;
        }
        let (body, fault);
        (body, fault, rest) = match (mark.kind, after) {
            (Kind::Begin, [end, after @ ..]) if end.kind == Kind::End => {
                let wrong = [mark, end].into_iter().find(|mark| !mark.five_dashes);
                let fault = wrong.map(|mark| Fault::Dashes(line_at(text, mark.start)));
                // Empty when both marks share their dashes.
                (text.get(mark.end..end.start).unwrap_or_default(), fault, after)
            }
            _ => (&[][..], Some(Fault::CutOff), after),
        };
        blocks.push(Block { label: mark.label, body, line: line_at(text, mark.end), fault });
    }
    blocks
}

/// Decodes base64 with white space anywhere, and its padding there or not.
///
/// The error is the place of the first wrong character, white space not counted.
pub(super) fn decode_base64(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    symbols.extend(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(symbols.len())]);
    let length = BASE64.decode_slice(&*symbols, &mut bytes).map_err(|error| match error {
        base64::DecodeSliceError::DecodeError(base64::DecodeError::InvalidByte(at, _)) => at,
        _ => symbols.len().saturating_sub(1),
    })?;
    bytes.truncate(length);
    Ok(bytes)
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A `-----BEGIN LABEL-----` or `-----END LABEL-----`, with its dashes.
struct Mark<'t> {
    kind: Kind,
    label: &'t str,
    start: usize,
    end: usize,
    five_dashes: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Begin,
    End,
}

fn marks(text: &[u8]) -> Vec<Mark<'_>> {
    (0..text.len()).filter_map(|at| mark_at(text, at)).collect()
}

fn mark_at(text: &[u8], at: usize) -> Option<Mark<'_>> {
    let (kind, rest) = if let Some(rest) = text[at..].strip_prefix(b"BEGIN ") {
        (Kind::Begin, rest)
    } else {
        (Kind::End, text[at..].strip_prefix(b"END ")?)
    };
    let dashes_before = text[..at].iter().rev().take_while(|byte| **byte == b'-').count();
    // A word processor may have turned the dashes into a longer one, which is not ASCII.
    let long_dash = text[..at].last().is_some_and(|byte| !byte.is_ascii());
    if dashes_before == 0 && !long_dash {
        return None;
    }
    let is_label =
        |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ';
    let length = rest.iter().take_while(is_label).count();
    let label = str::from_utf8(&rest[..length]).ok()?.trim_end();
    let dashes_after = rest[length..].iter().take_while(|byte| **byte == b'-').count();
    (!label.is_empty()).then_some(Mark {
        kind,
        label,
        start: at - dashes_before,
        end: text.len() - rest.len() + length + dashes_after,
        // Ten stand between two blocks whose line breaks are lost.
        five_dashes: dashes_before >= 5 && dashes_after >= 5,
    })
}

fn line_at(text: &[u8], offset: usize) -> usize {
    1 + count_line_breaks(&text[..offset])
}

fn count_line_breaks<'t>(bytes: impl IntoIterator<Item = &'t u8>) -> usize {
    bytes.into_iter().filter(|byte| **byte == b'\n').count()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Block<'_> {
        let mut blocks = blocks(text.as_bytes());
        assert_eq!(blocks.len(), 1, "{text}");
        blocks.remove(0)
    }

    fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
        only(text).decode().map(|bytes| bytes.to_vec())
    }

    #[test]
    fn a_block_is_found_however_its_lines_are_broken() {
        for text in [
            "-----BEGIN PRIVATE KEY-----\nYWJj\nZGU=\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\r\nYWJj\r\nZGU=\r\n-----END PRIVATE KEY-----\r\n",
            "-----BEGIN PRIVATE KEY-----YWJjZGU=-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----- YWJj ZGU= -----END PRIVATE KEY-----",
            "key: \"-----BEGIN PRIVATE KEY-----\n  YWJj\n  ZGU\n  -----END PRIVATE KEY-----\"",
        ] {
            assert_eq!(decoded(text), Ok(b"abcde".to_vec()), "{text}");
        }
    }

    #[test]
    fn blocks_that_touch_are_told_apart() {
        let text =
            b"-----BEGIN A-----YQ==-----END A----------BEGIN B KEY-----YmI=-----END B KEY-----";
        let labels: Vec<_> = blocks(text).iter().map(|block| block.label).collect();
        assert_eq!(labels, ["A", "B KEY"]);
        assert_eq!(blocks(text)[1].decode().unwrap().as_slice(), b"bb");
    }

    #[test]
    fn each_fault_is_told_with_its_line() {
        for (text, fault) in [
            ("----BEGIN A KEY----\nYWJj\n----END A KEY----\n", Fault::Dashes(1)),
            ("-----BEGIN A KEY-----\nYWJj\n-----END A KEY----\n", Fault::Dashes(3)),
            ("\u{2014}-BEGIN A KEY-----\nYWJj\n-----END A KEY-----\n", Fault::Dashes(1)),
            ("-----BEGIN A KEY-----\nYWJj\n", Fault::CutOff),
            ("YWJj\n-----END A KEY-----\n", Fault::CutOff),
            ("-----BEGIN A KEY-----\nYWJj\nY%Jj\n-----END A KEY-----\n", Fault::Base64(3)),
            ("-----BEGIN A KEY-----\nYWJj\nYWJjY\n-----END A KEY-----\n", Fault::Base64(3)),
            ("-----BEGIN A KEY-----\\nYWJj\\n-----END A KEY-----\\n", Fault::LiteralLineBreaks),
            (
                "-----BEGIN A KEY-----\nProc-Type: 4,ENCRYPTED\n\nYQ==\n-----END A KEY-----",
                Fault::ProcType,
            ),
        ] {
            assert_eq!(decoded(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn marks_that_share_their_dashes_hold_nothing() {
        assert_eq!(decoded("-----BEGIN A KEY-----END A KEY-----"), Ok(Vec::new()));
    }

    #[test]
    fn prose_is_no_block() {
        assert!(blocks(b"BEGIN A KEY and END A KEY - the END of it").is_empty());
    }
}
