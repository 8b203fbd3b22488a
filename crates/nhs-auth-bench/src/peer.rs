//! Servers that run for a measurement, each in processes of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A server, which ends with the measurement.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx and haproxy end their workers when they are asked, and not when they are killed.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Server {
    /// `nhs-auth` with these arguments, which prints its URL when it is ready.
    pub(crate) fn ours(binary: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut process = Command::new(binary)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, url: line.trim_end().to_owned() }
    }

    /// nginx with this `http` block, as its own guides have it, with as many workers as there are
    /// cores. `{port}` stands for a free port.
    pub(crate) fn nginx(folder: &Path, http: &str) -> Self {
        let (here, port, workers) = (folder.display(), free_port(), cores());
        let http = http.replace("{port}", &port.to_string());
        let text = format!(
            "daemon off; master_process on; worker_processes {workers}; pid {here}/pid-{port}; \
             error_log stderr crit;\nevents {{ worker_connections 15000; }}\nhttp {{\n access_log \
             off; tcp_nodelay on; keepalive_requests 1000000000; client_body_temp_path {here}; \
             proxy_temp_path {here}; fastcgi_temp_path {here}; uwsgi_temp_path {here}; \
             scgi_temp_path {here};\n {http}\n}}\n"
        );
        let path = folder.join(format!("nginx-{port}.conf"));
        fs::write(&path, text).unwrap();
        // Its workers need not be root, and the folder is this user's alone.
        let user = if cfg!(unix) { "user root; " } else { "" };
        Self::started(Command::new("nginx").args(["-g", user, "-c"]).arg(path), port)
    }

    /// haproxy with these sections behind the global one, with as many threads as there are cores.
    pub(crate) fn haproxy(folder: &Path, sections: &str) -> Self {
        let (port, threads) = (free_port(), cores());
        let sections = sections.replace("{port}", &port.to_string());
        let text = format!("global\n nbthread {threads}\n maxconn 9000\n{sections}");
        let path = folder.join(format!("haproxy-{port}.cfg"));
        fs::write(&path, text).unwrap();
        Self::started(Command::new("haproxy").args(["-q", "-f"]).arg(path), port)
    }

    #[expect(clippy::disallowed_methods, reason = "a server's start is waited for")]
    fn started(command: &mut Command, port: u16) -> Self {
        let process = command.stdin(Stdio::null()).spawn().unwrap();
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Self { process, url: format!("http://127.0.0.1:{port}") }
    }

    /// What it and its workers have in memory: shared pages count by their share.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let mut processes = vec![self.process.id()];
        let mut sum = 0;
        while let Some(process) = processes.pop() {
            sum += proportional_bytes(process);
            processes.extend(children(process));
        }
        sum
    }
}

fn proportional_bytes(process: u32) -> u64 {
    let told = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn children(process: u32) -> Vec<u32> {
    let told = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    told.split_whitespace().map(|process| process.parse().unwrap()).collect()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn cores() -> usize {
    thread::available_parallelism().unwrap().get()
}
