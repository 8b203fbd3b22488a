//! What `packaging/` holds, each file judged by the tool of its kind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::installed::{project, python};
use crate::scene::{Run, Scene, binary_in, run};

/// Every metric of the sidecar, less the prefix.
const METRICS: [&str; 18] = [
    "build_info",
    "clock_skew_seconds",
    "config_reloads_total",
    "connection_failures_total",
    "degraded",
    "jwks_age_seconds",
    "key_age_seconds",
    "open_connections",
    "ready",
    "request_duration_seconds_bucket",
    "requests_total",
    "retries_total",
    "store_operations_total",
    "token_age_seconds",
    "token_expires_in_seconds",
    "token_refusals_total",
    "token_requests_total",
    "upstream_duration_seconds_bucket",
];

fn text(path: &str) -> String {
    fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn tool(program: &str, arguments: &[&str]) -> Run {
    run(Command::new(program).args(arguments), "")
}

#[test]
fn the_units_are_taken_by_systemd_and_little_is_open_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let unit = |name: &str| {
        let text = text(&format!("packaging/systemd/{name}"));
        // Where the package puts it, there may be nothing here.
        let here = text.replace("/usr/bin/nhs-auth", env!("CARGO_BIN_EXE_nhs-auth"));
        let path = folder.path().join(name);
        fs::write(&path, here).unwrap();
        path.display().to_string()
    };
    let (service, socket) = (unit("nhs-auth-proxy.service"), unit("nhs-auth-proxy.socket"));

    let verified = tool("systemd-analyze", &["verify", "--man=no", &service, &socket]).exits(0);
    assert_eq!(verified.stderr, "");

    // In tenths: 10 is wide open.
    let judged = ["security", "--offline=true", "--threshold=15", "--no-pager", &service];
    tool("systemd-analyze", &judged).exits(0);
}

#[test]
fn the_dockerfile_passes_its_linter_and_copies_no_secret() {
    let python = python();
    let hadolint = Path::new(python.get_program()).with_file_name("hadolint");
    let linted = run(Command::new(hadolint).arg(project("packaging/docker/Dockerfile")), "");
    assert_eq!(linted.exits(0).stdout, "");

    let ignored = text("packaging/docker/Dockerfile.dockerignore");
    let rules: Vec<_> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rules[0], "*", "what isn't named is not sent to the build");
    for secret in ["**/*.pem", "**/nhs-auth.toml"] {
        assert!(rules.contains(&secret), "{secret}");
    }
    for named in rules.iter().filter_map(|rule| rule.strip_prefix('!')) {
        assert!(project(named).exists(), "{named}");
    }
}

#[test]
fn the_chart_is_linted_rendered_and_held_against_kubernetes_schemas() {
    let mut check = python();
    check.arg(project("tests/packaging/chart.py")).arg(project("packaging/helm"));
    // Three uses of the chart, one of them with everything, and two of the application's.
    assert_eq!(run(&mut check, "").exits(0).stdout, "13\n");
}

#[test]
fn the_alerts_fire_when_they_must_and_are_explained() {
    let alerts = project("packaging/prometheus/alerts.yaml").display().to_string();
    let tests = project("packaging/prometheus/alerts.test.yaml").display().to_string();
    tool("promtool", &["check", "rules", &alerts]).exits(0);
    tool("promtool", &["test", "rules", &tests]).exits(0);

    let (rules, tests) = (text(&alerts), text(&tests));
    names_only_metrics_that_there_are(&rules);
    let guide = text("docs/guides/run-in-production.md");
    let names: Vec<_> =
        rules.lines().filter_map(|it| it.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let tested = format!("alertname: {name}\n");
        assert!(tests.contains(&tested), "no test sees {name} fire");
        assert!(guide.contains(&format!("| `{name}` |")), "the guide doesn't explain {name}");
    }
}

