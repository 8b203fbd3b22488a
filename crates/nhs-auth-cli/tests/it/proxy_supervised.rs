//! The sidecar under a supervisor: sockets, what systemd gives and is told, and a good end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::running_proxy::{RunningProxy, command_as_app, get, pause};
use crate::scene::{Scene, run};

const HELLO: &str = "/hello-world/hello/application";
const GREETING: &str = r#"{"message":"Hello Application!"}"#;

#[test]
fn a_unix_socket_is_for_its_owner_alone() {
    let scene = Scene::new();
    let socket = scene.path("nhs.sock");
    let listen = format!("unix:{}", socket.display());
    let start = || {
        let arguments = ["proxy", "--listen", &listen, "--admin", "off"];
        RunningProxy::start(&mut command_as_app(&scene, &arguments))
    };
    let call = || {
        let mut curl = Command::new("curl");
        // Whatever name the caller has for it.
        let url = format!("http://nhs{HELLO}");
        run(curl.args(["--silent", "--unix-socket"]).arg(&socket).arg(url), "").exits(0).stdout
    };
    let first = start();
    assert_eq!(first.url, listen);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(call(), GREETING);
    let second = ["proxy", "--listen", &listen, "--admin", "off"];
    let told = run(&mut command_as_app(&scene, &second), "").exits(2).stderr;
    assert!(told.contains("another program listens there"), "{told}");

    // What one that was killed leaves is in nobody's way.
    first.signal("KILL");
    first.ends();
    assert!(socket.exists());
    let next = start();
    assert_eq!(call(), GREETING);
    next.signal("TERM");
    next.ends().exits(0);
    assert!(!socket.exists());
}

/// Opens a socket, and becomes the program, as systemd does.
const AS_SYSTEMD: &str = "
import os, socket, sys
kind, place = sys.argv[1:3]
if kind == 'unix':
    given = socket.socket(socket.AF_UNIX)
    given.bind(place)
else:
    given = socket.socket()
    given.bind((place, 0))
given.listen()
if given.fileno() != 3:
    os.dup2(given.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
";

/// The sidecar at a socket that was opened before it began.
fn activated(scene: &Scene, kind: &str, place: &str) -> Command {
    // What `--listen` says is not asked: the socket unit says where.
    let own = command_as_app(scene, &["proxy", "--listen", "127.0.0.1:1", "--admin", "off"]);
    let mut python = Command::new("python3");
    python.env_clear().current_dir(scene.path(""));
    python.env("PATH", std::env::join_paths(["/usr/local/bin", "/usr/bin", "/bin"]).unwrap());
    python.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    python.args(["-c", AS_SYSTEMD, kind, place]).arg(own.get_program()).args(own.get_args());
    python
}

#[test]
fn a_socket_that_is_given_is_used() {
    let scene = Scene::new();
    let proxy = RunningProxy::start(&mut activated(&scene, "tcp", "127.0.0.1"));
    assert!(!proxy.url.ends_with(":1"), "{}", proxy.url);
    assert_eq!(get(&format!("{}{HELLO}", proxy.url)), GREETING);

    let place = scene.path("given.sock").display().to_string();
    let proxy = RunningProxy::start(&mut activated(&scene, "unix", &place));
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--unix-socket", &place, &format!("http://nhs{HELLO}")]);
    assert_eq!(run(&mut curl, "").exits(0).stdout, GREETING);
    drop(proxy);

    // Given or not, other machines are kept out.
    let told = run(&mut activated(&scene, "tcp", "0.0.0.0"), "").exits(2).stderr;
    assert!(told.contains("can be reached from other machines"), "{told}");
}

#[test]
fn a_supervisor_is_told_how_it_stands() {
    let scene = Scene::new();
    let place = scene.path("notify");
    let supervisor = UnixDatagram::bind(&place).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let told = || {
        let mut message = [0; 256];
        let length = supervisor.recv(&mut message).expect("the supervisor is told nothing");
        String::from_utf8_lossy(&message[..length]).trim_end().to_owned()
    };
    let mut command = command_as_app(&scene, &[]);
    let proxy = RunningProxy::start(command.env("NOTIFY_SOCKET", &place));
    assert_eq!(told(), "READY=1");
    proxy.signal("HUP");
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1");
    proxy.signal("TERM");
    assert_eq!(told(), "STOPPING=1");
    proxy.ends().exits(0);
}

/// An API that sends a piece now and then; each time it says so.
fn slow_api(pieces: usize) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (say, said) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for piece in 1..=pieces {
            if stream.write_all(b"5\r\npiece\r\n").is_err() {
                return;
            }
            let _ = say.send(piece);
            pause(100);
        }
        let _ = stream.write_all(b"0\r\n\r\n");
    });
    (url, said)
}

fn download(proxy: &RunningProxy) -> Child {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--no-buffer"]).arg(format!("{}/slow", proxy.url));
    curl.stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn told_to_stop_it_ends_what_has_begun() {
    let scene = Scene::new();
    let (api, said) = slow_api(20);
    let proxy = RunningProxy::as_app(&scene, &["--upstream", &api]);
    let curl = download(&proxy);
    assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(1));
    proxy.signal("TERM");
    // Nobody new is let in.
    let mut refused = false;
    for _ in 0..100 {
        let mut another = Command::new("curl");
        refused |= run(another.args(["--silent", &proxy.url]), "").exit == 7;
        if refused {
            break;
        }
        pause(10);
    }
    assert!(refused);
    let got = curl.wait_with_output().unwrap();
    assert!(got.status.success(), "{got:?}");
    assert_eq!(got.stdout, b"piece".repeat(20));
    proxy.ends().exits(0);
}

#[test]
fn what_takes_too_long_is_cut_off() {
    let scene = Scene::new();
    let (api, said) = slow_api(600);
    let proxy = RunningProxy::as_app(&scene, &["--upstream", &api, "--drain", "1"]);
    let curl = download(&proxy);
    assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(1));
    proxy.signal("TERM");
    proxy.ends().exits(0);
    let got = curl.wait_with_output().unwrap();
    // Nobody takes a part for the whole.
    assert!(!got.status.success() && got.stdout.starts_with(b"piece"), "{got:?}");
}

#[test]
fn told_to_stop_twice_it_ends_at_once() {
    let scene = Scene::new();
    let (api, said) = slow_api(600);
    let proxy = RunningProxy::as_app(&scene, &["--upstream", &api, "--drain", "3600"]);
    let curl = download(&proxy);
    assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(1));
    proxy.signal("TERM");
    proxy.signal("INT");
    proxy.ends().exits(0);
    let got = curl.wait_with_output().unwrap();
    assert!(!got.status.success() && got.stdout.starts_with(b"piece"), "{got:?}");
}
