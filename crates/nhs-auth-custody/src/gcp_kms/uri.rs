//! What a `gcpkms:` URI names.

use std::fmt;

use nhs_auth::{CustodyError, CustodyErrorKind, KeyUri, Kid};
use url::{Host, Url};

/// Where a credential may be sent.
const GOOGLE: &str = ".googleapis.com";

/// The longest name of a key ring and of a key.
const LONGEST_NAME: usize = 63;

/// A URI, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `projects/P/locations/L/keyRings/R`
    pub(super) key_ring: String,
    pub(super) key: Option<String>,
    pub(super) version: Option<String>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) is_hsm: bool,
}

/// Another endpoint than the usual one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    url: String,
    /// Whether it is a stand-in on this machine, to which no credential is sent.
    pub(super) is_local: bool,
}

impl Place {
    pub(super) fn read(uri: &KeyUri) -> Result<Self, CustodyError> {
        let rest = uri.rest();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix("//").unwrap_or(path);
        let parts: Vec<_> = path.split('/').collect();
        let (ring, key, version) = match parts.as_slice() {
            ["projects", _, "locations", _, "keyRings", _] => (&parts[..], None, None),
            [ring @ .., "cryptoKeys", key] => (ring, Some(*key), None),
            [ring @ .., "cryptoKeys", key, "cryptoKeyVersions" | "versions", version] => {
                (ring, Some(*key), Some(*version))
            }
            _ => return Err(invalid(uri, FORM)),
        };
        let ["projects", project, "locations", location, "keyRings", name] = ring else {
            return Err(invalid(uri, FORM));
        };
        let is_version =
            |text: &str| (1..=10).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
        let is_read = is_of(project, "-.:")
            && is_of(location, "-")
            && is_name(name)
            && key.is_none_or(is_name)
            && version.is_none_or(is_version);
        if !is_read {
            return Err(invalid(uri, FORM));
        }
        let mut place = Self {
            key_ring: ring.join("/"),
            key: key.map(str::to_owned),
            version: version.map(str::to_owned),
            endpoint: None,
            is_hsm: false,
        };
        place.read_query(query).map_err(|reason| invalid(uri, reason))?;
        Ok(place)
    }

    /// The key to open: a key ring alone is none.
    pub(super) fn key(&self, uri: &KeyUri) -> Result<CryptoKey, CustodyError> {
        match &self.key {
            Some(key) => Ok(self.key_named(key)),
            None => Err(invalid(uri, FORM)),
        }
    }

    /// The key to make.
    pub(super) fn new_key(&self, uri: &KeyUri, kid: &Kid) -> Result<CryptoKey, CustodyError> {
        if self.version.is_some() {
            return Err(invalid(uri, "a new key has no version yet"));
        }
        let name = self.key.as_deref().unwrap_or(kid.as_str());
        if is_name(name) {
            return Ok(self.key_named(name));
        }
        let reason = format!(
            "a key of Cloud KMS can't be named `{name}`: a name has letters, digits, `-` and `_`, \
             {LONGEST_NAME} at most"
        );
        Err(invalid(uri, reason))
    }

    fn key_named(&self, name: &str) -> CryptoKey {
        CryptoKey { id: name.to_owned(), name: format!("{}/cryptoKeys/{name}", self.key_ring) }
    }

    fn read_query(&mut self, query: &str) -> Result<(), &'static str> {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("endpoint", url)) => self.endpoint = Some(Endpoint::parse(url)?),
                Some(("protection", "hsm")) => self.is_hsm = true,
                Some(("protection", "software")) => self.is_hsm = false,
                _ => return Err("behind `?` stand endpoint=URL and protection=hsm or =software"),
            }
        }
        Ok(())
    }
}

/// A key, and what it is called within its ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CryptoKey {
    pub(super) id: String,
    pub(super) name: String,
}

impl CryptoKey {
    pub(super) fn version(&self, version: &str) -> String {
        format!("{}/cryptoKeyVersions/{version}", self.name)
    }
}

/// The URI of the version of that name.
pub(super) fn version_uri(name: &str, endpoint: Option<&Endpoint>) -> KeyUri {
    let query = endpoint.map(|endpoint| format!("?endpoint={endpoint}")).unwrap_or_default();
    KeyUri::parse(&format!("gcpkms:{name}{query}")).expect("a scheme, and names that were read")
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let reason = "endpoint= is https://…googleapis.com, or http:// on this machine: a \
                      credential is sent there";
        let url = Url::parse(text).map_err(|_| reason)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let is_local = match (url.scheme(), url.host()) {
            ("https", Some(Host::Domain(name))) if name.ends_with(GOOGLE) => false,
            ("http", Some(Host::Domain("localhost"))) => true,
            ("http", Some(Host::Ipv4(address))) if address.is_loopback() => true,
            ("http", Some(Host::Ipv6(address))) if address.is_loopback() => true,
            _ => return Err(reason),
        };
        if !is_bare || (!is_local && url.port().is_some()) {
            return Err(reason);
        }
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), is_local })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

