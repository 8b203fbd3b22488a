//! Many clients, while the key set changes under them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::key_sets;
use crate::raw::Client;
use crate::running::{PATH, Running};

const CONNECTIONS: usize = 40;
const REQUESTS: usize = 150;

/// The sets that are served in turn.
const SETS: [&[&str]; 4] =
    [&["int-1"], &["int-1", "int-2"], &["int-2"], &["a", "b", "c", "d", "e"]];

/// Every key set, by its entity tag.
fn by_etag() -> HashMap<String, String> {
    let endpoint = nhs_auth_server::JwksEndpoint::new();
    let pairs = SETS.map(|names| {
        let keys = key_sets::of(names);
        endpoint.publish(&keys).unwrap();
        (endpoint.state().served().unwrap().etag.clone(), keys.to_json())
    });
    pairs.into_iter().collect()
}

/// Changes what is served until it is stopped.
fn changed(running: &Running, withdraws: bool) -> JoinHandle<()> {
    let endpoint = running.endpoint.clone();
    tokio::spawn(async move {
        for names in SETS.iter().cycle() {
            endpoint.publish(&key_sets::of(names)).unwrap();
            sleep(Duration::from_millis(2)).await;
            if withdraws {
                endpoint.withdraw("to see what happens");
                sleep(Duration::from_millis(1)).await;
            }
        }
    })
}

/// Asks a lot, and counts the answers by the key set, or by `503`.
async fn asked(running: &Running) -> HashMap<String, usize> {
    let known = Arc::new(by_etag());
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, known) = (running.address, Arc::clone(&known));
        clients.spawn(async move {
            let mut seen = Vec::new();
            let mut client = Client::connect(address).await;
            for _ in 0..REQUESTS {
                client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
                let answer = client.answer().await.expect("the connection stays open");
                if answer.status() == 503 {
                    assert_eq!(answer.body, "the key set can't be read at the moment");
                    assert_eq!(answer.header("cache-control"), Some("no-store"));
                    seen.push("503".to_owned());
                } else {
                    assert_eq!(answer.status(), 200);
                    let etag = answer.header("etag").unwrap();
                    assert_eq!(Some(&answer.body), known.get(etag), "{etag}");
                    seen.push(etag.to_owned());
                }
            }
            seen
        });
    }
    let seen = clients.join_all().await.into_iter().flatten();
    let mut counts = HashMap::new();
    seen.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_one_of_the_sets_and_whole() {
    let running = Running::start().await;
    let changes = changed(&running, false);
    let counts = asked(&running).await;
    changes.abort();
    assert_eq!(counts.values().sum::<usize>(), CONNECTIONS * REQUESTS);
    assert_eq!(counts.len(), SETS.len(), "each set was seen, and no error: {counts:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_a_whole_set_or_an_error_while_it_comes_and_goes() {
    let running = Running::start().await;
    let changes = changed(&running, true);
    let counts = asked(&running).await;
    changes.abort();
    assert_eq!(counts.values().sum::<usize>(), CONNECTIONS * REQUESTS);
    assert_eq!(counts.len(), SETS.len() + 1, "each set and the error were seen: {counts:?}");
    running.stop().await;
}
