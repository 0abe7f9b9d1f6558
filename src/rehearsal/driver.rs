//! The sockets of a rehearsal: one request by HTTP or TFTP at a time, with a limit on how long it may take.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::poll_fn;
use http_body::Body;
use hyper::body::Incoming;
use hyper::header::{CONTENT_RANGE, HOST, RANGE, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::tftp::{Download, Failure, Got, Next, Options, Wanted};
use crate::engine::double::{Scene, TOKEN};
use crate::net::interface::{self, Interface, Kind};
use crate::net::socket::{self, Hear};

/// How long an answer may take. On this very machine it takes milliseconds; a disk that has to start takes some seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// When a TFTP client asks again, and how often.
const AGAIN: Duration = Duration::from_millis(1000);
const TRIES: u32 = 4;
/// Largest script that is read, in bytes.
pub const MAX_SCRIPT: u64 = 4 << 20;
/// Largest loader that is fetched whole, in bytes; signed GRUBs have about 4 MB, a disk of them 8 MB.
pub const MAX_LOADER: u64 = 64 << 20;

/// Why a file did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "kebab-case")]
pub enum Trouble {
    /// There is no such file.
    NotFound,
    /// The server said something else.
    Refused {
        /// What.
        said: String,
    },
    /// Nothing came.
    Silent,
    /// Less came than was to come.
    BrokenOff {
        /// So many bytes.
        came: u64,
        /// Instead of these.
        expected: u64,
    },
    /// Nobody listens.
    Unreachable {
        /// What the system said.
        reason: String,
    },
}

/// What came by HTTP.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// How long the whole file is, as the server said.
    pub size: Option<u64>,
    /// What came of it.
    pub bytes: Bytes,
}

/// Where the services are reached.
#[derive(Clone, Debug)]
pub struct Net {
    scene: Scene,
    interface: Interface,
}

impl Net {
    /// The way to these services. May wait for the system. `None` where the interface is gone.
    pub fn to(scene: Scene) -> Option<Net> {
        let is_it = |found: &Interface| match &scene.interface {
            Some(name) => found.name == *name,
            None => found.kind == Kind::Loopback,
        };
        let interface = interface::list().into_iter().find(is_it)?;
        Some(Net { scene, interface })
    }

