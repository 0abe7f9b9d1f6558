//! ProxyDHCP: boot information beside another server's addresses (PXE 2.1 chapter 2).
//!
//! On port 67 only a DISCOVER of a network-booting client is answered, with an OFFER without address; everybody else's
//! DHCP is none of our business, so nothing else is said there. Port 4011 answers those that ask a boot server, in full
//! mode as well.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use dhcproto::v4::{MessageType, OptionCode};
use ipnet::Ipv4Net;

use super::message::{Reply, Request};
use super::server::{EVERYBODY, asked, foreign_relay, question, relay};
use super::{Guests, NoBoot, Note, Outputs, Policy, Question, Silence, Transmit, pxe};
use crate::mac::Mac;

/// Whom the proxy answers, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our address.
    pub server: Ipv4Addr,
    /// The network of the interface.
    pub network: Ipv4Net,
    /// Who may be answered.
    pub guests: Guests,
}

/// Most computers whose last offer is remembered. Whoever makes up that many makes the others begin anew.
const MAX_REMEMBERED: usize = 4096;

/// The ProxyDHCP server.
#[derive(Clone, Debug)]
pub struct Proxy {
    config: Config,
    /// UEFI firmware that was told to take the boot file from the offer, and has not got on since as far as DHCP shows.
    ///
    /// That way is 1 s faster than by port 4011 (measured with OVMF). Older EDK2 throws such an offer away
    /// (`PxeBcCacheDhcp4Offer` before it counted the first one), and so do others (pixiecore's `dhcp.go`): they are sent
    /// to port 4011 at their next question, which all UEFI follows (CONFORMANCE Q2).
    short_way: HashSet<Mac>,
}

impl Proxy {
    /// A proxy that answers as `config` says.
    pub fn new(config: Config) -> Proxy {
        Proxy { config, short_way: HashSet::new() }
    }

    /// A copy for a rehearsal, which answers every computer.
    pub fn double(&self) -> Proxy {
        let config = Config { guests: Guests::default(), ..self.config.clone() };
        Proxy { config, ..self.clone() }
    }

    /// Handles a packet that came to port 67, where another server gives the addresses.
    pub fn handle(&mut self, packet: &[u8], policy: &dyn Policy) -> Outputs {
        let Some((request, client, mut out)) = self.read(packet) else { return Outputs::default() };
        match question(&request) {
            Some(question @ Question::Discover) => out.tell(request.mac, asked(&request, question)),
            // The choice between offers is worth telling, an answer is not ours to give.
            Some(question @ Question::Select) => {
                out.tell(request.mac, asked(&request, question));
                return out;
            }
            _ => return out,
        }
        match self.answer(&request, &client, MessageType::Offer, policy) {
            Ok((mut reply, boot)) => {
                reply.broadcast();
                if !self.takes_short_way(&client) {
                    reply.remove(OptionCode::VendorExtensions);
                }
                let to = relay(&request).unwrap_or(EVERYBODY);
                out.send.extend(reply.bytes().map(|bytes| Transmit { to, bytes }));
                out.tell(request.mac, Note::Offered { address: None, boot: Some(boot) });
            }
            Err(note) => out.tell(request.mac, note),
        }
        out
    }

    /// Whether this offer tells the client to ask nobody else. UEFI firmware that was told so and asks again is not.
    fn takes_short_way(&mut self, client: &pxe::Client) -> bool {
        if client.ipxe.is_some() {
            self.short_way.remove(&client.mac);
            return true;
        }
        if !pxe::is_uefi_by_pxe(client) {
            return true;
        }
        if self.short_way.remove(&client.mac) {
            return false;
        }
        if self.short_way.len() >= MAX_REMEMBERED {
            self.short_way.clear();
        }
        self.short_way.insert(client.mac)
    }

