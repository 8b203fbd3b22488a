//! Callers that speak HTTP/2 from the first byte on.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::sidecar::Sidecar;

type Body = BoxBody<Bytes, std::convert::Infallible>;

async fn connected(sidecar: &Sidecar) -> SendRequest<Body> {
    let stream = TcpStream::connect(sidecar.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: &str, path: &str, body: &'static str) -> Request<Body> {
    let uri = format!("http://localhost{path}");
    Request::builder().method(method).uri(uri).body(Full::from(body).boxed()).unwrap()
}

async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn requests_side_by_side_are_passed_on() {
    let sidecar = Sidecar::start().await;
    let mut sender = connected(&sidecar).await;
    let mut first = request("PUT", "/a%2Fb//?c", "hello");
    first.headers_mut().append("cookie", HeaderValue::from_static("a=1"));
    first.headers_mut().append("cookie", HeaderValue::from_static("b=2"));
    let first = tokio::spawn(sender.send_request(first));
    let mut api_1 = sidecar.upstream.accept().await;
    let second = tokio::spawn(sender.send_request(request("GET", "/2", "")));
    let mut api_2 = sidecar.upstream.accept().await;
    let sent = api_1.message().await;
    assert_eq!(
        (sent.head.first.as_str(), sent.text().as_str()),
        ("PUT /a%2Fb//?c HTTP/1.1", "hello")
    );
    assert_eq!(
        (sent.head.value("content-length"), sent.head.value("cookie")),
        (Some("5"), Some("a=1; b=2"))
    );
    assert_eq!(sent.head.values("host"), [sidecar.upstream.address.to_string()]);
    api_2.head().await;
    api_2.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x\r\nX: y\r\n\r\n2").await;
    let answer = second.await.unwrap().unwrap();
    assert_eq!(answer.headers().get("x"), None);
    assert_eq!(text(answer).await, "2");
    api_1.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n").await;
    assert_eq!(text(first.await.unwrap().unwrap()).await, "1");
    drop(sender);
    sidecar.stop().await;
}

#[tokio::test]
async fn trailers_go_both_ways_without_credentials() {
    let sidecar = Sidecar::start().await;
    let mut sender = connected(&sidecar).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("1"));
    trailers.insert("authorization", HeaderValue::from_static("Bearer theirs"));
    trailers.insert("apikey", HeaderValue::from_static("theirs"));
    // A body of unknown length, as HTTP/1.1 has trailers with chunks alone.
    let body =
        Full::from("hi").map_frame(|frame| frame).with_trailers(async { Some(Ok(trailers)) });
    let mut ask = request("POST", "/", "").map(|_| body.boxed());
    let names = HeaderValue::from_static("x-sum, authorization, apikey");
    ask.headers_mut().insert("trailer", names);
    ask.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    let answer = tokio::spawn(sender.send_request(ask));
    let mut api = sidecar.upstream.accept().await;
    let sent = api.message().await;
    assert_eq!((sent.text().as_str(), sent.trailers), ("hi", vec![("x-sum".into(), "1".into())]));
    assert_eq!(sent.head.value("te"), Some("trailers"));
    api.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n").await;
    let body = answer.await.unwrap().unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()[HeaderName::from_static("x-sum")], "2");
    drop(sender);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_request_that_is_cancelled_is_cancelled_at_the_api() {
    let sidecar = Sidecar::start().await;
    let mut sender = connected(&sidecar).await;
    let answer = tokio::spawn(sender.send_request(request("GET", "/", "")));
    let mut api = sidecar.upstream.accept().await;
    api.head().await;
    answer.abort();
    assert!(api.is_closed().await);
    drop(sender);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_cut_answer_does_not_look_whole() {
    let sidecar = Sidecar::start().await;
    let mut sender = connected(&sidecar).await;
    let answer = tokio::spawn(sender.send_request(request("GET", "/", "")));
    let mut api = sidecar.upstream.accept().await;
    api.head().await;
    api.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    let answer = answer.await.unwrap().unwrap();
    drop(api);
    answer.into_body().collect().await.expect_err("it was cut off");
    drop(sender);
    sidecar.stop().await;
}

#[tokio::test]
async fn own_answers_arrive_and_names_are_checked() {
    let sidecar = Sidecar::start().await;
    let mut sender = connected(&sidecar).await;
    let evil = Request::builder().uri("http://evil.example/").body(Full::from("").boxed()).unwrap();
    let answer = sender.send_request(evil).await.unwrap();
    assert_eq!(answer.status(), 421);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let mut two = request("GET", "/", "");
    two.headers_mut().insert("host", HeaderValue::from_static("evil.example"));
    assert_eq!(sender.send_request(two).await.unwrap().status(), 400);
    let token = sender.send_request(request("POST", "/token", "")).await.unwrap();
    assert!(text(token).await.contains("token-1"));
    drop(sender);
    sidecar.stop().await;
}