    /// What the services said of themselves.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Asks for a file's length.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn head(&self, path: &str) -> Result<Page, Trouble> {
        self.http(Method::HEAD, path, None, 0).await
    }

    /// Fetches a file whole.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn get(&self, path: &str, limit: u64) -> Result<Page, Trouble> {
        self.http(Method::GET, path, None, limit).await
    }

    /// Fetches so many bytes of a file, from there on.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn part(&self, path: &str, from: u64, length: u64) -> Result<Page, Trouble> {
        self.http(Method::GET, path, Some((from, length)), length).await
    }

    async fn http(&self, method: Method, path: &str, part: Option<(u64, u64)>, limit: u64) -> Result<Page, Trouble> {
        let work = self.exchange(method, path, part, limit);
        timeout(PATIENCE, work).await.unwrap_or(Err(Trouble::Silent))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        part: Option<(u64, u64)>,
        limit: u64,
    ) -> Result<Page, Trouble> {
        let unreachable = |error: io::Error| Trouble::Unreachable { reason: error.to_string() };
        let stream = socket::connect(&self.interface, self.scene.http).await.map_err(unreachable)?;
        let broken = |error: hyper::Error| Trouble::Refused { said: error.to_string() };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driving = tokio::spawn(connection);
        let host = self.scene.base.trim_start_matches("http://");
        let mut request = Request::builder().method(method.clone()).uri(path).header(HOST, host);
        request = request.header(USER_AGENT, "Bootwright rehearsal").header(TOKEN, &self.scene.token);
        if let Some((from, length)) = part {
            request = request.header(RANGE, format!("bytes={from}-{}", from + length.max(1) - 1));
        }
        let request = request.body(String::new()).map_err(|error| Trouble::Refused { said: error.to_string() })?;
        let answer = sender.send_request(request).await.map_err(broken);
        let page = match answer {
            Ok(answer) => read(&method, answer, part.is_some(), limit).await,
            Err(trouble) => Err(trouble),
        };
        driving.abort();
        page
    }

    /// Fetches by TFTP.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn tftp(&self, file: &str, options: Options, wanted: Wanted) -> Result<Got, Trouble> {
        let (own, server) = (*self.scene.tftp.ip(), self.scene.tftp);
        let unreachable = |reason: String| Trouble::Unreachable { reason };
        let socket = socket::udp(&self.interface, own, 0, Hear::One);
        let socket = socket.map_err(|error| unreachable(error.source.to_string()))?;
        let (mut download, request) = Download::new(file, options, wanted, (TOKEN, &self.scene.token));
        let sent = |error: io::Error| unreachable(error.to_string());
        socket.send_to(&request, server).await.map_err(sent)?;
        let (mut peer, mut silent, mut packet) = (None, 0, vec![0u8; 65_536]);
        loop {
            let Ok(heard) = timeout(AGAIN, socket.recv_from(&mut packet)).await else {
                silent += 1;
                if silent >= TRIES {
                    return Err(Trouble::Silent);
                }
                let again = download.repeat().unwrap_or_else(|| request.clone());
                socket.send_to(&again, peer.unwrap_or(server.into())).await.map_err(sent)?;
                continue;
            };
            // An ICMP message for what was sent: nobody listens there.
            let (length, from) = heard.map_err(sent)?;
            if peer.is_some_and(|peer| peer != from) || from.ip() != *server.ip() {
                continue;
            }
            (peer, silent) = (Some(from), 0);
            match download.heard(packet.get(..length).unwrap_or_default()) {
                Next::Send(bytes) => drop(socket.send_to(&bytes, from).await.map_err(sent)?),
                Next::Wait => {}
                Next::Over(last, result) => {
                    if let Some(last) = last {
                        socket.send_to(&last, from).await.map_err(sent)?;
                    }
                    return result.map_err(|failure| match failure {
                        Failure::NotFound => Trouble::NotFound,
                        Failure::Refused(said) => Trouble::Refused { said },
                        Failure::Nonsense => Trouble::Refused { said: "options that nobody asked for".to_owned() },
                    });
                }
            }
        }
    }
}

async fn read(method: &Method, answer: hyper::Response<Incoming>, part: bool, limit: u64) -> Result<Page, Trouble> {
    let (head, mut body) = answer.into_parts();
    match head.status {
        StatusCode::OK if !part => {}
        StatusCode::PARTIAL_CONTENT if part => {}
        StatusCode::NOT_FOUND => return Err(Trouble::NotFound),
        other => return Err(Trouble::Refused { said: format!("HTTP status {other}") }),
    }
    let header = |name| head.headers.get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    let length = body.size_hint().exact().or_else(|| header(hyper::header::CONTENT_LENGTH)?.parse().ok());
    let total = header(CONTENT_RANGE).and_then(|range| range.rsplit('/').next()?.parse().ok());
    let size = if part { total } else { length };
    if *method == Method::HEAD {
        return Ok(Page {
            size: header(hyper::header::CONTENT_LENGTH).and_then(|text| text.parse().ok()),
            bytes: Bytes::new(),
        });
    }
    let mut bytes = BytesMut::new();
    let expected = body.size_hint().exact().unwrap_or(limit);
    while let Some(frame) = poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
        let broken = |_| Trouble::BrokenOff { came: bytes.len() as u64, expected };
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() as u64 > limit {
            return Err(Trouble::Refused { said: format!("more than {limit} bytes") });
        }
    }
    Ok(Page { size, bytes: bytes.freeze() })
}
