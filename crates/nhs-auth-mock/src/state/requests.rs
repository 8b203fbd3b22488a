//! The requests that were answered: a line of each for tests to look at, and the latest word for
//! word for the inspector.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::lock;
use crate::recorded::RecordedRequest;
use crate::transcript::Transcript;

/// The most that are remembered.
const MOST: usize = 10_000;

/// The most that are remembered word for word, and how much memory they may take together.
const MOST_TRANSCRIPTS: usize = 1000;
const TRANSCRIPT_BYTES: usize = 16 * 1024 * 1024;

/// The most that wait for the next request at once.
const WATCHERS: usize = 64;

/// The latest requests, the oldest first.
#[derive(Debug)]
pub(crate) struct Requests {
    history: Mutex<History>,
    latest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct History {
    /// The number of the latest request. It only grows, also when the requests are forgotten, so
    /// that no two have one number.
    latest: u64,
    entries: VecDeque<Entry>,
    /// How many of the latest entries have their transcript, and what these take.
    transcripts: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    record: RecordedRequest,
    transcript: Option<Arc<Transcript>>,
}

/// One request, as far as it is remembered.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) record: RecordedRequest,
    pub(crate) transcript: Option<Arc<Transcript>>,
}

impl Default for Requests {
    fn default() -> Self {
        Self { history: Mutex::default(), latest: watch::Sender::new(0) }
    }
}

impl Requests {
    pub(crate) fn add(&self, record: RecordedRequest, transcript: Transcript) {
        let id = lock(&self.history).add(record, transcript);
        self.latest.send_if_modified(|latest| {
            let is_later = id > *latest;
            *latest = id.max(*latest);
            is_later
        });
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.history).entries.iter().map(|entry| entry.record.clone()).collect()
    }

    /// The request of that number, if it is remembered.
    pub(crate) fn find(&self, id: u64) -> Option<Remembered> {
        let history = lock(&self.history);
        let first = history.entries.front()?.record.id;
        let index = usize::try_from(id.checked_sub(first)?).ok()?;
        let Entry { record, transcript } = history.entries.get(index)?;
        Some(Remembered { record: record.clone(), transcript: transcript.clone() })
    }

    /// The newest that are wanted, at most so many, the newest first, with a number that is
    /// greater than `after` and less than `before`.
    pub(crate) fn newest(
        &self,
        after: u64,
        before: u64,
        most: usize,
        is_wanted: impl Fn(&RecordedRequest) -> bool,
    ) -> Vec<RecordedRequest> {
        let history = lock(&self.history);
        let records = history.entries.iter().rev().map(|entry| &entry.record);
        records
            .skip_while(|record| record.id >= before)
            .take_while(|record| record.id > after)
            .filter(|record| is_wanted(record))
            .take(most)
            .cloned()
            .collect()
    }

    /// The number of the latest request.
    pub(crate) fn latest(&self) -> u64 {
        lock(&self.history).latest
    }

    /// The number of the latest request, and a way to wait for the next; `None` when too many wait
    /// already.
    pub(crate) fn watch(&self) -> Option<watch::Receiver<u64>> {
        // Held so that two can't both be the last.
        let _history = lock(&self.history);
        (self.latest.receiver_count() < WATCHERS).then(|| self.latest.subscribe())
    }

    pub(crate) fn clear(&self) {
        let history = &mut *lock(&self.history);
        *history = History { latest: history.latest, ..History::default() };
    }
}

impl History {
    fn add(&mut self, mut record: RecordedRequest, transcript: Transcript) -> u64 {
        if self.entries.len() >= MOST {
            self.entries.pop_front();
        }
        self.latest += 1;
        record.id = self.latest;
        self.transcripts += 1;
        self.bytes += transcript.size();
        self.entries.push_back(Entry { record, transcript: Some(Arc::new(transcript)) });
        while self.transcripts > MOST_TRANSCRIPTS || self.bytes > TRANSCRIPT_BYTES {
            let oldest = self.entries.len() - self.transcripts;
            let forgotten = self.entries[oldest].transcript.take();
            self.bytes -= forgotten.map_or(0, |transcript| transcript.size());
            self.transcripts -= 1;
        }
        self.latest
    }
}
