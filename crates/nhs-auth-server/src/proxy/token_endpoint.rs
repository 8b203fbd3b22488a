//! `POST /token`: for applications that want only the token.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use nhs_auth::{ErrorClass, IssuedToken, RefusalBody, TokenError, TokenErrorKind};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::answer_body::AnswerBody;
use super::app;
use super::route::Table;

/// Where it is, on the proxy's own listener.
pub(super) const PATH: &str = "/token";

/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// How long a caller may take for it.
const PATIENCE: Duration = Duration::from_secs(10);

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// What is asked for. The second names are those of NAV's Texas.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Whose token: an application of the configuration. It can be left out where there is one.
    #[serde(alias = "target")]
    app: Option<String>,
    /// A user's ID token, to be exchanged.
    #[serde(alias = "user_token")]
    subject_token: Option<Zeroizing<String>>,
    subject_token_type: Option<String>,
    grant_type: Option<String>,
    /// Texas wants it. Here there is one, so it says nothing.
    #[serde(rename = "identity_provider")]
    _identity_provider: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    skip_cache: bool,
}

/// `true` or `false`; a form has no other way to say it than as a text.
fn flag<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    match Value::deserialize(value)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(D::Error::custom("neither true nor false")),
    }
}

/// An error as OAuth has it (RFC 6749 §5.2).
struct Refusal {
    status: StatusCode,
    error: String,
    description: String,
    message_id: Option<String>,
    retry_after_s: Option<u64>,
}

/// Answers a request for a token.
pub(super) async fn answer(table: &Table, request: Request<Incoming>) -> Response<AnswerBody> {
    if request.method() != Method::POST {
        let refusal = Refusal::of_request("a token is asked for with POST");
        let mut answer =
            Refusal { status: StatusCode::METHOD_NOT_ALLOWED, ..refusal }.into_response();
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    match token(table, request).await {
        Ok(token) => json_response(StatusCode::OK, &token),
        Err(refusal) => refusal.into_response(),
    }
}

async fn token(table: &Table, request: Request<Incoming>) -> Result<Value, Refusal> {
    let asked = read(request).await?;
    let app = table.app(asked.app.as_deref()).ok_or_else(|| no_such_app(table, &asked))?;
    if let Some(other) = asked.subject_token_type.as_deref().filter(|kind| *kind != ID_TOKEN) {
        let shown: String = other.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(Refusal::of_request(format!(
            "the platform exchanges ID tokens alone: `subject_token_type` is `{ID_TOKEN}`, not \
             `{shown}`"
        )));
    }
    match asked.subject_token.as_deref().map(|token| token.trim()) {
        Some("") => Err(Refusal::of_request("`subject_token` is empty")),
        Some(subject_token) => {
            let tokens = app.users().token(app, subject_token, asked.skip_cache).await;
            Ok(as_json(tokens.map_err(|error| Refusal::of_platform(&error))?.issued()))
        }
        // Who wants a user's token is not given the application's.
        None if asked.is_exchange() => {
            Err(Refusal::of_request("`subject_token` is missing, or null"))
        }
        None => {
            if asked.skip_cache {
                let issued = app.new_token().await;
                return Ok(as_json(&issued.map_err(|error| Refusal::of_platform(&error))?));
            }
            let issued = app.tokens().issued().await;
            Ok(as_json(&*issued.map_err(|error| Refusal::of_platform(&error))?))
        }
    }
}

async fn read(request: Request<Incoming>) -> Result<Asked, Refusal> {
    let (parts, body) = request.into_parts();
    let read = timeout(PATIENCE, Limited::new(body, LONGEST_BODY).collect()).await;
    let read = read.map_err(|_| Refusal {
        status: StatusCode::REQUEST_TIMEOUT,
        ..Refusal::of_request("the body took too long")
    })?;
    let body = match read {
        Ok(body) => Zeroizing::new(body.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let refusal = Refusal::of_request(format!("the body is over {LONGEST_BODY} bytes"));
            return Err(Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, ..refusal });
        }
        Err(_) => return Err(Refusal::of_request("the body was cut off")),
    };
    parse(&parts.headers, &body)
}

