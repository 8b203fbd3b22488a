//! The URI of a key in AWS KMS.

use std::fmt;

use nhs_auth::{CustodyError, CustodyErrorKind, KeyUri, Kid};

use crate::aws::Access;

const ALIAS: &str = "alias/";

/// What an alias has at most, `alias/` included; an id has far less.
const LONGEST_NAME: usize = 256;

/// `awskms:KEY-ID`, `awskms:alias/NAME` or `awskms:arn:aws:kms:…`, with or without `//` or `///`
/// behind the colon, as other tools write it; and a query.
#[derive(Clone, Debug)]
pub(super) struct KmsUri {
    key: Option<KeyName>,
    pub(super) access: Access,
    /// As it was written.
    query: Option<String>,
}

/// What KMS calls a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyName {
    Id(String),
    Alias(Alias),
    Arn(String),
}

/// A name that is made for a key: `alias/` and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias(String);

impl KmsUri {
    pub(super) fn parse(uri: &KeyUri) -> Result<Self, CustodyError> {
        if uri.scheme() != "awskms" {
            return Err(CustodyError::unsupported(uri));
        }
        let invalid = |detail: String| CustodyError::new(CustodyErrorKind::InvalidUri, uri, detail);
        let (name, query) = match uri.rest().split_once('?') {
            Some((name, query)) => (name, Some(query.to_owned())),
            None => (uri.rest(), None),
        };
        let name = name.strip_prefix("///").or_else(|| name.strip_prefix("//")).unwrap_or(name);
        let key = (!name.is_empty()).then(|| KeyName::parse(name)).transpose().map_err(invalid)?;
        let access = Access::parse(query.as_deref().unwrap_or_default());
        let access = access.map_err(|error| invalid(error.to_string()))?;
        let access = access.in_region(key.as_ref().and_then(KeyName::region));
        Ok(Self { key, access, query })
    }

    /// The key that is there.
    pub(super) fn key_id(&self) -> Result<String, String> {
        let key = self.key.as_ref();
        key.map(KeyName::to_string).ok_or_else(|| {
            "it names no key: awskms:KEY-ID, awskms:alias/NAME or awskms:arn:aws:kms:…".to_owned()
        })
    }

    /// What a new key is to be called: by the alias here, or else by its kid.
    pub(super) fn new_alias(&self, kid: &Kid) -> Result<Alias, String> {
        match &self.key {
            Some(KeyName::Alias(alias)) => Ok(alias.clone()),
            None => Alias::parse(kid.as_str()).map_err(|reason| {
                format!("the kid `{kid}` can't be the key's alias too: {reason}; give one, as in awskms:alias/NAME")
            }),
            Some(KeyName::Id(_) | KeyName::Arn(_)) => {
                Err("AWS chooses the id of a new key: name an alias, as in awskms:alias/NAME".into())
            }
        }
    }

    /// The same place with a key's ARN, which stays that key's whatever becomes of its aliases.
    pub(super) fn with_arn(&self, arn: &str) -> String {
        match &self.query {
            Some(query) => format!("awskms:{arn}?{query}"),
            None => format!("awskms:{arn}"),
        }
    }
}

impl KeyName {
    fn parse(name: &str) -> Result<Self, String> {
        if let Some(alias) = name.strip_prefix(ALIAS) {
            return Alias::parse(alias)
                .map(Self::Alias)
                .map_err(|reason| format!("the alias: {reason}"));
        }
        if name.starts_with("arn:") {
            return if is_arn(name) {
                Ok(Self::Arn(name.to_owned()))
            } else {
                Err("it is no ARN of a key or an alias: arn:aws:kms:REGION:ACCOUNT:key/ID".into())
            };
        }
        if is_id(name) {
            Ok(Self::Id(name.to_owned()))
        } else {
            Err(format!(
                "`{name}` is no key id, alias or ARN; another server than AWS's is named by `?endpoint=`"
            ))
        }
    }

    /// The region in an ARN.
    fn region(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => arn.split(':').nth(3),
            Self::Id(_) | Self::Alias(_) => None,
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(name) | Self::Arn(name) => f.write_str(name),
            Self::Alias(alias) => f.write_str(alias.as_str()),
        }
    }
}

