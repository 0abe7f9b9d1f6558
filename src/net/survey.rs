
use super::{Interface, ports::*};
#[derive(Clone, Debug)] pub struct PortState { pub transport: Transport, pub port: u16, pub state: State }
#[derive(Clone, Debug)] pub enum State { Free, Held(Option<Holder>), Other(String) }
pub fn ports(_: &Interface, _: std::net::Ipv4Addr, _: &[(Transport, u16)]) -> Vec<PortState> { vec![] }
