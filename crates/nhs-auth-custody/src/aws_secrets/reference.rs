//! The name of a secret in AWS Secrets Manager.

use std::fmt;

use crate::aws::{Access, InvalidAccess};

/// Names a secret, and perhaps one member of the JSON in it:
/// `awssecret:NAME-OR-ARN[?region=…&endpoint=…&profile=…][#MEMBER]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSecretRef {
    text: String,
    pub(super) id: String,
    pub(super) access: Access,
    pub(super) member: Option<String>,
}

/// Why this is no reference to a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAwsSecretRef {
    /// It begins with something else.
    #[error("a secret in AWS Secrets Manager is written awssecret:NAME-OR-ARN")]
    Scheme,
    /// No secret is called so.
    #[error("`{name}` is no name of a secret: it has letters, digits and `/_+=.@-`, or is an ARN")]
    Name {
        /// What stands there.
        name: String,
    },
    /// The `#` has nothing behind it.
    #[error("no member is named behind the `#`")]
    EmptyMember,
    /// The query is wrong.
    #[error("{reason}")]
    Query {
        /// What is wrong with it.
        reason: String,
    },
}

impl AwsSecretRef {
    /// Reads a reference.
    ///
    /// # Errors
    ///
    /// [`InvalidAwsSecretRef`].
    pub fn parse(text: &str) -> Result<Self, InvalidAwsSecretRef> {
        let rest = text.strip_prefix("awssecret:").ok_or(InvalidAwsSecretRef::Scheme)?;
        let (rest, member) = match rest.split_once('#') {
            Some((_, "")) => return Err(InvalidAwsSecretRef::EmptyMember),
            Some((rest, member)) => (rest, Some(member.to_owned())),
            None => (rest, None),
        };
        let (id, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !is_name(id) && !is_arn(id) {
            return Err(InvalidAwsSecretRef::Name { name: id.to_owned() });
        }
        let in_arn = id.starts_with("arn:").then(|| id.split(':').nth(3)).flatten();
        let access = Access::parse(query)?.in_region(in_arn);
        Ok(Self { text: text.to_owned(), id: id.to_owned(), access, member })
    }
}

impl From<InvalidAccess> for InvalidAwsSecretRef {
    fn from(error: InvalidAccess) -> Self {
        Self::Query { reason: error.to_string() }
    }
}

impl fmt::Display for AwsSecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_name(text: &str) -> bool {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    (1..=512).contains(&text.len()) && text.chars().all(may_stand)
}

/// `arn:aws:secretsmanager:eu-west-2:123456789012:secret:NAME-aBcDeF`.
fn is_arn(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let ["arn", _, "secretsmanager", region, account, "secret", name] = parts[..] else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    !region.is_empty() && is_account && is_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:nhs/int-aBcDeF";

    #[test]
    fn each_part_is_read() {
        let reference = AwsSecretRef::parse("awssecret:nhs/int?region=eu-west-1#pin").unwrap();
        assert_eq!(reference.id, "nhs/int");
        assert_eq!(reference.access, Access::parse("region=eu-west-1").unwrap());
        assert_eq!(reference.member.as_deref(), Some("pin"));
        assert_eq!(reference.to_string(), "awssecret:nhs/int?region=eu-west-1#pin");

        let reference = AwsSecretRef::parse(&format!("awssecret:{ARN}")).unwrap();
        assert_eq!((&*reference.id, reference.member), (ARN, None));
        assert_eq!(reference.access, Access::parse("region=eu-west-2").unwrap());
    }

    #[test]
    fn what_is_none_is_said_so() {
        let error = |text: &str| AwsSecretRef::parse(text).unwrap_err();
        assert_eq!(error("nhs/int"), InvalidAwsSecretRef::Scheme);
        assert_eq!(error("awssecret:a#"), InvalidAwsSecretRef::EmptyMember);
        for name in ["", "a b", "arn:aws:kms:eu-west-2:123456789012:secret:a"] {
            let wrong = InvalidAwsSecretRef::Name { name: name.to_owned() };
            assert_eq!(error(&format!("awssecret:{name}")), wrong);
        }
        assert!(error("awssecret:a?stage=b").to_string().contains("`stage` is not known"));
    }
}
