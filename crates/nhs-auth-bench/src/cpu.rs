//! CPU time, as Linux accounts for it.

use std::fs;
use std::path::Path;
use std::process::Command;

/// CPU seconds that a process has used so far, over all its threads that still live.
pub(crate) fn of_process(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.map(|thread| of_thread(&thread.unwrap().path())).sum()
}

/// CPU seconds that this thread has used so far.
pub(crate) fn of_this_thread() -> f64 {
    of_thread(Path::new("/proc/thread-self"))
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of minutes are exact enough")]
fn of_thread(folder: &Path) -> f64 {
    let text = fs::read_to_string(folder.join("schedstat")).unwrap();
    let nanoseconds: u64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

/// CPU seconds of running a command line so many times, children and all, for one run of it.
pub(crate) fn of_runs(command: &str, runs: u32) -> f64 {
    let script = format!(
        "TIMEFORMAT='%U %S'; time (for i in $(seq {runs}); do {command} >/dev/null || exit 1; done)"
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "`{command}` failed: {stderr}");
    let last = stderr.trim_end().rsplit('\n').next().unwrap();
    let seconds: f64 = last.split(' ').map(|seconds| seconds.parse::<f64>().unwrap()).sum();
    seconds / f64::from(runs)
}
