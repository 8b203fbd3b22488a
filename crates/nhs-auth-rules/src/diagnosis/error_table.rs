//! The texts of errors, each with what it may stand for, the likeliest first. Texts are written as
//! [`plain`](super::error_text) makes them: lower case, without quotes.

mod application;
mod assertion;
mod elsewhere;
mod gateway;
mod request;
mod sign_in;
mod subject_token;

use super::{Confidence, RootCause};

/// One text, in all its wordings.
pub(super) struct Row {
    pub(super) texts: &'static [&'static str],
    pub(super) dated: Option<&'static str>,
    pub(super) causes: &'static [Cause],
}

/// What it may stand for: root cause, rule, confidence, message and fix.
pub(super) type Cause = (RootCause, Option<&'static str>, Confidence, &'static str, &'static str);

/// Every text that is known.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        request::ROWS,
        assertion::ROWS,
        application::ROWS,
        subject_token::ROWS,
        gateway::ROWS,
        sign_in::ROWS,
        elsewhere::ROWS,
    ]
    .into_iter()
    .flatten()
}
