//! A pair of connected sockets that carry messages, and open sockets along with them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::wire::LONGEST;

/// Most sockets in one message; more than booting has ports.
const MOST: usize = 8;
const ROOM: usize = rustix::cmsg_space!(ScmRights(MOST));

/// One end. Closed when dropped, which the other end sees.
///
/// Of kind SEQPACKET: a message arrives whole or not at all, and its sockets with it.
#[derive(Debug)]
pub(super) struct Channel(UnixStream);

/// What arrives: nothing at all when the other end is gone.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) sockets: Vec<OwnedFd>,
}

impl Channel {
    /// Our end, and one to give away. Must be called inside a tokio runtime.
    pub(super) fn pair() -> io::Result<(Channel, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Channel::own(ours)?, theirs))
    }

    /// The end that somebody gave us as standard input; `None` if that is anything else.
    pub(super) fn from_stdin() -> io::Result<Option<Channel>> {
        let stdin = io::stdin();
        let fits = sockopt::socket_domain(&stdin) == Ok(AddressFamily::UNIX)
            && sockopt::socket_type(&stdin) == Ok(SocketType::SEQPACKET);
        if !fits {
            return Ok(None);
        }
        stdin.as_fd().try_clone_to_owned().and_then(Channel::own).map(Some)
    }

    pub(super) fn own(end: OwnedFd) -> io::Result<Channel> {
        let end = std::os::unix::net::UnixStream::from(end);
        end.set_nonblocking(true)?;
        UnixStream::from_std(end).map(Channel)
    }

    /// Whether the pair was made by root, as the kernel noted it then.
    pub(super) fn is_from_root(&self) -> bool {
        sockopt::socket_peercred(&self.0).is_ok_and(|maker| maker.uid.is_root())
    }

    /// Lets the other end see our end, and takes nothing any more.
    pub(super) fn shut(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both)?)
    }

    /// Sends one message with copies of these sockets.
    pub(super) async fn send(&self, bytes: &[u8], sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
        let sent = self.0.async_io(Interest::WRITABLE, || {
            let mut room = [MaybeUninit::uninit(); ROOM];
            let mut control = SendAncillaryBuffer::new(&mut room);
            if !sockets.is_empty() && !control.push(SendAncillaryMessage::ScmRights(sockets)) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            Ok(sendmsg(&self.0, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
        });
        sent.await.map(drop)
    }

    /// Waits for one message. One that is too long, or has too many sockets, is an error.
    pub(super) async fn receive(&self) -> io::Result<Message> {
        let received = self.0.async_io(Interest::READABLE, || {
            let mut bytes = vec![0; LONGEST];
            let mut room = [MaybeUninit::uninit(); ROOM];
            let mut control = RecvAncillaryBuffer::new(&mut room);
            let into = &mut [IoSliceMut::new(&mut bytes)];
            let got = recvmsg(&self.0, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
            // Owned first: they are closed on every way out of here.
            let rights = control.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(rights) => Some(rights),
                _ => None,
            });
            let sockets = rights.flatten().collect();
            if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            bytes.truncate(got.bytes);
            Ok(Message { bytes, sockets })
        });
        received.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sockets_arrive_with_their_message_and_the_end_is_seen() {
        let (ours, theirs) = Channel::pair().expect("a pair");
        let theirs = Channel::own(theirs).expect("an end");
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("bound");
        theirs.send(b"one", &[socket.as_fd(), socket.as_fd()]).await.expect("sent");
        theirs.send(b"two", &[]).await.expect("sent");
        drop((socket, theirs));
        let message = ours.receive().await.expect("a message");
        assert_eq!((message.bytes.as_slice(), message.sockets.len()), (b"one".as_slice(), 2));
        let copies: Vec<_> = message.sockets.into_iter().map(std::net::UdpSocket::from).collect();
        assert!(copies.iter().all(|copy| copy.local_addr().is_ok_and(|bound| bound == address)));
        std::net::UdpSocket::bind(address).expect_err("held by the copies");
        let message = ours.receive().await.expect("a message");
        assert_eq!((message.bytes.as_slice(), message.sockets.len()), (b"two".as_slice(), 0));
        let end = ours.receive().await.expect("the end");
        assert!(end.bytes.is_empty() && end.sockets.is_empty());
        drop(copies);
        std::net::UdpSocket::bind(address).expect("free again");
    }

    #[tokio::test]
    async fn what_is_too_much_is_an_error() {
        let (ours, theirs) = Channel::pair().expect("a pair");
        let theirs = Channel::own(theirs).expect("an end");
        theirs.send(&[b' '; LONGEST + 1], &[]).await.expect("sent");
        ours.receive().await.expect_err("too long");
        theirs.send(&[b' '; LONGEST], &[]).await.expect("sent");
        assert_eq!(ours.receive().await.expect("just right").bytes.len(), LONGEST);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        theirs.send(b"x", &[socket.as_fd(); 2 * MOST]).await.expect_err("too many");
    }
}
