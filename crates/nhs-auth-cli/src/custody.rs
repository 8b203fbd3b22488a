//! Keys and secrets that are kept elsewhere, by their URIs.

use std::io::IsTerminal as _;
use std::sync::{Arc, OnceLock};

use nhs_auth::{Custody, CustodyError, CustodyErrorKind, KeyUri, Signer};
use nhs_auth_custody::{AwsSecretRef, AwsSecrets, AzureKeyVault, EveryCustody};
use secrecy::SecretString;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::secret;

/// How often a PIN is asked for. A token locks after a few wrong ones.
const PROMPTS: usize = 2;

/// Whoever opens keys, wherever they are.
pub(crate) fn every() -> Arc<dyn Custody> {
    Arc::new(EveryCustody::new())
}

/// Whoever opens keys, by a PIN that was given.
pub(crate) fn with_pin(pin: Option<SecretString>) -> Arc<dyn Custody> {
    Arc::new(pin.map_or_else(EveryCustody::new, EveryCustody::with_pin))
}

/// Opens a key, by the PIN that a flag gives where one is needed, or that is asked for.
pub(crate) fn open(
    uri: &KeyUri,
    (flag, pin): (&str, Option<&str>),
) -> Result<Arc<dyn Signer>, Failure> {
    let pin = pin.map(|value| secret::read(flag, value)).transpose()?;
    with_pin_if_needed(uri, pin, async |custody| custody.open(uri).await)
}

/// Does something with a key, and asks for the PIN when it turns out to be needed.
pub(crate) fn with_pin_if_needed<T>(
    uri: &KeyUri,
    pin: Option<SecretString>,
    ask: impl AsyncFn(Arc<dyn Custody>) -> Result<T, CustodyError>,
) -> Result<T, Failure> {
    let mut pin = pin;
    let mut prompts = 0;
    loop {
        let outcome = runtime()?.block_on(ask(with_pin(pin.take())));
        match outcome {
            Err(error) if may_prompt(&error) && prompts < PROMPTS => {
                prompts += 1;
                let prompt = format!("PIN of {uri}: ");
                let given = rpassword::prompt_password(prompt)
                    .map_err(|error| Failure::usage(format!("can't ask for the PIN: {error}")))?;
                pin = Some(given.into());
            }
            Err(error) if error.kind() == CustodyErrorKind::PinNeeded => {
                return Err(Failure::from(error).hint("or give it with --passphrase file:PATH"));
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// The secret that a reference to AWS Secrets Manager or Azure Key Vault names.
pub(crate) fn secret(flag: &str, reference: &str) -> Result<SecretString, Failure> {
    let unusable = |error: String| {
        Failure::usage(format!("the value of {flag} can't be used: `{reference}`: {error}"))
    };
    if reference.starts_with("awssecret:") {
        let parsed = AwsSecretRef::parse(reference).map_err(|error| unusable(error.to_string()))?;
        let read = runtime()?.block_on(AwsSecrets::new().read(&parsed));
        return read.map_err(|error| {
            Failure::local(error.is_passing(), format!("can't read {flag}: {error}"))
        });
    }
    let uri = KeyUri::parse(reference).map_err(|error| unusable(error.to_string()))?;
    Ok(runtime()?.block_on(AzureKeyVault::from_environment().read_secret(&uri))?)
}

fn may_prompt(error: &CustodyError) -> bool {
    error.kind() == CustodyErrorKind::PinNeeded && std::io::stdin().is_terminal()
}

/// The runtime of the services that keep keys: their connections outlive what a verb waits for.
pub(crate) fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let made = made.map_err(|error| Failure::fault(format!("can't start: {error}")))?;
    Ok(RUNTIME.get_or_init(|| made))
}
