//! A platform that issues `token-1`, `token-2` and so on, and says other things when told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::net::TcpListener;

use super::peer::{Message, Peer};

#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    issued: usize,
    requests: Vec<Message>,
    answers: VecDeque<String>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let platform = Self { address, state: Arc::default() };
        let serving = platform.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(Peer::over(stream)).await });
            }
        });
        platform
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it answers to the next request that has no answer yet.
    pub(crate) fn say(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: \
             {length}\r\n\r\n{body}"
        );
        self.state.lock().unwrap().answers.push_back(answer);
    }

    /// How many tokens were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// Waits until so many were asked for: a proxy asks for the first of its own accord.
    pub(crate) async fn until_asked(&self, count: usize) {
        let asked = async {
            while self.asked() < count {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(super::peer::PATIENCE, asked).await.expect("a token is asked for");
    }

    /// What it was sent last.
    pub(crate) fn last(&self) -> String {
        self.state.lock().unwrap().requests.last().unwrap().text()
    }

    async fn serve(&self, mut peer: Peer) {
        while let Ok(request) = peer.try_message().await {
            let answer = self.answer(request);
            if peer.try_send(answer).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: Message) -> String {
        let mut state = self.state.lock().unwrap();
        let is_exchange = request.text().contains("subject_token=");
        state.requests.push(request);
        if let Some(answer) = state.answers.pop_front() {
            return answer;
        }
        state.issued += 1;
        let mut body = json!({
            "access_token": format!("token-{}", state.issued),
            "expires_in": "599",
            "token_type": "Bearer",
            "issued_at": "1700000000000",
        });
        if is_exchange {
            body["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token".into();
            body["refresh_token"] = "refresh-secret".into();
            body["refresh_token_expires_in"] = "3600".into();
            body["refresh_count"] = "0".into();
        }
        let body = body.to_string();
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \
             {length}\r\n\r\n{body}"
        )
    }
}
