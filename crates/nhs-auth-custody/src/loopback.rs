//! Which servers are on this machine, so that plain http to them crosses no network.

use url::{Host, Url};

/// Whether the URL's host is this machine, by its name or its address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
