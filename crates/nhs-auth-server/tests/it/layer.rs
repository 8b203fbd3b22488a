//! The endpoint inside other people's web servers.

use std::convert::Infallible;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use nhs_auth_server::{JwksEndpoint, JwksLayer, JwksPath};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

use crate::key_sets;
use crate::raw::Client;
use crate::running::PATH;

fn endpoint() -> JwksEndpoint {
    let endpoint = JwksEndpoint::new();
    endpoint.publish(&key_sets::of(&["int-1"])).unwrap();
    endpoint
}

#[tokio::test]
async fn axum_serves_it_beside_its_own_routes() {
    let app = Router::new().route("/", get(|| async { "hello" })).layer(JwksLayer::new(endpoint()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });

    let mut client = Client::connect(address).await;
    let mut ask = async |method: &str, path: &str| {
        client.send(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        client.try_answer(method != "HEAD").await.unwrap().unwrap()
    };
    assert_eq!(ask("GET", "/").await.body, "hello");
    assert_eq!(ask("GET", "/elsewhere").await.status(), 404);
    let json = key_sets::of(&["int-1"]).to_json();
    let served = ask("GET", PATH).await;
    assert_eq!((served.status(), &served.body), (200, &json));
    let head = ask("HEAD", PATH).await;
    assert_eq!(head.header("content-length"), Some(json.len().to_string().as_str()));
    assert_eq!(head.header("etag"), served.header("etag"));
    assert_eq!(ask("DELETE", PATH).await.status(), 405);
    assert_eq!(ask("GET", "/").await.body, "hello");
}

/// A service of the barest kind: its own body type, its own error type.
async fn inner(request: Request<&'static str>) -> Result<Response<Full<Bytes>>, &'static str> {
    match request.uri().path() {
        "/fails" => Err("it failed"),
        path => Ok(Response::new(Full::new(Bytes::from(format!("{path} {}", request.body()))))),
    }
}

#[tokio::test]
async fn a_bare_service_keeps_all_other_paths() {
    let at = JwksPath::parse("/keys").unwrap();
    let service = JwksLayer::new(endpoint()).at(at).layer(service_fn(inner));
    let ask = async |path: &str| {
        let request = Request::get(path).body("a body").unwrap();
        let response = service.clone().oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let body: Result<_, Infallible> = body.collect().await;
        let text = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
        Ok::<_, &'static str>((parts.status, text))
    };
    let json = key_sets::of(&["int-1"]).to_json();
    assert_eq!(ask("/keys?x").await.unwrap(), (StatusCode::OK, json));
    assert_eq!(ask(PATH).await.unwrap(), (StatusCode::OK, format!("{PATH} a body")));
    assert_eq!(ask("/fails").await.unwrap_err(), "it failed");
}
