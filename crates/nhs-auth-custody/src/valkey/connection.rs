//! The connection, made anew when it is of no more use.
//!
//! The manager that `redis` brings is of no help: it keeps a connection whose answers time out, as
//! they do when a server vanishes, until the kernel gives it up after minutes; and after a
//! reconnection that the server refused, say for a password that was just changed, it repeats that
//! refusal for ever.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, PushInfo, PushKind, RedisResult,
    ScriptInvocation,
};
use tokio::time::timeout;

use super::error::Failure;
use super::server::ValkeyServer;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    client: Client,
    server_name: String,
    current: Mutex<Current>,
    /// Held by the one that connects, while others wait for what it brings.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Which one it is, so that a failure of an old one doesn't end a new one.
    number: u64,
    /// Whether the server has closed it, as some do when nothing was asked for a while. Who finds
    /// that out by asking doesn't know whether the question was heard.
    is_closed: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn to(server: &ValkeyServer) -> Self {
        Self {
            client: server.client().clone(),
            server_name: server.to_string(),
            current: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn server_name(&self) -> &str {
        &self.server_name
    }

    /// Has a command carried out.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        self.ask(async |server| command.query_async(server).await).await
    }

    /// Has a script carried out.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Failure> {
        self.ask(async |server| script.invoke_async(server).await).await
    }

    /// Asks the server once. Commands of many callers share the connection.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, Failure> {
        // Whether it connects or waits for another that does: nobody waits longer.
        let connected = timeout(CONNECT_WITHIN, self.connected()).await;
        let (mut connection, number) = connected.map_err(|_| Failure::Late)??;
        let asked = timeout(ANSWER_WITHIN, question(&mut connection)).await;
        let answer = asked.map_or(Err(Failure::Late), |answer| answer.map_err(Failure::from));
        if answer.as_ref().is_err_and(Failure::spoils_connection) {
            self.give_up(number);
        }
        answer
    }

    async fn connected(&self) -> Result<(MultiplexedConnection, u64), Failure> {
        if let Some(connected) = self.current().connected() {
            return Ok(connected);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(connected) = self.current().connected() {
            return Ok(connected);
        }
        // The limits are ours: they hold for all steps of a script, and for those who wait.
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&is_closed);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| -> Result<(), Infallible> {
                if push.kind == PushKind::Disconnection {
                    closed.store(true, Ordering::Relaxed);
                }
                Ok(())
            });
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut current = self.current();
        current.number += 1;
        current.is_closed = is_closed;
        current.connection = Some(connection.clone());
        Ok((connection, current.number))
    }

    fn give_up(&self, number: u64) {
        let mut current = self.current();
        if current.number == number {
            current.connection = None;
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn connected(&self) -> Option<(MultiplexedConnection, u64)> {
        let is_closed = self.is_closed.load(Ordering::Relaxed);
        let connection = self.connection.as_ref().filter(|_| !is_closed)?;
        Some((connection.clone(), self.number))
    }
}
