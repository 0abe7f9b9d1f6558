//! The operating system's side of the network: interfaces with names that people know, sockets tied to one of them,
//! who holds a port, the ARP probe, and the helper that opens what takes more rights. Nothing here knows what PXE is.
//!
//! All system-specific code and all `unsafe` live in [`platform`].

pub mod awake;
pub mod door;
pub mod firewall;
pub mod hint;
pub mod interface;
pub mod place;
pub mod platform;
pub mod ports;
pub mod privilege;
pub mod router;
pub mod service;
pub mod socket;
pub mod survey;
pub mod vendor;

pub use interface::Interface;
