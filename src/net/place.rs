//! What a cable is like and where a file lies, as far as the system tells.

/// What a driver says of a cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cable {
    /// Only one end at a time may talk.
    pub half_duplex: bool,
    /// The number of the virtual network that the interface is part of.
    pub vlan: Option<u16>,
}

/// Where a file lies that is not on a disk of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On another computer.
    Network,
    /// On a drive that can be pulled out.
    Removable,
}
