//! TFTP packets (RFC 1350 section 5, RFC 2347). Generous with what firmware sends, exact in what we send.

/// Longest request that is read, in bytes: one Ethernet packet.
pub const MAX_REQUEST: usize = 1500;
/// Longest file name that is read, in bytes.
pub const MAX_NAME: usize = 255;

/// Error codes (RFC 1350 section 5; RFC 2347 for 8).
pub mod error {
    /// Not defined; the text says it.
    pub const OTHER: u16 = 0;
    /// File not found.
    pub const NOT_FOUND: u16 = 1;
    /// Access violation.
    pub const REFUSED: u16 = 2;
    /// Illegal operation.
    pub const ILLEGAL: u16 = 4;
    /// Unknown transfer id.
    pub const UNKNOWN_TRANSFER: u16 = 5;
    /// Option negotiation ended the transfer.
    pub const OPTIONS: u16 = 8;
}

/// What a client sends to port 69.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It wants to read a file.
    Read(Request),
    /// It wants to write one.
    Write,
    /// It sends what belongs to a transfer to the wrong port, or reports an error there: no answer.
    Stray,
    /// Nothing that TFTP knows.
    Illegal,
}

/// How the file is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bytes as they are.
    Octet,
    /// Text with line ends converted.
    Netascii,
    /// Anything else, `mail` among it.
    Unknown,
}

/// A read request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name as asked for; bytes that are not UTF-8 are replaced.
    pub file: String,
    /// The transfer mode.
    pub mode: Mode,
    /// Options in the client's order, names in lower case; of a repeated one the first.
    pub options: Vec<(String, String)>,
}

/// Reads a packet that came to port 69.
pub fn opening(bytes: &[u8]) -> Opening {
    let [0, operation, rest @ ..] = bytes else { return Opening::Illegal };
    match operation {
        1 if bytes.len() <= MAX_REQUEST => request(rest).map_or(Opening::Illegal, Opening::Read),
        2 => Opening::Write,
        3..=6 => Opening::Stray,
        _ => Opening::Illegal,
    }
}

/// Some firmware pads its requests; what is left behind the last whole option is ignored.
fn request(rest: &[u8]) -> Option<Request> {
    let (file, rest) = text(rest)?;
    if file.is_empty() || file.len() > MAX_NAME {
        return None;
    }
    let (mode, mut rest) = text(rest)?;
    let mode = match mode.to_ascii_lowercase().as_slice() {
        b"octet" => Mode::Octet,
        b"netascii" => Mode::Netascii,
        _ => Mode::Unknown,
    };
    let mut options: Vec<(String, String)> = Vec::new();
    while let Some((name, value, tail)) = option(rest) {
        if !options.iter().any(|(known, _)| *known == name) {
            options.push((name, value));
        }
        rest = tail;
    }
    Some(Request { file: String::from_utf8_lossy(file).into_owned(), mode, options })
}

fn option(rest: &[u8]) -> Option<(String, String, &[u8])> {
    let (name, rest) = text(rest)?;
    let (value, rest) = text(rest)?;
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    (!name.is_empty()).then(|| (name, String::from_utf8_lossy(value).into_owned(), rest))
}

/// A string and what follows its terminating zero.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let (text, rest) = bytes.split_at_checked(end)?;
    Some((text, rest.get(1..)?))
}

/// What a client sends to a transfer's own port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has everything up to this block (its low 16 bits).
    Ack(u16),
    /// It breaks off.
    Error {
        /// The code.
        code: u16,
        /// Its words, printable ASCII only.
        text: String,
    },
    /// Anything else.
    Other,
}

