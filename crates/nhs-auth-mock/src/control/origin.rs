//! Who may call the control API and the inspector.

use std::net::IpAddr;

use super::Refusal;
use crate::call::Call;
use crate::state::Settings;

/// Refuses a page of another origin, and a name that isn't this machine's own (DNS rebinding).
pub(crate) fn check(settings: &Settings, call: &Call) -> Result<(), Refusal> {
    let host = call.header("host").unwrap_or_default();
    if !is_own(settings, host) {
        return Err(Refusal::forbidden(format!(
            "the Host `{host}` is not this machine's own: call the control API as \
             `http://127.0.0.1:{}`, or list the name in the configuration's `allowed_hosts`",
            settings.port
        )));
    }
    match call.header("origin") {
        None => Ok(()),
        Some(origin) if is_own_origin(settings, origin) => Ok(()),
        Some(origin) => {
            Err(Refusal::forbidden(format!("a page of `{origin}` may not call the control API")))
        }
    }
}

fn is_own_origin(settings: &Settings, origin: &str) -> bool {
    origin.strip_prefix("http://").is_some_and(|authority| is_own(settings, authority))
}

/// Whether this is a loopback name with the platform's port, or a name that was allowed.
fn is_own(settings: &Settings, authority: &str) -> bool {
    if settings.allowed_hosts.iter().any(|host| host == authority) {
        return true;
    }
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (authority, Some(80)),
    };
    port == Some(settings.port) && is_loopback(name)
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(port: u16) -> Settings {
        Settings { port, allowed_hosts: vec!["mock:9000".to_owned()], status_key: None }
    }

    #[test]
    fn loopback_names_with_the_port_are_own() {
        for name in [
            "127.0.0.1:9000",
            "localhost:9000",
            "LOCALHOST:9000",
            "[::1]:9000",
            "127.8.8.8:9000",
            "mock:9000",
        ] {
            assert!(is_own(&settings(9000), name), "{name}");
        }
        assert!(is_own(&settings(80), "localhost") && is_own(&settings(80), "[::1]"));
    }

    #[test]
    fn no_other_name_is() {
        for name in [
            "",
            ":9000",
            "127.0.0.1",
            "127.0.0.1:9001",
            "localhost.example.org:9000",
            "example.org:9000",
            "10.0.0.1:9000",
            "0.0.0.0:9000",
            "mock",
            "mock:9001",
            "127.0.0.1:9000@example.org",
            "[::1]",
        ] {
            assert!(!is_own(&settings(9000), name), "{name}");
        }
        assert!(!is_own_origin(&settings(9000), "null"));
        assert!(!is_own_origin(&settings(9000), "https://localhost:9000"));
        assert!(is_own_origin(&settings(9000), "http://localhost:9000"));
    }
}
