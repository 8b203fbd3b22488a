//! One end of a connection that says what it is told, and shows what it gets, byte for byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take before a test is taken for stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// A message's first line and its headers.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref()));
        sent.await.expect("the other end takes what is sent")
    }

    /// How many of so many bytes are taken before nothing more is for a while.
    pub(crate) async fn push(&mut self, most: usize) -> usize {
        let piece = vec![b'x'; 64 * 1024];
        let mut sum = 0;
        while sum < most {
            let length = piece.len().min(most - sum);
            let written = self.stream.write(&piece[..length]);
            match timeout(Duration::from_millis(500), written).await {
                Ok(Ok(count)) => sum += count,
                _ => break,
            }
        }
        sum
    }

    /// The head of the next message.
    pub(crate) async fn head(&mut self) -> Head {
        self.try_head().await.expect("there is a head")
    }

    /// The same; `None` when the connection ends before it is whole.
    pub(crate) async fn try_head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(self.more().await, Ok(true)) {
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let text = String::from_utf8_lossy(&head).into_owned();
        let (first, rest) = text.split_once("\r\n").unwrap();
        Some(Head { first: first.to_owned(), headers: fields(rest) })
    }

    /// The next message whole: its body ends as its head says, and a head that says nothing has
    /// none.
    pub(crate) async fn message(&mut self) -> Message {
        self.try_message().await.unwrap()
    }

    pub(crate) async fn try_message(&mut self) -> io::Result<Message> {
        let head = self.try_head().await.ok_or_else(|| io::Error::other("there is no head"))?;
        self.body_of(head).await
    }

    /// The body of a head that was read already.
    pub(crate) async fn body_of(&mut self, head: Head) -> io::Result<Message> {
        if head.value("transfer-encoding").is_some() {
            let (body, trailers) = self.chunks().await?;
            return Ok(Message { head, body, trailers });
        }
        let length = head.value("content-length").map_or(0, |it| it.parse().unwrap());
        let body = self.take(length).await?;
        Ok(Message { head, body, trailers: Vec::new() })
    }

    pub(crate) async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < length {
            if !self.more().await? {
                return Err(io::Error::other("it was cut off"));
            }
        }
        Ok(self.unread.drain(..length).collect())
    }

    /// Passes over so many bytes.
    pub(crate) async fn skip(&mut self, mut length: usize) {
        while length > 0 {
            if self.unread.is_empty() {
                assert!(self.more().await.unwrap(), "{length} bytes are missing");
            }
            let now = length.min(self.unread.len());
            self.unread.drain(..now);
            length -= now;
        }
    }

    /// All that comes until the connection ends, however it does.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while matches!(self.more().await, Ok(true)) {}
        std::mem::take(&mut self.unread)
    }

    /// Whether the connection ends in good order, and not by a reset.
    pub(crate) async fn ends_well(&mut self) -> bool {
        loop {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
        }
    }

    async fn chunks(&mut self) -> io::Result<(Vec<u8>, Vec<(String, String)>)> {
        let mut body = Vec::new();
        loop {
            let size = self.line().await?;
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            if size == 0 {
                break;
            }
            body.extend(self.take(size).await?);
            assert_eq!(self.line().await?, "");
        }
        let mut trailers = String::new();
        loop {
            match self.line().await?.as_str() {
                "" => return Ok((body, fields(&trailers))),
                line => trailers.extend([line, "\r\n"]),
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|bytes| bytes == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.more().await? {
                return Err(io::Error::other("it was cut off"));
            }
        }
    }

    /// Whether the other end has closed or reset the connection, with nothing more said.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let more = self.more().await;
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "stray bytes");
        !matches!(more, Ok(true))
    }

    /// Whether nothing comes for a while, and the connection stays open.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "stray bytes");
        let mut byte = [0];
        timeout(Duration::from_millis(200), self.stream.read(&mut byte)).await.is_err()
    }

    async fn more(&mut self) -> io::Result<bool> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread));
        Ok(read.await.expect("something comes, or the connection ends")? > 0)
    }
}

fn fields(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let field = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header line");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    lines.map(field).collect()
}

impl Head {
    pub(crate) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let of_name = |(given, _): &&(String, String)| given == name;
        self.headers.iter().filter(of_name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
