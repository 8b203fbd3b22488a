//! A client that has the key set already, and asks whether it is still the same.

use crate::key_sets;
use crate::raw::{Client, ask};
use crate::running::{PATH, Running};

fn request(method: &str, headers: &str) -> String {
    format!("{method} {PATH} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

#[tokio::test]
async fn the_same_key_set_is_not_sent_again() {
    let running = Running::start().await;
    let etag = running.endpoint.state().served().unwrap().etag.clone();
    let head = format!(
        "HTTP/1.1 304 Not Modified\r\netag: {etag}\r\ncache-control: public, max-age=300\r\n\r\n"
    );
    let mut client = Client::connect(running.address).await;
    for condition in [
        format!("If-None-Match: {etag}\r\n"),
        format!("If-None-Match: W/{etag}\r\n"),
        format!("If-None-Match: \"x\", W/\"y\", {etag}\r\n"),
        format!("If-None-Match: \"x\"\r\nIf-None-Match: {etag}\r\n"),
        "If-None-Match: *\r\n".to_owned(),
    ] {
        for method in ["GET", "HEAD"] {
            client.send(&request(method, &condition)).await;
            let answer = client.bodyless_answer().await.unwrap();
            assert_eq!(answer.head, head, "{method} {condition}");
        }
    }
    assert!(client.is_quiet().await);
    running.stop().await;
}

#[tokio::test]
async fn another_key_set_is_sent() {
    let running = Running::start().await;
    let etag = running.endpoint.state().served().unwrap().etag.clone();
    let bare = etag.trim_matches('"').to_owned();
    for condition in [
        "If-None-Match: \"x\"\r\n".to_owned(),
        format!("If-None-Match: {bare}\r\n"),
        format!("If-None-Match: \"{bare}\r\n"),
        format!("If-Match: {etag}\r\n"),
        "If-None-Match: \r\n".to_owned(),
        "If-None-Match: \u{e9}\"\"\"\r\n".to_owned(),
    ] {
        let answer = ask(running.address, &request("GET", &condition)).await;
        assert_eq!(answer.status(), 200, "{condition}");
    }

    running.endpoint.publish(&key_sets::of(&["int-2"])).unwrap();
    let answer = ask(running.address, &request("GET", &format!("If-None-Match: {etag}\r\n"))).await;
    assert_eq!(answer.body, key_sets::of(&["int-2"]).to_json());
    assert_ne!(answer.header("etag"), Some(etag.as_str()));

    running.endpoint.publish(&key_sets::of(&["int-1", "int-2"])).unwrap();
    let answer = ask(running.address, &request("GET", "")).await;
    assert_eq!(answer.header("etag"), Some(etag.as_str()), "the same keys have the same tag");
    running.stop().await;
}
