//! A platform with one application, and the requests that its client makes.

use std::time::Duration;

use nhs_auth_mock::{App, MockPlatform, MockPlatformBuilder, NewApp, RecordedRequest};
use nhs_auth_rules::CLIENT_ASSERTION_TYPE;
use serde_json::Value;

use crate::assertion::{self, Assertion, KID};
use crate::http::{self, Reply};
use crate::key::Key;

pub(crate) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A platform and an application with the usual key.
pub(crate) struct World {
    pub(crate) platform: MockPlatform,
    pub(crate) app: App,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(MockPlatform::builder()).await
    }

    pub(crate) async fn with(builder: MockPlatformBuilder) -> Self {
        let platform = builder.start().await.unwrap();
        let app = platform.create_app(NewApp::new("test").jwks(Key::usual().jwks(KID)));
        Self { platform, app }
    }

    pub(crate) async fn with_app(app: NewApp) -> Self {
        let platform = MockPlatform::start().await.unwrap();
        let app = platform.create_app(app);
        Self { platform, app }
    }

    pub(crate) fn assertion(&self) -> Assertion {
        let now = self.platform.now().0;
        assertion::good(self.app.api_key(), &self.platform.token_url(), now)
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        http::send(&self.platform.base_url(), method, path, headers, body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", path, headers, b"").await
    }

    /// A token request with that form.
    pub(crate) async fn post(&self, form: &[(&str, &str)]) -> Reply {
        self.post_to("/oauth2/token", form).await
    }

    pub(crate) async fn post_to(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send("POST", path, &[FORM], encoded(form).as_bytes()).await
    }

    /// A token request with that assertion.
    pub(crate) async fn present(&self, assertion: &str) -> Reply {
        self.post(&form(assertion)).await
    }

    /// A token request with that assertion, signed with the usual key.
    pub(crate) async fn ask(&self, assertion: Assertion) -> Reply {
        self.present(&assertion.sign(Key::usual())).await
    }

    /// A live token.
    pub(crate) async fn token(&self) -> String {
        let reply = self.ask(self.assertion()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, path: &str, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.get(path, &[("Authorization", &bearer)]).await
    }

    pub(crate) fn latest(&self) -> RecordedRequest {
        self.platform.requests().pop().expect("a request was recorded")
    }

    /// The rule that refused the latest request.
    pub(crate) fn rule(&self) -> &'static str {
        self.latest().rule.unwrap_or("none")
    }

    /// A call of the control API.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.send(method, &format!("/_mock{path}"), &[], body.as_bytes()).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
    }
}

/// The form of a client-credentials request.
pub(crate) fn form(assertion: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", CLIENT_ASSERTION_TYPE),
        ("client_assertion", assertion),
    ]
}

/// `application/x-www-form-urlencoded`, with all that isn't plain escaped.
pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> =
        form.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}
