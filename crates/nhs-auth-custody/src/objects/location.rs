//! Where an object is.

use std::fmt;
use std::path::PathBuf;

use object_store::path::Path;
use url::Url;

/// Names an object, or what several begin with: `s3://BUCKET/PATH`, `az://ACCOUNT/CONTAINER/PATH`,
/// `gs://BUCKET/PATH`, or `file:///PATH` of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectLocation {
    text: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Object(Bucket, Path),
    File(PathBuf),
}

/// What the objects of a cloud are kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bucket {
    S3(String),
    Azure { account: String, container: String },
    Google(String),
}

/// Why this names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidObjectLocation {
    /// Its scheme is another.
    #[error(
        "it begins with s3://BUCKET/, az://ACCOUNT/CONTAINER/, gs://BUCKET/ or file:///, and this does not"
    )]
    Scheme,
    /// A bucket, an account or a container is missing, or is no name of one.
    #[error("`{name}` is no name of {what}")]
    Name {
        /// What it was to be the name of.
        what: &'static str,
        /// What stands there.
        name: String,
    },
    /// The path has an empty part, or one that no store takes.
    #[error("its path is empty, has an empty part, or one that can't be in a path")]
    Path,
    /// It has what has no meaning here.
    #[error("it has no user, port, `?` or `#`: settings come from the environment")]
    Extras,
}

impl ObjectLocation {
    /// Reads a location.
    ///
    /// # Errors
    ///
    /// [`InvalidObjectLocation`].
    pub fn parse(text: &str) -> Result<Self, InvalidObjectLocation> {
        let place = Place::parse(text)?;
        Ok(Self { text: text.to_owned(), place })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The object of that name beneath this one.
    pub(crate) fn join(&self, name: &str) -> Self {
        let text = format!("{}/{name}", self.text.trim_end_matches('/'));
        let mut place = self.place.clone();
        match &mut place {
            Place::Object(_, path) => *path = path.clone().join(name),
            Place::File(path) => path.push(name),
        }
        Self { text, place }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, InvalidObjectLocation> {
        use InvalidObjectLocation as Invalid;
        let (scheme, rest) = text.split_once("://").ok_or(Invalid::Scheme)?;
        if rest.contains(['?', '#', '@']) {
            return Err(Invalid::Extras);
        }
        let (first, path) = rest.split_once('/').unwrap_or((rest, ""));
        match scheme {
            "s3" => Ok(Self::Object(Bucket::S3(name("a bucket", first)?), path_of(path)?)),
            "gs" => Ok(Self::Object(Bucket::Google(name("a bucket", first)?), path_of(path)?)),
            "az" => {
                let (second, path) = path.split_once('/').unwrap_or((path, ""));
                let account = name("a storage account", first)?;
                let container = name("a container", second)?;
                Ok(Self::Object(Bucket::Azure { account, container }, path_of(path)?))
            }
            "file" => {
                let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
                path.filter(|path| path.file_name().is_some()).map(Self::File).ok_or(Invalid::Path)
            }
            _ => Err(Invalid::Scheme),
        }
    }
}

fn name(what: &'static str, name: &str) -> Result<String, InvalidObjectLocation> {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "-._$".contains(c);
    if (1..=222).contains(&name.len()) && name.chars().all(may_stand) {
        Ok(name.to_owned())
    } else {
        Err(InvalidObjectLocation::Name { what, name: name.to_owned() })
    }
}

fn path_of(text: &str) -> Result<Path, InvalidObjectLocation> {
    if text.is_empty() || text.starts_with('/') || text.ends_with('/') {
        return Err(InvalidObjectLocation::Path);
    }
    Path::parse(text).map_err(|_| InvalidObjectLocation::Path)
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place, InvalidObjectLocation> {
        ObjectLocation::parse(text).map(|location| location.place)
    }

    #[test]
    fn each_cloud_has_its_form() {
        let path = Path::parse("keys/jwks.json").unwrap();
        let bucket = "my-bucket".to_owned();
        let s3 = Place::Object(Bucket::S3(bucket.clone()), path.clone());
        assert_eq!(parse("s3://my-bucket/keys/jwks.json"), Ok(s3));
        let google = Place::Object(Bucket::Google(bucket), path.clone());
        assert_eq!(parse("gs://my-bucket/keys/jwks.json"), Ok(google));
        let (account, container) = ("nhskeys".to_owned(), "$web".to_owned());
        let azure = Place::Object(Bucket::Azure { account, container }, path);
        assert_eq!(parse("az://nhskeys/$web/keys/jwks.json"), Ok(azure));
        assert_eq!(parse("file:///srv/a%20b.json"), Ok(Place::File("/srv/a b.json".into())));
    }

    #[test]
    fn a_name_beneath_is_joined() {
        let ring = ObjectLocation::parse("s3://b/ring").unwrap().join("key-ring.json");
        assert_eq!(ring, ObjectLocation::parse("s3://b/ring/key-ring.json").unwrap());
        assert_eq!(ring.to_string(), "s3://b/ring/key-ring.json");
    }

    #[test]
    fn what_is_none_is_said_so() {
        use InvalidObjectLocation as Invalid;
        for text in ["jwks.json", "/srv/jwks.json", "https://b/a", "S3://b/a", ""] {
            assert_eq!(parse(text), Err(Invalid::Scheme), "{text}");
        }
        for text in [
            "s3://b",
            "s3://b/",
            "s3://b/a/",
            "s3://b//a",
            "s3://b/a//b",
            "s3://b/../a",
            "file:///",
        ] {
            assert_eq!(parse(text), Err(Invalid::Path), "{text}");
        }
        for text in ["s3://b/a?region=x", "s3://u@b/a", "gs://b/a#b"] {
            assert_eq!(parse(text), Err(Invalid::Extras), "{text}");
        }
        for text in ["s3:///a", "az://account/", "az:///container/a", "gs://b:1/a"] {
            assert!(matches!(parse(text), Err(Invalid::Name { .. })), "{text}");
        }
    }
}
