//! Connections to APIs with TLS, straight and through an egress proxy.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nhs_auth_server::{EgressProxies, ProxyRoutes, ProxyServerBuilder};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, crypto::aws_lc_rs};

use super::peer::Peer;
use super::platform::Platform;
use super::sidecar::{Sidecar, app, get, request, with_token};
use super::upstream::Upstream;
use crate::certificates::Files;

fn acceptor(files: &Files, version: &'static SupportedProtocolVersion, alpn: &[u8]) -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_file(files.certificate()).unwrap();
    let key = PrivateKeyDer::from_pem_file(files.key()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// A sidecar whose API is at `https://localhost`, or at another host of the same address.
async fn sidecar(
    host: &str,
    set: impl FnOnce(ProxyServerBuilder) -> ProxyServerBuilder,
) -> Sidecar {
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let url = format!("https://{host}:{}", upstream.address.port());
    let routes = ProxyRoutes::new(vec![with_token("/", &url)], vec![app(&platform)]).unwrap();
    Sidecar::of(routes, platform, upstream, set).await
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_with_those_whom_the_file_trusts() {
    let files = Files::new();
    for version in [&TLS12, &TLS13] {
        let sidecar = sidecar("localhost", |builder| builder.ca_file(files.certificate())).await;
        let mut client = sidecar.client().await;
        client.send(get("/a")).await;
        let stream = sidecar.upstream.accept_raw().await;
        let stream = acceptor(&files, version, b"http/1.1").accept(stream).await.unwrap();
        let mut api = Peer::over(stream);
        let head = api.head().await;
        let host = format!("localhost:{}", sidecar.upstream.address.port());
        assert_eq!(
            (head.value("host"), head.value("authorization")),
            (Some(host.as_str()), Some("Bearer token-1"))
        );
        api.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        assert_eq!(client.message().await.text(), "ok");
        sidecar.stop().await;
    }
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let (files, stranger) = (Files::new(), Files::new());
    for (host, shown) in [("localhost", &stranger), ("127.0.0.1", &files)] {
        let sidecar = sidecar(host, |builder| builder.ca_file(files.certificate())).await;
        let mut client = sidecar.client().await;
        client.send(get("/a")).await;
        let stream = sidecar.upstream.accept_raw().await;
        acceptor(shown, &TLS13, b"http/1.1").accept(stream).await.unwrap_err();
        let answer = client.message().await;
        assert_eq!(
            (answer.status(), &answer.json()["type"]),
            (502, &"nhs-auth:unreachable".into())
        );
        assert_eq!(
            answer.head.value("proxy-status"),
            Some("nhs-auth; error=tls_certificate_error")
        );
        sidecar.stop().await;
    }
}

#[tokio::test]
async fn a_file_that_trusts_nobody_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pem");
    std::fs::write(&path, "nothing").unwrap();
    let platform = Platform::start().await;
    let url = Upstream::start().await.url();
    let routes = ProxyRoutes::new(vec![with_token("/", &url)], vec![app(&platform)]).unwrap();
    let builder = nhs_auth_server::ProxyServer::builder(routes).ca_file(path);
    let error = builder.bind().await.unwrap_err().to_string();
    assert!(error.contains("empty.pem"), "{error}");
}

/// Answers with what it was sent, trailers and all, over HTTP/2.
async fn echo(
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    assert_eq!(request.version(), Version::HTTP_2);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let sum = body.trailers().and_then(|it| it.get("x-sum")).cloned();
    let smuggled = body.trailers().is_some_and(|it| it.contains_key("authorization"));
    let mut trailers = HeaderMap::new();
    trailers.insert("x-smuggled", HeaderValue::from_static(if smuggled { "yes" } else { "no" }));
    trailers.extend(sum.map(|sum| (HeaderName::from_static("x-sum"), sum)));
    let text = format!(
        "{} {} {}",
        parts.method,
        parts.uri.path_and_query().unwrap(),
        body.to_bytes().len()
    );
    let mut answer = Response::new(
        Full::from(text).map_frame(|frame| frame).with_trailers(async { Some(Ok(trailers)) }),
    );
    answer.headers_mut().insert("trailer", HeaderValue::from_static("x-sum, x-smuggled"));
    let token = parts.headers.get("authorization").cloned().unwrap();
    answer.headers_mut().insert("x-token", token);
    Ok(answer)
}

#[tokio::test]
async fn http_2_is_spoken_with_an_api_that_wants_it() {
    let files = Files::new();
    let sidecar = sidecar("localhost", |builder| builder.ca_file(files.certificate())).await;
    let mut client = sidecar.client().await;
    let headers = "TE: trailers\r\nTrailer: X-Sum, Authorization\r\nTransfer-Encoding: chunked\r\n";
    let body = "5\r\nhello\r\n0\r\nX-Sum: 7\r\nAuthorization: Bearer theirs\r\n\r\n";
    client.send(request("POST", "/a%2Fb?c", headers, body)).await;
    let stream = sidecar.upstream.accept_raw().await;
    let stream = acceptor(&files, &TLS13, b"h2").accept(stream).await.unwrap();
    let serving = tokio::spawn(async move {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        // It ends when the proxy does.
        let _: Result<_, _> =
            connection.serve_connection(TokioIo::new(stream), service_fn(echo)).await;
    });
    let answer = client.message().await;
    assert_eq!(answer.text(), "POST /a%2Fb?c 5");
    assert_eq!(answer.head.value("x-token"), Some("Bearer token-1"));
    let mut trailers = answer.trailers;
    trailers.sort();
    assert_eq!(trailers, [("x-smuggled".into(), "no".into()), ("x-sum".into(), "7".into())]);
    for _ in 0..3 {
        client.send(get("/again")).await;
        assert_eq!(client.message().await.text(), "GET /again 0");
    }
    sidecar.stop().await;
    serving.await.unwrap();
}

/// The host isn't known to any name server: only the egress proxy knows the way.
const FAR: &str = "far.api.service.nhs.uk";

async fn far_sidecar(exceptions: &str, egress: &Upstream, files: &Files) -> Sidecar {
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let url = format!("https://{FAR}");
    let routes = ProxyRoutes::new(vec![with_token("/", &url)], vec![app(&platform)]).unwrap();
    let proxies = EgressProxies::new(&format!("http://user:hush@{}", egress.address), exceptions);
    let set = |builder: ProxyServerBuilder| builder.ca_file(files.certificate()).egress(proxies);
    Sidecar::of(routes, platform, upstream, set).await
}

#[tokio::test]
async fn an_egress_proxy_makes_the_way_with_its_password() {
    let (files, egress) = (Files::new(), Upstream::start().await);
    files.renew_with(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName(FAR.try_into().unwrap())];
    });
    let sidecar = far_sidecar("", &egress, &files).await;
    let mut client = sidecar.client().await;
    client.send(get("/a")).await;
    let mut stream = egress.accept_raw().await;
    let asked = head_of(&mut stream).await;
    assert!(asked.starts_with(&format!("CONNECT {FAR}:443 HTTP/1.1\r\n")), "{asked}");
    // user:hush
    assert!(
        asked.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpodxno\r\n"),
        "{asked}"
    );
    assert!(!asked.contains("token-1"), "{asked}");
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let mut api = Peer::over(acceptor(&files, &TLS13, b"http/1.1").accept(stream).await.unwrap());
    let head = api.head().await;
    assert_eq!((head.value("host"), head.value("proxy-authorization")), (Some(FAR), None));
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;
}

