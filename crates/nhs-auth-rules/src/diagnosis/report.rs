//! What a diagnosis says.

use std::borrow::Cow;
use std::fmt;

use super::RootCause;
use crate::rule::Answer;
use crate::{Rule, Span};

/// Everything that a diagnosis has to say. Nothing in it is a secret: no signature, no token, no
/// private member of a key.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// What is wrong, errors first, and among them in the platform's order.
    pub findings: Vec<Diagnosed>,
    /// What was undone in pasted values before they were judged.
    pub repairs: Vec<Repair>,
    /// What could not be checked.
    pub unchecked: Vec<Unchecked>,
    /// What only the platform knows.
    pub platform_only: Vec<PlatformOnly>,
    /// The texts that spans count in; a [`SourceId`] is an index of this list.
    pub sources: Vec<Source>,
    /// The repaired value, if something was repaired: of the assertion, else of the subject token,
    /// else of the key set. It may be a credential.
    pub fixed: Option<Fixed>,
}

impl Report {
    /// Whether there is a finding of severity error.
    pub fn has_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The finding that the platform names first.
    pub fn first(&self) -> Option<&Diagnosed> {
        self.findings.iter().find(|finding| finding.first)
    }

    /// The text that spans of that source count in.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0]
    }
}

/// A repaired value. `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fixed(pub(super) String);

impl Fixed {
    /// The value. Of an assertion that is a credential until it expires.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixed(…)")
    }
}

/// One finding.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosed {
    /// The rule that it breaks, if it is one of the platform's.
    pub rule: Option<&'static Rule>,
    /// The root cause.
    pub cause: RootCause,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether this is what the platform answers with.
    pub first: bool,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where.
    pub labels: Vec<Label>,
    /// Why that is so, and how people come to it.
    pub why: Cow<'static, str>,
    /// How to mend it, the best way first.
    pub fixes: Vec<Fix>,
}

impl Diagnosed {
    /// What the platform answers to this, if it is known.
    pub fn answer(&self) -> Option<Answer> {
        self.rule.map(|rule| rule.answer)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the report's published schema has these three")]
pub enum Severity {
    /// It is refused, or the key must be replaced.
    Error,
    /// It works today and should not be left.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the report's published schema has these three")]
pub enum Confidence {
    /// The inputs prove it.
    Certain,
    /// It explains what was seen better than anything else.
    Likely,
    /// It would explain what was seen.
    Possible,
}

impl Confidence {
    /// The name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// A place in a source, and what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// In which text.
    pub source: SourceId,
    /// Which bytes of [`Source::text`]; on character boundaries, and inside.
    pub span: Span,
    /// What to say there.
    pub text: String,
}

/// A way to mend something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// What to do, in words.
    pub text: String,
    /// The change, where it is one.
    pub patch: Option<Patch>,
    /// The command for a POSIX shell, where there is one.
    pub command: Option<String>,
}

/// A change of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patch {
    /// Of which text.
    pub source: SourceId,
    /// Which bytes go.
    pub span: Span,
    /// What comes in their place.
    pub replacement: String,
}

/// A text of [`Report::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(pub(super) usize);

impl SourceId {
    /// Its index in [`Report::sources`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A text that can be shown: decoded JSON, one member a line, with long values shortened and
/// private ones left out; or a few bytes around a damage, with what could be a secret masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// Its place in the list.
    pub id: SourceId,
    /// What it is, such as `client_assertion (payload)`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// One thing that was undone in a pasted value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// In which input, such as `client_assertion`.
    pub input: String,
    /// What kind of damage.
    pub cause: RootCause,
    /// What was undone: lower case, no full stop.
    pub message: String,
    /// Offset of the first byte in the value as it was given.
    pub offset: usize,
    /// What stood there, never more than a few characters.
    pub before: String,
    /// What was put there.
    pub after: String,
}

/// A rule that could not be checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unchecked {
    /// The rule.
    pub rule: &'static Rule,
    /// What would let it be checked.
    pub needs: String,
}

/// A question that no file answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformOnly {
    /// The question.
    pub question: String,
    /// How to find out.
    pub how: String,
}
