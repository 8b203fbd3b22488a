//! Clients that send too much, too slowly, or not at all.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::raw::{Client, ask};
use crate::running::{PATH, Running};

fn request() -> String {
    format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let running = Running::start().await;
    let with = |headers: String| format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    for (headers, status) in [
        (format!("A: {}\r\n", "x".repeat(15_000)), 200),
        (format!("A: {}\r\n", "x".repeat(17_000)), 431),
        (format!("A: {}\r\n", "x".repeat(200_000)), 431),
        ("A: x\r\n".repeat(63), 200),
        ("A: x\r\n".repeat(64), 431),
        ("A: x\r\n".repeat(500), 431),
    ] {
        let length = headers.len();
        let mut client = Client::connect(running.address).await;
        client.send(&with(headers)).await;
        assert_eq!(client.answer().await.unwrap().status(), status, "{length} bytes of headers");
    }
    let long = format!("GET {PATH}?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000));
    assert!(matches!(ask(running.address, &long).await.status(), 414 | 431));
    assert_eq!(ask(running.address, &request()).await.status(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let bound = Duration::from_millis(400);
    let running = Running::start_with(|builder| builder.head_timeout(bound)).await;
    let mut client = Client::connect(running.address).await;
    client.send(&request()).await;
    assert_eq!(client.answer().await.unwrap().status(), 200);

    sleep(2 * bound).await; // idle for longer than that is fine
    let begun = Instant::now();
    client.send("GET /").await;
    let closed = loop {
        // A byte now and then doesn't help.
        if client.try_send("x").await.is_err() || !client.is_quiet().await {
            break begun.elapsed();
        }
    };
    assert!(closed >= bound && closed < 5 * bound, "{closed:?}");

    let begun = Instant::now();
    let mut silent = Client::connect(running.address).await;
    assert!(silent.is_closed().await);
    assert!(begun.elapsed() >= bound, "{:?}", begun.elapsed());
    running.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let bound = Duration::from_millis(300);
    let running = Running::start_with(|builder| builder.idle_timeout(bound)).await;
    let mut client = Client::connect(running.address).await;
    for _ in 0..3 {
        client.send(&request()).await;
        assert_eq!(client.answer().await.unwrap().status(), 200);
        sleep(bound / 2).await;
    }
    let begun = Instant::now();
    assert!(client.is_closed().await);
    assert!(begun.elapsed() < 5 * bound, "{:?}", begun.elapsed());
    running.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait() {
    let two = NonZeroUsize::new(2).unwrap();
    let running = Running::start_with(|builder| builder.max_connections(two)).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(running.address).await;
        client.send(&request()).await;
        assert_eq!(client.answer().await.unwrap().status(), 200);
        open.push(client);
    }
    let mut third = Client::connect(running.address).await;
    third.send(&request()).await;
    assert!(third.is_quiet().await);
    drop(open.pop());
    assert_eq!(third.answer().await.unwrap().status(), 200);
    running.stop().await;
}