#[tokio::test]
async fn an_egress_proxy_that_refuses_is_named_without_its_password() {
    let (files, egress) = (Files::new(), Upstream::start().await);
    let sidecar = far_sidecar("", &egress, &files).await;
    for refusal in ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"] {
        let mut client = sidecar.client().await;
        client.send(get("/a")).await;
        let mut stream = egress.accept_raw().await;
        head_of(&mut stream).await;
        stream.write_all(format!("HTTP/1.1 {refusal}\r\n\r\n").as_bytes()).await.unwrap();
        drop(stream);
        let answer = client.message().await;
        assert_eq!(answer.status(), 502);
        assert!(answer.text().contains(&egress.address.to_string()), "{}", answer.text());
        assert!(!answer.text().contains("hush"), "{}", answer.text());
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn what_no_proxy_names_and_this_machine_are_reached_straight() {
    let (files, egress) = (Files::new(), Upstream::start().await);
    let far = far_sidecar("example.org,.api.service.nhs.uk", &egress, &files).await;
    let answer = far.own_answer(get("/a")).await;
    // There is no such host.
    assert_eq!(
        answer.head.value("proxy-status"),
        Some("nhs-auth; error=dns_error"),
        "{}",
        answer.text()
    );
    far.stop().await;

    let proxies = EgressProxies::new(&egress.url(), "");
    let set = |builder: ProxyServerBuilder| builder.ca_file(files.certificate()).egress(proxies);
    let near = sidecar("localhost", set).await;
    let mut client = near.client().await;
    client.send(get("/a")).await;
    drop(near.upstream.accept_raw().await);
    assert_eq!(client.message().await.status(), 502);
    assert!(egress.is_left_alone().await);
    near.stop().await;
}

async fn head_of(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(stream.read_u8().await.unwrap()));
    }
    head
}
