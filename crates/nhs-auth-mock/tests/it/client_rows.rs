//! The rows of requests that name their client by `client_id`: each alone, and each in front of
//! every later one.

use std::collections::BTreeMap;

use nhs_auth_mock::MockPlatform;
use serde_json::{Map, Value, json};

use crate::combined;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::world::World;

/// A request before it is sent, and what is changed of its application.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) parameters: BTreeMap<&'static str, String>,
    pub(crate) application: Map<String, Value>,
}

/// What is answered, and what breaks it in a good request.
pub(crate) type Row = (Refusal, fn(&mut Request));

impl Request {
    pub(crate) fn new(parameters: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { parameters: parameters.into_iter().collect(), application: Map::new() }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.parameters.insert(name, value.to_owned());
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.parameters.remove(name);
    }

    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        self.parameters.iter().map(|(name, value)| (*name, value.clone())).collect()
    }

    fn application(&mut self, member: &str, value: Value) {
        self.application.insert(member.to_owned(), value);
    }
}

/// The rows of the application's state, which every group has one after the other.
pub(crate) const fn application_rows(ids: [&'static str; 4]) -> [Row; 4] {
    const fn denied(rule: &'static str, description: &'static str) -> Refusal {
        Refusal::new(rule, 401, "access_denied", description)
    }
    [
        (
            denied(
                ids[0],
                "The developer app associated with the API key is not approved or revoked",
            ),
            |request| request.application("approved", json!(false)),
        ),
        (
            denied(
                ids[1],
                "The developer who created the developer app that has the API key you are using \
                 has an inactive status",
            ),
            |request| request.application("developer_active", json!(false)),
        ),
        (
            denied(
                ids[2],
                "The company associated with the developer app that has the API key you are using \
                 has an inactive status",
            ),
            |request| request.application("company_active", json!(false)),
        ),
        (
            denied(
                ids[3],
                "API Key supplied does not have access to this resource. Please check the API Key \
                 you are using belongs to an app which has sufficient access to access this \
                 resource.",
            ),
            |request| request.application("scopes", Value::Null),
        ),
    ]
}

/// The row of the rate limit, whose body isn't public.
pub(crate) const fn rate_limit_row(id: &'static str) -> Row {
    (Refusal::new(id, 429, "too_many_requests", "Rate limit exceeded"), |request| {
        request.application("rate_limit", json!(0));
    })
}

/// A platform whose application may ask as often as a test does.
pub(crate) async fn world() -> World {
    let platform = MockPlatform::start().await.unwrap();
    let app = platform.create_app(combined::app().rate_limit(u32::MAX));
    World { platform, app }
}

/// Each row alone gives its answer, and so it does with any later one broken too.
pub(crate) async fn assert_in_order(
    world: &World,
    rows: &[Row],
    good: &Request,
    send: impl AsyncFn(&Request) -> Reply,
    assert_refused: impl Fn(&Refusal, &Request, &Reply),
) {
    for (at, (earlier, spoil)) in rows.iter().enumerate() {
        let nothing: fn(&mut Request) = |_| {};
        let later = rows[at + 1..].iter().map(|(later, spoil)| (later.rule, *spoil));
        for (later, spoil_too) in [("nothing", nothing)].into_iter().chain(later) {
            let mut request = good.clone();
            // The earlier fault last: it wins where both are of one value.
            spoil_too(&mut request);
            spoil(&mut request);
            change_application(world, &request.application).await;
            let reply = send(&request).await;
            assert_eq!(world.rule(), earlier.rule, "{later} hides it: {}", reply.text());
            assert_refused(earlier, &request, &reply);
            restore_application(world).await;
        }
    }
}

async fn change_application(world: &World, change: &Map<String, Value>) {
    if change.is_empty() {
        return;
    }
    let path = format!("/apps/{}", world.app.application_id());
    let changed = world.control("PATCH", &path, &Value::Object(change.clone())).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

async fn restore_application(world: &World) {
    let good = json!({
        "approved": true,
        "developer_active": true,
        "company_active": true,
        "rate_limit": u32::MAX,
        "scopes": ["urn:nhsd:apim:user-nhs-cis2:aal3:hello-world"],
    });
    change_application(world, good.as_object().unwrap()).await;
}

/// The answer is the refusal's; of one of the rate limit only the status is known.
pub(crate) fn assert_answer(world: &World, refusal: &Refusal, reply: &Reply) {
    if refusal.status == 429 {
        assert_eq!(reply.status, 429);
    } else {
        refusal.assert(world, reply);
    }
}
