//! Keys in hardware security modules, by PKCS#11.

mod failure;
mod key;
mod logins;
mod making;
mod module;
mod module_file;
mod place;
mod signer;
mod token;
mod uri;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use nhs_auth::{CreatedKey, Custody, CustodyError, CustodyFuture, KeyUri, Kid, Signer};
use secrecy::SecretString;

use place::Place;
use signer::Pkcs11Signer;
use uri::TokenUri;

/// Opens and makes RSA keys in hardware security modules, smart cards and the like, by `pkcs11:`
/// URIs (RFC 7512).
///
/// ```no_run
/// use nhs_auth::{Custody as _, KeyUri};
/// use nhs_auth_custody::Pkcs11;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let custody = Pkcs11::new().with_module("/usr/lib/softhsm/libsofthsm2.so");
/// let uri = KeyUri::parse("pkcs11:token=nhs;object=int-1?pin-source=file:/run/secrets/pin")?;
/// let signer = custody.open(&uri).await?;
/// # Ok(())
/// # }
/// ```
///
/// Before the `?` a URI says which token and which key it means: `token`, `manufacturer`,
/// `serial`, `model`, `slot-id`, `slot-manufacturer`, `slot-description`, `library-manufacturer`,
/// `library-description`, `library-version`, `object` (its label), `id`, and `type`, which can only
/// be `private`. All that stands there has to fit, and has to fit one key. After it stand
/// `module-path` or `module-name`, which say what to load, and `pin-source` (`file:PATH`, or a path)
/// or `pin-value`. A name that is none of these, or stands there twice, makes it invalid.
///
/// - **The module is code** that runs in this process: let no stranger choose it. What is loaded
///   stays loaded. A statically linked program can load none.
/// - **A wrong PIN is never tried again** by itself, since tokens lock after a few. Once a token
///   refuses the PIN when it is asked anew, the signer stays refused.
/// - **A session that was lost**, or a token that was away, is looked for once at the next
///   signature, and so on at each.
/// - **Ten seconds** is the most that opening a key and each signature take, and 25 that making one
///   takes. A module whose calls never return costs a thread for each key, of which 64 are the most
///   for one module.
/// - **Dropping a signer** closes its session, and waits for that; half a second at most.
/// - **One PIN a token** is good in one process: tokens keep who is signed in for all of it.
///
/// When it is opened, a key signs once, to prove that it goes with the public key that the token
/// says. A token that wants a touch for each signature wants one then.
#[derive(Clone, Debug, Default)]
pub struct Pkcs11 {
    module: Option<PathBuf>,
    pin: Option<SecretString>,
}

impl Pkcs11 {
    /// Of keys whose URIs say all.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this module for URIs that name none.
    pub fn with_module(mut self, path: impl Into<PathBuf>) -> Self {
        self.module = Some(path.into());
        self
    }

    /// With this PIN for URIs that have neither a `pin-source` nor a `pin-value`.
    pub fn with_pin(mut self, pin: SecretString) -> Self {
        self.pin = Some(pin);
        self
    }

    fn place(&self, uri: &KeyUri) -> Result<Place, CustodyError> {
        if uri.scheme() != "pkcs11" {
            return Err(CustodyError::unsupported(uri));
        }
        let parsed = TokenUri::parse(uri).map_err(|failure| failure.of(uri))?;
        let module = module_file::find(&parsed, self.module.as_deref());
        let module = module.map_err(|failure| failure.of(uri))?;
        Ok(Place::new(uri, parsed, &module, self.pin.clone()))
    }
}

impl Custody for Pkcs11 {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move {
            let signer = Pkcs11Signer::open(self.place(uri)?).await?;
            Ok(Arc::new(signer) as Arc<dyn Signer>)
        })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move {
            let signer = Pkcs11Signer::create(self.place(place)?, kid).await?;
            Ok(CreatedKey { uri: signer.uri().clone(), signer: Arc::new(signer) })
        })
    }
}