const FORM: &str = "it is written \
                    gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/V]";

fn invalid(uri: &KeyUri, detail: impl Into<String>) -> CustodyError {
    CustodyError::new(CustodyErrorKind::InvalidUri, uri, detail)
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && is_of(text, "-_")
}

/// Letters, digits, and those. What is only dots would lead out of a URL's path.
fn is_of(text: &str, others: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: &str = "projects/nhs-1/locations/europe-west2/keyRings/apis";

    fn read(uri: &str) -> Result<Place, CustodyError> {
        Place::read(&KeyUri::parse(uri).unwrap())
    }

    #[test]
    fn a_key_is_written_in_several_ways() {
        for uri in [
            format!("gcpkms:{RING}/cryptoKeys/int-1/cryptoKeyVersions/3"),
            format!("gcpkms://{RING}/cryptoKeys/int-1/versions/3"),
            format!("GCPKMS:{RING}/cryptoKeys/int-1/versions/3?protection=hsm"),
        ] {
            let place = read(&uri).unwrap();
            assert_eq!(place.key_ring, RING);
            assert_eq!(place.key.as_deref(), Some("int-1"));
            assert_eq!(place.version.as_deref(), Some("3"));
            assert_eq!(place.is_hsm, uri.ends_with("hsm"));
        }
        let ring = read(&format!("gcpkms:{RING}?endpoint=http://127.0.0.1:8080/")).unwrap();
        let endpoint = ring.endpoint.unwrap();
        assert!(ring.key.is_none() && endpoint.is_local);
        let uri = version_uri("projects/p", Some(&endpoint));
        assert_eq!(uri.expose(), "gcpkms:projects/p?endpoint=http://127.0.0.1:8080");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for path in [
            "",
            "int-1",
            "projects/p/locations/l",
            "projects/p/locations/l/keyRings/",
            "projects/../locations/l/keyRings/r",
            "projects/p/locations/l/keyRings/r/cryptoKeys/",
            "projects/p/locations/l/keyRings/r/cryptoKeys/a.b",
            "projects/p/locations/l/keyRings/r/cryptoKeys/a/cryptoKeyVersions/x",
            "projects/p/locations/l/keyRings/r/cryptoKeys/a:sign",
            "projects/p/locations/l/keyRings/r/cryptoKeys/a%2Fb",
            "//host/projects/p/locations/l/keyRings/r/cryptoKeys/a",
        ] {
            let error = read(&format!("gcpkms:{path}")).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{path}");
        }
    }

    #[test]
    fn a_credential_is_sent_to_google_alone() {
        for endpoint in [
            "https://cloudkms.googleapis.com",
            "https://cloudkms.europe-west2.rep.googleapis.com/",
            "http://localhost:9",
            "http://[::1]:9",
        ] {
            read(&format!("gcpkms:{RING}?endpoint={endpoint}")).unwrap();
        }
        for endpoint in [
            "https://example.com",
            "https://googleapis.com.example.com",
            "https://xgoogleapis.com",
            "http://cloudkms.googleapis.com",
            "https://127.0.0.1",
            "http://10.0.0.1",
            "https://user@cloudkms.googleapis.com",
            "https://cloudkms.googleapis.com:8443",
            "https://cloudkms.googleapis.com/v2",
            "https://example.com#.googleapis.com",
            "",
        ] {
            let error = read(&format!("gcpkms:{RING}?endpoint={endpoint}")).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{endpoint}");
        }
        assert!(read(&format!("gcpkms:{RING}?protection=none")).is_err());
    }

    #[test]
    fn a_new_key_is_named_by_its_uri_or_its_kid() {
        let uri = KeyUri::parse(&format!("gcpkms:{RING}")).unwrap();
        let ring = Place::read(&uri).unwrap();
        let key = ring.new_key(&uri, &Kid::parse("int_1").unwrap()).unwrap();
        assert_eq!(key.version("1"), format!("{RING}/cryptoKeys/int_1/cryptoKeyVersions/1"));
        for kid in ["int 1", "int.1", &"a".repeat(64)] {
            let error = ring.new_key(&uri, &Kid::parse(kid).unwrap()).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{kid}");
        }
        assert!(ring.key(&uri).is_err(), "a ring is no key");
    }
}