/// JSON, or a form as OAuth's own endpoints take it. What is wrong is told without a value.
fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    let asked: Asked = match media_type {
        Some(it) if it.eq_ignore_ascii_case("application/x-www-form-urlencoded") => {
            let mut members = Map::new();
            for (name, value) in form_urlencoded::parse(body) {
                if members.insert(name.to_string(), json!(value)).is_some() {
                    return Err(Refusal::of_request(format!("`{}` is given twice", shown(&name))));
                }
            }
            serde_json::from_value(Value::Object(members)).map_err(|error| unreadable(&error))?
        }
        None if body.is_empty() => Asked::nothing(),
        Some(it) if !is_json(it) => {
            return Err(Refusal {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ..Refusal::of_request("the body has to be JSON: `Content-Type: application/json`")
            });
        }
        _ if body.iter().all(u8::is_ascii_whitespace) => Asked::nothing(),
        _ => serde_json::from_slice(body).map_err(|error| unreadable(&error))?,
    };
    let is_known = |grant: &str| ["client_credentials", TOKEN_EXCHANGE].contains(&grant);
    if asked.grant_type.as_deref().is_some_and(|grant| !is_known(grant)) {
        let refusal = Refusal::of_request("only client credentials and token exchange are served");
        return Err(Refusal { error: "unsupported_grant_type".to_owned(), ..refusal });
    }
    Ok(asked)
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    // The text of an unknown field's name is the caller's own; values are never in it but in the
    // messages of wrong types, which are left out.
    let text = error.to_string();
    let known = ["unknown field", "duplicate field", "missing field"];
    let detail = if known.iter().any(|it| text.starts_with(it)) {
        text.split(" at line").next().unwrap_or_default().to_owned()
    } else {
        format!(
            "it can't be read as JSON with `app`, `subject_token` and `skip_cache`, at line {}, column {}",
            error.line(),
            error.column()
        )
    };
    Refusal::of_request(shown(&detail))
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn no_such_app(table: &Table, asked: &Asked) -> Refusal {
    let names: Vec<_> = table.apps.iter().map(|app| format!("`{}`", app.name())).collect();
    if names.is_empty() {
        return Refusal::of_request("no route of this proxy uses a token");
    }
    let names = names.join(", ");
    match &asked.app {
        Some(app) => Refusal::of_request(format!(
            "there is no application `{}`: there are {names}",
            shown(app)
        )),
        None => Refusal::of_request(format!("say whose token with `app`: there are {names}")),
    }
}

impl Asked {
    fn is_exchange(&self) -> bool {
        self.subject_token_type.is_some() || self.grant_type.as_deref() == Some(TOKEN_EXCHANGE)
    }

    fn nothing() -> Self {
        Self {
            app: None,
            subject_token: None,
            subject_token_type: None,
            grant_type: None,
            _identity_provider: None,
            skip_cache: false,
        }
    }
}

impl Refusal {
    fn of_request(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request".to_owned(),
            description: description.into(),
            message_id: None,
            retry_after_s: None,
        }
    }

    /// What the platform said, in its own words; or that it said nothing.
    fn of_platform(error: &TokenError) -> Self {
        if let TokenErrorKind::Refused {
            status,
            body: RefusalBody::OAuth { error: name, description },
        } = &error.kind
        {
            return Self {
                status: StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
                error: name.clone(),
                description: description.clone().unwrap_or_default(),
                message_id: error.message_id.clone(),
                retry_after_s: None,
            };
        }
        let (status, name) = match error.class() {
            ErrorClass::Refused => (StatusCode::BAD_GATEWAY, "server_error"),
            ErrorClass::Local => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        };
        let asked_for = error.retry_after.map(|pause| pause.as_secs().max(1));
        Self {
            status,
            error: name.to_owned(),
            description: error.to_string(),
            message_id: error.message_id.clone(),
            retry_after_s: (status == StatusCode::SERVICE_UNAVAILABLE)
                .then(|| asked_for.unwrap_or(2)),
        }
    }

    fn into_response(self) -> Response<AnswerBody> {
        let mut body = json!({"error": self.error, "error_description": self.description});
        if let (Value::Object(members), Some(id)) = (&mut body, self.message_id) {
            members.insert("message_id".to_owned(), json!(id));
        }
        let mut response = json_response(self.status, &body);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// With what the platform sent beside the token, less what this proxy keeps to itself.
fn as_json(issued: &IssuedToken) -> Value {
    let left = issued.expires_at().map(|end| end.0.saturating_sub(app::now().0).max(0) / 1000);
    let mut body = json!({
        "access_token": issued.access_token.expose(),
        "expires_in": left,
        "token_type": issued.token_type,
    });
    if let (Value::Object(members), Some(kind)) =
        (&mut body, issued.others.get("issued_token_type"))
    {
        members.insert("issued_token_type".to_owned(), kind.clone());
    }
    body
}

fn json_response(status: StatusCode, body: &Value) -> Response<AnswerBody> {
    let text = body.to_string();
    let mut response = Response::new(AnswerBody::own(Bytes::new()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = AnswerBody::own(text);
    response
}
