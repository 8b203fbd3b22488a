//! What the platform answers when it says no, written out as its documentation has it.

use crate::http::Reply;
use crate::world::World;

/// An answer, and the id of the rule that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static str,
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl Refusal {
    pub(crate) const fn new(
        rule: &'static str,
        status: u16,
        error: &'static str,
        description: &'static str,
    ) -> Self {
        Self { rule, status, error, description }
    }

    /// 400 `invalid_request`, as most are.
    pub(crate) const fn bad_request(rule: &'static str, description: &'static str) -> Self {
        Self::new(rule, 400, "invalid_request", description)
    }

    /// 500, where nothing is known to be wrong with the request.
    pub(crate) const fn unknown_error(rule: &'static str) -> Self {
        const TEXT: &str = "An unknown error occurred processing this request. Contact us for \
                            assistance diagnosing this issue: \
                            https://digital.nhs.uk/developer/help-and-support quoting Message ID";
        Self::new(rule, 500, "unknown_error", TEXT)
    }

    /// 401, where no scope of the application's is of the right kind or level.
    pub(crate) const fn no_scope(rule: &'static str) -> Self {
        const TEXT: &str = "you have tried to request authorization but your application is not \
                            configured to use this authorization grant type";
        Self::new(rule, 401, "unauthorized_client", TEXT)
    }

    /// The latest request was answered by this, to the letter, and is on record with it.
    pub(crate) fn assert(&self, world: &World, reply: &Reply) {
        let latest = world.latest();
        assert_eq!(latest.rule, Some(self.rule), "{}", reply.text());
        self.assert_answer(reply);
        assert_eq!(latest.status, self.status, "{}", self.rule);
        assert_eq!(latest.error.as_deref(), Some(self.error), "{}", self.rule);
        assert_eq!(latest.error_description.as_deref(), Some(self.description));
        assert_eq!(latest.message_id.as_deref(), reply.json()["message_id"].as_str());
    }

    /// The answer is this, to the letter: status, type, members and their order.
    pub(crate) fn assert_answer(&self, reply: &Reply) {
        assert_eq!(reply.status, self.status, "{}: {}", self.rule, reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"), "{}", self.rule);
        let Self { error, description, .. } = self;
        let begins = format!(
            r#"{{"error":"{error}","error_description":"{description}","message_id":"rrt-"#
        );
        assert!(reply.text().starts_with(&begins), "{}: {}", self.rule, reply.text());
        assert_eq!(reply.json().as_object().unwrap().len(), 3, "{}", reply.text());
    }
}
