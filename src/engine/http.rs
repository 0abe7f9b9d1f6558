//! The HTTP driver: hyper over the tree, file bodies read in pieces, limits on connections.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::visit::{self, Missing};
use super::{Error, Services, double};
use crate::answer::tickets;
use crate::boot::tree::Found;
use crate::http::reply::{self, Head};
use crate::http::{Note, path};
use crate::journal::What;
use crate::mac::Mac;
use crate::net::platform;
use crate::text;

/// How much of a file is read at a time, in bytes.
const PIECE: u64 = 256 << 10;
/// Longest that a client may take for the headers of one request.
const HEADERS: Duration = Duration::from_secs(10);
/// A client that takes less than one piece in this time is cut off. UNDI loaders, the slowest seen, take 500 kB a second.
const STALLED: Duration = Duration::from_secs(60);
const LOOK_FOR_STALLS: Duration = Duration::from_secs(10);
/// Most header lines of a request.
const MAX_HEADERS: usize = 100;
/// Longest request line and headers, in bytes.
const MAX_REQUEST: usize = 32 << 10;
/// Most connections at once; 100 computers fetching need 100.
const MAX_CONNECTIONS: usize = 1024;
/// Most connections at once of one computer.
const MAX_PER_CLIENT: usize = 256;
/// How often progress is told: enough for a bar that moves smoothly.
const PROGRESS: Duration = Duration::from_millis(250);

pub(super) async fn run(services: Services, listener: TcpListener) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    let guests = Guests::default();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => welcome(&services, &guests, &mut tasks, stream, peer),
                // Out of descriptors, or a connection that was gone already: neither ends the service.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

fn welcome(services: &Services, guests: &Guests, tasks: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr) {
    let IpAddr::V4(address) = peer.ip() else { return };
    if !services.admits(address) || !guests.make_room(address) {
        return;
    }
    let activity = Arc::new(Activity::new());
    let task = tasks.spawn(connection(services.clone(), stream, address, Arc::clone(&activity)));
    guests.add(address, activity, task);
}

