//! What the sidecar can't be started with: each is told in a line, and exits 2.

use std::net::TcpListener;
use std::process::Command;

use crate::running_proxy::command_as_app;
use crate::scene::{Run, Scene, run};

/// One that isn't refused would run on.
#[track_caller]
fn refused(command: &Command) -> Run {
    let mut bounded = Command::new("timeout");
    bounded.arg("60").arg(command.get_program()).args(command.get_args());
    bounded.current_dir(command.get_current_dir().unwrap()).env_clear();
    bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run(&mut bounded, "").exits(2)
}

#[test]
fn flags_that_cannot_be_used() {
    let scene = Scene::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    scene.write("empty.pem", "");
    scene.write("a-file", "");
    for (arguments, said) in [
        (&["--upstream", "https://example.org"][..], "not an NHS API host"),
        (&["--upstream", "http://int.api.service.nhs.uk"], "plain http to another machine"),
        (&["--upstream", "int.api.service.nhs.uk"], "int.api.service.nhs.uk"),
        (&["--upstream", "https://u:hush@int.api.service.nhs.uk"], "a password in it"),
        (&["--upstream", "https://int.api.service.nhs.uk/a?b"], "a query or a fragment"),
        (&["--allow-host", "not a host"], "not a host"),
        (&["--listen", "8081"], "--listen"),
        (&["--listen", "unix:"], "--listen"),
        (&["--listen", "unix:a-file"], "there is a file, and no socket"),
        (&["--listen", "0.0.0.0:0"], "can be reached from other machines"),
        (&["--listen", "[::]:0"], "can be reached from other machines"),
        (&["--listen", &taken], "another program listens there"),
        (&["--admin", &taken], "another program listens there"),
        (&["--admin", "here"], "--admin"),
        (&["--admin", "0.0.0.0:0"], "can be reached from other machines"),
        (&["--ca-file", "nowhere.pem"], "nowhere.pem"),
        (&["--ca-file", "empty.pem"], "empty.pem"),
        (&["--header", "no colon"], "no colon"),
        (&["--header", "Authorization: x"], "authorization"),
        (&["--header", "Connection: close"], "connection"),
        (&["--product-id", "a\nb"], "no header can carry"),
        (&["--pass-header", "cookie"], "cookie"),
        (&["--caller-secret", "file:nowhere.txt"], "nowhere.txt"),
        (&["--caller-secret", "env:NOT_THERE"], "NOT_THERE"),
        (&["--caller-secret", "file:a-file"], "--caller-secret"),
        (&["--upstream-timeout", "0"], "--upstream-timeout"),
        (&["--drain", "a"], "--drain"),
        (&["--log", "xml"], "--log"),
        (&["--private-key", "nowhere.pem"], "nowhere.pem"),
        (&["--api-key", "file:nowhere.txt"], "nowhere.txt"),
        (&["--api-key", "60e0b220-8136-4ca5-ae46-1d97ef59d068"], "--api-key"),
    ] {
        let flag = arguments[0];
        // One of two that are the same would be refused for that alone.
        let base_url = scene.platform.base_url();
        let mut command = scene.binary();
        command.arg("proxy");
        for (own, value) in [
            ("--listen", "127.0.0.1:0"),
            ("--admin", "off"),
            ("--base-url", &base_url),
            ("--api-key", "file:api-key.txt"),
            ("--private-key", "int-1.pem"),
            ("--upstream", &base_url),
        ] {
            if own != flag {
                command.args([own, value]);
            }
        }
        let refused = refused(command.args(arguments));
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stdout.is_empty() && !refused.stderr.contains("hush"), "{refused:?}");
    }
    assert!(scene.requests().is_empty());
}

#[test]
fn what_is_missing() {
    let scene = Scene::new();
    let hello = ["--upstream", "https://int.api.service.nhs.uk"];
    for (arguments, said) in [
        (&[][..], "there is no upstream"),
        (&hello[..], "there is no API key"),
        (&["--upstream", hello[1], "--api-key", "file:api-key.txt"], "there is no private key"),
        (&["--upstream", hello[1], "--auth", "api-key"], "there is no API key"),
        (&["--app", "int"], "there is no application `int`"),
    ] {
        let ports = ["proxy", "--listen", "127.0.0.1:0", "--admin", "off"];
        let refused = refused(scene.binary().args(ports).args(arguments));
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
}

#[test]
fn files_that_cannot_be_used() {
    let scene = Scene::new();
    let route = "[[proxy.routes]]\nprefix = '/a'\nupstream = 'http://127.0.0.1:9'\n";
    for (text, said) in [
        ("proxy = 1\n".to_owned(), "`proxy` must be a table"),
        ("[proxy]\nroute = []\n".to_owned(), "route"),
        ("[[proxy.routes]]\nprefix = '/a'\n".to_owned(), "upstream"),
        ("[[proxy.routes]]\nupstream = 'http://127.0.0.1:9'\n".to_owned(), "prefix"),
        (format!("{route}product_id = 'x'\n"), "product_id"),
        (format!("{route}auth = 'basic'\n"), "it is one of signed-jwt, api-key, none"),
        (format!("{route}auth = 'none'\nheader = 1\n"), "`header`"),
        (format!("{route}auth = 'none'\nheader = ['X']\n"), "no colon"),
        (format!("{route}auth = 'none'\nheader = ['apikey: y']\n"), "apikey"),
        (format!("{route}auth = 'none'\npass-header = ['cookie']\n"), "cookie"),
        (format!("{route}auth = 'none'\npass-header = ['a b']\n"), "not the name of a header"),
        (format!("{route}app = 'three'\n"), "`[app.three]`"),
        (
            format!("{route}auth = 'none'\n{route}auth = 'none'\n"),
            "two routes have the prefix `/a`",
        ),
        (format!("{route}auth = 'none'\n").replace("/a", "a"), "is no path"),
        (format!("{route}auth = 'none'\n").replace("/a", "/a?b"), "is no path"),
        (format!("{route}auth = 'none'\n").replace("/a", "/token"), "the proxy's own path"),
        (format!("{route}auth = 'none'\n").replace("127.0.0.1:9", "10.0.0.1"), "10.0.0.1"),
        (format!("listen = '127.0.0.1:x'\n{route}auth = 'none'\n"), "--listen"),
        (format!("listn = '127.0.0.1:0'\n{route}auth = 'none'\n"), "`listn` is not a key"),
    ] {
        scene.write("nhs-auth.toml", &text);
        let refused = refused(scene.binary().args(["proxy", "--admin", "off"]));
        assert!(refused.stderr.contains(said), "{text}: {}", refused.stderr);
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    let root = format!("{route}auth = 'none'\n").replace("/a", "/");
    scene.write("nhs-auth.toml", &root);
    let told = refused(&command_as_app(&scene, &[])).stderr;
    assert!(told.contains("one of them gets the rest"), "{told}");
}
