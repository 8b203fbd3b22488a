//! What a stand-in for a cloud does wrong when told to, and what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// What happens to the next request, in place of an answer or before one.
pub(crate) enum Fault {
    /// It is answered so, and not carried out.
    Answer { status: u16, body: Value, retry_after_s: Option<u64> },
    /// It is answered after a while.
    Late(Duration),
    /// It is never answered.
    Silence,
}

impl Fault {
    pub(crate) fn answer(status: u16, body: Value) -> Self {
        Self::Answer { status, body, retry_after_s: None }
    }
}

/// The faults to come, and the requests that came.
#[derive(Default)]
pub(crate) struct Faults {
    planned: Mutex<VecDeque<Fault>>,
    requests: Mutex<Vec<String>>,
}

impl Faults {
    pub(crate) fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.planned.lock().unwrap().extend(faults);
    }

    /// Notes a request, as `POST /path`, and does what is planned for it.
    pub(crate) async fn meet(&self, request: String) -> Option<Response> {
        self.requests.lock().unwrap().push(request);
        let fault = self.planned.lock().unwrap().pop_front();
        match fault? {
            Fault::Answer { status, body, retry_after_s } => {
                Some(json_with(status, &body, retry_after_s))
            }
            Fault::Late(delay) => {
                tokio::time::sleep(delay).await;
                None
            }
            Fault::Silence => std::future::pending().await,
        }
    }

    /// The requests since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

pub(crate) fn json(status: u16, body: &Value) -> Response {
    json_with(status, body, None)
}

fn json_with(status: u16, body: &Value, retry_after_s: Option<u64>) -> Response {
    let mut answer = body.to_string().into_response();
    *answer.status_mut() = axum::http::StatusCode::from_u16(status).unwrap();
    let headers = answer.headers_mut();
    headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    if let Some(seconds) = retry_after_s {
        headers.insert("retry-after", seconds.into());
    }
    answer
}
