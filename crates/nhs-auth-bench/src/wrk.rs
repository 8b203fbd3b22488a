//! Load by `wrk`, and what it tells.

use std::process::Command;

/// How many connections are busy at once.
pub(crate) const CONNECTIONS: &str = "32";

const SECONDS: &str = "3s";

/// What came of one load.
pub(crate) struct Load {
    pub(crate) requests_a_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Loads a URL for some seconds. Every answer has to be a good one.
pub(crate) fn load(url: &str) -> Load {
    let wrk = Command::new("wrk")
        .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", SECONDS])
        .args(["--latency", url])
        .output()
        .unwrap();
    let told = String::from_utf8(wrk.stdout).unwrap();
    assert!(!told.contains("Non-2xx") && !told.contains("Socket errors"), "{told}");
    let behind = |label: &str| {
        let line = told.lines().find(|line| line.trim_start().starts_with(label));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    Load {
        requests_a_second: behind("Requests/sec:").parse().unwrap(),
        p50_ms: millis(&behind("50%")),
        p99_ms: millis(&behind("99%")),
    }
}

/// A duration as wrk tells it, in milliseconds.
fn millis(text: &str) -> f64 {
    for (unit, millis) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return number.parse::<f64>().unwrap() * millis;
        }
    }
    panic!("{text} is no duration");
}
