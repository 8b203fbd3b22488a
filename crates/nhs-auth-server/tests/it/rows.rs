//! What is answered to whom, one row each, byte for byte.

use crate::key_sets;
use crate::raw::{Client, ask};
use crate::running::{PATH, Running};

/// The whole head of an answer with the key set.
fn key_set_head(length: usize, etag: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n\
         content-type: application/jwk-set+json\r\n\
         content-length: {length}\r\n\
         etag: {etag}\r\n\
         cache-control: public, max-age=300\r\n\
         x-content-type-options: nosniff\r\n\r\n"
    )
}

fn text_head(status: &str, length: usize, more: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n\
         content-type: text/plain; charset=utf-8\r\n\
         content-length: {length}\r\n\
         cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n\
         {more}\r\n"
    )
}

#[tokio::test]
async fn get_gives_the_key_set() {
    let running = Running::start().await;
    let json = key_sets::of(&["int-1", "int-2"]).to_json();
    let etag = running.endpoint.state().served().unwrap().etag.clone();

    let request = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nUser-Agent: APIM\r\n\r\n");
    let answer = ask(running.address, &request).await;
    assert_eq!(answer.head, key_set_head(json.len(), &etag));
    assert_eq!(answer.body, json);
    assert!(!answer.body.ends_with('\n'));
    running.stop().await;
}

#[tokio::test]
async fn head_gives_the_same_headers_and_no_body() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let get = client.answer().await.unwrap();
    client.send(&format!("HEAD {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let head = client.bodyless_answer().await.unwrap();
    assert_eq!(head.head, get.head);
    assert!(client.is_quiet().await);
    running.stop().await;
}

#[tokio::test]
async fn a_query_a_range_and_an_origin_change_nothing() {
    let running = Running::start().await;
    let plain = ask(running.address, &format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    for (target, headers) in [
        (format!("{PATH}?v=2"), ""),
        (format!("{PATH}?"), ""),
        (PATH.to_owned(), "Range: bytes=0-9\r\n"),
        (PATH.to_owned(), "Origin: https://example.org\r\n"),
        (PATH.to_owned(), "Accept-Encoding: gzip, br, zstd\r\n"),
        (PATH.to_owned(), "Accept: text/html\r\n"),
        (PATH.to_owned(), "If-Modified-Since: Wed, 21 Oct 2037 07:28:00 GMT\r\n"),
        (format!("http://elsewhere.example{PATH}"), ""),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        assert_eq!(ask(running.address, &request).await, plain, "{request}");
    }
    running.stop().await;
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let running = Running::start().await;
    let text = "only GET and HEAD are allowed here";
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let request = format!(
            "{method} {PATH} HTTP/1.1\r\nHost: x\r\nOrigin: https://example.org\r\n\
             Access-Control-Request-Method: GET\r\n\r\n"
        );
        let answer = ask(running.address, &request).await;
        let head = text_head("405 Method Not Allowed", text.len(), "allow: GET, HEAD\r\n");
        assert_eq!((answer.head, answer.body.as_str()), (head, text), "{method}");
    }
    running.stop().await;
}

#[tokio::test]
async fn there_is_nothing_at_other_paths() {
    let running = Running::start().await;
    let text = "there is nothing here";
    for target in [
        "/",
        "/.well-known/jwks.json/",
        "/.well-known//jwks.json",
        "/.well-known/JWKS.json",
        "/.well-known/%6awks.json",
        "/../.well-known/jwks.json",
        "/healthz",
        "/metrics",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = ask(running.address, &request).await;
        let head = text_head("404 Not Found", text.len(), "");
        assert_eq!((answer.head, answer.body.as_str()), (head, text), "{target}");
    }
    let head = ask(running.address, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(head.head, text_head("404 Not Found", text.len(), ""));
    running.stop().await;
}

#[tokio::test]
async fn without_a_key_set_there_is_an_error_that_nobody_keeps() {
    let running = Running::start_empty_with(|builder| builder).await;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n");

    let text = "there is no key set yet";
    let answer = ask(running.address, &request).await;
    let head = |text: &str| text_head("503 Service Unavailable", text.len(), "retry-after: 5\r\n");
    assert_eq!((answer.head, answer.body.as_str()), (head(text), text));

    running.endpoint.publish(&key_sets::of(&["int-1"])).unwrap();
    running.endpoint.withdraw("the disk is gone");
    let text = "the key set can't be read at the moment";
    let answer = ask(running.address, &request).await;
    assert_eq!((answer.head, answer.body.as_str()), (head(text), text));

    let answer = ask(running.address, &request.replace("GET", "HEAD")).await;
    assert_eq!(answer.head, head(text));
    let answer = ask(running.address, &request.replace("GET", "POST")).await;
    assert_eq!(answer.status(), 405);

    running.endpoint.publish(&key_sets::of(&["int-1"])).unwrap();
    assert_eq!(ask(running.address, &request).await.status(), 304);
    running.stop().await;
}

#[tokio::test]
async fn an_empty_key_set_is_refused_and_the_last_one_stays() {
    let running = Running::start().await;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n");
    let before = ask(running.address, &request).await;

    let error = running.endpoint.publish(&key_sets::of(&[])).unwrap_err();
    let text = "can't publish a key set that has no keys: the platform would keep it for an hour";
    assert_eq!(error.to_string(), text);
    assert_eq!(ask(running.address, &request).await, before);

    running.endpoint.withdraw("x");
    running.endpoint.publish(&key_sets::of(&[])).unwrap_err();
    assert_eq!(ask(running.address, &request).await.status(), 503);
    running.stop().await;
}
