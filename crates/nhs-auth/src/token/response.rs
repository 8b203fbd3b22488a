//! Reading an answer of the token endpoint, whatever it is.

use std::time::Duration;

use http::StatusCode;
use nhs_auth_rules::UnixMillis;
use serde_json::{Map, Value};

use super::{AccessToken, IssuedToken, RefusalBody, TokenErrorKind};

/// What a server writes is repeated up to here, in characters.
const MOST_CHARACTERS: usize = 500;

/// Why an answer holds no token, and what it says beside that.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: TokenErrorKind,
    pub(super) message_id: Option<String>,
}

impl From<TokenErrorKind> for Refusal {
    fn from(kind: TokenErrorKind) -> Self {
        Self { kind, message_id: None }
    }
}

/// Makes a token of an answer, or says what it is instead.
pub(super) fn read(
    status: StatusCode,
    is_html: bool,
    body: &[u8],
    requested_at: UnixMillis,
) -> Result<IssuedToken, Refusal> {
    let code = status.as_u16();
    if status.is_redirection() {
        return Err(TokenErrorKind::Redirected { status: code }.into());
    }
    let body = body.trim_ascii();
    let json = if body.is_empty() { None } else { serde_json::from_slice::<Value>(body).ok() };
    let Some(json) = json else {
        return Err(without_json(status, is_html, body).into());
    };
    let message_id = text(&json, "message_id");
    match json {
        Value::Object(members) if status.is_success() && !members.contains_key("error") => {
            issued(members, requested_at)
                .map_err(|reason| Refusal { kind: TokenErrorKind::Unusable { reason }, message_id })
        }
        _ => Err(Refusal { kind: refused(status, refusal_body(&json)), message_id }),
    }
}

fn without_json(status: StatusCode, is_html: bool, body: &[u8]) -> TokenErrorKind {
    let code = status.as_u16();
    if status == StatusCode::TOO_MANY_REQUESTS {
        TokenErrorKind::RateLimited
    } else if body.is_empty() {
        TokenErrorKind::Empty { status: code }
    } else if is_html || body.starts_with(b"<") {
        TokenErrorKind::Html { status: code }
    } else if serde_json::from_slice::<Value>(body).is_err_and(|error| error.is_eof()) {
        TokenErrorKind::Truncated
    } else {
        TokenErrorKind::NotJson { status: code }
    }
}

fn refused(status: StatusCode, body: RefusalBody) -> TokenErrorKind {
    let code = status.as_u16();
    match status {
        StatusCode::TOO_MANY_REQUESTS => TokenErrorKind::RateLimited,
        _ if status.is_server_error() => TokenErrorKind::ServerFailed { status: code, body },
        _ if status.is_success() && matches!(body, RefusalBody::Other) => {
            TokenErrorKind::Unusable { reason: "it is not a JSON object".to_owned() }
        }
        _ => TokenErrorKind::Refused { status: code, body },
    }
}

fn issued(
    mut members: Map<String, Value>,
    requested_at: UnixMillis,
) -> Result<IssuedToken, String> {
    let access_token = match members.remove("access_token") {
        Some(Value::String(token)) => AccessToken::new(token)
            .ok_or_else(|| "its access_token is not one that a header can carry".to_owned())?,
        Some(_) => return Err("its access_token is not a string".to_owned()),
        None => return Err("it has no access_token".to_owned()),
    };
    let token_type = match members.remove("token_type") {
        Some(Value::String(token_type)) if token_type.eq_ignore_ascii_case("bearer") => token_type,
        Some(_) => return Err("its token_type is not Bearer".to_owned()),
        // RFC 6749 requires it; a token without it can be nothing else here.
        None => "Bearer".to_owned(),
    };
    let expires_in = members.remove("expires_in").as_ref().and_then(seconds);
    Ok(IssuedToken { access_token, token_type, expires_in, requested_at, others: members })
}

/// `expires_in` is a number by RFC 6749 §5.1, and a string here.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // A year at most: what is longer is no lifetime.
    seconds
        .filter(|seconds| (0.0..=31_536_000.0).contains(seconds))
        .map(|seconds| Duration::from_secs_f64(f64::floor(seconds)))
}

fn refusal_body(json: &Value) -> RefusalBody {
    if let Some(error) = text(json, "error") {
        return RefusalBody::OAuth { error, description: text(json, "error_description") };
    }
    let fault = &json["fault"];
    match text(fault, "faultstring") {
        Some(faultstring) => {
            RefusalBody::Fault { faultstring, errorcode: text(&fault["detail"], "errorcode") }
        }
        None => RefusalBody::Other,
    }
}

