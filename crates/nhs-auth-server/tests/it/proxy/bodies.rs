//! Bodies of all lengths, both ways, as they come.

use super::peer::Peer;
use super::sidecar::{Sidecar, get, request};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|index| b"0123456789abcdefghijklmnopqrstuvwxyz"[index * 7 % 36]).collect()
}

fn chunked(body: &[u8], piece: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for chunk in body.chunks(piece) {
        text.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        text.extend(chunk);
        text.extend(b"\r\n");
    }
    text.extend(b"0\r\n\r\n");
    text
}

#[tokio::test]
async fn bodies_of_all_lengths_arrive_both_ways_framed_as_they_were() {
    let sidecar = Sidecar::start().await;
    let mut client = sidecar.client().await;
    let mut api: Option<Peer> = None;
    for length in [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB] {
        for is_chunked in [false, true] {
            let body = text(length);
            let (header, framed) = if is_chunked {
                ("Transfer-Encoding: chunked\r\n".to_owned(), chunked(&body, 5000))
            } else {
                (format!("Content-Length: {length}\r\n"), body.clone())
            };
            let head = request("POST", "/", &header, "");
            let send = async {
                client.send(head).await;
                client.send(&framed).await;
            };
            let take = async {
                let api = match &mut api {
                    Some(api) => api,
                    none => none.insert(sidecar.upstream.accept().await),
                };
                api.message().await
            };
            let ((), taken) = tokio::join!(send, take);
            assert!(taken.body == body, "{length} {is_chunked}");
            let told = taken.head.value("content-length").map(ToOwned::to_owned);
            assert_eq!(told, (!is_chunked).then(|| length.to_string()));
            assert_eq!(taken.head.value("transfer-encoding").is_some(), is_chunked);

            let api = api.as_mut().unwrap();
            let answer = async {
                api.send(format!("HTTP/1.1 200 OK\r\n{header}\r\n")).await;
                api.send(&framed).await;
            };
            let ((), answer) = tokio::join!(answer, client.message());
            assert!(answer.body == body, "{length} {is_chunked}");
            let told = answer.head.value("content-length").map(ToOwned::to_owned);
            assert_eq!(told, (!is_chunked).then(|| length.to_string()));
        }
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn what_has_no_body_gets_none() {
    let sidecar = Sidecar::start().await;
    for method in ["GET", "DELETE", "POST"] {
        let (mut client, mut api, head) = sidecar.sent(request(method, "/", "", "")).await;
        assert_eq!(head.value("transfer-encoding"), None);
        assert!(matches!(head.value("content-length"), None | Some("0")), "{method}");
        api.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
        client.message().await;
    }
    sidecar.stop().await;
}

/// Memory in KiB, as Linux counts what is resident.
fn memory_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_hundred_mebibytes_go_through_both_ways_and_are_never_kept() {
    let sidecar = Sidecar::start().await;
    let length = 100 * MIB;
    let mut client = sidecar.client().await;
    let before = memory_kib();
    client.send(request("PUT", "/", &format!("Content-Length: {length}\r\n"), "")).await;
    let mut api = sidecar.upstream.accept().await;
    assert_eq!(api.head().await.value("content-length"), Some(length.to_string().as_str()));
    let piece = text(MIB);
    let send = async {
        for _ in 0..100 {
            client.send(&piece).await;
        }
    };
    tokio::join!(send, api.skip(length));
    let answer = async {
        api.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")).await;
        for _ in 0..100 {
            api.send(&piece).await;
        }
    };
    let taken = async {
        assert_eq!(client.head().await.status(), 200);
        client.skip(length).await;
    };
    tokio::join!(answer, taken);
    // Other tests run beside this one, in the same process.
    let more = memory_kib().saturating_sub(before);
    assert!(more < 80 * 1024, "{more} KiB");
    sidecar.stop().await;
}

#[tokio::test]
async fn an_api_that_takes_nothing_holds_the_caller_back() {
    let sidecar = Sidecar::start().await;
    let (mut client, _api, _) =
        sidecar.sent(request("PUT", "/", "Content-Length: 1000000000\r\n", "")).await;
    let taken = client.push(64 * MIB).await;
    assert!(taken < 32 * MIB, "{taken} bytes were taken for nobody");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_takes_nothing_holds_the_api_back() {
    let sidecar = Sidecar::start().await;
    let (_client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
    let taken = api.push(64 * MIB).await;
    assert!(taken < 32 * MIB, "{taken} bytes were taken for nobody");
    sidecar.stop().await;
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let sidecar = Sidecar::start().await;
    let headers = "TE: trailers\r\nTrailer: X-Sum, X-Other\r\nTransfer-Encoding: chunked\r\n";
    let body = "2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Other: a\r\n\r\n";
    let (mut client, mut api, head) = sidecar.sent(request("POST", "/", headers, body)).await;
    assert_eq!(head.value("trailer"), Some("X-Sum, X-Other"));
    let sent = api.body_of(head).await.unwrap();
    let pairs = |fields: &[(String, String)]| {
        let mut all: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        all.sort();
        all
    };
    assert_eq!(
        (sent.body, pairs(&sent.trailers)),
        (b"hi".to_vec(), pairs(&[("x-sum".into(), "1".into()), ("x-other".into(), "a".into())]))
    );
    api.send(
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nyes\r\n0\r\nX-Sum: 2\r\n\r\n",
    )
    .await;
    let answer = client.message().await;
    assert_eq!(
        (answer.text().as_str(), pairs(&answer.trailers)),
        ("yes", vec!["x-sum=2".to_owned()])
    );
    sidecar.stop().await;
}

/// Nobody has to say beforehand that there will be some (RFC 9110 §6.6.2).
#[tokio::test]
async fn trailers_that_were_not_announced_reach_the_api() {
    let sidecar = Sidecar::start().await;
    let body = "2\r\nhi\r\n0\r\nX-Sum: 1\r\nAuthorization: x\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let (mut client, mut api, head) = sidecar.sent(request("PUT", "/", chunked, body)).await;
    let sent = api.body_of(head).await.unwrap();
    let expected = (b"hi".to_vec(), vec![("x-sum".to_owned(), "1".to_owned())]);
    assert_eq!((sent.body, sent.trailers), expected);
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.message().await.status(), 200);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_first_bytes_of_an_answer_do_not_wait_for_the_last() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/events")).await;
    api.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    )
    .await;
    let head = client.head().await;
    assert_eq!(head.value("content-type"), Some("text/event-stream"));
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        api.send(format!("9\r\n{event}\r\n")).await;
        assert_eq!(client.take(14).await.unwrap(), format!("9\r\n{event}\r\n").as_bytes());
        assert!(client.is_quiet().await);
    }
    sidecar.stop().await;
}

/// As a service does that reads and answers at once.
#[tokio::test]
async fn request_and_answer_can_flow_at_the_same_time() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) =
        sidecar.sent(request("POST", "/", "Transfer-Encoding: chunked\r\n", "")).await;
    api.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    assert_eq!(client.head().await.status(), 200);
    for _ in 0..5 {
        client.send("3\r\nask\r\n").await;
        assert_eq!(api.take(8).await.unwrap(), b"3\r\nask\r\n");
        api.send("6\r\nanswer\r\n").await;
        assert_eq!(client.take(11).await.unwrap(), b"6\r\nanswer\r\n");
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(api.take(5).await.unwrap(), b"0\r\n\r\n");
    api.send("0\r\n\r\n").await;
    assert_eq!(client.take(5).await.unwrap(), b"0\r\n\r\n");
    client.send(get("/next")).await;
    assert_eq!(api.head().await.first, "GET /next HTTP/1.1");
    api.send(OK).await;
    assert_eq!(client.message().await.status(), 200);
    sidecar.stop().await;
}
