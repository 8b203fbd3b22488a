//! A web server of the test's own, for key sets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A web server with one document, at `url`.
pub(crate) struct Site {
    pub(crate) url: String,
    answer: Arc<Mutex<String>>,
    hits: Arc<AtomicUsize>,
    head: Arc<Mutex<String>>,
}

impl Site {
    pub(crate) async fn new(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            url: format!("http://{}/jwks.json", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new(answer(status, body))),
            hits: Arc::default(),
            head: Arc::default(),
        };
        let (answer, hits, head) =
            (Arc::clone(&site.answer), Arc::clone(&site.hits), Arc::clone(&site.head));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                hits.fetch_add(1, Ordering::Relaxed);
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                *head.lock().unwrap() = String::from_utf8_lossy(&request[..read]).into_owned();
                let answer = answer.lock().unwrap().clone();
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        site
    }

    /// From now on the answer is this.
    pub(crate) fn serve(&self, status: &str, body: &str) {
        *self.answer.lock().unwrap() = answer(status, body);
    }

    /// The head of the latest request, in lower case.
    pub(crate) fn head(&self) -> String {
        self.head.lock().unwrap().to_lowercase()
    }

    /// How often it was asked.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::Relaxed)
    }
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLocation: /elsewhere\r\n\r\n{body}",
        body.len()
    )
}
