//! The modules that this process has loaded: each once, and for good.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Context};
use cryptoki::error::{Error, RvError};
use nhs_auth::CustodyErrorKind as Kind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use super::logins::Logins;

/// The most threads that one module gets: one for each key that is open, or whose call hangs.
const MOST_THREADS: usize = 64;

/// A module, which is initialised once for the whole process, and whose tokens are signed in to
/// once, too.
pub(super) struct Module {
    path: PathBuf,
    context: Mutex<Option<Context>>,
    pub(super) logins: Logins,
    /// Held while a key is made, so that two of one name aren't.
    pub(super) making: Mutex<()>,
    threads: Arc<Semaphore>,
}

impl Module {
    /// The one at this path, which is whole. Nothing is loaded yet.
    pub(super) fn at(path: &Path) -> Arc<Self> {
        static MODULES: LazyLock<Mutex<HashMap<PathBuf, Arc<Module>>>> =
            LazyLock::new(Mutex::default);
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let module = modules.entry(path.to_owned()).or_insert_with(|| {
            Arc::new(Self {
                path: path.to_owned(),
                context: Mutex::default(),
                logins: Logins::default(),
                making: Mutex::default(),
                threads: Arc::new(Semaphore::new(MOST_THREADS)),
            })
        });
        Arc::clone(module)
    }

    /// Leave for one thread, which it keeps until it ends.
    pub(super) fn thread(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.threads).try_acquire_owned().map_err(|_| {
            let detail = format!(
                "{MOST_THREADS} threads are busy with its module: too many keys are open, or its \
                 calls don't return"
            );
            Failure::new(Kind::Unreachable, detail)
        })
    }

    /// The module, loaded and initialised. Somebody else in this process may have done so, or
    /// have ended it meanwhile.
    pub(super) fn context(&self) -> Result<Context, Failure> {
        let mut kept = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let context = match &*kept {
            Some(context) => context.clone(),
            None => kept.insert(self.load()?).clone(),
        };
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(context),
            Err(error) => Err(error.into()),
        }
    }

    fn load(&self) -> Result<Context, Failure> {
        let path = self.path.display();
        Context::new(&self.path).map_err(|error| match error {
            Error::LibraryLoading(reason) => {
                Failure::new(Kind::Failed, format!("its module {path} can't be loaded: {reason}"))
            }
            Error::MissingSymbol(_) => {
                Failure::new(Kind::Failed, format!("{path} is no PKCS#11 module"))
            }
            other => other.into(),
        })
    }
}
