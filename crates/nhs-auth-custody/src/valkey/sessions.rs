//! Sessions in Valkey or Redis.

mod frame;
mod scripts;

use std::fmt;
use std::sync::LazyLock;

use nhs_auth::{
    ProviderSession, SessionKey, SessionRecord, SessionStore, StoreError, StoreFuture, UnixMillis,
};
use redis::{Cmd, Script, ScriptInvocation};

use super::connection::Connection;
use super::error::Failure;
use super::{PREFIX, ValkeyServer};

/// The end of the year 9999: numbers in a script are exact up to 2^53.
const LAST_END: i64 = 253_402_300_799_999;

/// Keeps sessions in Valkey (any version), or Redis 6.2 or later, for all instances of a server.
///
/// ```no_run
/// use nhs_auth::{SealingKey, SessionLimits, Sessions};
/// use nhs_auth_custody::{ValkeyServer, ValkeySessionStore};
///
/// # async fn example(secret: secrecy::SecretString) -> Result<(), Box<dyn std::error::Error>> {
/// let server = ValkeyServer::parse("rediss://app:password@cache.example.org:6380/0")?;
/// let store = ValkeySessionStore::connect(&server).await?;
/// let sessions = Sessions::new(store, SealingKey::derived_from(&secret)?, SessionLimits::CIS2);
/// # Ok(())
/// # }
/// ```
///
/// The server only ever sees what is encrypted, and names that are hashes. Sessions end by the
/// server's clock, and it forgets them itself. Each is a string at `nhs-auth:session:…`; and a
/// sorted set at `nhs-auth:provider-session:…` has the sessions of one at the provider, each with
/// its end.
///
/// - **While the server is away** each call fails: at once where the connection is refused, and
///   within seven seconds at most. Once it is back calls work again; nothing has to be restarted.
///   A call whose answer is lost is not sent again, since it may have been carried out.
/// - **One server**, or the primary of several behind one name. Cluster mode is not supported: a
///   session and the set that it is in have names of different slots. Nor is Sentinel.
/// - **Let it evict nothing** (`maxmemory-policy noeviction`), or only what has an end: a session
///   that is evicted is a user who has to sign in again.
pub struct ValkeySessionStore {
    connection: Connection,
    prefix: String,
}

impl ValkeySessionStore {
    /// Connects to that server.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be reached, or refuses the password.
    pub async fn connect(server: &ValkeyServer) -> Result<Self, StoreError> {
        let store = Self { connection: Connection::to(server), prefix: PREFIX.to_owned() };
        let _: String = store.ask(&redis::cmd("PING")).await?;
        Ok(store)
    }

    /// The same with names that begin with this rather than `nhs-auth:`, where one server is
    /// shared by several that must not share sessions.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn name_of(&self, key: SessionKey) -> String {
        format!("{}{key}", self.sessions())
    }

    fn sessions(&self) -> String {
        format!("{}session:", self.prefix)
    }

    fn provider_sessions(&self) -> String {
        format!("{}provider-session:", self.prefix)
    }

    fn failed(&self, failure: Failure) -> StoreError {
        StoreError::new(self.connection.server_name(), failure)
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.connection.command(command).await.map_err(|failure| self.failed(failure))
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.connection.run(script).await.map_err(|failure| self.failed(failure))
    }

    fn read(&self, value: Option<Vec<u8>>) -> Result<Option<SessionRecord>, StoreError> {
        let Some(value) = value else { return Ok(None) };
        frame::read(&value).map(Some).ok_or_else(|| self.failed(Failure::NotOurs))
    }
}

impl SessionStore for ValkeySessionStore {
    fn load(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        Box::pin(async move { self.read(self.ask(&Cmd::get(self.name_of(key))).await?) })
    }

    fn save(
        &self,
        key: SessionKey,
        record: SessionRecord,
        replaces: Option<u64>,
    ) -> StoreFuture<'_, bool> {
        static SAVE: LazyLock<Script> = LazyLock::new(scripts::save);
        Box::pin(async move {
            let UnixMillis(end) = record.expires_at;
            let value = frame::write(&record);
            let value = value.ok_or_else(|| self.failed(Failure::TooLong))?;
            let mut script = SAVE.key(self.name_of(key));
            script
                .arg(self.provider_sessions())
                .arg(key.to_string())
                .arg(replaces.map(frame::version).unwrap_or_default())
                .arg(value)
                .arg(end.min(LAST_END));
            self.run(&script).await
        })
    }

    fn take(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        static TAKE: LazyLock<Script> = LazyLock::new(scripts::take);
        Box::pin(async move {
            let mut script = TAKE.key(self.name_of(key));
            script.arg(self.provider_sessions()).arg(key.to_string());
            self.read(self.run(&script).await?)
        })
    }

    fn of_provider_session(&self, session: ProviderSession) -> StoreFuture<'_, Vec<SessionKey>> {
        static FIND: LazyLock<Script> = LazyLock::new(scripts::find);
        Box::pin(async move {
            let mut script = FIND.key(format!("{}{session}", self.provider_sessions()));
            script.arg(self.sessions());
            let names: Vec<Vec<u8>> = self.run(&script).await?;
            let keys = names.iter().map(|name| frame::name(name).map(SessionKey::from_bytes));
            keys.collect::<Option<_>>().ok_or_else(|| self.failed(Failure::NotOurs))
        })
    }
}

impl fmt::Debug for ValkeySessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValkeySessionStore")
            .field("server", &self.connection.server_name())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
