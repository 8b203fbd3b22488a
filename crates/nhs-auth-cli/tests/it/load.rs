//! Callers without a pause, who count what comes of their calls.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Callers of one URL, each over a connection that it keeps.
pub(crate) struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    good: AtomicUsize,
    /// Nobody was there, or went away before the answer.
    unanswered: AtomicUsize,
    /// Answers other than the one that is wanted.
    failed: Mutex<Vec<String>>,
}

/// What has come of it.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) good: usize,
    pub(crate) unanswered: usize,
    pub(crate) failed: Vec<String>,
}

impl Load {
    /// So many callers, who pause for so many milliseconds between two calls.
    pub(crate) fn start(runtime: &Runtime, url: &str, callers: usize, pause: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let callers = (0..callers).map(|_| {
            let (shared, url) = (Arc::clone(&shared), url.to_owned());
            runtime.spawn(async move {
                let client = client();
                while !shared.stop.load(Ordering::Relaxed) {
                    shared.call(&client, &url).await;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            })
        });
        Self { callers: callers.collect(), shared }
    }

    pub(crate) fn so_far(&self) -> Tally {
        Tally {
            good: self.shared.good.load(Ordering::Relaxed),
            unanswered: self.shared.unanswered.load(Ordering::Relaxed),
            failed: self.shared.failed.lock().unwrap().clone(),
        }
    }

    /// Waits until so many more calls have gone well.
    pub(crate) fn goes_on(&self, calls: usize) {
        let wanted = self.so_far().good + calls;
        for _ in 0..1200 {
            if self.so_far().good >= wanted {
                return;
            }
            crate::running_proxy::pause(25);
        }
        panic!("the calls have come to a halt: {:?}", self.so_far());
    }

    /// Ends the calls, and prints what has come of them.
    #[expect(clippy::print_stdout, reason = "the count is what is reported")]
    pub(crate) fn finish(mut self, runtime: &Runtime) -> Tally {
        self.shared.stop.store(true, Ordering::Relaxed);
        for caller in &mut self.callers {
            runtime.block_on(caller).unwrap();
        }
        let tally = self.so_far();
        println!(
            "calls: {} good, {} failed, {} without an answer",
            tally.good,
            tally.failed.len(),
            tally.unanswered
        );
        tally
    }
}

impl Tally {
    /// Insists on calls, and on none that failed.
    #[track_caller]
    pub(crate) fn is_all_good(&self) {
        assert!(self.good > 0 && self.unanswered == 0 && self.failed.is_empty(), "{self:#?}");
    }
}

impl Shared {
    async fn call(&self, client: &reqwest::Client, url: &str) {
        let Ok(answer) = client.get(url).send().await else {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let status = answer.status();
        match answer.text().await {
            Ok(text) if status == 200 && text == r#"{"message":"Hello Application!"}"# => {
                self.good.fetch_add(1, Ordering::Relaxed);
            }
            Ok(text) => self.failed.lock().unwrap().push(format!("{status}: {text}")),
            Err(_) => {
                self.unanswered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a tester's own client")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only(Vec::new()).build().unwrap()
}
