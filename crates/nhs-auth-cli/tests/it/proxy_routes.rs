//! Routes of a configuration file, and what becomes of them when it changes.

use std::fs;
use std::process::Command;

use nhs_auth_mock::NewApp;
use serde_json::Value;

use crate::running_proxy::{RunningProxy, get, pause};
use crate::scene::{Scene, run};
use crate::upstream::{Seen, Upstream};

/// A scene with two applications in its file, and an API.
struct Routed {
    scene: Scene,
    upstream: Upstream,
    other_key: String,
}

impl Routed {
    fn new() -> Self {
        let scene = Scene::new();
        let upstream = Upstream::start(&scene);
        let jwks = fs::read_to_string(scene.path("int-1.json")).unwrap();
        let other = scene.platform.create_app(NewApp::new("other").jwks(jwks));
        scene.write("other.txt", other.api_key());
        Self { scene, upstream, other_key: other.api_key().to_owned() }
    }

    /// The file with these routes, `API` in which is the API.
    fn write(&self, routes: &str) {
        let base_url = self.scene.platform.base_url();
        let routes = routes.replace("API", &self.upstream.url);
        let text = format!(
            "base-url = \"{base_url}\"\nprivate-key = \"int-1.pem\"\n\
             [app.one]\napi-key = \"file:api-key.txt\"\n\
             [app.two]\napi-key = \"file:other.txt\"\n{routes}"
        );
        // Whole or not at all, as an editor or a ConfigMap does it.
        self.scene.write("new.toml", &text);
        fs::rename(self.scene.path("new.toml"), self.scene.path("nhs-auth.toml")).unwrap();
    }

    /// What the API sees of a call.
    fn sees(&self, proxy: &RunningProxy, path: &str, arguments: &[&str]) -> Seen {
        curl(arguments, &format!("{}{path}", proxy.url));
        let [seen] = &self.upstream.seen()[..] else { panic!("{path}: nothing, or too much") };
        seen.clone()
    }
}

/// Whose token that is.
fn token_of(proxy: &RunningProxy, app: &str) -> String {
    let asked = format!("{{\"app\": \"{app}\"}}");
    let arguments = ["--header", "Content-Type: application/json", "--data", &asked];
    let token = curl(&arguments, &format!("{}/token", proxy.url));
    let token: Value = serde_json::from_str(&token).unwrap();
    format!("Bearer {}", token["access_token"].as_str().unwrap_or_else(|| panic!("{token}")))
}

fn curl(arguments: &[&str], url: &str) -> String {
    let mut curl = Command::new("curl");
    run(curl.args(["--silent", "--show-error"]).args(arguments).arg(url), "").exits(0).stdout
}

fn status(url: &str) -> String {
    curl(&["--output", "/dev/null", "--write-out", "%{http_code}"], url)
}

const SEVERAL: &str = "
[[proxy.routes]]
prefix = '/'
upstream = 'API/root'
app = 'one'

[[proxy.routes]]
prefix = '/pds'
upstream = 'API/personal-demographics/FHIR/R4'
app = 'two'
product-id = 'P.1A2'
header = ['X-Team: blue', 'X-Team: green']

[[proxy.routes]]
prefix = '/pds/Patient'
upstream = 'API'
app = 'one'
pass-header = ['authorization', 'apikey']

[[proxy.routes]]
prefix = '/key'
upstream = 'API/'
app = 'two'
auth = 'api-key'

[[proxy.routes]]
prefix = '/open'
upstream = 'API/'
auth = 'none'
header = 'X-One: 1'
";

#[test]
fn the_longest_prefix_wins_and_each_route_has_its_own() {
    let routed = Routed::new();
    routed.write(SEVERAL);
    let proxy = RunningProxy::by_file(&routed.scene, &[]);
    let (one, two) = (token_of(&proxy, "one"), token_of(&proxy, "two"));
    assert_ne!(one, two);
    let own = ["--header", "Authorization: Bearer mine", "--header", "apikey: mine"];
    for (path, target, authorization, apikey) in [
        ("/x?y", "/root/x?y", &[one.as_str()][..], &[][..]),
        ("/pdsx", "/root/pdsx", &[&one], &[]),
        ("/pds", "/personal-demographics/FHIR/R4", &[&two], &[]),
        ("/pds/x%2Fy", "/personal-demographics/FHIR/R4/x%2Fy", &[&two], &[]),
        ("/pds/Patient?a", "/?a", &["Bearer mine"], &["mine"]),
        ("/pds/Patients", "/personal-demographics/FHIR/R4/Patients", &[&two], &[]),
        ("/key/x", "/x", &[], &[&routed.other_key]),
        ("/open/x", "/x", &[], &[]),
    ] {
        let seen = routed.sees(&proxy, path, &own);
        assert_eq!(seen.target, target, "{path}");
        assert_eq!(seen.header("authorization"), authorization, "{path}");
        assert_eq!(seen.header("apikey"), apikey, "{path}");
        let is_pds = target.starts_with("/personal");
        assert_eq!(seen.header("nhse-product-id").len(), usize::from(is_pds), "{path}");
        let team: &[&str] = if is_pds { &["blue", "green"] } else { &[] };
        assert_eq!(seen.header("x-team"), team, "{path}");
        assert_eq!(seen.header("x-one").len(), usize::from(path == "/open/x"), "{path}");
    }
    // Where its own may be passed on, a caller without one still gets the sidecar's.
    assert_eq!(routed.sees(&proxy, "/pds/Patient", &[]).header("authorization"), [one.as_str()]);
    let metrics = proxy.admin("/metrics");
    assert!(metrics.contains("route=\"/pds/Patient\""), "{metrics}");
    for app in ["one", "two"] {
        assert!(metrics.contains(&format!("token_age_seconds{{app=\"{app}\"}}")), "{metrics}");
    }
}

