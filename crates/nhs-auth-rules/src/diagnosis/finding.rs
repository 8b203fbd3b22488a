//! How findings are written.

use std::borrow::Cow;

use super::source::Shown;
use super::{Confidence, Diagnosed, Fix, Label, Patch, RootCause, Severity, SourceId};
use crate::{Rule, Span};

/// The rule of that name, which exists.
pub(super) fn rule(id: &str) -> &'static Rule {
    crate::explain(id).expect("every rule that is named here exists")
}

impl Diagnosed {
    /// A finding of whoever calls the diagnosis, such as of what was seen on the network. It is
    /// certain, and has no more than its message.
    pub fn new(cause: RootCause, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            rule: None,
            cause,
            severity,
            confidence: Confidence::Certain,
            first: false,
            message: message.into(),
            labels: Vec::new(),
            why: Cow::Borrowed(""),
            fixes: Vec::new(),
        }
    }

    pub(super) fn error(cause: RootCause, message: impl Into<String>) -> Self {
        Self::new(cause, Severity::Error, message)
    }

    pub(super) fn warning(cause: RootCause, message: impl Into<String>) -> Self {
        Self::new(cause, Severity::Warning, message)
    }

    pub(super) fn note(cause: RootCause, message: impl Into<String>) -> Self {
        Self::new(cause, Severity::Note, message)
    }

    /// The rule, and its reason where there is no better one yet.
    pub fn rule(mut self, rule: &'static Rule) -> Self {
        self.rule = Some(rule);
        if self.why.is_empty() {
            self.why = Cow::Borrowed(rule.why);
        }
        self
    }

    pub(super) fn rule_if(self, rule: Option<&'static Rule>) -> Self {
        match rule {
            Some(rule) => self.rule(rule),
            None => self,
        }
    }

    /// The same, and no more than likely.
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }

    pub(super) fn possible(mut self) -> Self {
        self.confidence = Confidence::Possible;
        self
    }

    /// The same, with its reason.
    pub fn why(mut self, why: impl Into<Cow<'static, str>>) -> Self {
        self.why = why.into();
        self
    }

    /// A label on a value of a document.
    pub(super) fn at(self, shown: &Shown, original: Span, text: impl Into<String>) -> Self {
        self.label(shown.id, shown.span(original), text)
    }

    pub(super) fn label(mut self, source: SourceId, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { source, span, text: text.into() });
        self
    }

    /// The same, with one more way to mend it, in words.
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), patch: None, command: None });
        self
    }

    pub(super) fn command(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), patch: None, command: Some(command.into()) });
        self
    }

    /// A change of one of a document's values.
    pub(super) fn patch(
        mut self,
        text: impl Into<String>,
        shown: &Shown,
        original: Span,
        replacement: impl Into<String>,
    ) -> Self {
        let span = shown.span(original);
        let patch = Patch { source: shown.id, span, replacement: replacement.into() };
        self.fixes.push(Fix { text: text.into(), patch: Some(patch), command: None });
        self
    }
}
