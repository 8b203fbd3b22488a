//! The applications that the sidecar gets tokens for, kept from one reading of the configuration to
//! the next.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use nhs_auth_server::ProxyApp;
use zeroize::Zeroizing;

use super::keeping::Keeping;
use crate::arguments::{Identity, Tokens};
use crate::config_file::ConfigFile;
use crate::console::Console;
use crate::failure::Failure;
use crate::{identity, key_ring};

/// What the application of the flags is called where no name was chosen.
pub(super) const UNNAMED: &str = "default";

/// The applications by name.
pub(super) struct Apps {
    made: HashMap<String, (Made, ProxyApp)>,
    keeping: Keeping,
    console: Console,
}

/// What an application was made of.
#[derive(Clone, PartialEq, Eq)]
struct Made {
    identity: Identity,
    /// Of the private key's file and of the API key, which may have been replaced where they are.
    secrets: [Option<Vec<u8>>; 2],
}

impl Apps {
    pub(super) fn new(keeping: Keeping, console: Console) -> Self {
        Self { made: HashMap::new(), keeping, console }
    }

    fn digests(&self, identity: &Identity) -> Result<[Option<Vec<u8>>; 2], Failure> {
        let key = identity.private_key.as_deref().and_then(file_digest);
        let api_key = identity::api_key(identity.api_key.as_deref(), self.console.hushed())?;
        Ok([key, Some(hash(api_key.as_str().as_bytes()))])
    }

    /// The application of that name, the same as before when it is made of the same.
    pub(super) fn get(
        &mut self,
        name: &str,
        identity: &Identity,
        tokens: &Tokens,
    ) -> Result<ProxyApp, Failure> {
        let made = Made { identity: identity.clone(), secrets: self.digests(identity)? };
        if let Some((before, app)) = self.made.get(name)
            && *before == made
        {
            return Ok(app.clone());
        }
        let application = identity::application(identity, self.console)?;
        let client = self.keeping.client(tokens)?;
        let mut app =
            ProxyApp::new(name, &application, client, |cache| self.keeping.keep(cache, tokens));
        if let Some(place) = &identity.key_ring {
            app = app.with_key_ring(key_ring::at(place)?);
        }
        self.made.insert(name.to_owned(), (made, app.clone()));
        Ok(app)
    }
}

/// `None` for a key that is no file. The path may have `file:` before it.
fn file_digest(path: &str) -> Option<Vec<u8>> {
    let path = path.strip_prefix("file:").map_or(path, |it| it.strip_prefix("//").unwrap_or(it));
    Some(hash(&Zeroizing::new(fs::read(path).ok()?)))
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// The identity that the configuration file has for an application.
pub(super) fn identity_in(file: &ConfigFile, name: &str) -> Result<Identity, Failure> {
    let values = file.values_of(name)?;
    let value = |key: &str| one_of(&values, key);
    Ok(Identity {
        api_key: value("api-key"),
        env: value("env").unwrap_or_else(|| "int".to_owned()),
        kid: value("kid"),
        private_key: value("private-key"),
        passphrase: value("passphrase"),
        key_ring: value("key-ring"),
        base_url: value("base-url"),
        base_path: value("base-path"),
    })
}

fn one_of(values: &BTreeMap<String, Vec<String>>, key: &str) -> Option<String> {
    values.get(key).and_then(|values| values.last()).cloned()
}