/// A text that a server wrote, fit to be shown on a terminal.
fn text(json: &Value, name: &str) -> Option<String> {
    let text = json.get(name)?.as_str()?;
    Some(text.chars().filter(|c| !c.is_control()).take(MOST_CHARACTERS).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_ok(body: &str) -> IssuedToken {
        read(StatusCode::OK, false, body.as_bytes(), UnixMillis(1000)).unwrap()
    }

    fn kind(status: u16, body: &str) -> TokenErrorKind {
        let status = StatusCode::from_u16(status).unwrap();
        read(status, false, body.as_bytes(), UnixMillis(0)).unwrap_err().kind
    }

    #[test]
    fn expires_in_may_be_a_string_or_a_number() {
        for expires_in in [r#""599""#, "599", "599.9", r#"" 599 ""#] {
            let token = read_ok(&format!(
                r#"{{"access_token":"t","expires_in":{expires_in},"token_type":"bearer"}}"#
            ));
            assert_eq!(token.expires_in, Some(Duration::from_secs(599)), "{expires_in}");
            assert_eq!(token.expires_at(), Some(UnixMillis(600_000)));
        }
        for expires_in in ["null", "-1", r#""soon""#, "1e300", r#""NaN""#, "[]"] {
            let token = read_ok(&format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#));
            assert_eq!(token.expires_in, None, "{expires_in}");
        }
    }

    #[test]
    fn unknown_members_are_kept() {
        let token = read_ok(r#"{"access_token":"t","issued_at":"17","refresh_token":"r"}"#);
        assert_eq!(token.others["issued_at"], "17");
        assert!(!format!("{token:?}").contains("\"r\""), "{token:?}");
    }

    #[test]
    fn each_other_answer_by_its_name() {
        use TokenErrorKind as Kind;
        assert!(matches!(kind(200, ""), Kind::Empty { status: 200 }));
        assert!(matches!(kind(200, " \n"), Kind::Empty { .. }));
        assert!(matches!(kind(200, "<html>"), Kind::Html { .. }));
        assert!(matches!(kind(502, "\n<!doctype html>"), Kind::Html { status: 502 }));
        assert!(matches!(kind(200, r#"{"access_token":"#), Kind::Truncated));
        assert!(matches!(kind(200, "access_token=t"), Kind::NotJson { .. }));
        assert!(matches!(kind(200, "{}"), Kind::Unusable { .. }));
        assert!(matches!(kind(200, r#"["t"]"#), Kind::Unusable { .. }));
        assert!(matches!(kind(200, r#"{"access_token":"a b"}"#), Kind::Unusable { .. }));
        assert!(matches!(kind(200, r#"{"access_token":"a\r\nX: y"}"#), Kind::Unusable { .. }));
        assert!(matches!(kind(200, r#"{"access_token":7}"#), Kind::Unusable { .. }));
        assert!(matches!(
            kind(200, r#"{"access_token":"t","token_type":"mac"}"#),
            Kind::Unusable { .. }
        ));
        assert!(matches!(kind(302, "{}"), Kind::Redirected { status: 302 }));
        assert!(matches!(kind(429, "<html>"), Kind::RateLimited));
        assert!(matches!(kind(400, "{}"), Kind::Refused { body: RefusalBody::Other, .. }));
        assert!(matches!(kind(503, "{}"), Kind::ServerFailed { .. }));
    }

    #[test]
    fn what_the_platform_says_is_kept_with_its_message_id() {
        let body = r#"{"error":"invalid_request","error_description":"a\u001b[31mb","message_id":"rrt-1"}"#;
        let refusal =
            read(StatusCode::BAD_REQUEST, false, body.as_bytes(), UnixMillis(0)).unwrap_err();
        assert_eq!(refusal.message_id.as_deref(), Some("rrt-1"));
        let TokenErrorKind::Refused { body, .. } = refusal.kind else { panic!("{refusal:?}") };
        assert_eq!(body.to_string(), " invalid_request: a[31mb");
    }

    #[test]
    fn a_gateway_fault_is_told_by_its_own_words() {
        let body = r#"{"fault":{"faultstring":"Invalid client identifier {0}","detail":{"errorcode":"oauth.v2.InvalidClientIdentifier"}}}"#;
        let TokenErrorKind::ServerFailed { body, .. } = kind(500, body) else { panic!() };
        assert_eq!(
            body.to_string(),
            ": Invalid client identifier {0} (oauth.v2.InvalidClientIdentifier)"
        );
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_read_or_refused(status in 100_u16..600, body in any::<Vec<u8>>()) {
            let status = StatusCode::from_u16(status).unwrap();
            let _ = read(status, false, &body, UnixMillis(0));
        }
    }
}
