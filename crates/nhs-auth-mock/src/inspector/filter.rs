//! Which requests are listed.

use nhs_auth_rules::Form;

use super::href;
use crate::recorded::RecordedRequest;

/// What the list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// An application's ID.
    pub(super) app: String,
    pub(super) only_failed: bool,
    /// Words that stand in what the list says of a request, in any case.
    pub(super) words: String,
}

impl Filter {
    pub(super) fn read(query: &Form) -> Self {
        let text = |name| query.get(name).unwrap_or_default().trim().to_owned();
        Self { app: text("app"), only_failed: query.get("failed") == Some("yes"), words: text("q") }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn takes(&self, request: &RecordedRequest) -> bool {
        (self.app.is_empty() || request.application_id.as_deref() == Some(&self.app))
            && (!self.only_failed || has_failed(request))
            && self.words.split_whitespace().all(|word| says(request, word))
    }

    /// A page of this filter, with something else.
    pub(super) fn href(&self, path: &str, more: &[(&str, &str)]) -> String {
        let failed = if self.only_failed { "yes" } else { "" };
        let mut parameters =
            vec![("app", self.app.as_str()), ("failed", failed), ("q", self.words.as_str())];
        parameters.extend(more);
        href::page(path, &parameters)
    }
}

/// Whether a request was refused, be it by a redirect, or a fault answered it, or nobody did.
pub(super) fn has_failed(request: &RecordedRequest) -> bool {
    request.status == 0
        || request.status >= 400
        || request.rule.is_some()
        || request.error.is_some()
        || request.answered_by().is_some()
}

fn says(request: &RecordedRequest, word: &str) -> bool {
    let word = word.to_lowercase();
    let status = request.status.to_string();
    let texts = [
        Some(request.method.as_str()),
        Some(&request.path),
        Some(&status),
        request.error.as_deref(),
        request.error_description.as_deref(),
        request.message_id.as_deref(),
        request.rule,
        request.jti.as_deref(),
        request.remark.as_deref(),
        request.fault,
    ];
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&word))
}