#[test]
fn the_application_of_the_flags_has_the_name_that_was_chosen() {
    let routed = Routed::new();
    routed.write("");
    let upstream = routed.upstream.url.clone();
    let proxy = RunningProxy::by_file(&routed.scene, &["--app", "two", "--upstream", &upstream]);
    let token = token_of(&proxy, "two");
    assert_eq!(routed.sees(&proxy, "/", &[]).header("authorization"), [token.as_str()]);
    let unknown = curl(&["--data", "app=one"], &format!("{}/token", proxy.url));
    assert!(unknown.contains("there is no application `one`: there are `two`"), "{unknown}");

    // One name is never two applications.
    routed.write("[[proxy.routes]]\nprefix = '/two'\nupstream = 'API'\napp = 'two'\n");
    let arguments =
        ["proxy", "--app", "two", "--upstream", &upstream, "--api-key", "file:api-key.txt"];
    let told = routed.scene.run(&arguments).exits(2).stderr;
    assert!(told.contains("the application `two` of the file is made another"), "{told}");
}

#[test]
fn a_changed_file_is_taken_up_and_a_broken_one_is_not() {
    let routed = Routed::new();
    let one_route = "[[proxy.routes]]\nprefix = '/a'\nupstream = 'API'\napp = 'one'\n";
    routed.write(one_route);
    let proxy = RunningProxy::by_file(&routed.scene, &[]);
    let url = |path: &str| format!("{}{path}", proxy.url);
    assert_eq!((status(&url("/a")), status(&url("/b"))), ("200".into(), "404".into()));
    assert!(get(&url("/b")).contains("there are `/a`"));
    proxy.becomes("ready");
    let first = token_of(&proxy, "one");

    routed.write(&format!(
        "{one_route}[[proxy.routes]]\nprefix = '/b'\nupstream = 'API'\napp = 'two'\n"
    ));
    until(|| status(&url("/b")) == "200");
    // Who is the same goes on with the same token.
    assert_eq!(token_of(&proxy, "one"), first);

    for (broken, told) in [
        ("[[proxy.routes]]\nprefix = ", "line "),
        ("[[proxy.routes]]\nprefix = 'b'\nupstream = 'API'\napp = 'one'\n", "is no path"),
        ("[[proxy.routes]]\nprefix = '/b'\nupstream = 'API'\napp = 'three'\n", "[app.three]"),
        (
            "[[proxy.routes]]\nprefix = '/b'\nupstream = 'https://example.org'\napp = 'one'\n",
            "example.org",
        ),
    ] {
        routed.write(broken);
        until(|| proxy.admin("/readyz").contains(told));
        proxy.becomes("degraded: the configuration can't be used");
        assert_eq!((status(&url("/a")), status(&url("/b"))), ("200".into(), "200".into()));
    }
    fs::remove_file(routed.scene.path("nhs-auth.toml")).unwrap();
    until(|| !proxy.admin("/readyz").contains("example.org"));
    assert_eq!(status(&url("/a")), "200");

    routed.write("[[proxy.routes]]\nprefix = '/c'\nupstream = 'API'\nauth = 'none'\n");
    until(|| status(&url("/c")) == "200");
    proxy.becomes("ready");
    assert_eq!((status(&url("/a")), status(&url("/b"))), ("404".into(), "404".into()));
    assert!(proxy.count("nhs_auth_proxy_config_reloads_total{outcome=\"failed\"}") >= 5);
    assert!(proxy.count("nhs_auth_proxy_config_reloads_total{outcome=\"ok\"}") >= 2);
}

/// What a file doesn't show, such as an API key in a file of its own, is read again when somebody
/// says so.
#[test]
fn a_hangup_reads_everything_again() {
    let routed = Routed::new();
    routed
        .write("[[proxy.routes]]\nprefix = '/'\nupstream = 'API'\napp = 'one'\nauth = 'api-key'\n");
    let proxy = RunningProxy::by_file(&routed.scene, &[]);
    let before = routed.sees(&proxy, "/", &[]).header("apikey").join("");
    assert_ne!(before, routed.other_key);
    routed.scene.write("api-key.txt", &routed.other_key);
    proxy.signal("HUP");
    until(|| routed.sees(&proxy, "/", &[]).header("apikey") == [routed.other_key.as_str()]);
}

/// The name of the file stays, and with it all that the configuration says.
#[test]
fn a_replaced_api_key_is_no_more_used_for_tokens() {
    let routed = Routed::new();
    routed.write("[[proxy.routes]]\nprefix = '/'\nupstream = 'API'\napp = 'one'\n");
    let proxy = RunningProxy::by_file(&routed.scene, &[]);
    let before = token_of(&proxy, "one");
    assert_eq!(token_of(&proxy, "one"), before);
    routed.scene.write("api-key.txt", &routed.other_key);
    proxy.signal("HUP");
    until(|| token_of(&proxy, "one") != before);
}

/// Waits until it is so, for ten seconds at most.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        pause(50);
    }
    panic!("it did not become so");
}
