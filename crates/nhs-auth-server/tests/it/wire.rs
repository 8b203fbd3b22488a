//! HTTP as it may come over the wire.

use crate::raw::{Client, ask};
use crate::running::{PATH, Running};

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    let round = format!(
        "GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n\
         POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    );
    client.send(&round.repeat(30)).await;
    for _ in 0..30 {
        for status in [200, 404, 405] {
            assert_eq!(client.answer().await.unwrap().status(), status);
        }
    }
    assert!(client.is_quiet().await);
    running.stop().await;
}

#[tokio::test]
async fn a_request_in_many_pieces_is_one_request() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    for piece in format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n").chars() {
        client.send(&piece.to_string()).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.unwrap().status(), 200);
    assert!(client.is_quiet().await);
    running.stop().await;
}

#[tokio::test]
async fn http_1_1_needs_one_host_and_http_1_0_needs_none() {
    let running = Running::start().await;
    for hosts in ["", "Host: x\r\nHost: y\r\n"] {
        let mut client = Client::connect(running.address).await;
        client.send(&format!("GET {PATH} HTTP/1.1\r\n{hosts}\r\n")).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.body, "a request needs one Host header");
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(client.is_closed().await);
    }
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET {PATH} HTTP/1.0\r\n\r\n")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(client.is_closed().await);
    running.stop().await;
}

#[tokio::test]
async fn http_1_0_can_keep_the_connection() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    for _ in 0..3 {
        client.send(&format!("GET {PATH} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
    client.send(&format!("GET {PATH} HTTP/1.0\r\n\r\n")).await;
    assert_eq!(client.answer().await.unwrap().status(), 200);
    assert!(client.is_closed().await);
    running.stop().await;
}

#[tokio::test]
async fn a_connection_is_closed_when_the_client_asks_for_that() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
    assert!(client.is_closed().await);
    running.stop().await;
}

#[tokio::test]
async fn a_small_body_is_passed_over() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for body in
            ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
        {
            client.send(&format!("{method} {PATH} HTTP/1.1\r\nHost: x\r\n{body}")).await;
            assert_eq!(client.answer().await.unwrap().status(), status, "{method} {body}");
        }
    }
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert_eq!(client.answer().await.unwrap().status(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_at_once_ends_the_connection() {
    let running = Running::start().await;
    for body in [
        "Content-Length: 100000000\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ] {
        let mut client = Client::connect(running.address).await;
        client.send(&format!("POST {PATH} HTTP/1.1\r\nHost: x\r\n{body}")).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status(), 405, "{body}");
        assert!(client.is_closed().await, "{body}");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_answer_gets_through_while_a_long_body_is_sent() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    client
        .send(&format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"))
        .await;
    for _ in 0..10 {
        client.send(&"x".repeat(10_000)).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(client.answer().await.unwrap().status(), 405);
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_harms_nobody() {
    let running = Running::start().await;
    for (text, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}".to_owned(), 400), // TLS
        (format!("GET {PATH} HTTP/3.0\r\nHost: x\r\n\r\n"), 400),
        (format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n"), 400),
        (format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"), 400),
        (format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 400),
    ] {
        let mut client = Client::connect(running.address).await;
        client.send(&text).await;
        let answer = client.answer().await.unwrap_or_else(|| panic!("no answer to {text:?}"));
        assert_eq!(answer.status(), status, "{text:?}");
        assert!(client.is_closed().await, "{text:?}");
    }
    let mut http_2 = Client::connect(running.address).await;
    http_2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await; // without TLS there is none
    assert!(http_2.is_closed().await);
    let good = ask(running.address, &format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert_eq!(good.status(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_gets_its_answer() {
    let running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    client.end().await;
    assert_eq!(client.answer().await.unwrap().status(), 200);
    assert!(client.is_closed().await);
    running.stop().await;
}
