//! A client that sends what it is told, and shows what it gets, byte for byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take before a test is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client<S = TcpStream> {
    stream: S,
    unread: Vec<u8>,
}

/// An answer, with its head as it came, less the `date` line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.try_send(text).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await
    }

    /// Says that nothing more is sent.
    pub(crate) async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer, whose body has the length that it says: `None` for none at all.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        self.try_answer(true).await.unwrap()
    }

    /// The next answer, which has no body whatever it says.
    pub(crate) async fn bodyless_answer(&mut self) -> Option<Answer> {
        self.try_answer(false).await.unwrap()
    }

    /// The next answer, or why it was cut off.
    pub(crate) async fn try_answer(&mut self, has_body: bool) -> io::Result<Option<Answer>> {
        let head_end = loop {
            if let Some(at) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return if self.unread.is_empty() { Ok(None) } else { Err(cut_off()) };
            }
        };
        let head: Vec<u8> = self.unread.drain(..head_end).collect();
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = if has_body { length.map_or(0, |length| length.parse().unwrap()) } else { 0 };
        while self.unread.len() < length {
            if !self.more().await? {
                return Err(cut_off());
            }
        }
        let body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        Ok(Some(Answer { head: without_date(&head), body }))
    }

    /// Whether nothing more comes, and the server has closed the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "stray bytes");
        let more = self.more().await;
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "stray bytes");
        matches!(more, Ok(false))
    }

    /// Whether nothing comes for a while, and the connection stays open.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "stray bytes");
        let mut byte = [0];
        timeout(Duration::from_millis(150), self.stream.read(&mut byte)).await.is_err()
    }

    async fn more(&mut self) -> io::Result<bool> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread));
        Ok(read.await.expect("the server answers, or closes the connection")? > 0)
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = |line: &'_ str| line.split_once(": ").is_some_and(|(given, _)| given == name);
        let line = self.head.lines().find(|line| value(line))?;
        Some(&line[name.len() + 2..])
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut client = Client::connect(address).await;
    client.send(request).await;
    client.try_answer(!request.starts_with("HEAD ")).await.unwrap().unwrap()
}

fn without_date(head: &str) -> String {
    let is_date = |line: &&str| line.starts_with("date: ");
    head.split_inclusive("\r\n").filter(|line| !is_date(line)).collect()
}

fn cut_off() -> io::Error {
    io::Error::other("the answer was cut off")
}
