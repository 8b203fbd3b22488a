//! An API of a test's own, which remembers what it saw.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response};
use serde_json::json;

use crate::scene::Scene;

const MIB: usize = 1024 * 1024;

/// The running API. It ends with the scene's runtime.
pub(crate) struct Upstream {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) length: usize,
    pub(crate) sha256: String,
}

impl Seen {
    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(its, _)| its == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

impl Upstream {
    pub(crate) fn start(scene: &Scene) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let shared = Arc::clone(&seen);
        let router = Router::new().fallback(move |request| {
            let seen = Arc::clone(&shared);
            async move { answer(request, &seen).await }
        });
        let url = scene.runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, router).await });
            url
        });
        Self { url, seen }
    }

    /// What it saw since it was last asked, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// By the path's first word: `data/N` is N MiB, `status/N` that status, `redirect` and `cookies`
/// are that, and all else tells what the body was.
async fn answer(request: Request, seen: &Mutex<Vec<Seen>>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // Cut off, it is nothing that was sent to it.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return Response::default() };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    // In which order headers of different names come says nothing.
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    let sha256 = sha256(&body);
    let told = json!({"length": body.len(), "sha256": sha256}).to_string();
    seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers,
        length: body.len(),
        sha256,
    });
    let mut words = parts.uri.path().trim_start_matches('/').split('/');
    let answer = Response::builder();
    let answer = match (words.next(), words.next()) {
        (Some("data"), Some(mib)) => {
            answer.body(Body::from(data().slice(..mib.parse::<usize>().unwrap() * MIB)))
        }
        (Some("status"), Some(code)) => {
            answer.status(code.parse::<u16>().unwrap()).header("X-Own", "kept").body(match code {
                "204" | "304" => Body::empty(),
                _ => Body::from("an answer of the API's own"),
            })
        }
        (Some("redirect"), _) => answer
            .status(302)
            .header(LOCATION, "https://elsewhere.example/?a=b")
            .body(Body::from("elsewhere")),
        (Some("cookies"), _) => {
            answer.header(SET_COOKIE, "a=1").header(SET_COOKIE, "b=2; Path=/").body(Body::empty())
        }
        _ => answer.header(CONTENT_TYPE, "application/json").body(Body::from(told)),
    };
    answer.unwrap()
}

/// What `data/N` is, as lower-case hexadecimal digits.
pub(crate) fn sha256_of_data(mib: usize) -> String {
    sha256(&data().slice(..mib * MIB))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, bytes).as_ref() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// 64 MiB in which no part is like another.
pub(crate) fn data() -> Bytes {
    static DATA: OnceLock<Bytes> = OnceLock::new();
    let data = DATA.get_or_init(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = (0..64 * MIB / 8).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        words.collect::<Vec<_>>().into_flattened().into()
    });
    data.clone()
}
