//! What an interface tells about its network without asking anybody, which takes no rights.

use std::net::Ipv4Addr;

use super::Interface;

/// A sign of another DHCP server, and no more than a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The interface uses this router. Home and office routers usually give addresses; but this one may not, another
    /// machine may do it for it, or the route was set by hand.
    Router(Ipv4Addr),
    /// The interface uses no router. Nothing follows from it: a network that leads nowhere can have a DHCP server, too,
    /// and so can one whose addresses this computer was given by hand.
    Nothing,
}

/// What this interface gives away.
pub fn hint(interface: &Interface) -> Hint {
    interface.gateway.map_or(Hint::Nothing, Hint::Router)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interface;

    #[test]
    fn a_router_is_a_hint() {
        let loopback = interface::list().pop().expect("loopback");
        assert_eq!(hint(&loopback), Hint::Nothing);
        let router = Ipv4Addr::new(192, 168, 1, 1);
        assert_eq!(hint(&Interface { gateway: Some(router), ..loopback }), Hint::Router(router));
    }
}
