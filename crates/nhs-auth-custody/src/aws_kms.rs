//! Keys in AWS KMS.

mod create;
mod signer;
mod uri;

use std::sync::Arc;

use aws_sdk_kms::Client;
use nhs_auth::{
    CreatedKey, Custody, CustodyError, CustodyErrorKind, CustodyFuture, KeyUri, Kid, Signer,
};

use crate::aws::{Access, AwsAccessKey, Failure};
use signer::KmsSigner;
use uri::KmsUri;

/// Opens keys that AWS KMS keeps, and makes new ones there, by `awskms:` URIs.
///
/// ```no_run
/// use nhs_auth::{Custody as _, KeyUri};
/// use nhs_auth_custody::AwsKms;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let uri = KeyUri::parse("awskms:alias/nhs-int-1?region=eu-west-2")?;
/// let signer = AwsKms::new().open(&uri).await?;
/// # Ok(())
/// # }
/// ```
///
/// A URI names a key by its id (`awskms:KEY-ID`), an alias (`awskms:alias/NAME`) or its ARN
/// (`awskms:arn:aws:kms:…`). Its query may have `region=`, `endpoint=` (https, or http to this
/// machine alone) and `profile=`.
///
/// - **The region** is the URI's, or else the ARN's, or else the one that AWS's own tools take.
/// - **Credentials** come from the environment, the shared profile files, web identity, ECS, EKS or
///   the instance, as AWS's own tools have them; a profile of IAM Identity Center (`sso`) does not
///   work.
/// - **Permissions**: `kms:GetPublicKey` and `kms:Sign` to use a key; to make one also
///   `kms:DescribeKey`, `kms:CreateKey`, `kms:CreateAlias` and, for when that fails halfway,
///   `kms:ScheduleKeyDeletion`.
/// - **Waiting**: 3 s for a connection, 5 s for an answer, 15 s for all of three attempts.
///
/// An opened signer goes on with the key that it found, also when the alias is given to another.
#[derive(Clone, Debug, Default)]
pub struct AwsKms {
    access_key: Option<AwsAccessKey>,
}

impl AwsKms {
    /// With credentials from where AWS's own tools look for them.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this credential for every key.
    pub fn with_access_key(self, key: AwsAccessKey) -> Self {
        Self { access_key: Some(key) }
    }

    async fn client(&self, access: &Access) -> Result<Client, Failure> {
        let settings = access.settings(self.access_key.as_ref(), "KMS").await;
        Ok(Client::new(&settings?))
    }
}

impl Custody for AwsKms {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move {
            let name = KmsUri::parse(uri)?;
            let id = name.key_id().map_err(|detail| invalid(uri, detail))?;
            let client = self.client(&name.access).await.map_err(|it| failed(uri, it))?;
            let signer = KmsSigner::open(client, uri, id).await;
            Ok(Arc::new(signer.map_err(|it| failed(uri, it))?) as Arc<dyn Signer>)
        })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move {
            let name = KmsUri::parse(place)?;
            let alias = name.new_alias(kid).map_err(|detail| invalid(place, detail))?;
            let client = self.client(&name.access).await.map_err(|it| failed(place, it))?;
            let arn = create::create(&client, &alias, kid).await;
            let arn = arn.map_err(|it| failed(place, it))?;
            let unreadable = |_| failed(place, Failure::new(CustodyErrorKind::Failed, "its ARN"));
            let uri = KeyUri::parse(&name.with_arn(&arn)).map_err(unreadable)?;
            let signer = KmsSigner::open(client, &uri, arn).await;
            let signer = signer.map_err(|it| failed(&uri, it))?;
            Ok(CreatedKey { uri, signer: Arc::new(signer) })
        })
    }
}

fn invalid(uri: &KeyUri, detail: String) -> CustodyError {
    CustodyError::new(CustodyErrorKind::InvalidUri, uri, detail)
}

fn failed(uri: &KeyUri, Failure { kind, detail }: Failure) -> CustodyError {
    CustodyError::new(kind, uri, detail)
}
