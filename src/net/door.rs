//! A door for other programs of the same user: one question, one answer, each a line, through a Unix socket that only its
//! owner may open. Not TCP, which every web page and every machine of the network could knock at (SECURITY S26).

use std::io;
use std::path::Path;
use std::time::Duration;

/// Longest question, in bytes.
pub const LONGEST_QUESTION: usize = 64 << 10;
/// Longest answer that is read, in bytes: packets of many computers.
pub const LONGEST_ANSWER: u64 = 256 << 20;
/// How long somebody who knocked may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(unix)]
pub use unix::{Door, Guest, ask};

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use rustix::process::geteuid;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{UnixListener, UnixStream};

    use super::*;

    /// The open door. Dropping it closes it and takes its file away.
    #[derive(Debug)]
    pub struct Door {
        listener: UnixListener,
        path: PathBuf,
    }

    /// Somebody of the same user, or root, who knocked.
    #[derive(Debug)]
    pub struct Guest(BufReader<UnixStream>);

    impl Door {
        /// Opens a door at this path. What a program that was killed has left there is replaced. Must be called inside a
        /// tokio runtime.
        ///
        /// # Errors
        /// Another program listens there (`AddrInUse`), the path is longer than a socket's may be (some hundred bytes),
        /// or the folder cannot be written.
        pub fn open(path: &Path) -> io::Result<Door> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(path)?;
            let door = Door { listener, path: path.to_owned() };
            // Until here others may knock as well; each is asked who it is in any case.
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            Ok(door)
        }

        /// Waits for the next guest who may come in; others are turned away.
        ///
        /// # Errors
        /// The system has no room for one more connection, which may pass.
        pub async fn guest(&self) -> io::Result<Guest> {
            loop {
                let (stream, _) = self.listener.accept().await?;
                let own = geteuid().as_raw();
                if stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0) {
                    return Ok(Guest(BufReader::new(stream)));
                }
            }
        }
    }

    impl Drop for Door {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
        }
    }

    impl Guest {
        /// Its question, without the end of the line.
        ///
        /// # Errors
        /// It is too long, takes too long, or ends in the middle.
        pub async fn question(&mut self) -> io::Result<Vec<u8>> {
            let mut line = Vec::new();
            let limit = LONGEST_QUESTION as u64 + 1;
            let mut limited = (&mut self.0).take(limit);
            let read = limited.read_until(b'\n', &mut line);
            let late = |_elapsed| io::Error::from(io::ErrorKind::TimedOut);
            tokio::time::timeout(PATIENCE, read).await.map_err(late)??;
            if line.pop() != Some(b'\n') {
                return Err(io::ErrorKind::InvalidData.into());
            }
            Ok(line)
        }

        /// Answers, which ends the visit.
        ///
        /// # Errors
        /// It is gone.
        pub async fn answer(mut self, answer: &[u8]) -> io::Result<()> {
            self.0.write_all(answer).await?;
            self.0.write_all(b"\n").await?;
            self.0.shutdown().await
        }
    }

    /// Asks whoever opened the door at this path, and returns the answer.
    ///
    /// # Errors
    /// Nobody is there (`NotFound`, `ConnectionRefused`), this user may not ask, or no whole answer came.
    pub async fn ask(path: &Path, question: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(path).await?;
        stream.write_all(question).await?;
        stream.write_all(b"\n").await?;
        let mut answer = Vec::new();
        BufReader::new(stream).take(LONGEST_ANSWER).read_until(b'\n', &mut answer).await?;
        if answer.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }
}

#[cfg(not(unix))]
pub use other::{Door, Guest, ask};

#[cfg(not(unix))]
mod other {
    use super::*;

    /// There is none on this system yet: the window asks its services without one.
    #[derive(Debug)]
    pub struct Door(std::convert::Infallible);

    /// Nobody.
    #[derive(Debug)]
    pub struct Guest(std::convert::Infallible);

    impl Door {
        /// Always an error here.
        pub fn open(_path: &Path) -> io::Result<Door> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Never called: there is no value of this type.
        pub async fn guest(&self) -> io::Result<Guest> {
            match self.0 {}
        }
    }

    impl Guest {
        /// Never called: there is no value of this type.
        pub async fn question(&mut self) -> io::Result<Vec<u8>> {
            match self.0 {}
        }

        /// Never called: there is no value of this type.
        pub async fn answer(self, _answer: &[u8]) -> io::Result<()> {
            match self.0 {}
        }
    }

    /// Always an error here.
    pub async fn ask(_path: &Path, _question: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_gets_its_answer_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/control.sock");
        let door = Door::open(&path).unwrap();
        assert_eq!(Door::open(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let serve = async {
            // Whoever wanted to open it as well has knocked and gone.
            door.guest().await.unwrap().question().await.unwrap_err();
            let mut guest = door.guest().await.unwrap();
            let question = guest.question().await.unwrap();
            guest.answer(&[b"you said ", question.as_slice()].concat()).await.unwrap();
        };
        let ((), answer) = tokio::join!(serve, ask(&path, b"hello"));
        assert_eq!(answer.unwrap(), b"you said hello");
        drop(door);
        assert_eq!(ask(&path, b"hello").await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn what_a_killed_program_left_is_replaced_and_a_long_question_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "as a killed one leaves it");
        let door = Door::open(&path).unwrap();
        let serve = async { door.guest().await.unwrap().question().await.map(drop) };
        let long = vec![b'x'; LONGEST_QUESTION + 1];
        let (read, _) = tokio::join!(serve, ask(&path, &long));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
