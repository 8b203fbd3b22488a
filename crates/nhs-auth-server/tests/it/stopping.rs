//! How the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::raw::Client;
use crate::running::{PATH, Running};

fn request() -> String {
    format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let running = Running::start().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(running.address).await;
        client.send(&request()).await;
        assert_eq!(client.answer().await.unwrap().status(), 200);
        clients.push(client);
    }
    let address = running.address;
    let begun = Instant::now();
    let closed = tokio::spawn(async move {
        for mut client in clients {
            assert!(client.is_closed().await);
        }
    });
    running.stop().await;
    closed.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    TcpStream::connect(address).await.unwrap_err();
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered() {
    let mut running = Running::start().await;
    let mut client = Client::connect(running.address).await;
    let (first, second) = ("GET /.well-known/jwks", ".json HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send(first).await;
    sleep(Duration::from_millis(100)).await;
    running.begin_to_stop();
    sleep(Duration::from_millis(200)).await;
    client.send(second).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
    assert!(client.is_closed().await);
    drop(client);
    running.stopped().await;
}

#[tokio::test]
async fn one_who_says_nothing_is_not_waited_for_long() {
    let running = Running::start().await;
    let mut silent = Client::connect(running.address).await;
    let mut half = Client::connect(running.address).await;
    half.send("GET / HT").await;
    assert!(silent.is_quiet().await);
    let begun = Instant::now();
    running.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// Under load each answer that begins is whole: a connection ends between two of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_cut_off() {
    let mut running = Running::start().await;
    let whole = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..50 {
        let (address, whole) = (running.address, Arc::clone(&whole));
        clients.spawn(async move {
            let mut client = Client::connect(address).await;
            loop {
                if client.try_send(&request()).await.is_err() {
                    return;
                }
                match client.try_answer(true).await {
                    Ok(Some(answer)) => {
                        assert_eq!(answer.status(), 200);
                        whole.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(None) => return,
                    Err(error) => {
                        let reset = std::io::ErrorKind::ConnectionReset;
                        assert_eq!(error.kind(), reset, "an answer was cut off: {error}");
                        return;
                    }
                }
            }
        });
    }
    sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    running.begin_to_stop();
    running.stopped().await;
    clients.join_all().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(whole.load(Ordering::Relaxed) > 500, "{whole:?}");
}