    /// Handles a packet that came to port 4011. The answer goes to where the question came from: EDK2 asks from port
    /// 4011, other ROMs from 68, and an answer elsewhere is never seen (CONFORMANCE Q6).
    pub fn handle_boot_server(&self, packet: &[u8], from: SocketAddrV4, policy: &dyn Policy) -> Outputs {
        let Some((request, client, mut out)) = self.read(packet) else { return Outputs::default() };
        if !matches!(request.kind, MessageType::Request | MessageType::Inform) || wants_credentials(&request) {
            return out;
        }
        out.tell(request.mac, asked(&request, Question::BootServer));
        if !from.ip().is_unspecified() && !self.config.network.contains(from.ip()) {
            out.tell(request.mac, Note::Ignored { reason: Silence::OutsideNetwork });
            return out;
        }
        match self.answer(&request, &client, MessageType::Ack, policy) {
            Ok((mut reply, boot)) => {
                reply.keep(request.ciaddr);
                let nobody = from.ip().is_unspecified();
                let to = if nobody { SocketAddrV4::new(Ipv4Addr::BROADCAST, from.port()) } else { from };
                out.send.extend(reply.bytes().map(|bytes| Transmit { to, bytes }));
                out.tell(request.mac, Note::Granted { address: None, boot: Some(boot) });
            }
            Err(note) => out.tell(request.mac, note),
        }
        out
    }

    /// Answers these from now on.
    pub fn welcome(&mut self, guests: Guests) {
        self.config.guests = guests;
    }

    /// Reads a packet of a network-booting client; `None` for all others, whatever is wrong with them.
    fn read(&self, packet: &[u8]) -> Option<(Request, pxe::Client, Outputs)> {
        match Request::parse(packet) {
            Ok(request) => {
                let client = pxe::Client::of(&request);
                client.class?;
                Some((request, client, Outputs::default()))
            }
            // Whatever else goes by belongs to the other server.
            Err(_) => None,
        }
    }

    fn answer(
        &self,
        request: &Request,
        client: &pxe::Client,
        kind: MessageType,
        policy: &dyn Policy,
    ) -> Result<(Reply, pxe::Boot), Note> {
        if !self.config.guests.welcome(request.mac) {
            return Err(Note::Ignored { reason: Silence::NotAllowed });
        }
        if foreign_relay(request, self.config.network) {
            return Err(Note::Ignored { reason: Silence::ForeignRelay });
        }
        let boot = policy.boot(client).map_err(|none| match none {
            NoBoot::Because(reason) => Note::NoBootFile { reason },
            NoBoot::NotAsked => Note::NoBootFile { reason: "it does not ask for one".to_owned() },
        })?;
        let mut reply = Reply::to(request, kind, self.config.server);
        pxe::add_boot(&mut reply, request, client, &boot, self.config.server, false);
        Ok((reply, boot))
    }
}

