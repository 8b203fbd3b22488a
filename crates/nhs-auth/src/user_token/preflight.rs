//! What the platform would refuse of a subject token, found before it is sent.

use std::fmt;

use nhs_auth_rules::UnixMillis;
use nhs_auth_rules::diagnosis::{Diagnosed, Inputs, Profile, RootCause, Severity, diagnose};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ErrorClass, IdToken, LocalCrypto, TokenEndpoint};

/// What is to be exchanged: an ID token of CIS2 or NHS login, as it came from wherever it was
/// kept. `Debug` doesn't show it.
#[derive(Clone)]
pub struct SubjectToken(SecretString);

impl SubjectToken {
    /// Takes a token as text, less white space around it. Whether it is an ID token shows at the
    /// exchange.
    pub fn new(compact: &str) -> Self {
        Self(compact.trim().into())
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Refuses a token that the platform behind that endpoint would refuse: one that is no ID
    /// token, one that has expired, one of another environment's provider. What can't be known
    /// here (the provider's signature, the application's scopes) is left to the platform.
    ///
    /// # Errors
    ///
    /// [`PreflightError`], with what the platform would find.
    pub fn check(&self, endpoint: &TokenEndpoint, now: UnixMillis) -> Result<(), PreflightError> {
        let inputs = Inputs {
            subject_token: Some(self.expose()),
            token_url: Some(endpoint.url()),
            at: None,
            now,
            profile: Profile::TokenExchange,
            ..Inputs::default()
        };
        let report = diagnose(&inputs, &LocalCrypto);
        let mut findings: Vec<_> = report.findings.into_iter().filter(is_about_the_token).collect();
        if let (Some(repair), true) = (report.repairs.first(), findings.is_empty()) {
            // It would be good, were it not for damage: what is judged is what would be sent.
            return Err(PreflightError {
                damage: Some(repair.message.clone()),
                findings: Vec::new(),
            });
        }
        findings.sort_by_key(|finding| finding.severity);
        if findings.is_empty() { Ok(()) } else { Err(PreflightError { damage: None, findings }) }
    }
}

/// Whether a finding is a reason not to send it. A warning of the wrong kind of token is one: the
/// platform would find another thing wrong with it, and name that.
fn is_about_the_token(finding: &Diagnosed) -> bool {
    match finding.severity {
        Severity::Error => true,
        Severity::Warning => finding.cause == RootCause::SubjectToken,
        Severity::Note => false,
    }
}

impl From<&IdToken> for SubjectToken {
    fn from(id_token: &IdToken) -> Self {
        Self::new(id_token.expose())
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectToken({} characters)", self.expose().len())
    }
}

/// A subject token that the platform would refuse. Nothing was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct PreflightError {
    /// What was done to it on its way here, when that alone is what is wrong.
    pub damage: Option<String>,
    /// What is wrong with it, the worst first.
    pub findings: Vec<Diagnosed>,
}

impl PreflightError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Local
    }

    /// What to do next, the best first.
    pub fn hints(&self) -> Vec<String> {
        if self.damage.is_some() {
            return vec![
                "send the ID token as it was issued, every character of it; \
                 `nhs-auth diagnose --fixed` undoes such damage"
                    .to_owned(),
            ];
        }
        let mut hints: Vec<String> = Vec::new();
        for finding in &self.findings {
            let rule = finding.rule.map(|rule| format!(" ({})", rule.id)).unwrap_or_default();
            let mut fixes: Vec<_> = finding.fixes.iter().map(|fix| fix.text.clone()).collect();
            if fixes.is_empty() {
                fixes.extend(finding.rule.map(|rule| rule.fix.to_owned()));
            }
            hints.extend(fixes.into_iter().map(|fix| format!("{fix}{rule}")));
        }
        hints.dedup();
        hints
    }
}

impl fmt::Display for PreflightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was sent: ")?;
        if let Some(damage) = &self.damage {
            return write!(f, "the subject token was damaged on its way here: {damage}");
        }
        for (at, finding) in self.findings.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{}", finding.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for PreflightError {
    /// In words: the findings hold their rules, whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreflightError({self})")
    }
}

impl std::error::Error for PreflightError {}

#[cfg(test)]
mod tests {
    use nhs_auth_rules::{Environment, ProviderEnvironment};
    use serde_json::{Value, json};

    use super::*;
    use crate::key::base64url;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn token(change: &Value) -> String {
        let mut claims = json!({
            "iss": ProviderEnvironment::CIS2_INTEGRATION.issuer, "sub": "656005750104",
            "aud": "123456789012.apps.supplier", "exp": 1_800_003_600, "iat": 1_800_000_000,
            "authentication_assurance_level": 3, "tokenName": "id_token",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"}).to_string();
        format!(
            "{}.{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.to_string().as_bytes()),
            base64url(&[7; 256])
        )
    }

    fn refused(compact: &str, environment: Environment) -> Option<String> {
        let endpoint = TokenEndpoint::of(environment);
        SubjectToken::new(compact).check(&endpoint, NOW).err().map(|error| error.to_string())
    }

    #[test]
    fn a_good_one_passes() {
        assert_eq!(refused(&token(&json!({})), Environment::INT), None);
        assert_eq!(refused(&format!(" {}\n", token(&json!({}))), Environment::INT), None);
    }

    #[test]
    fn an_access_token_for_an_id_token() {
        let opaque = refused("9xQTz0kP4hVbW2mDs8LcY1uRfJ6", Environment::INT).unwrap();
        assert!(opaque.contains("not a JWT but an opaque token"), "{opaque}");
        for kind in [json!({"tokenName": "access_token"}), json!({"token_use": "access"})] {
            let error = refused(&token(&kind), Environment::INT).unwrap();
            assert!(error.contains("an access token and not an ID token"), "{error}");
        }
    }

    #[test]
    fn an_expired_one() {
        let error = refused(&token(&json!({"exp": 1_799_999_000})), Environment::INT).unwrap();
        assert!(error.contains("the subject token expired"), "{error}");
    }

    #[test]
    fn one_of_another_environments_provider_and_which() {
        let error = refused(&token(&json!({})), Environment::PROD).unwrap();
        assert!(error.contains("CIS2's integration environment"), "{error}");
        let production = json!({"iss": ProviderEnvironment::CIS2_PRODUCTION.issuer});
        let error = refused(&token(&production), Environment::INT).unwrap();
        assert!(error.contains("CIS2's production environment"), "{error}");
        assert_eq!(refused(&token(&production), Environment::PROD), None);
    }

    #[test]
    fn a_damaged_one_is_not_sent_as_it_is() {
        let quoted = format!("\"{}\"", token(&json!({})));
        let error = refused(&quoted, Environment::INT).unwrap();
        assert!(error.starts_with("nothing was sent: the subject token was damaged"), "{error}");
    }

    #[test]
    fn nothing_of_the_token_is_repeated() {
        let compact = token(&json!({"exp": 1}));
        let error = SubjectToken::new(&compact)
            .check(&TokenEndpoint::of(Environment::INT), NOW)
            .unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hints());
        assert!(!shown.contains(&compact[compact.len() - 40..]), "{shown}");
    }
}
