//! SoftHSM for a test of its own. The module reads its environment when it is loaded, so that each
//! test that uses it runs in a process of its own: this very program, told which test to run.

use std::any::type_name_of_val;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Context};
use cryptoki::session::{Session, UserType};
use nhs_auth_custody::Pkcs11;

pub(crate) const PIN: &str = "hush-4711";
const SO_PIN: &str = "officer-0815";

/// Where it has its configuration, and by which a process knows that it is of one test's own.
const CONFIGURATION: &str = "SOFTHSM2_CONF";
const ALONE: &str = "NHS_AUTH_TEST_ALONE";

/// Making keys takes all that a machine has, and is waited for only so long.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder of tokens, which only this process uses.
pub(crate) struct SoftHsm {
    folder: PathBuf,
    module: PathBuf,
}

/// Runs a test with a token called `nhs`, in a process of its own.
pub(crate) fn alone(body: impl AsyncFnOnce(SoftHsm)) {
    alone_with("", body);
}

/// The same, with a further line of SoftHSM's configuration.
#[expect(clippy::disallowed_methods, reason = "it is how the one process tells the other")]
pub(crate) fn alone_with(configuration: &str, body: impl AsyncFnOnce(SoftHsm)) {
    if let Some(folder) = std::env::var_os(ALONE) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let run = body(SoftHsm { folder: folder.into(), module: module() });
        let run = async { tokio::time::timeout(Duration::from_mins(4), run).await };
        runtime.block_on(run).expect("the test takes too long");
        // A thread of a call that hangs keeps nobody.
        runtime.shutdown_background();
        return;
    }
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("softhsm2.conf");
    std::fs::create_dir(folder.path().join("tokens")).unwrap();
    let tokens = folder.path().join("tokens").display().to_string();
    let text = format!(
        "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n\
         {configuration}\n"
    );
    std::fs::write(&conf, text).unwrap();

    let name = type_name_of_val(&body).trim_end_matches("::{{closure}}");
    let (_, name) = name.split_once("::").unwrap();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, folder.path())
        .env(CONFIGURATION, &conf)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let complained = String::from_utf8_lossy(&ran.stderr);
    let has_passed = ran.status.success() && said.contains("1 passed");
    assert!(has_passed, "{name}, {}: {said}\n{complained}", ran.status);
    assert!(!said.contains(PIN) && !complained.contains(PIN), "{name} shows the PIN");
}

impl SoftHsm {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// Makes a token of that name.
    pub(crate) fn token(self, label: &str) -> Self {
        self.another_token(label);
        self
    }

    pub(crate) fn another_token(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN])
            .env(CONFIGURATION, self.folder.join("softhsm2.conf"))
            .output()
            .expect("`cargo xtask test` installs SoftHSM");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// With the module, and the PIN.
    pub(crate) fn custody(&self) -> Pkcs11 {
        self.custody_without_pin().with_pin(PIN.to_owned().into())
    }

    pub(crate) fn custody_without_pin(&self) -> Pkcs11 {
        Pkcs11::new().with_module(&self.module)
    }

    /// The same module in other hands.
    pub(crate) fn context(&self) -> Context {
        let context = Context::new(&self.module).unwrap();
        let _ = context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        context
    }
}

/// A session that may write, signed in.
pub(crate) fn signed_in(context: &Context) -> Session {
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_rw_session(slot).unwrap();
    let _ = session.login(UserType::User, Some(&PIN.to_owned().into()));
    session
}

pub(crate) fn module() -> PathBuf {
    let folders = ["/usr/lib/softhsm", "/usr/lib64/pkcs11", "/usr/lib64", "/usr/local/lib/softhsm"];
    let mut paths = folders.iter().map(|folder| Path::new(folder).join("libsofthsm2.so"));
    paths.find(|path| path.exists()).expect("`cargo xtask test` installs SoftHSM")
}
