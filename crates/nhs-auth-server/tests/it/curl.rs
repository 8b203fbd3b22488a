//! A client that nobody here wrote.

use std::process::Output;

use tokio::process::Command;

use crate::certificates::Files;
use crate::key_sets;
use crate::running::{PATH, Running};

async fn curl(arguments: &[&str]) -> Output {
    let output = Command::new("curl").args(["--silent", "--show-error"]).args(arguments).output();
    let output = output.await.expect("curl is needed for this test, and can't be started");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    output
}

/// What curl writes out about an answer.
const FORMAT: &str = "\n%{http_code} %{http_version} %{content_type} %{num_connects}";

#[tokio::test]
async fn it_gets_the_key_set_over_http_1_and_http_2() {
    let files = Files::new();
    let for_server = files.for_server();
    let running = Running::start_with(|builder| builder.tls(for_server)).await;
    let url = format!("https://localhost:{}{PATH}", running.address.port());
    let certificate = files.certificate();
    let certificate = certificate.to_str().unwrap();
    let json = key_sets::of(&["int-1", "int-2"]).to_json();
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let common = [flag, "--ipv4", "--cacert", certificate, "--write-out", FORMAT];
        let ask = async |more: &[&str]| {
            let output = curl(&[&common, more].concat()).await;
            String::from_utf8(output.stdout).unwrap()
        };
        let kind = "application/jwk-set+json";
        assert_eq!(ask(&[&url]).await, format!("{json}\n200 {version} {kind} 1"));

        let head = ask(&["--head", &url]).await;
        assert!(head.ends_with(&format!("\n200 {version} {kind} 1")), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", json.len())), "{head}");
        assert!(head.contains("cache-control: public, max-age=300\r\n"), "{head}");

        let etag = running.endpoint.state().served().unwrap().etag.clone();
        let known = ask(&["--header", &format!("If-None-Match: {etag}"), &url]).await;
        assert_eq!(known, format!("\n304 {version}  1"));

        let posted = ask(&["--data", &"x".repeat(3000), &url]).await;
        assert!(posted.contains(&format!("\n405 {version} ")), "{posted}");

        let twice = ask(&[&url, "--next", flag, "--ipv4", "--cacert", certificate, &url]).await;
        assert_eq!(twice.matches(&json).count(), 2, "{twice}");
    }
    running.stop().await;
}

#[tokio::test]
async fn it_gets_the_key_set_without_tls() {
    let running = Running::start().await;
    let url = format!("http://{}{PATH}", running.address);
    let output = curl(&["--compressed", "--write-out", FORMAT, "--user-agent", "APIM", &url]).await;
    let json = key_sets::of(&["int-1", "int-2"]).to_json();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("{json}\n200 1.1 application/jwk-set+json 1"));
    running.stop().await;
}
