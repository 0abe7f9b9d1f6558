//! What the window and the helper say to each other: one request, one answer, each a line of JSON in one message.

use std::io;

use serde::{Deserialize, Serialize};

use crate::net::ports::{Holder, Transport};
use crate::net::privilege::{Gate, PrivilegeError, Refusal, Request};
use crate::net::socket::BindError;

/// Longest message either way, in bytes. A request has four ports and one name in it.
pub(super) const LONGEST: usize = 4096;

/// What the helper says. The sockets come along with `Opened`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// One socket for each of these ports, in this order.
    Opened {
        ports: Vec<(Transport, u16)>,
        /// The one port that there is a second choice for, if it could not be opened.
        taken: Option<Failure>,
        /// Whether who asks for IPv6 routers is answered from now on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        router: bool,
        /// Whether one more socket comes along, at whose other end other DHCP servers are heard and asked for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        guard: bool,
        /// What came of opening the firewall, where that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        firewall: Option<Gate>,
    },
    /// A port could not be opened, so none is passed.
    Failed(Failure),
    /// Nothing was tried.
    Refused(Refusal),
}

/// A [`BindError`] as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    transport: Transport,
    port: u16,
    /// The system's number of the error.
    code: Option<i32>,
    holder: Option<Holder>,
}

impl From<&BindError> for Failure {
    fn from(error: &BindError) -> Failure {
        let code = error.source.raw_os_error();
        Failure { transport: error.transport, port: error.port, code, holder: error.holder.clone() }
    }
}

impl From<Failure> for BindError {
    fn from(failure: Failure) -> BindError {
        let source = failure.code.map_or_else(|| io::ErrorKind::Other.into(), io::Error::from_raw_os_error);
        BindError { transport: failure.transport, port: failure.port, holder: failure.holder, source }
    }
}

impl Answer {
    /// What is told of an error; nothing where there is nobody to tell.
    pub(super) fn of(error: &PrivilegeError) -> Option<Answer> {
        match error {
            PrivilegeError::Refused(refusal) => Some(Answer::Refused(refusal.clone())),
            PrivilegeError::Port { source, .. } => Some(Answer::Failed(source.into())),
            _ => None,
        }
    }

    pub(super) fn emit(&self) -> Vec<u8> {
        line(self)
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Answer, PrivilegeError> {
        let reason =
            |error: serde_json::Error| PrivilegeError::Helper { reason: format!("it answered badly, {error}") };
        serde_json::from_slice(bytes).map_err(reason)
    }
}

impl Request {
    pub(super) fn emit(&self) -> Vec<u8> {
        line(self)
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Request, Refusal> {
        serde_json::from_slice(bytes).map_err(|error| Refusal::Request { reason: error.to_string() })
    }
}

/// Strings, numbers and lists always have a JSON form; without one, the empty line is refused at the other end.
fn line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::privilege::UdpPort;
    use crate::net::socket::Hear;

    #[test]
    fn a_request_reads_as_it_was_written_and_nothing_else_does() {
        let request = Request {
            interface: "eth0".into(),
            own: [10, 77, 0, 1].into(),
            udp: vec![UdpPort { port: 67, hear: Hear::All }, UdpPort { port: 69, hear: Hear::Own }],
            tcp: vec![80],
            address: Some("10.77.0.1/24".parse().expect("a network")),
            router: true,
            guard: true,
            firewall: vec![(Transport::Udp, 67), (Transport::Tcp, 8080)],
        };
        let bytes = request.emit();
        assert_eq!(bytes.iter().filter(|&&byte| byte == b'\n').count(), 1);
        assert_eq!(Request::parse(&bytes), Ok(request));
        for length in 0..bytes.len() - 1 {
            Request::parse(&bytes[..length]).expect_err("cut off");
        }
        let text = String::from_utf8(bytes).expect("JSON");
        let bad = [
            text.replacen('{', "{\"run\":\"/bin/sh\",", 1),
            text.replacen("\"port\":67", "\"port\":67,\"more\":1", 1),
            text.replace("67", "65603"),
            text.replace("67", "-67"),
            text.replace("\"all\"", "\"everything\""),
            text.replace("/24", "/240"),
            text.replace("10.77.0.1", "10.77.0"),
            format!("{text}{text}"),
            "\u{1b}[2J".into(),
        ];
        for text in bad {
            assert!(matches!(Request::parse(text.as_bytes()), Err(Refusal::Request { .. })), "{text}");
        }
    }

    #[test]
    fn a_port_that_is_held_keeps_its_holder_on_the_way() {
        let holder = Some(Holder { program: "nginx".into(), pid: 7, unit: None });
        let source = io::Error::from_raw_os_error(98);
        let kind = source.kind();
        let error = BindError { transport: Transport::Tcp, port: 80, holder: holder.clone(), source };
        let answer = Answer::Opened {
            ports: vec![(Transport::Udp, 67)],
            taken: Some(Failure::from(&error)),
            router: false,
            guard: false,
            firewall: None,
        };
        let read = Answer::parse(&answer.emit()).expect("an answer");
        assert_eq!(read, answer);
        let Answer::Opened { taken: Some(failure), .. } = read else { panic!("it is opened") };
        let error = BindError::from(failure);
        assert_eq!((error.port, error.holder, error.source.kind()), (80, holder, kind));
        Answer::parse(b"garbage").expect_err("no answer");
    }
}
