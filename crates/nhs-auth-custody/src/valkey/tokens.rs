//! The token of a fleet in Valkey or Redis.

mod scripts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{FleetName, KeptToken, LeaseHolder, StoreError, StoreFuture, TokenStore};
use redis::{FromRedisValue, ScriptInvocation};

use super::connection::Connection;
use super::error::Failure;
use super::{PREFIX, ValkeyServer};

/// No lease is given for longer, so one that has more before it is not ours.
const LONGEST_LEASE: Duration = Duration::from_mins(1);

/// Keeps one token for a whole fleet in Valkey (any version), or Redis 6.2 or later.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use nhs_auth::{SealingKey, TokenCache, TokenClient};
/// use nhs_auth_custody::{ValkeyServer, ValkeyTokenStore};
///
/// # fn example(secret: secrecy::SecretString) -> Result<(), Box<dyn std::error::Error>> {
/// let server = ValkeyServer::parse("rediss://app:password@cache.example.org:6380/0")?;
/// let store = Arc::new(ValkeyTokenStore::connect_lazily(&server));
/// let key = SealingKey::derived_from(&secret)?;
/// let tokens = TokenCache::new(TokenClient::new()).with_store(store, key);
/// # Ok(())
/// # }
/// ```
///
/// The server only ever sees what is encrypted, and names that are hashes: the token at
/// `nhs-auth:token:…`, the lease at `nhs-auth:token-lease:…`. Both end by the server's clock.
///
/// - **While the server is away** each question fails, and the cache does without. Once it is back
///   questions work again; nothing has to be restarted.
/// - **Anything else that is at those names** is replaced: of another type, with no end, too long.
/// - **One server**, or the primary of several behind one name. What a failover loses costs one token
///   request. Each script has one name, but Cluster mode and Sentinel are not supported.
pub struct ValkeyTokenStore {
    connection: Arc<Connection>,
    prefix: String,
}

impl ValkeyTokenStore {
    /// A store on that server, which need not be there yet: it is connected to when it is asked for
    /// something first.
    pub fn connect_lazily(server: &ValkeyServer) -> Self {
        Self { connection: Arc::new(Connection::to(server)), prefix: PREFIX.to_owned() }
    }

    /// The same with names that begin with this rather than `nhs-auth:`.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn token(&self, name: FleetName) -> String {
        format!("{}token:{name}", self.prefix)
    }

    fn lease(&self, name: FleetName) -> String {
        format!("{}token-lease:{name}", self.prefix)
    }

    /// Runs a script in a task of its own. Who asks waits only so long, and a connection that is
    /// being made, or given up, must not end with their patience.
    async fn run<T>(&self, script: ScriptInvocation<'static>) -> Result<T, StoreError>
    where
        T: FromRedisValue + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let run = tokio::spawn(async move { connection.run(&script).await }).await;
        match run {
            Ok(answer) => answer.map_err(|failure| self.failed(failure)),
            Err(ended) => Err(StoreError::new(self.connection.server_name(), ended)),
        }
    }

    fn failed(&self, failure: Failure) -> StoreError {
        StoreError::new(self.connection.server_name(), failure)
    }
}

impl TokenStore for ValkeyTokenStore {
    fn load(&self, name: FleetName) -> StoreFuture<'_, Option<KeptToken>> {
        Box::pin(async move {
            let script = scripts::LOAD.key(self.token(name));
            let kept: Option<(Vec<u8>, i64)> = self.run(script).await?;
            Ok(kept.map(|(content, left)| {
                let left = u64::try_from(left).ok().map(Duration::from_millis);
                KeptToken { content, left }
            }))
        })
    }

    fn save(
        &self,
        name: FleetName,
        token: KeptToken,
        replaces: Option<Vec<u8>>,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let left = millis(token.left.unwrap_or_default());
            let mut script = scripts::SAVE.key(self.token(name));
            script
                .arg(token.content)
                .arg(left)
                .arg(if replaces.is_some() { "1" } else { "0" })
                .arg(replaces.unwrap_or_default());
            self.run(script).await
        })
    }

    fn remove(&self, name: FleetName, content: Vec<u8>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut script = scripts::REMOVE.key(self.token(name));
            script.arg(content);
            self.run(script).await
        })
    }

    fn lease(
        &self,
        name: FleetName,
        holder: LeaseHolder,
        lasts: Duration,
    ) -> StoreFuture<'_, LeaseHolder> {
        Box::pin(async move {
            let mut script = scripts::LEASE.key(self.lease(name));
            script
                .arg(holder.as_bytes())
                .arg(millis(lasts.min(LONGEST_LEASE)))
                .arg(millis(LONGEST_LEASE));
            let has_it: Vec<u8> = self.run(script).await?;
            let has_it = <[u8; 16]>::try_from(has_it).map_err(|_| self.failed(Failure::NotOurs))?;
            Ok(LeaseHolder::from_bytes(has_it))
        })
    }

    fn release(&self, name: FleetName, holder: LeaseHolder) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut script = scripts::RELEASE.key(self.lease(name));
            script.arg(holder.as_bytes());
            self.run(script).await
        })
    }
}

/// What the server takes: whole milliseconds, and one at least.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl fmt::Debug for ValkeyTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValkeyTokenStore")
            .field("server", &self.connection.server_name())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
