//! Group R: the request to an OAuth endpoint, before any grant is looked at. The numbers are those
//! of the platform's flow selection, in its order.

use crate::rule::{Answer, Basis, Example, Fault, Need, Outcome, Place, Rule, RuleId};
use crate::{Evidence, GrantType, Span};

/// The one content type that the platform takes, compared as it stands.
pub const FORM_CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Every rule of the group, in the platform's order.
pub const RULES: &[Rule] = &[
    Rule {
        id: RuleId::new("R8"),
        title: "the token endpoint is asked by POST",
        answer: Answer::new(405, "", ""),
        basis: Basis::Published,
        why: "the answer has an empty text/plain body and the header `Allow: POST`; a redirect \
              that was followed turns a POST into a GET",
        fix: "send a POST, and follow no redirect",
        example: Example::new("GET /oauth2/token HTTP/1.1", "POST /oauth2/token HTTP/1.1"),
        check: is_post,
    },
    Rule {
        id: RuleId::new("R1"),
        title: "the content type is exactly application/x-www-form-urlencoded",
        answer: Answer::new(
            415,
            "invalid_request",
            "Content-Type header must be application/x-www-form-urlencoded",
        ),
        basis: Basis::Published,
        why: "the platform compares the whole header: a JSON body is refused, and so, by \
              inference, is `; charset=utf-8` behind the type",
        fix: "send the parameters as a form, with `Content-Type: application/x-www-form-urlencoded` \
              and nothing behind it",
        example: Example::new(
            "Content-Type: application/json\n\n\
             {\"grant_type\": \"client_credentials\"}",
            "Content-Type: application/x-www-form-urlencoded\n\n\
             grant_type=client_credentials",
        ),
        check: is_form,
    },
    Rule {
        id: RuleId::new("R6"),
        title: "a token exchange names the subject token an ID token",
        answer: Answer::new(
            400,
            "invalid_request",
            "missing or invalid subject_token_type - must be \
             'urn:ietf:params:oauth:token-type:id_token'",
        ),
        basis: Basis::Published,
        why: "the platform exchanges ID tokens alone",
        fix: "add `subject_token_type=urn:ietf:params:oauth:token-type:id_token`",
        example: Example::new(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\n\
             subject_token_type=urn:ietf:params:oauth:token-type:access_token",
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\n\
             subject_token_type=urn:ietf:params:oauth:token-type:id_token",
        ),
        check: has_subject_token_type,
    },
    Rule {
        id: RuleId::new("R7"),
        title: "the grant type is one that the platform has",
        answer: Answer::new(400, "unsupported_grant_type", "grant_type is invalid"),
        basis: Basis::Published,
        why: "a misspelt, empty or foreign grant type",
        fix: "send `grant_type=client_credentials` for application-restricted access",
        example: Example::new("grant_type=client_credential", "grant_type=client_credentials"),
        check: has_known_grant_type,
    },
    Rule {
        id: RuleId::new("R7b"),
        title: "there is a grant type",
        answer: Answer::new(400, "invalid_request", "grant_type is missing"),
        basis: Basis::Published,
        why: "the form is empty, or its parameters went into the URL",
        fix: "send `grant_type=client_credentials` in the body",
        example: Example::new(
            "POST /oauth2/token?grant_type=client_credentials HTTP/1.1\n\
             Content-Type: application/x-www-form-urlencoded\n\
             Content-Length: 0",
            "POST /oauth2/token HTTP/1.1\n\
             Content-Type: application/x-www-form-urlencoded\n\
             Content-Length: 29\n\n\
             grant_type=client_credentials",
        ),
        check: has_grant_type,
    },
];

fn fault(message: impl Into<String>) -> Outcome {
    Fault::fail(Place::Request, Span::default(), message)
}

fn is_post(evidence: &Evidence<'_>) -> Outcome {
    match evidence.method {
        None => Outcome::CannotTell(Need::Request),
        Some("POST") => Outcome::Pass,
        Some(method) => fault(format!("the method is {method}")),
    }
}

fn is_form(evidence: &Evidence<'_>) -> Outcome {
    if evidence.method.is_some_and(|method| method != "POST") {
        // Another method has no body, and row 8 has said that already.
        return Outcome::Pass;
    }
    match evidence.content_type {
        None => Outcome::CannotTell(Need::Request),
        Some(Some(FORM_CONTENT_TYPE)) => Outcome::Pass,
        Some(None) => fault("there is no Content-Type header"),
        Some(Some(other)) => fault(format!("the content type is `{other}`")),
    }
}

fn has_subject_token_type(evidence: &Evidence<'_>) -> Outcome {
    let Some(form) = evidence.form else {
        return Outcome::CannotTell(Need::Form);
    };
    if form.grant_type() != Some(GrantType::TokenExchange) || form.is_token_exchange() {
        return Outcome::Pass;
    }
    match form.get("subject_token_type") {
        None => fault("there is no subject_token_type"),
        Some(other) => fault(format!("the subject_token_type is `{other}`")),
    }
}

