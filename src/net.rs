//! The operating system's side of the network: interfaces with names that people know, sockets tied to one of them,
//! who holds a port, and the ARP probe. Nothing here knows what PXE is.
//!
//! All system-specific code and all `unsafe` live in [`platform`].

pub mod interface;
pub mod platform;
pub mod ports;
pub mod socket;

pub use interface::Interface;
