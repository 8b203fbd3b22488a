//! Who issues ID tokens.

/// Who issued an ID token, by the host in `iss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuer {
    /// NHS CIS2 Authentication, and which environment of it.
    Cis2(&'static str),
    /// NHS login, and which environment of it.
    NhsLogin(&'static str),
    /// The platform's own simulation of either.
    Mock,
}

pub(super) fn issuer_of(iss: &str) -> Option<Issuer> {
    let host = iss.split_once("://").map_or(iss, |(_, rest)| rest).split(['/', ':']).next()?;
    Some(match host.to_ascii_lowercase().as_str() {
        "am.nhsidentity.spineservices.nhs.uk" => Issuer::Cis2("production"),
        "am.nhsint.auth-ptl.cis2.spineservices.nhs.uk" => Issuer::Cis2("integration"),
        "am.nhsdev.auth-ptl.cis2.spineservices.nhs.uk" => Issuer::Cis2("development"),
        "am.nhsdep.auth-ptl.cis2.spineservices.nhs.uk" => Issuer::Cis2("deployment"),
        "am.nhsint.ptl.nhsd-esa.net" | "am.nhsdev.ptl.nhsd-esa.net" => Issuer::Cis2("retired"),
        "auth.login.nhs.uk" => Issuer::NhsLogin("production"),
        "auth.aos.signin.nhs.uk" => Issuer::NhsLogin("aos"),
        "auth.sandpit.signin.nhs.uk" => Issuer::NhsLogin("sandpit"),
        "auth.ext.signin.nhs.uk" => Issuer::NhsLogin("ext"),
        host if host.starts_with("identity.") && host.ends_with("api.platform.nhs.uk") => {
            Issuer::Mock
        }
        _ => return None,
    })
}
