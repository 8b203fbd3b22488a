//! Signs by a key of a token.

use std::fmt;
use std::time::Duration;

use nhs_auth::{
    CustodyError, CustodyErrorKind as Kind, KeyUri, Kid, PublicKey, SignFuture, Signature, Signer,
    SigningAlgorithm,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::failure::Failure;
use super::place::Place;
use super::worker::{self, End, First, Job, Ready, Started};

const OPEN_WITHIN: Duration = Duration::from_secs(10);
const SIGN_WITHIN: Duration = Duration::from_secs(10);
/// Some tokens look for primes for a while.
const CREATE_WITHIN: Duration = Duration::from_secs(25);

pub(super) struct Pkcs11Signer {
    uri: KeyUri,
    public: PublicKey,
    // Dropped in this order: the thread ends once nobody can send it anything.
    jobs: mpsc::Sender<Job>,
    _end: End,
}

impl Pkcs11Signer {
    pub(super) async fn open(place: Place) -> Result<Self, CustodyError> {
        let late = "the module's calls don't return";
        Self::start(place, First::Open, OPEN_WITHIN, late).await
    }

    pub(super) async fn create(place: Place, kid: &Kid) -> Result<Self, CustodyError> {
        let late = "the token may make the key all the same: look for it before you try again";
        Self::start(place, First::Create(kid.clone()), CREATE_WITHIN, late).await
    }

    async fn start(
        place: Place,
        first: First,
        within: Duration,
        late: &str,
    ) -> Result<Self, CustodyError> {
        let asked = place.key_uri.clone();
        let started = async {
            let Started { jobs, ready, end } = worker::start(place, first)?;
            let ready = timeout(within, ready).await;
            let ready = ready.map_err(|_| Failure::new(Kind::TimedOut, late))?;
            let Ready { uri, public } = ready.map_err(|_| ended())??;
            Ok(Self { uri, public, jobs, _end: End::from(end) })
        };
        started.await.map_err(|failure: Failure| failure.of(asked))
    }

    pub(super) fn uri(&self) -> &KeyUri {
        &self.uri
    }

    async fn signed(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
    ) -> Result<Signature, Failure> {
        let (answer, answered) = oneshot::channel();
        let job = Job { algorithm, message: message.to_vec(), answer };
        let signed = async {
            self.jobs.send(job).await.map_err(|_| ended())?;
            answered.await.map_err(|_| ended())?
        };
        let signed = timeout(SIGN_WITHIN, signed).await;
        let late = |_| Failure::new(Kind::TimedOut, "the token is busy, or its calls don't return");
        signed.map_err(late)?.map(Signature::new)
    }
}

impl Signer for Pkcs11Signer {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move {
            let signed = self.signed(algorithm, message).await;
            signed.map_err(|failure| failure.of(&self.uri).into())
        })
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("uri", &self.uri)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

fn ended() -> Failure {
    Failure::new(Kind::Failed, "the thread that signs has ended")
}
