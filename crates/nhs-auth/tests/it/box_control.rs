//! The box's control API, for what its own methods don't have.

use nhs_auth_mock::MockPlatform;

/// A call of the box's control API.
pub(crate) async fn control(
    platform: &MockPlatform,
    path: &str,
    body: &serde_json::Value,
) -> serde_json::Value {
    let url = format!("{}/_mock/{path}", platform.base_url());
    let answer = client().post(url).body(body.to_string()).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// A change of what the box has there.
pub(crate) async fn patch(platform: &MockPlatform, path: &str, body: &serde_json::Value) {
    let url = format!("{}/_mock/{path}", platform.base_url());
    let answer = client().patch(url).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[expect(clippy::disallowed_methods, reason = "this is a tester's own client")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only(Vec::new()).build().unwrap()
}
