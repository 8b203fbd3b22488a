//! The key set as a file.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use nhs_auth::KeySet;
use nhs_auth_custody::{
    CloudSettings, JwksFile, JwksObject, ObjectLocation, PublishError, Published,
};

use crate::every_object_store::keys;

#[test]
fn a_file_is_whole_and_written_only_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let file = JwksFile::at(&path);
    assert_eq!(file.publish(&KeySet::new(Vec::new()).unwrap()), Err(PublishError::Empty));
    assert!(!path.exists());

    assert_eq!(file.publish(&keys("a")), Ok(Published::Created));
    let first = std::fs::metadata(&path).unwrap();
    assert_eq!(first.permissions().mode() & 0o777, 0o644);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), keys("a").to_json());
    assert_eq!(file.publish(&keys("a")), Ok(Published::Unchanged));
    assert_eq!(std::fs::metadata(&path).unwrap().ino(), first.ino());

    assert_eq!(file.publish(&keys("b")), Ok(Published::Replaced));
    assert_ne!(std::fs::metadata(&path).unwrap().ino(), first.ino(), "another file, by its name");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing beside it");
}

#[test]
fn somebody_who_publishes_at_the_same_time_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let other = std::fs::File::open(folder.path()).unwrap();
    other.lock().unwrap();
    let place = path.display().to_string();
    assert_eq!(JwksFile::at(&path).publish(&keys("a")), Err(PublishError::Conflict { place }));
    assert!(!path.exists());
    drop(other);
    assert_eq!(JwksFile::at(&path).publish(&keys("a")), Ok(Published::Created));
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/jwks.json");
    let error = JwksFile::at(&path).publish(&keys("a")).unwrap_err();
    let words = format!("can't write {}: No such file", path.display());
    assert!(error.to_string().starts_with(&words), "{error}");
}

#[tokio::test]
async fn a_file_is_a_location_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let location = ObjectLocation::parse(&format!("file://{}", path.display())).unwrap();
    let object = JwksObject::at(&location, &CloudSettings::default()).unwrap();
    assert_eq!(object.publish(&keys("a")).await, Ok(Published::Created));
    assert_eq!(object.publish(&keys("a")).await, Ok(Published::Unchanged));
}
