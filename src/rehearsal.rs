//! Rehearsals: a client of our own that boots as each firmware does, as far as the network goes, and reads every file that
//! an entry needs.
//!
//! Readers of scripts ([`ipxe`], [`grub`]).
//! The services answer through a double ([`crate::engine::double`]), so that nothing is taken from a
//! real computer. What is found is typed here and worded in `check`.

pub mod dhcp;
pub mod firmware;
pub mod grub;
pub mod ipxe;
pub mod script;
pub mod tftp;
