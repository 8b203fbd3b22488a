//! What an `azurekeyvault:` URI names.

use std::fmt;

use nhs_auth::{CustodyError, CustodyErrorKind, KeyUri, Kid};
use url::{Host, Url};

/// Where vaults of keys and secrets are: the public cloud, China's, and the US government's.
const VAULTS: [&str; 3] = [".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"];

/// The same for managed hardware security modules.
const MANAGED_HSMS: [&str; 3] =
    [".managedhsm.azure.net", ".managedhsm.azure.cn", ".managedhsm.usgovcloudapi.net"];

/// A vault that a credential may be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Vault {
    origin: Url,
    kind: VaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum VaultKind {
    Vault,
    ManagedHsm,
    /// Something on this machine, for tests.
    Loopback,
}

impl Vault {
    pub(super) fn kind(&self) -> VaultKind {
        self.kind
    }

    /// Whether it is spoken to without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.origin.scheme() == "http"
    }

    pub(super) fn origin(&self) -> &Url {
        &self.origin
    }

    fn of(url: &Url) -> Result<Self, &'static str> {
        let kind = match url.host() {
            Some(host) if is_loopback(&host) => VaultKind::Loopback,
            Some(Host::Domain(name)) if is_name_at(name, &VAULTS) => VaultKind::Vault,
            Some(Host::Domain(name)) if is_name_at(name, &MANAGED_HSMS) => VaultKind::ManagedHsm,
            _ => {
                return Err(
                    "the host is none of Azure Key Vault's, NAME.vault.azure.net and such: \
                            a credential would be sent to it",
                );
            }
        };
        if kind != VaultKind::Loopback && (url.scheme() != "https" || url.port().is_some()) {
            return Err("a vault is spoken to by https, at its own port");
        }
        let mut origin = url.clone();
        origin.set_path("/");
        Ok(Self { origin, kind })
    }
}

/// As it stands in a URI, behind `azurekeyvault:`.
impl fmt::Display for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.as_str().trim_end_matches('/');
        f.write_str(match self.kind {
            VaultKind::Loopback => origin,
            _ => origin.trim_start_matches("https:"),
        })
    }
}

/// A key or a secret of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) vault: Vault,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl Item {
    /// Reads the URI of a key that is there.
    pub(super) fn key(uri: &KeyUri) -> Result<Self, CustodyError> {
        Self::named(uri, "keys")
    }

    /// Reads the URI of a secret.
    pub(super) fn secret(uri: &KeyUri) -> Result<Self, CustodyError> {
        Self::named(uri, "secrets")
    }

    /// Reads where a key is to be made: a vault, or a key's URI without a version.
    pub(super) fn new_key(place: &KeyUri, kid: &Kid) -> Result<Self, CustodyError> {
        let parts = Parts::read(place)?;
        let name = match parts.path.as_slice() {
            [] | ["keys"] => kid.as_str(),
            ["keys", name] => name,
            ["keys", _, _] => return Err(invalid(place, "a new key has no version yet")),
            _ => return Err(invalid(place, "the path of a key is /keys/NAME")),
        };
        if !is_name(name) {
            return Err(invalid(
                place,
                format!(
                    "a key of Key Vault can't be named `{name}`: a name has letters, digits and \
                     `-`, 127 at most"
                ),
            ));
        }
        Ok(Self { name: name.to_owned(), vault: parts.vault, version: None })
    }

    fn named(uri: &KeyUri, collection: &'static str) -> Result<Self, CustodyError> {
        let parts = Parts::read(uri)?;
        let (name, version) = match parts.path.as_slice() {
            [found, name] if *found == collection => (name, None),
            [found, name, version] if *found == collection => (name, Some(version)),
            _ => {
                let form = format!("the path is /{collection}/NAME or /{collection}/NAME/VERSION");
                return Err(invalid(uri, form));
            }
        };
        if !is_name(name) || version.is_some_and(|version| !is_name(version)) {
            return Err(invalid(uri, "a name and a version have letters, digits and `-` alone"));
        }
        let version = version.map(|version| (*version).to_owned());
        Ok(Self { name: (*name).to_owned(), version, vault: parts.vault })
    }

    /// The URI of a key of this name and that version.
    pub(super) fn key_uri(&self, version: &str) -> KeyUri {
        let Self { vault, name, .. } = self;
        let uri = format!("azurekeyvault:{vault}/keys/{name}/{version}");
        KeyUri::parse(&uri).expect("a scheme, a host and names of letters and digits")
    }
}

