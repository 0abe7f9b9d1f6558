//! The window's side of [`crate::net::privilege`]: starts the helper by way of pkexec and takes its sockets.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use super::ClientSocket;
use super::channel::{Channel, Message};
use super::wire::Answer;
use crate::net::ports::Transport;
use crate::net::privilege::{Gate, Grant, PrivilegeError, Request};
use crate::net::socket::Sockets;
use crate::text;

/// How long a helper may take to end once it has said everything, or nobody listens any more.
const GRACE: Duration = Duration::from_secs(1);
/// The same where it has an address to take away; see the time that `ip` gets.
const UNDOING: Duration = Duration::from_secs(12);
/// Most that is kept of what it says on standard error, in bytes.
const WORDS: u64 = 4096;

/// What pkexec ends with when the question was closed, and when the answer was no (pkexec(1)).
const DISMISSED: i32 = 126;
const NOT_AUTHORISED: i32 = 127;

/// Whether [`acquire`] has a way to start the helper.
pub fn available() -> Result<(), PrivilegeError> {
    if geteuid().is_root() {
        return Ok(());
    }
    pkexec().map(drop)
}

fn pkexec() -> Result<PathBuf, PrivilegeError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find("pkexec", &path).ok_or(PrivilegeError::NoPkexec)
}

/// A program in the absolute folders of a `PATH`.
fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let runs = |path: &Path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|it| runs(it))
}

/// See [`crate::net::privilege::acquire`].
pub async fn acquire(request: &Request) -> Result<Grant, PrivilegeError> {
    let (mut helper, stderr) = Helper::start()?;
    let words = tokio::spawn(collect(stderr));
    // Whoever closes the question has not read it, and that shows below.
    let _ = helper.channel.send(&request.emit(), &[]).await;
    let message = helper.answer().await;
    if message.bytes.is_empty() {
        return Err(why(helper.ended().await, words).await);
    }
    let (sockets, firewall) = taken(request, message)?;
    Ok(Grant { sockets, firewall, helper })
}

/// The helper, or pkexec while it still asks. Dropping it takes the question away, or makes the helper undo what it did.
#[derive(Debug)]
pub struct Helper {
    channel: Channel,
    child: Child,
}

impl Helper {
    fn start() -> Result<(Helper, ChildStderr), PrivilegeError> {
        let (channel, theirs) = Channel::pair().map_err(PrivilegeError::Start)?;
        let mut command = command()?;
        command.arg("helper").stdin(theirs).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(PrivilegeError::Start)?;
        // It holds a copy of the other end, whose closing we want to see.
        drop(command);
        let stderr = child.stderr.take().ok_or_else(|| PrivilegeError::Start(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok((Helper { channel, child }, stderr))
    }

    /// The one answer; an empty message if it ends without.
    async fn answer(&mut self) -> Message {
        tokio::select! {
            biased;
            message = self.channel.receive() => return message.unwrap_or_default(),
            _ = self.child.wait() => {}
        }
        // What it said last may still be on its way; a program that it left behind may hold the other end open.
        let last = tokio::time::timeout(GRACE, self.channel.receive()).await;
        last.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn ended(&mut self) -> Option<ExitStatus> {
        tokio::time::timeout(GRACE, self.child.wait()).await.ok().and_then(Result::ok)
    }

    /// Lets go of the channel and waits for the helper's end.
    pub async fn end(mut self) {
        // The other end sees this as it sees our death.
        let _ = self.channel.shut();
        let _ = tokio::time::timeout(UNDOING, self.child.wait()).await;
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // pkexec still belongs to us while it asks. As soon as it is the helper it does not, and the end of the channel
        // ends it; where it does, since we are root, it hears both. Not SIGKILL, which would leave an address behind.
        let running = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = running {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

fn command() -> Result<Command, PrivilegeError> {
    let program = std::env::current_exe().map_err(PrivilegeError::Start)?;
    if geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new(pkexec()?);
    // pkexec refuses to work where this names a shell that /etc/shells does not list.
    command.arg(program).env_remove("SHELL");
    Ok(command)
}

/// What it says on standard error. What is too much is not kept, but nobody has to wait for a reader.
async fn collect(mut stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    let _ = (&mut stderr).take(WORDS).read_to_end(&mut words).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&words).into_owned()
}

/// Why there is no answer.
async fn why(ended: Option<ExitStatus>, words: JoinHandle<String>) -> PrivilegeError {
    let words = tokio::time::timeout(GRACE, words).await.ok().and_then(Result::ok).unwrap_or_default();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = text::plain(&words, 300);
    match ended {
        None => PrivilegeError::Helper { reason: "it does not end".to_owned() },
        Some(status) => match status.code() {
            Some(DISMISSED) => PrivilegeError::Dismissed,
            Some(NOT_AUTHORISED) => PrivilegeError::NotAuthorised { reason },
            _ if reason.is_empty() => PrivilegeError::Helper { reason: format!("it ended with {status}") },
            _ => PrivilegeError::Helper { reason },
        },
    }
}

/// The sockets of an answer, if they are those that were asked for.
fn taken(request: &Request, message: Message) -> Result<(Sockets, Option<Gate>), PrivilegeError> {
    let (ports, taken, router, guard, firewall) = match Answer::parse(&message.bytes)? {
        Answer::Opened { ports, taken, router, guard, firewall } => (ports, taken, router, guard, firewall),
        Answer::Failed(failure) => {
            let interface = request.interface.clone();
            return Err(PrivilegeError::Port { interface, source: failure.into() });
        }
        Answer::Refused(refusal) => return Err(refusal.into()),
    };
    let taken = taken.map(crate::net::socket::BindError::from);
    let missing = taken.as_ref().map(|error| (error.transport, error.port));
    let wanted: Vec<_> = request.ports().into_iter().filter(|port| Some(*port) != missing).collect();
    if ports != wanted || message.sockets.len() != wanted.len() + usize::from(guard) {
        return Err(PrivilegeError::Helper { reason: "it passed other sockets than it was asked for".to_owned() });
    }
    let mut sockets = Sockets::on(&request.interface, request.own);
    let mut passed = message.sockets.into_iter();
    for ((transport, port), socket) in wanted.into_iter().zip(passed.by_ref()) {
        add(&mut sockets, transport, port, socket);
    }
    if let Some(end) = passed.next() {
        sockets.add_client(ClientSocket::lent(end).map_err(PrivilegeError::Start)?);
    }
    if router {
        sockets.set_advertised();
    }
    if let Some(error) = taken {
        sockets.add_tcp(error.port, Err(error));
    }
    Ok((sockets, firewall))
}

fn add(sockets: &mut Sockets, transport: Transport, port: u16, socket: OwnedFd) {
    match transport {
        Transport::Udp => sockets.add_udp(port, socket.into()),
        Transport::Tcp => sockets.add_tcp(port, Ok(socket.into())),
    }
}
