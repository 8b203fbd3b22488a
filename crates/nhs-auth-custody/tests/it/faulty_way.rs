//! A way to a server of HTTP that answers itself at times, or takes its time, and keeps what was
//! asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Barrier;

#[derive(Clone)]
pub(crate) struct Faults {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: u16,
    client: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    delay: Mutex<Duration>,
    gate: Mutex<Option<Gate>>,
}

/// Holds what is asked for until so many ask, and then lets one after another through.
#[derive(Clone)]
struct Gate {
    method: Method,
    all: Arc<Barrier>,
    one: Arc<tokio::sync::Mutex<()>>,
}

/// What is answered in the server's stead.
struct Rule {
    wanted: &'static str,
    /// How many of them are let through before.
    after: usize,
    left: usize,
    answer: Answer,
}

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// A status and a body.
    Status(u16, &'static str),
    /// The server is asked, and its answer lost.
    Lost,
    /// Nothing, for ever.
    Silence,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// What a rule is matched with: method, path, and the operation of AWS's JSON services.
    fn name(&self) -> String {
        let target = self.headers.get("x-amz-target").map(|it| it.to_str().unwrap());
        format!("{} {} {}", self.method, self.uri, target.unwrap_or_default())
    }
}

impl Faults {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: port,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            rules: Mutex::default(),
            seen: Mutex::default(),
            delay: Mutex::default(),
            gate: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests with `wanted` in their method, path or operation so, `times` times.
    pub(crate) fn answer(&self, wanted: &'static str, times: usize, answer: Answer) {
        self.answer_after(wanted, 0, times, answer);
    }

    /// The same once so many of them have been let through.
    pub(crate) fn answer_after(
        &self,
        wanted: &'static str,
        after: usize,
        times: usize,
        answer: Answer,
    ) {
        self.shared.rules.lock().unwrap().push(Rule { wanted, after, left: times, answer });
    }

    pub(crate) fn forget_rules(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    pub(crate) fn delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    /// Lets requests of that method wait until there are so many, and then pass one by one.
    pub(crate) fn hold_until(&self, count: usize, method: Method) {
        let all = Arc::new(Barrier::new(count));
        *self.shared.gate.lock().unwrap() = Some(Gate { method, all, one: Arc::default() });
    }

    pub(crate) fn hold_nothing(&self) {
        *self.shared.gate.lock().unwrap() = None;
    }

    /// What was asked that has `wanted` in its method, path or operation.
    pub(crate) fn seen(&self, wanted: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().filter(|it| it.name().contains(wanted)).cloned().collect()
    }
}

impl Shared {
    fn rule_for(&self, seen: &Seen) -> Option<Answer> {
        let name = seen.name();
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && name.contains(rule.wanted))?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.left -= 1;
        Some(rule.answer)
    }

    async fn forward(&self, seen: Seen) -> Response {
        let url = format!("http://127.0.0.1:{}{}", self.upstream, seen.uri);
        let mut headers = seen.headers;
        headers.remove("content-length");
        headers.remove("transfer-encoding");
        let request = self.client.request(seen.method, url).headers(headers).body(seen.body);
        let Ok(answer) = request.send().await else {
            return (axum::http::StatusCode::BAD_GATEWAY, "no server").into_response();
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for of_the_connection in ["connection", "keep-alive", "transfer-encoding"] {
            headers.remove(of_the_connection);
        }
        let body = answer.bytes().await.unwrap();
        (status, headers, body).into_response()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen { method, uri, headers, body };
    shared.seen.lock().unwrap().push(seen.clone());
    let delay = *shared.delay.lock().unwrap();
    tokio::time::sleep(delay).await;
    let gate = shared.gate.lock().unwrap().clone().filter(|gate| gate.method == seen.method);
    let _one = match &gate {
        Some(gate) => {
            gate.all.wait().await;
            Some(gate.one.lock().await)
        }
        None => None,
    };
    match shared.rule_for(&seen) {
        None => shared.forward(seen).await,
        Some(Answer::Status(status, body)) => {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, body).into_response()
        }
        Some(Answer::Lost) => {
            shared.forward(seen).await;
            (axum::http::StatusCode::SERVICE_UNAVAILABLE, "lost").into_response()
        }
        Some(Answer::Silence) => std::future::pending().await,
    }
}
