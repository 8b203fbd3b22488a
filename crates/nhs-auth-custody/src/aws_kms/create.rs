//! A new key, and its alias.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::error::SdkError;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyUsageType};
use nhs_auth::{CustodyErrorKind, Kid};

use super::uri::Alias;
use crate::aws::{Failure, failure_of};

/// A key takes a while to be made.
const MADE_WITHIN: Duration = Duration::from_secs(15);

/// The fewest days that AWS keeps a key which is to be deleted.
const KEPT_FOR_DAYS: i32 = 7;

/// Makes a key of that alias and gives its ARN.
pub(super) async fn create(client: &Client, alias: &Alias, kid: &Kid) -> Result<String, Failure> {
    if is_taken(client, alias).await? {
        return Err(Failure::new(CustodyErrorKind::AlreadyThere, alias.as_str()));
    }
    let key = create_key(client, kid).await?;
    let named = client.create_alias().alias_name(alias.as_str()).target_key_id(&key.key_id);
    match named.send().await {
        Ok(_) => key.arn.ok_or_else(|| Failure::new(CustodyErrorKind::Failed, "it has no ARN")),
        Err(error) => Err(undo(client, &key.key_id, failure_of(&error)).await),
    }
}

async fn is_taken(client: &Client, alias: &Alias) -> Result<bool, Failure> {
    let found = client.describe_key().key_id(alias.as_str()).send().await;
    match found {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(answer))
            if matches!(answer.err(), DescribeKeyError::NotFoundException(_)) =>
        {
            Ok(false)
        }
        Err(error) => Err(failure_of(&error)),
    }
}

async fn create_key(client: &Client, kid: &Kid) -> Result<KeyMetadata, Failure> {
    // Once alone: a second attempt after an answer that was lost would make a second key.
    let once = aws_sdk_kms::Config::builder().retry_config(RetryConfig::disabled()).timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(MADE_WITHIN)
            .operation_timeout(MADE_WITHIN)
            .build(),
    );
    let made = client
        .create_key()
        .key_spec(KeySpec::Rsa4096)
        .key_usage(KeyUsageType::SignVerify)
        .description(format!("nhs-auth: {kid}"))
        .customize()
        .config_override(once)
        .send()
        .await;
    let made = made.map_err(|error| failure_of(&error))?;
    let key = made.key_metadata;
    key.ok_or_else(|| Failure::new(CustodyErrorKind::Failed, "its answer names no key"))
}

/// Has a key without an alias deleted, which nobody would find or know of.
async fn undo(client: &Client, id: &str, mut failure: Failure) -> Failure {
    let deletion = client.schedule_key_deletion().key_id(id);
    let deleted = deletion.pending_window_in_days(KEPT_FOR_DAYS).send().await;
    let end = if deleted.is_ok() {
        format!("is deleted in {KEPT_FOR_DAYS} days")
    } else {
        "is left over: delete it".to_owned()
    };
    failure.detail = format!("{}; the new key {id} {end}", failure.detail);
    failure
}