impl Alias {
    /// Takes what follows `alias/`.
    fn parse(name: &str) -> Result<Self, String> {
        let may_stand = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        if name.is_empty() {
            return Err("it is empty".into());
        }
        if let Some(other) = name.chars().find(|c| !may_stand(*c)) {
            return Err(format!(
                "an alias has letters, digits, `/`, `_` and `-` alone, and no {other:?}"
            ));
        }
        if name.starts_with("aws/") {
            return Err("aliases that begin with `aws/` are AWS's own".into());
        }
        if ALIAS.len() + name.len() > LONGEST_NAME {
            return Err(format!("an alias has at most {LONGEST_NAME} characters"));
        }
        Ok(Self(format!("{ALIAS}{name}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A UUID, or that of a multi-Region key with `mrk-` before it.
fn is_id(name: &str) -> bool {
    name.len() <= LONGEST_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// `arn:aws:kms:eu-west-2:123456789012:key/ID`, or with an alias at its end.
fn is_arn(name: &str) -> bool {
    let parts: Vec<_> = name.splitn(6, ':').collect();
    let ["arn", partition, "kms", region, account, key] = parts[..] else { return false };
    let is_word = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let is_key = key.strip_prefix("key/").is_some_and(|id| !id.is_empty() && is_id(id))
        || key.strip_prefix(ALIAS).is_some_and(|alias| Alias::parse(alias).is_ok());
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    partition.starts_with("aws") && is_word(partition) && is_word(region) && is_account && is_key
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(uri: &str) -> Result<KmsUri, CustodyError> {
        KmsUri::parse(&KeyUri::parse(uri).unwrap())
    }

    fn kid(kid: &str) -> Kid {
        Kid::parse(kid).unwrap()
    }

    #[test]
    fn a_key_is_named_in_each_way() {
        for name in ["1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd", "alias/nhs/int_1", ARN]
        {
            for slashes in ["", "//", "///"] {
                let uri = parse(&format!("awskms:{slashes}{name}?region=eu-west-1")).unwrap();
                assert_eq!(uri.key_id().unwrap(), name);
            }
        }
        let alias = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/nhs-int";
        assert_eq!(parse(&format!("AWSKMS:{alias}")).unwrap().key_id().unwrap(), alias);
        assert!(parse("awskms:").unwrap().key_id().unwrap_err().starts_with("it names no key"));
    }

    #[test]
    fn the_region_is_the_querys_or_else_the_arns() {
        let access = |uri: &str| parse(uri).unwrap().access;
        let region = |query| Access::parse(query).unwrap();
        assert_eq!(access(&format!("awskms:{ARN}")), region("region=eu-west-2"));
        assert_eq!(access(&format!("awskms:{ARN}?region=eu-west-1")), region("region=eu-west-1"));
        assert_eq!(access("awskms:alias/a"), region(""));
    }

    #[test]
    fn what_is_no_key_is_said_so() {
        for (uri, words) in [
            ("awskms:alias/", "the alias: it is empty"),
            ("awskms:alias/a.b", "and no '.'"),
            ("awskms:alias/aws/kms", "AWS's own"),
            ("awskms://localhost:4566/alias/a", "named by `?endpoint=`"),
            ("awskms:arn:aws:s3:eu-west-2:123456789012:key/a", "it is no ARN"),
            ("awskms:arn:aws:kms:eu-west-2:1234:key/a", "it is no ARN"),
            ("awskms:arn:aws:kms:eu-west-2:123456789012:key/", "it is no ARN"),
            ("awskms:alias/a?version=1", "`version` is not known"),
            ("awskms:alias/a#b", "and no '#'"),
            ("awskms:alias/a?endpoint=http://kms.example.org", "has to be https"),
        ] {
            let error = parse(uri).unwrap_err();
            assert_eq!(error.kind(), CustodyErrorKind::InvalidUri, "{uri}");
            assert!(error.to_string().contains(words), "{error}");
        }
        let error = parse("gcpkms:a").unwrap_err();
        assert_eq!(error.kind(), CustodyErrorKind::Unsupported);
    }

    #[test]
    fn a_new_key_is_called_by_the_alias_or_the_kid() {
        let alias = |uri: &str, id: &str| parse(uri).unwrap().new_alias(&kid(id));
        assert_eq!(alias("awskms:alias/nhs", "int-1").unwrap().as_str(), "alias/nhs");
        assert_eq!(alias("awskms:?region=eu-west-2", "int-1").unwrap().as_str(), "alias/int-1");
        let error = alias("awskms:", "int.1").unwrap_err();
        assert!(error.contains("the kid `int.1`") && error.contains("and no '.'"), "{error}");
        assert!(alias(&format!("awskms:{ARN}"), "int-1").unwrap_err().contains("AWS chooses"));
        assert!(alias("awskms:", &"a".repeat(251)).unwrap_err().contains("at most 256"));
    }

    #[test]
    fn a_new_keys_uri_keeps_the_query() {
        let uri = parse("awskms:alias/a?endpoint=http://localhost:1&region=eu-west-2").unwrap();
        let query = "?endpoint=http://localhost:1&region=eu-west-2";
        assert_eq!(uri.with_arn(ARN), format!("awskms:{ARN}{query}"));
        assert_eq!(parse("awskms:").unwrap().with_arn(ARN), format!("awskms:{ARN}"));
    }
}
