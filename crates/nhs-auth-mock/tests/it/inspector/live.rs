//! New requests as they come, and how much is kept of old ones.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{FORM, World};

/// Longer than anything here takes on a slow machine, and shorter than the pages' heartbeat, which
/// would hide that something comes late.
const LONG: Duration = Duration::from_secs(12);

/// An open page's stream of events.
struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    async fn open(world: &World, query: &str) -> Self {
        let base_url = world.platform.base_url();
        let host = base_url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request =
            format!("GET /_mock/inspector/events{query} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, heard: String::new() }
    }

    /// Everything that was heard, once this is in it.
    async fn until(&mut self, text: &str) -> &str {
        let heard = timeout(LONG, async {
            let mut bytes = [0; 4096];
            while !self.heard.contains(text) {
                let read = self.stream.read(&mut bytes).await.unwrap();
                assert_ne!(read, 0, "{text} is not in {}", self.heard);
                self.heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        assert!(heard.await.is_ok(), "{text} is not in {}", self.heard);
        &self.heard
    }
}

#[tokio::test]
async fn a_page_hears_of_new_requests() {
    let world = World::new().await;
    world.get("/before", &[]).await;
    let mut events = Events::open(&world, "").await;
    let begin = events.until("retry: 1000\n\n").await;
    assert!(begin.starts_with("HTTP/1.1 200 OK\r\n"), "{begin}");
    assert!(begin.contains("content-type: text/event-stream\r\n"), "{begin}");
    assert!(begin.contains("content-security-policy: default-src 'none'"), "{begin}");
    world.get("/hello-world/hello/world", &[]).await;
    let heard = events.until("</li>\n\n").await;
    assert!(
        heard.contains("id: 2\nevent: request\ndata: <li class=\"row\" data-id=\"2\">"),
        "{heard}"
    );
    assert!(!heard.contains("/before"), "{heard}");
}

#[tokio::test]
async fn a_page_that_comes_back_misses_nothing() {
    let world = World::new().await;
    for path in ["/one", "/two", "/three"] {
        world.get(path, &[]).await;
    }
    let mut events = Events::open(&world, "?after=1").await;
    let heard = events.until("id: 3\n").await;
    assert!(heard.contains("id: 2\n") && !heard.contains("id: 1\n"), "{heard}");

    let mut filtered = Events::open(&world, "?after=0&q=three").await;
    let heard = filtered.until("id: 3\n").await;
    assert!(!heard.contains("/one") && !heard.contains("/two"), "{heard}");

    // A page of a platform that ran here before.
    let mut stale = Events::open(&world, "?after=99").await;
    stale.until("event: begin-again\n").await;
}

#[tokio::test]
async fn an_open_page_does_not_hold_up_the_end() {
    let world = World::new().await;
    let mut events = Events::open(&world, "").await;
    events.until("retry").await;
    // Without an end of the stream this would take the five seconds of grace.
    timeout(Duration::from_secs(3), world.platform.shutdown())
        .await
        .expect("it ends at once")
        .unwrap();
    let mut rest = Vec::new();
    timeout(LONG, events.stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends whole: {rest:?}");
}

#[tokio::test]
async fn as_many_pages_as_there_may_be() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut events = Events::open(&world, "").await;
        events.until("retry").await;
        open.push(events);
    }
    let mut refused = Events::open(&world, "").await;
    refused.until("HTTP/1.1 503").await;
    drop(open.pop());
    // A place is free again once the platform has seen that the page is gone.
    let again = async {
        while !Events::open(&world, "").await.until("\r\n").await.contains("200 OK") {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, again).await.expect("a place is free again");
}

#[tokio::test]
async fn so_many_requests_are_kept_word_for_word() {
    let world = World::new().await;
    for _ in 0..1001 {
        world.get("/hello-world/hello/world", &[]).await;
    }
    let gone = world.page("/_mock/inspector/requests/1").await;
    assert!(gone.contains("is no longer kept"), "{gone}");
    for id in [2, 1001] {
        let kept = world.page(&format!("/_mock/inspector/requests/{id}")).await;
        assert!(kept.contains("Hello World!"), "{id}: {kept}");
    }
    assert_eq!(world.get("/_mock/inspector/requests/1002", &[]).await.status, 404);
    assert_eq!(world.get("/_mock/inspector/requests/0", &[]).await.status, 404);
}

#[tokio::test]
async fn so_much_of_them_is_kept() {
    let world = World::new().await;
    let long = "x".repeat(100_000);
    // 16 MiB of 64 KiB each.
    for _ in 0..257 {
        world.send("POST", "/hello-world/hello/world", &[FORM], long.as_bytes()).await;
    }
    let gone = world.page("/_mock/inspector/requests/1").await;
    assert!(gone.contains("is no longer kept"), "{gone}");
    let kept = world.page("/_mock/inspector/requests/257").await;
    assert!(kept.contains("Only the first 65536 bytes of 100000 are kept."));
    assert!(kept.len() < 100_000);
}

#[tokio::test]
async fn requests_are_forgotten_when_they_are_told_to_be() {
    let world = World::new().await;
    world.get("/one", &[]).await;
    let reply = world.submit("/_mock/inspector/requests/forget", &[]).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    assert!(world.platform.requests().is_empty());
    assert_eq!(world.get("/_mock/inspector/requests/1", &[]).await.status, 404);
    world.get("/two", &[]).await;
    assert_eq!(world.latest().id, 2, "no two requests have one number");
}
