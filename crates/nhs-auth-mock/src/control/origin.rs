//! Who may call the control API and the inspector.

use super::Refusal;
use crate::call::Call;
use crate::settings::Settings;

/// Refuses a page of another origin, and a name that isn't this machine's own (DNS rebinding).
pub(crate) fn check(settings: &Settings, call: &Call) -> Result<(), Refusal> {
    let host = call.header("host").unwrap_or_default();
    if !settings.is_own(host) || call.headers.get_all("host").iter().count() > 1 {
        return Err(Refusal::forbidden(format!(
            "the Host `{host}` is not this machine's own: call the control API as `{}`, or list \
             the name in the configuration's `allowed_hosts`",
            settings.base_url()
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
    settings.own_path(origin) == Some("")
}