/// A URI taken apart: the vault, and what its path has between slashes.
struct Parts<'a> {
    vault: Vault,
    path: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn read(uri: &'a KeyUri) -> Result<Self, CustodyError> {
        let rest = uri.rest();
        let text = if rest.starts_with("//") { format!("https:{rest}") } else { rest.to_owned() };
        let url = Url::parse(&text).map_err(|_| {
            invalid(uri, "it is written azurekeyvault://VAULT.vault.azure.net/keys/NAME")
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(invalid(uri, "behind `azurekeyvault:` stands `//` or `https://`"));
        }
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if has_more {
            return Err(invalid(uri, "it has a user, a query or a fragment, which mean nothing"));
        }
        let vault = Vault::of(&url).map_err(|reason| invalid(uri, reason))?;
        // Out of the URI itself: a URL parser would undo `..`, and take `\` for a slash.
        let behind_scheme = rest.split_once("//").map_or("", |(_, behind)| behind);
        let path = behind_scheme.split_once('/').map_or("", |(_, path)| path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        Ok(Self { vault, path })
    }
}

fn invalid(uri: &KeyUri, detail: impl Into<String>) -> CustodyError {
    CustodyError::new(CustodyErrorKind::InvalidUri, uri, detail)
}

fn is_name(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// One label before a suffix: `evil.example.vault.azure.net` is nobody's vault.
fn is_name_at(host: &str, suffixes: &[&str]) -> bool {
    suffixes.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(is_name))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uri: &str) -> Result<Item, CustodyError> {
        Item::key(&KeyUri::parse(uri).unwrap())
    }

    #[test]
    fn a_key_is_written_in_several_ways() {
        for uri in [
            "azurekeyvault://nhs.vault.azure.net/keys/int-1/0123ab",
            "azurekeyvault:https://nhs.vault.azure.net/keys/int-1/0123ab",
            "azurekeyvault:https://nhs.vault.azure.net:443/keys/int-1/0123ab/",
            "AZUREKEYVAULT://NHS.vault.azure.net/keys/int-1/0123ab",
        ] {
            let item = key(uri).unwrap();
            assert_eq!(item.name, "int-1");
            assert_eq!(item.version.as_deref(), Some("0123ab"));
            assert_eq!(item.vault.origin.as_str(), "https://nhs.vault.azure.net/");
            assert_eq!(
                item.key_uri("45").expose(),
                "azurekeyvault://nhs.vault.azure.net/keys/int-1/45"
            );
        }
        let item = key("azurekeyvault:http://127.0.0.1:8080/keys/int-1").unwrap();
        assert_eq!(item.version, None);
        assert!(item.vault.is_plain());
        assert_eq!(item.key_uri("4").expose(), "azurekeyvault:http://127.0.0.1:8080/keys/int-1/4");
        let hsm = key("azurekeyvault://nhs.managedhsm.azure.net/keys/a").unwrap();
        assert_eq!(hsm.vault.kind(), VaultKind::ManagedHsm);
    }

    #[test]
    fn a_credential_is_sent_to_azure_alone() {
        for uri in [
            "azurekeyvault://vault.example.com/keys/a",
            "azurekeyvault://vault.azure.net/keys/a",
            "azurekeyvault://.vault.azure.net/keys/a",
            "azurekeyvault://evil.example.vault.azure.net/keys/a",
            "azurekeyvault://nhs.vault.azure.net.example.com/keys/a",
            "azurekeyvault://example.com#.vault.azure.net/keys/a",
            "azurekeyvault://user@nhs.vault.azure.net/keys/a",
            "azurekeyvault://example.com\\.vault.azure.net/keys/a",
            "azurekeyvault:http://nhs.vault.azure.net/keys/a",
            "azurekeyvault://nhs.vault.azure.net:8443/keys/a",
            "azurekeyvault:http://10.0.0.1/keys/a",
            "azurekeyvault:http://127.0.0.1.example.com/keys/a",
            "azurekeyvault:ftp://nhs.vault.azure.net/keys/a",
            "azurekeyvault:nhs",
        ] {
            let error = key(uri).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{uri}");
        }
    }

    #[test]
    fn a_path_is_of_a_key() {
        for path in [
            "",
            "/keys",
            "/keys/",
            "/secrets/a",
            "/keys/a/b/c",
            "/keys//b",
            "/keys/a_b",
            "/keys/a/../b",
            "/keys/%61",
            "/keys/a?api-version=7.4",
            "/keys/a/b.c",
        ] {
            let error = key(&format!("azurekeyvault://nhs.vault.azure.net{path}")).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{path}");
        }
    }

    #[test]
    fn a_new_key_is_named_by_its_uri_or_its_kid() {
        let kid = Kid::parse("int-1").unwrap();
        let name = |place: &str, kid: &Kid| {
            Item::new_key(&KeyUri::parse(place).unwrap(), kid).map(|item| item.name)
        };
        for place in ["", "/", "/keys", "/keys/"] {
            let place = format!("azurekeyvault://nhs.vault.azure.net{place}");
            assert_eq!(name(&place, &kid).unwrap(), "int-1");
        }
        let place = "azurekeyvault://nhs.vault.azure.net/keys/other";
        assert_eq!(name(place, &kid).unwrap(), "other");
        let error = name(&format!("{place}/1"), &kid).unwrap_err();
        assert!(error.to_string().contains("no version yet"), "{error}");
        let dotted = Kid::parse("int_1.a").unwrap();
        let error = name("azurekeyvault://nhs.vault.azure.net", &dotted).unwrap_err();
        assert!(error.to_string().contains("`int_1.a`"), "{error}");
    }
}
