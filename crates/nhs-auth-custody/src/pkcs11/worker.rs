//! The thread that owns a key's session: a module's calls block, and a session is one thread's.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nhs_auth::{CustodyErrorKind as Kind, KeyUri, Kid, PublicKey, SigningAlgorithm};
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;
use super::key::TokenKey;
use super::logins::Asking;
use super::making;
use super::place::Place;

/// How many signatures wait in line before those who ask wait themselves.
const LINE: usize = 64;

/// One signature that somebody waits for, or did.
pub(super) struct Job {
    pub(super) algorithm: SigningAlgorithm,
    pub(super) message: Vec<u8>,
    pub(super) answer: oneshot::Sender<Result<Vec<u8>, Failure>>,
}

/// What the thread does first.
pub(super) enum First {
    Open,
    Create(Kid),
}

/// What is told of a key once it is open.
pub(super) struct Ready {
    pub(super) uri: KeyUri,
    pub(super) public: PublicKey,
}

/// A thread that was started.
pub(super) struct Started {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) ready: oneshot::Receiver<Result<Ready, Failure>>,
    /// To be made an [`End`] of once the key is open: whoever gives up before waits no longer.
    pub(super) end: std::sync::mpsc::Receiver<()>,
}

/// Waits when dropped, for a little while, until the thread has ended: a module that still closes
/// a session while the process ends may crash it.
pub(super) struct End(Mutex<std::sync::mpsc::Receiver<()>>);

impl From<std::sync::mpsc::Receiver<()>> for End {
    fn from(end: std::sync::mpsc::Receiver<()>) -> Self {
        Self(Mutex::new(end))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let end = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = end.recv_timeout(CLOSED_WITHIN);
    }
}

/// Closing takes far less than a millisecond, where the token is not busy.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);

/// Starts the thread. It ends once nobody can send it a job any more, or nobody waits for the key.
pub(super) fn start(place: Place, first: First) -> Result<Started, Failure> {
    let permit = place.module.thread()?;
    let (jobs, line) = mpsc::channel(LINE);
    let (ready, is_ready) = oneshot::channel();
    let (ending, end) = std::sync::mpsc::channel();
    thread::Builder::new()
        .name("nhs-auth-pkcs11".to_owned())
        .spawn(move || {
            let _until_the_end: (_, std::sync::mpsc::Sender<()>) = (permit, ending);
            run(place, first, ready, line);
        })
        .map_err(|error| Failure::new(Kind::Failed, format!("can't start a thread: {error}")))?;
    Ok(Started { jobs, ready: is_ready, end })
}

fn run(
    place: Place,
    first: First,
    ready: oneshot::Sender<Result<Ready, Failure>>,
    mut line: mpsc::Receiver<Job>,
) {
    let mut bench = match Bench::begin(place, first) {
        Ok(bench) => bench,
        Err(failure) => {
            let _ = ready.send(Err(failure));
            return;
        }
    };
    let told = Ready { uri: bench.place.key_uri.clone(), public: bench.public.clone() };
    if ready.send(Ok(told)).is_err() {
        return;
    }
    while let Some(Job { algorithm, message, answer }) = line.blocking_recv() {
        // Who has gone meanwhile costs the token nothing.
        if !answer.is_closed() {
            let _ = answer.send(bench.sign(algorithm, &message));
        }
    }
}

/// A key to sign with, found again when it was lost.
struct Bench {
    place: Place,
    public: PublicKey,
    key: Option<TokenKey>,
    /// Once the PIN was refused: the token is not asked any more.
    refused: Option<Failure>,
}

impl Bench {
    fn begin(place: Place, first: First) -> Result<Self, Failure> {
        let (place, _entered) = match first {
            First::Open => (place, None),
            First::Create(kid) => {
                let (uri, entered) = making::make(&place, &kid)?;
                (place.at_key(&uri)?, Some(entered))
            }
        };
        let key = TokenKey::open(&place, Asking::First)?;
        key.prove()?;
        let public = key.public().clone();
        Ok(Self { place, public, key: Some(key), refused: None })
    }

    fn sign(&mut self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, Failure> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        self.sign_or_find_again(algorithm, message).inspect_err(|failure| {
            if failure.is_about_the_pin() {
                self.refused = Some(failure.clone());
            }
        })
    }

    fn sign_or_find_again(
        &mut self,
        algorithm: SigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        if let Some(key) = &self.key {
            match key.sign(algorithm, message) {
                Err(failure) if failure.may_be_of_the_session() => self.key = None,
                signed => return signed,
            }
        }
        let key = self.find_again()?;
        let signature = key.sign(algorithm, message)?;
        self.key = Some(key);
        Ok(signature)
    }

    fn find_again(&self) -> Result<TokenKey, Failure> {
        let key = TokenKey::open(&self.place, Asking::Again)?;
        if *key.public() == self.public {
            return Ok(key);
        }
        Err(Failure::new(Kind::NotFound, "there is another key in its place by now"))
    }
}