#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let dashboard = text("packaging/grafana/nhs-auth-proxy.json");
    names_only_metrics_that_there_are(&dashboard);
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!((6..=12).contains(&panels.len()), "{}", panels.len());
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");

    let mut rules = Vec::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(panel["description"].as_str().unwrap().len() > 30, "{title}");
        assert!(!panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap().is_empty(), "{title}");
        for target in panel["targets"].as_array().unwrap() {
            let asked = target["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
            let labels = json!({ "n": rules.len().to_string() });
            rules.push(json!({ "record": "panel", "expr": asked, "labels": labels }));
        }
    }
    // As a file of rules, which may be JSON, since YAML holds it.
    let rules = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.json");
    fs::write(&file, rules.to_string()).unwrap();
    tool("promtool", &["check", "rules", &file.display().to_string()]).exits(0);
}

#[track_caller]
fn names_only_metrics_that_there_are(text: &str) {
    let mut seen = 0;
    for rest in text.split("nhs_auth_proxy_").skip(1) {
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
        assert!(METRICS.contains(&&rest[..end]), "there is no metric {}", &rest[..end]);
        seen += 1;
    }
    assert!(seen > 0, "no metric is named");
}

/// The example, but for what it can't have here: the secrets' folder, free ports, and the platform.
#[test]
fn the_example_of_a_configuration_is_taken_and_tells_only_metrics_that_there_are() {
    let scene = Scene::new();
    fs::rename(scene.path("api-key.txt"), scene.path("api-key")).unwrap();
    fs::rename(scene.path("int-1.pem"), scene.path("private-key.pem")).unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let example = text("packaging/debian/nhs-auth.toml")
        .replace("/run/credentials/nhs-auth-proxy.service/", "")
        .replace("https://int.api.service.nhs.uk", &scene.platform.base_url())
        .replace("127.0.0.1:8081", "127.0.0.1:0")
        .replace("127.0.0.1:8082", &admin.to_string());
    let base_url = format!("base-url = \"{}\"\n", scene.platform.base_url());
    scene.write("nhs-auth.toml", &format!("{base_url}{example}"));
    let mut proxy = scene.binary();
    proxy.arg("proxy").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut proxy = Ended(proxy.spawn().unwrap());
    let mut url = String::new();
    BufReader::new(proxy.0.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();

    let address = url.trim().strip_prefix("http://").unwrap();
    let called = get(address, "/hello-world/hello/application");
    assert!(called.starts_with("HTTP/1.1 200"), "{called}");
    assert!(get(&admin.to_string(), "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = get(&admin.to_string(), "/metrics");
    assert!(metrics.contains("nhs_auth_proxy_requests_total{"), "{metrics}");
    for line in metrics.lines().filter(|line| line.starts_with("nhs_auth_proxy_")) {
        let name = line.split(['{', ' ']).next().unwrap();
        let name = name.replace("_seconds_sum", "_seconds_bucket");
        let name = name.replace("_seconds_count", "_seconds_bucket");
        names_only_metrics_that_there_are(&name);
    }
}

/// A server, which ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_verb_has_a_manual_page_that_its_readers_take() {
    let folder = tempfile::tempdir().unwrap();
    let mut man = binary_in(folder.path());
    let written = run(man.args(["man", "--output-dir", "man"]), "").exits(0);
    let help = run(binary_in(folder.path()).arg("--help"), "").exits(0).stdout;
    let verbs = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let verbs = verbs.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs: Vec<_> = verbs.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(verbs.contains(&"get-token") && !verbs.contains(&"man"), "{verbs:?}");
    for verb in verbs.iter().filter(|verb| **verb != "help") {
        let page = format!("man/nhs-auth-{verb}.1\n");
        assert!(written.stdout.contains(&page), "{page} is missing: {}", written.stdout);
    }

    let ours = written.stdout.lines().map(|page| folder.path().join(page));
    for page in ours.chain([project("packaging/debian/man/nhs-auth.toml.5")]) {
        let page = page.display().to_string();
        tool("mandoc", &["-T", "lint", "-W", "error", &page]).exits(0);
        let shown =
            run(Command::new("man").args(["--warnings", "-l", &page]).env("LC_ALL", "C"), "");
        assert_eq!(shown.exits(0).stderr, "", "{page}");
    }
    let page = folder.path().join("man/nhs-auth-get-token.1").display().to_string();
    let shown = run(Command::new("man").args(["-l", &page]).env("MANWIDTH", "200"), "").stdout;
    for told in ["nhs-auth-get-token - Get an access token", "--api-key <KEY>", "NHS_AUTH_API_KEY"]
    {
        assert!(shown.contains(told), "{told}: {shown}");
    }
}

/// Each file of the package with its mode, less the manual pages of the verbs.
const FILES: [(&str, u32); 18] = [
    ("etc/nhs-auth", 0o755),
    ("etc/nhs-auth/credentials", 0o700),
    ("usr/bin/nhs-auth", 0o755),
    ("usr/lib/systemd/system/nhs-auth-proxy.service", 0o644),
    ("usr/lib/systemd/system/nhs-auth-proxy.socket", 0o644),
    ("usr/share/bash-completion/completions/nhs-auth", 0o644),
    ("usr/share/doc/nhs-auth/README.md", 0o644),
    ("usr/share/doc/nhs-auth/changelog.Debian.gz", 0o644),
    ("usr/share/doc/nhs-auth/changelog.gz", 0o644),
    ("usr/share/doc/nhs-auth/copyright", 0o644),
    ("usr/share/doc/nhs-auth/examples/alerts.yaml", 0o644),
    ("usr/share/doc/nhs-auth/examples/nhs-auth-proxy.json", 0o644),
    ("usr/share/doc/nhs-auth/examples/nhs-auth.toml", 0o644),
    ("usr/share/fish/vendor_completions.d/nhs-auth.fish", 0o644),
    ("usr/share/man/man1/nhs-auth-get-token.1.gz", 0o644),
    ("usr/share/man/man1/nhs-auth.1.gz", 0o644),
    ("usr/share/man/man5/nhs-auth.toml.5.gz", 0o644),
    ("usr/share/zsh/vendor-completions/_nhs-auth", 0o644),
];

#[test]
fn the_debian_package_is_sound_and_installs() {
    let folder = tempfile::tempdir().unwrap();
    let deb = make_deb(folder.path());
    let deb_path = deb.display().to_string();

    let judged = tool("lintian", &["--fail-on", "error", "--allow-root", &deb_path]).exits(0);
    assert!(!judged.stdout.contains("E: "), "{}", judged.stdout);
    let depends = tool("dpkg-deb", &["--field", &deb_path, "Depends"]).exits(0).stdout;
    assert!(depends.contains("libc6 (>="), "{depends}");

    let root = folder.path().join("root");
    for below in ["info", "updates", "triggers"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(below)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let mut install = Command::new("dpkg");
    install.arg(format!("--root={}", root.display()));
    // The scratch root has no C library to depend on. Only root may change owners.
    install.args(["--force-depends", "--force-not-root", "--install", &deb_path]);
    run(install.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "").exits(0);

    for (file, mode) in FILES {
        let found = fs::metadata(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(found.permissions().mode() & 0o7777, mode, "{file}");
        assert!(found.is_dir() || found.len() > 50, "{file} is empty");
    }
    let units = root.join("etc/systemd");
    assert!(!units.exists(), "nothing is enabled by being installed");
    let installed = tool(&root.join("usr/bin/nhs-auth").display().to_string(), &["--version"]);
    assert_eq!(installed.exits(0).stdout, concat!("nhs-auth ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// By the project's own chore, around the binary that is tested here.
fn make_deb(folder: &Path) -> PathBuf {
    let mut chore = Command::new(env!("CARGO"));
    chore.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "deb", "--quick"]);
    chore.args(["--binary", env!("CARGO_BIN_EXE_nhs-auth")]).arg("--output-dir").arg(folder);
    run(chore.current_dir(project("")), "").exits(0);
    let mut made = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    made.find(|path| path.extension().is_some_and(|it| it == "deb")).unwrap()
}