async fn connection(services: Services, stream: TcpStream, client: Ipv4Addr, activity: Arc<Activity>) {
    let _ = stream.set_nodelay(true);
    platform::cut_when_stalled(&stream, STALLED);
    let service = service_fn(|request| {
        let (services, activity) = (services.clone(), Arc::clone(&activity));
        async move { Ok::<_, Infallible>(answer(services, client, activity, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_headers(MAX_HEADERS).max_buf_size(MAX_REQUEST);
    // GRUB 2.06 knows `Content-Length` in this spelling only, and without it waits for the end of the connection.
    http.title_case_headers(true);
    let serving = http.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How a client ends its connection is its own affair: EDK2 closes with RST.
        _ = serving => {}
        () = activity.stalled() => {}
    }
}

/// Whether a connection is answering, and when it last got on.
#[derive(Debug)]
struct Activity {
    began: Instant,
    answering: AtomicBool,
    /// Milliseconds after `began`.
    last: AtomicU64,
}

impl Activity {
    fn new() -> Activity {
        Activity { began: Instant::now(), answering: AtomicBool::new(false), last: AtomicU64::new(0) }
    }

    fn moved(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    fn idle_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Returns when the client has not taken anything for too long.
    async fn stalled(&self) {
        loop {
            tokio::time::sleep(LOOK_FOR_STALLS).await;
            if self.answering.load(Ordering::Relaxed) && self.idle_for() > STALLED {
                return;
            }
        }
    }
}

/// All connections. A new one always finds room: at the cost of one that waits for a request, else of the one that got
/// on least of the computer that has most.
#[derive(Debug, Default)]
struct Guests(Mutex<Vec<(Ipv4Addr, Arc<Activity>, AbortHandle)>>);

impl Guests {
    fn make_room(&self, client: Ipv4Addr) -> bool {
        let Ok(mut guests) = self.0.lock() else { return false };
        guests.retain(|(_, _, task)| !task.is_finished());
        let own = guests.iter().filter(|(address, ..)| *address == client).count();
        let only_own = own >= MAX_PER_CLIENT;
        if !only_own && guests.len() < MAX_CONNECTIONS {
            return true;
        }
        let longest = |wanted: &dyn Fn(&(Ipv4Addr, Arc<Activity>, AbortHandle)) -> bool| {
            let candidates = guests.iter().enumerate().filter(|(_, guest)| wanted(guest));
            candidates.max_by_key(|(_, (_, activity, _))| activity.idle_for()).map(|(at, _)| at)
        };
        let waiting = longest(&|(address, activity, _)| {
            !activity.answering.load(Ordering::Relaxed) && (!only_own || *address == client)
        });
        let count = |of: Ipv4Addr| guests.iter().filter(|(address, ..)| *address == of).count();
        let greediest =
            if only_own { Some(client) } else { guests.iter().map(|(of, ..)| *of).max_by_key(|of| count(*of)) };
        let Some(at) = waiting.or_else(|| longest(&|(address, ..)| Some(*address) == greediest)) else { return false };
        let (_, _, task) = guests.swap_remove(at);
        task.abort();
        true
    }

    fn add(&self, client: Ipv4Addr, activity: Arc<Activity>, task: AbortHandle) {
        if let Ok(mut guests) = self.0.lock() {
            guests.push((client, activity, task));
        }
    }
}

async fn answer(
    services: Services,
    client: Ipv4Addr,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Response<Body> {
    activity.moved(true);
    let (parts, _) = request.into_parts();
    let (services, client) = rehearsed(services, client, &parts.headers);
    let teller = |role, note| {
        services.tell(services.whois.mac(client), client, role, What::Http(note));
    };
    let shown = text::plain(&tickets::shown(parts.uri.path().trim_start_matches('/')), 300);
    let refuse = |head: Head| {
        teller(None, Note::Refused { file: shown.clone(), status: head.status.as_u16() });
        respond(reply::for_method(&parts.method, head), None, &activity)
    };
    if let Some(head) = reply::objection(&parts.method, parts.version, &parts.headers) {
        return refuse(head);
    }
    let Ok(path) = path::normalise(parts.uri.path()) else {
        return refuse(reply::error(hyper::StatusCode::BAD_REQUEST));
    };
    // The token of an answer file is a secret.
    let shown = text::plain(&tickets::shown(&path), 300);
    // Neither does a password leave this function but to be checked.
    let authorization = parts.headers.get(hyper::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (query, authorization) = (parts.uri.query().map(str::to_owned), authorization.map(str::to_owned));
    let (services_too, length_only) = (services.clone(), parts.method == Method::HEAD);
    // Who asks may have to be read from a disk as well. Nothing is found where a password has to come first.
    let found = tokio::task::spawn_blocking(move || {
        let visitor = visit::introduce(&services_too, client, &path, query.as_deref(), authorization.as_deref());
        let first = visit::has_to_say_password(&services_too, &visitor);
        (!first).then(|| visit::find(&services_too, &path, &visitor, length_only))
    });
    let Some(found) = found.await.unwrap_or(Some(Err(Missing::NotHere))) else {
        return respond(reply::for_method(&parts.method, reply::who_are_you()), None, &activity);
    };
    let found = match found {
        Ok(found) => found,
        Err(Missing::NotApproved | Missing::NoPassword) => return refuse(reply::error(hyper::StatusCode::FORBIDDEN)),
        Err(Missing::NotHere) => {
            teller(None, Note::NotFound { file: shown });
            let head = reply::error(hyper::StatusCode::NOT_FOUND);
            return respond(reply::for_method(&parts.method, head), None, &activity);
        }
    };
    let (role, size) = (Some(found.role), found.meta.size);
    let head = reply::file(&parts.method, &parts.headers, &found.meta);
    if parts.method == Method::HEAD && head.status.is_success() {
        teller(role, Note::SizeAsked { file: shown.clone(), size });
    } else if head.status.is_client_error() {
        teller(role, Note::Refused { file: shown.clone(), status: head.status.as_u16() });
    }
    let stream = match head.body {
        reply::Body::Bytes { first, length } => {
            let mac = services.whois.mac(client);
            let about = About { services, mac, client, activity: Arc::clone(&activity), file: shown };
            Some(Stream::new(about, found, first, length))
        }
        _ => None,
    };
    respond(head, stream, &activity)
}

/// Services and address of the made-up computer that a rehearsal speaks for; else those of who really asks.
fn rehearsed(services: Services, client: Ipv4Addr, headers: &hyper::HeaderMap) -> (Services, Ipv4Addr) {
    let token = headers.get(double::TOKEN).and_then(|token| token.to_str().ok());
    let double = token.and_then(|token| services.doubles.services(token));
    double.and_then(|double| double.double.map(|address| (double, address))).unwrap_or((services, client))
}

fn respond(head: Head, stream: Option<Stream>, activity: &Arc<Activity>) -> Response<Body> {
    let body = match (stream, head.body) {
        (Some(stream), _) => Body::Stream(Box::new(stream)),
        (None, reply::Body::Text(text)) => Body::Text(Some(text), Arc::clone(activity)),
        (None, _) => Body::Text(None, Arc::clone(activity)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

/// What hyper sends.
enum Body {
    Text(Option<&'static str>, Arc<Activity>),
    Stream(Box<Stream>),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Body::Text(text, _) => {
                Poll::Ready(text.take().map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
            }
            Body::Stream(stream) => stream.poll_piece(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Text(text, _) => text.is_none(),
            Body::Stream(stream) => stream.sent == stream.length,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Body::Text(text, _) => text.map_or(0, |text| text.len() as u64),
            Body::Stream(stream) => stream.length - stream.sent,
        })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        match self {
            Body::Text(_, activity) => activity.moved(false),
            Body::Stream(stream) => stream.about.activity.moved(false),
        }
    }
}

/// Whose answer it is, and what for.
struct About {
    services: Services,
    mac: Option<Mac>,
    client: Ipv4Addr,
    activity: Arc<Activity>,
    file: String,
}

/// A part of a file on its way: one piece is read while the one before is sent.
struct Stream {
    about: About,
    found: Arc<Found>,
    first: u64,
    length: u64,
    sent: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    failed: bool,
    began: Instant,
    told: Instant,
}

impl Stream {
    fn new(about: About, found: Found, first: u64, length: u64) -> Stream {
        let (now, size) = (Instant::now(), found.meta.size);
        let found = Arc::new(found);
        let mut stream =
            Stream { about, found, first, length, sent: 0, reading: None, failed: false, began: now, told: now };
        stream.tell(|file| Note::Started { file, from: first, length, size });
        stream.reading = stream.read(0);
        stream
    }

    fn tell(&self, note: impl FnOnce(String) -> Note) {
        let About { services, mac, client, file, .. } = &self.about;
        services.tell(*mac, *client, Some(self.found.role), What::Http(note(file.clone())));
    }

    /// Begins to read the piece at `from`, counted from the first byte to send; `None` behind the end.
    fn read(&self, from: u64) -> Option<JoinHandle<io::Result<Bytes>>> {
        let length = self.length.saturating_sub(from).min(PIECE);
        if length == 0 {
            return None;
        }
        let (found, at) = (Arc::clone(&self.found), self.first + from);
        Some(tokio::task::spawn_blocking(move || {
            let mut piece = vec![0u8; usize::try_from(length).unwrap_or(0)];
            found.read_at(at, &mut piece).map(|()| Bytes::from(piece))
        }))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let piece = match Pin::new(reading).poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(joined) => joined.map_err(io::Error::other).flatten(),
        };
        self.reading = None;
        self.about.activity.moved(true);
        match piece {
            Ok(piece) => {
                self.sent += piece.len() as u64;
                self.reading = self.read(self.sent);
                if self.told.elapsed() >= PROGRESS && self.sent < self.length {
                    self.told = Instant::now();
                    self.tell(|file| Note::Progress { file, bytes: self.sent, length: self.length });
                }
                Poll::Ready(Some(Ok(piece)))
            }
            // The connection is cut, which the client takes for what it is: the rest is missing.
            Err(error) => {
                self.failed = true;
                self.tell(|file| Note::ReadFailed { file, reason: error.to_string() });
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let (from, bytes, length, size) = (self.first, self.sent, self.length, self.found.meta.size);
        if bytes == length {
            let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.tell(|file| Note::Done { file, from, bytes, size, millis });
        } else if !self.failed {
            self.tell(|file| Note::BrokenOff { file, bytes, length });
        }
    }
}