/// Reads a packet that came to a transfer's port.
pub fn answer(bytes: &[u8]) -> Answer {
    match bytes {
        [0, 4, high, low, ..] => Answer::Ack(u16::from_be_bytes([*high, *low])),
        [0, 5, high, low, words @ ..] => {
            let words = words.split(|&byte| byte == 0).next().unwrap_or_default();
            let printable = |&byte: &u8| if matches!(byte, 0x20..=0x7e) { char::from(byte) } else { '.' };
            Answer::Error {
                code: u16::from_be_bytes([*high, *low]),
                text: words.iter().take(128).map(printable).collect(),
            }
        }
        _ => Answer::Other,
    }
}

/// A DATA packet's header; the data follow.
pub fn data_header(block: u16) -> [u8; 4] {
    let [high, low] = block.to_be_bytes();
    [0, 3, high, low]
}

/// An OACK packet (RFC 2347 section 2).
pub fn oack(options: &[(&str, u64)]) -> Vec<u8> {
    let mut packet = vec![0, 6];
    for (name, value) in options {
        packet.extend_from_slice(name.as_bytes());
        packet.push(0);
        packet.extend_from_slice(value.to_string().as_bytes());
        packet.push(0);
    }
    packet
}

/// An ERROR packet; its text ends with a zero.
pub fn error(code: u16, text: &str) -> Vec<u8> {
    let [high, low] = code.to_be_bytes();
    let mut packet = vec![0, 5, high, low];
    packet.extend_from_slice(text.as_bytes());
    packet.push(0);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_options() {
        let read = opening(b"\0\x01/boot\\x.efi\0OcTeT\0BLKSIZE\x001468\0tsize\x000\0blksize\x00512\0stray");
        let options = vec![("blksize".into(), "1468".into()), ("tsize".into(), "0".into())];
        assert_eq!(read, Opening::Read(Request { file: "/boot\\x.efi".into(), mode: Mode::Octet, options }));
    }

    #[test]
    fn odd_requests_are_told_apart() {
        let long = [b"\0\x01".as_slice(), &[b'a'; 256], b"\0octet\0"].concat();
        let huge = [b"\0\x01a\0octet\0".as_slice(), &[b'x'; 1500]].concat();
        let cases: [(&[u8], Opening); 10] = [
            (b"", Opening::Illegal),
            (b"\0", Opening::Illegal),
            (b"\0\x01", Opening::Illegal),
            (b"\0\x01\0octet\0", Opening::Illegal),
            (b"\0\x01a\0octet", Opening::Illegal),
            (b"\0\x02a\0octet\0", Opening::Write),
            (b"\0\x05\0\x08gone\0", Opening::Stray),
            (b"\0\x09", Opening::Illegal),
            (&long, Opening::Illegal),
            (&huge, Opening::Illegal),
        ];
        for (bytes, expected) in cases {
            assert_eq!(opening(bytes), expected, "{bytes:?}");
        }
        let Opening::Read(latin) = opening(b"\0\x01caf\xe9\0mail\0") else { panic!("read") };
        assert_eq!((latin.file.as_str(), latin.mode), ("caf\u{fffd}", Mode::Unknown));
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(answer(b"\0\x04\x01\x02"), Answer::Ack(0x0102));
        assert_eq!(answer(b"\0\x05\0\x08User\x1baborted\0x"), Answer::Error { code: 8, text: "User.aborted".into() });
        assert_eq!(answer(b"\0\x05\0\x08no end"), Answer::Error { code: 8, text: "no end".into() });
        for other in [b"".as_slice(), b"\0\x04\x01", b"\0\x03\0\x01", b"\x04\x04\0\0"] {
            assert_eq!(answer(other), Answer::Other);
        }
    }

    #[test]
    fn what_we_send_is_exact() {
        assert_eq!(
            oack(&[("tsize", 5_368_721_465), ("blksize", 1468)]),
            b"\0\x06tsize\x005368721465\0blksize\x001468\0"
        );
        assert_eq!(error(error::NOT_FOUND, "no"), b"\0\x05\0\x01no\0");
        assert_eq!(data_header(0xfffe), [0, 3, 0xff, 0xfe]);
    }
}
