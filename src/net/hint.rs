//! STUB
use super::Interface;
#[derive(Clone, Debug)] pub enum Hint { Router(std::net::Ipv4Addr), Nothing }
pub fn hint(_: &Interface) -> Hint { Hint::Nothing }