/// Bit 15 of the layer asks for credentials (BIS), which nobody supports any more: no answer (PXE 2.1 section 2.2.3).
fn wants_credentials(request: &Request) -> bool {
    pxe::boot_item(request).is_some_and(|[_, _, layer, _]| layer & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::message::tests::packet;
    use crate::dhcp::server::tests::{NETWORK, SERVER, Script, option};

    const FIRMWARE: (u8, &[u8]) = (60, b"PXEClient:Arch:00007:UNDI:003000");

    fn proxy() -> Proxy {
        Proxy::new(Config { server: SERVER, network: NETWORK, guests: Guests::default() })
    }

    #[test]
    fn only_a_discover_of_a_booting_client_is_answered_on_67() {
        let cases: [(&str, Vec<u8>, bool); 9] = [
            ("PXE discover", packet(1, &[FIRMWARE]), true),
            ("HTTP discover", packet(1, &[(60, b"HTTPClient:Arch:00016")]), true),
            ("plain discover", packet(1, &[]), false),
            ("other class", packet(1, &[(60, b"MSFT 5.0")]), false),
            ("PXE request", packet(3, &[FIRMWARE, (54, &[10, 77, 0, 254])]), false),
            ("PXE request to us", packet(3, &[FIRMWARE, (54, &SERVER.octets())]), false),
            ("inform", packet(8, &[FIRMWARE]), false),
            ("release", packet(7, &[FIRMWARE]), false),
            ("noise", vec![1; 300], false),
        ];
        for (name, bytes, answered) in cases {
            assert_eq!(!proxy().handle(&bytes, &Script).send.is_empty(), answered, "{name}");
        }
    }

    #[test]
    fn the_offer_has_no_address_and_all_that_firmware_needs() {
        let out = proxy().handle(&packet(1, &[FIRMWARE, (97, &[0; 17]), (55, &[66])]), &Script);
        let [sent] = out.send.as_slice() else { panic!("one answer") };
        assert_eq!(sent.to, EVERYBODY);
        assert_eq!(sent.bytes[16..20], [0; 4], "yiaddr");
        assert_eq!(sent.bytes[20..24], SERVER.octets(), "siaddr");
        assert_eq!(&sent.bytes[108..118], b"script.efi");
        assert_eq!(option(&sent.bytes, 60).as_deref(), Some(b"PXEClient".as_slice()));
        assert_eq!(option(&sent.bytes, 43).as_deref(), Some([6, 1, 8, 255].as_slice()));
        assert_eq!(option(&sent.bytes, 67).as_deref(), Some(b"script.efi\0".as_slice()));
        assert_eq!(option(&sent.bytes, 97).map(|uuid| uuid.len()), Some(17));
        for forbidden in [1, 3, 6, 50, 51, 58, 59] {
            assert_eq!(option(&sent.bytes, forbidden), None, "option {forbidden}");
        }
        assert!(sent.bytes.len() >= 300);
    }

    #[test]
    fn port_4011_answers_to_where_the_question_came_from() {
        let asked = packet(3, &[FIRMWARE]);
        for from in
            [SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), 4011), SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), 68)]
        {
            let out = proxy().handle_boot_server(&asked, from, &Script);
            assert_eq!(out.send.iter().map(|sent| sent.to).collect::<Vec<_>>(), [from]);
            assert_eq!(option(&out.send[0].bytes, 53).as_deref(), Some([5].as_slice()));
        }
        let foreign = SocketAddrV4::new(Ipv4Addr::new(8, 8, 8, 8), 4011);
        assert!(proxy().handle_boot_server(&asked, foreign, &Script).send.is_empty());
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), 68);
        assert!(proxy().handle_boot_server(&packet(3, &[]), from, &Script).send.is_empty(), "plain client");
        assert!(proxy().handle_boot_server(&packet(1, &[FIRMWARE]), from, &Script).send.is_empty(), "discover");
    }

    #[test]
    fn a_boot_item_comes_back_and_credentials_stay_unanswered() {
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), 68);
        let ask = |item: &[u8]| proxy().handle_boot_server(&packet(3, &[FIRMWARE, (43, item)]), from, &Script);
        let out = ask(&[71, 4, 0, 1, 0, 0, 255]);
        assert_eq!(option(&out.send[0].bytes, 43).as_deref(), Some([6, 1, 8, 71, 4, 0, 1, 0, 0, 255].as_slice()));
        assert!(ask(&[71, 4, 0, 1, 0x80, 0, 255]).send.is_empty());
        assert_eq!(option(&ask(&[71, 9, 1]).send[0].bytes, 43).as_deref(), Some([6, 1, 8, 255].as_slice()));
    }

    #[test]
    fn the_lists_and_relays_are_heeded() {
        let mac = "52:54:00:77:01:01".parse().unwrap();
        let denied = Guests { deny: [mac].into(), ..Guests::default() };
        let mut proxy = Proxy::new(Config { server: SERVER, network: NETWORK, guests: denied });
        let out = proxy.handle(&packet(1, &[FIRMWARE]), &Script);
        assert!(out.send.is_empty());
        assert_eq!(out.notes.last().map(|(_, note)| note), Some(&Note::Ignored { reason: Silence::NotAllowed }));
        let relayed = |giaddr: [u8; 4]| {
            let mut bytes = packet(1, &[FIRMWARE]);
            bytes[24..28].copy_from_slice(&giaddr);
            self::proxy().handle(&bytes, &Script).send.first().map(|sent| sent.to)
        };
        assert_eq!(relayed([10, 77, 0, 9]), Some(SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 9), 67)));
        assert_eq!(relayed([127, 0, 0, 1]), None);
        assert_eq!(relayed([224, 0, 0, 1]), None);
        assert_eq!(relayed([10, 77, 0, 255]), None, "the broadcast address");
    }
}
