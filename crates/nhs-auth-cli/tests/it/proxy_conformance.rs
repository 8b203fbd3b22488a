//! The same calls straight to an API and through the sidecar: what the API saw, and what the caller
//! got. `call-api` makes them, which has the credential itself the first time and none the second.

use std::time::Duration;

use nhs_auth_mock::{Fault, FaultKind};
use serde_json::Value;

use crate::running_proxy::RunningProxy;
use crate::scene::{Run, Scene};
use crate::upstream::{Seen, Upstream};

/// One call: its path, and what else `call-api` is told.
type Call = (&'static str, &'static [&'static str]);

const CALLS: [Call; 22] = [
    ("/a/b?c=d%20e&f", &[]),
    ("/", &[]),
    ("/?", &[]),
    ("/a%2Fb//c/%C3%A9;d=e,f/~g?h=%20+&&i=%zz", &[]),
    ("/a/./b/../c", &[]),
    ("/x", &["--header", "X-One: 1", "--header", "X-One:2", "--header", "Accept: a:b"]),
    ("/x", &["--nhs-number", "9434765919", "--product-id", "P.1A2"]),
    ("/x", &["--header", "X-Request-ID: 60e0b220-8136-4ca5-ae46-1d97ef59d068"]),
    ("/x", &["--header", "X-Correlation-ID: 11c46f5f-cdef-4865-94b2-0ee0edcc26da"]),
    ("/x", &["--header", "Accept-Encoding: gzip", "--header", "If-None-Match: W/\"1\""]),
    ("/x", &["--header", "Cookie: a=1; b=2", "--header", "Forwarded: for=10.0.0.1"]),
    ("/x", &["--method", "HEAD"]),
    ("/x", &["--method", "OPTIONS"]),
    ("/x", &["--method", "DELETE"]),
    ("/x", &["--data", "a=b"]),
    ("/x", &["--data", "@-"]),
    ("/x", &["--json", "{\"a\": \"\u{e9}\"}", "--method", "PATCH"]),
    ("/x", &["--json", "{}", "--header", "Content-Type: application/fhir+json"]),
    ("/data/1", &[]),
    ("/redirect", &[]),
    ("/redirect", &["--method", "POST", "--data", "x"]),
    ("/cookies", &[]),
];

const STATUSES: [u16; 18] =
    [200, 201, 202, 204, 206, 301, 303, 304, 307, 400, 403, 404, 409, 422, 429, 500, 502, 503];

/// An API twice: by itself, and behind the sidecar.
struct Twice {
    scene: Scene,
    api: String,
    proxy: RunningProxy,
}

impl Twice {
    fn start(scene: Scene, api: &str) -> Self {
        let proxy = RunningProxy::as_app(&scene, &["--upstream", api]);
        Self { scene, api: api.to_owned(), proxy }
    }

    fn straight(&self, (path, arguments): (&str, &[&str])) -> Run {
        let url = format!("{}{path}", self.api);
        let arguments = [&["call-api", "--output", "json", "--url", &url], arguments].concat();
        self.scene.run_as_app_with(&arguments, "from standard input\n")
    }

    fn through(&self, (path, arguments): (&str, &[&str])) -> Run {
        let url = format!("{}{path}", self.proxy.url);
        let call = ["call-api", "--auth", "none", "--output", "json", "--url", &url];
        self.scene.run_as_app_with(&[&call, arguments].concat(), "from standard input\n")
    }
}

/// What a caller got, less what differs from one moment to the next.
fn got(run: &Run) -> (i32, Value) {
    let mut answer: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    if let Some(headers) = answer["headers"].as_object_mut() {
        headers.remove("date");
        // The platform gives it back.
        headers.remove("x-request-id");
        if answer.pointer("/body/message_id").is_some() {
            // Ids of messages are not all of one length.
            answer["body"]["message_id"].take();
            answer["headers"]["content-length"].take();
        }
    }
    if let Some(members) = answer.as_object_mut() {
        members.remove("request_id");
        members.remove("url");
    }
    (run.exit, answer)
}

/// What an API saw, less what differs: the request's id is made anew, unless the caller has one;
/// the token is another, of the same form.
fn saw(mut seen: Seen) -> Seen {
    for (name, value) in &mut seen.headers {
        let is_made = name == "x-request-id" && value != "60e0b220-8136-4ca5-ae46-1d97ef59d068";
        if is_made || (name == "authorization" && value.starts_with("Bearer ")) {
            *value = format!("{} characters", value.len());
        }
    }
    seen
}

#[test]
fn an_api_sees_the_same_and_the_caller_gets_the_same() {
    let scene = Scene::new();
    let upstream = Upstream::start(&scene);
    let twice = Twice::start(scene, &upstream.url.clone());
    let statuses: Vec<_> = STATUSES.iter().map(|code| format!("/status/{code}")).collect();
    let statuses = statuses.iter().map(|path| (path.as_str(), &[][..]));
    for call in CALLS.into_iter().chain(statuses) {
        let straight = twice.straight(call);
        let first = upstream.seen();
        let through = twice.through(call);
        let second = upstream.seen();
        assert_eq!((first.len(), second.len()), (1, 1), "{call:?}: {straight:?} {through:?}");
        let (first, second) = (saw(first[0].clone()), saw(second[0].clone()));
        assert_eq!(first, second, "{call:?}");
        assert_eq!(first.header("authorization"), ["35 characters"], "{call:?}");
        assert!([0, 1].contains(&straight.exit), "{call:?}: {straight:?}");
        assert_eq!(got(&straight), got(&through), "{call:?}");
    }
}

/// The platform's own answers, errors and failures.
#[test]
fn the_platform_is_the_same() {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    let twice = Twice::start(scene, &base_url);
    for path in ["application", "world", "user", "nothing"] {
        let path = format!("/hello-world/hello/{path}");
        let (straight, through) = (twice.straight((&path, &[])), twice.through((&path, &[])));
        assert_eq!(got(&straight), got(&through), "{path}");
    }
    let hello = "/hello-world/hello/application";
    for kind in [
        FaultKind::BadGateway,
        FaultKind::CaptivePortal,
        FaultKind::Empty,
        FaultKind::InternalError,
        FaultKind::MalformedJson,
        FaultKind::TooManyRequests,
        FaultKind::Unavailable,
        FaultKind::WrongContentType,
    ] {
        let fault = Fault::new(kind).path(hello).retry_after_s(7);
        let fault = twice.scene.platform.add_fault(fault);
        let (straight, through) = (twice.straight((hello, &[])), twice.through((hello, &[])));
        assert_eq!(got(&straight), got(&through), "{kind:?}");
        twice.scene.platform.remove_fault(fault);
    }
}

/// Each refuses the token once, and gets another: no caller notices.
#[test]
fn a_token_that_has_gone_is_replaced_in_both() {
    let twice = {
        let scene = Scene::new();
        let base_url = scene.platform.base_url();
        Twice::start(scene, &base_url)
    };
    let hello = ("/hello-world/hello/application", &[][..]);
    for how in [Twice::straight, Twice::through] {
        how(&twice, hello).exits(0);
        twice.scene.platform.clear_requests();
        twice.scene.platform.advance(Duration::from_secs(700));
        how(&twice, hello).exits(0);
        let requests = twice.scene.requests().into_iter();
        let calls: Vec<_> = requests.filter(|it| it.path == hello.0).map(|it| it.status).collect();
        assert_eq!(calls, [401, 200]);
    }
}

/// Where there is no answer that could be passed on the sidecar has one of its own: the one
/// difference.
#[test]
fn where_an_api_gives_no_answer_the_sidecar_says_so() {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    let twice = Twice::start(scene, &base_url);
    let hello = ("/hello-world/hello/application", &[][..]);
    let reset = twice.scene.platform.add_fault(Fault::new(FaultKind::Reset).path(hello.0));
    twice.straight(hello).exits(3);
    let through = twice.through(hello).exits(1);
    let answer: Value = serde_json::from_str(&through.stdout).unwrap();
    assert_eq!(answer["status"], 502);
    assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    assert_eq!(answer["headers"]["proxy-status"], "nhs-auth; error=http_response_incomplete");
    assert_eq!(answer["body"]["source"], "nhs-auth");
    assert_eq!(answer["body"]["type"], "nhs-auth:no-answer");
    twice.scene.platform.remove_fault(reset);

    // What breaks off in the middle breaks off for the caller too: neither takes a part for all.
    twice.scene.platform.add_fault(Fault::new(FaultKind::Truncated).path(hello.0));
    twice.straight(hello).exits(3);
    twice.through(hello).exits(3);
}