fn has_known_grant_type(evidence: &Evidence<'_>) -> Outcome {
    let Some(form) = evidence.form else {
        return Outcome::CannotTell(Need::Form);
    };
    if form.grant_type() != Some(GrantType::Unknown) || form.is_token_exchange() {
        return Outcome::Pass;
    }
    fault(format!("the grant_type is `{}`", form.get("grant_type").unwrap_or_default()))
}

fn has_grant_type(evidence: &Evidence<'_>) -> Outcome {
    let Some(form) = evidence.form else {
        return Outcome::CannotTell(Need::Form);
    };
    if form.grant_type().is_some() || form.is_token_exchange() {
        return Outcome::Pass;
    }
    fault("there is no grant_type")
}

/// The answer to a path that the OAuth server doesn't have.
pub const NOT_FOUND: Answer = Answer::new(404, "invalid_request", "Not Found");

/// The answer to everything that has no row of its own.
pub const UNKNOWN_ERROR: Answer = Answer::new(
    500,
    "unknown_error",
    "An unknown error occurred processing this request. Contact us for assistance diagnosing \
     this issue: https://digital.nhs.uk/developer/help-and-support quoting Message ID",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, ID_TOKEN_TYPE, Inquiry, Step, TOKEN_EXCHANGE_GRANT};

    fn verdict(method: &str, content_type: Option<&str>, form: &[(&str, &str)]) -> &'static str {
        let form: Form = form.iter().copied().collect();
        let evidence = Evidence {
            method: Some(method),
            content_type: Some(content_type),
            form: Some(&form),
            ..Evidence::default()
        };
        match Inquiry::new(RULES).resume(&evidence) {
            Step::Accepted => "accepted",
            Step::Refused(rule, _) => rule.id.as_str(),
            Step::Needs(..) => "needs",
        }
    }

    #[test]
    fn each_row_and_their_order() {
        let good = &[("grant_type", "client_credentials")];
        assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), good), "accepted");
        assert_eq!(verdict("GET", None, &[]), "R8");
        assert_eq!(verdict("POST", None, &[]), "R1");
        assert_eq!(
            verdict("POST", Some("application/x-www-form-urlencoded; charset=utf-8"), good),
            "R1"
        );
        assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), &[]), "R7b");
        assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), &[("grant_type", "")]), "R7");
        assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), &[("grant_type", "password")]), "R7");
        let exchange = &[("grant_type", TOKEN_EXCHANGE_GRANT)];
        assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), exchange), "R6");
    }

    #[test]
    fn an_id_token_as_subject_makes_a_token_exchange_of_any_grant() {
        for grant_type in ["client_credentials", "password", ""] {
            let form = &[("grant_type", grant_type), ("subject_token_type", ID_TOKEN_TYPE)];
            assert_eq!(verdict("POST", Some(FORM_CONTENT_TYPE), form), "accepted");
        }
        assert_eq!(
            verdict("POST", Some(FORM_CONTENT_TYPE), &[("subject_token_type", ID_TOKEN_TYPE)]),
            "accepted"
        );
    }
    /// What an example's request shows: its method, its content type, and its form.
    fn shown(example: &str) -> (&str, &str, Form) {
        let is_request = example.starts_with("Content-Type: ") || example.ends_with("HTTP/1.1");
        if !is_request && !example.contains(" HTTP/1.1\n") {
            let parameters = example.lines().filter_map(|line| line.split_once('='));
            return ("POST", FORM_CONTENT_TYPE, parameters.collect());
        }
        let (head, body) = example.split_once("\n\n").unwrap_or((example, ""));
        let method = head.lines().find(|line| line.ends_with(" HTTP/1.1"));
        let method = method.and_then(|line| line.split(' ').next());
        let content_type = head.lines().find_map(|line| line.strip_prefix("Content-Type: "));
        (
            method.unwrap_or("POST"),
            content_type.unwrap_or(FORM_CONTENT_TYPE),
            Form::parse(body.as_bytes()),
        )
    }

    #[test]
    fn the_failing_example_breaks_its_rule_first_and_the_mended_one_passes_it() {
        for rule in RULES {
            let (method, content_type, form) = shown(rule.example.failing);
            let evidence = Evidence {
                method: Some(method),
                content_type: Some(Some(content_type)),
                form: Some(&form),
                ..Evidence::default()
            };
            let step = Inquiry::new(RULES).resume(&evidence);
            assert!(matches!(step, Step::Refused(first, _) if first.id == rule.id), "{}", rule.id);

            let (method, content_type, form) = shown(rule.example.mended);
            let evidence = Evidence {
                method: Some(method),
                content_type: Some(Some(content_type)),
                form: Some(&form),
                ..Evidence::default()
            };
            assert_eq!(rule.check(&evidence), Outcome::Pass, "{}", rule.id);
        }
    }
}
