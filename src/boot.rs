//! What a computer boots: the decision, the menu, and the tree of files that all services publish.
//!
//! No sockets here, and no knowledge of leases or blocks. [`choose`] is a pure table; [`menu`] makes scripts that are
//! compared with golden files; [`tree::Tree`] maps a path to a [`tree::Source`], so that no name from the network ever
//! reaches the operating system.

pub mod approval;
pub mod choose;
mod cpio;
pub mod fat;
pub mod ladder;
pub mod loader;
pub mod machine;
pub mod menu;
pub mod once;
pub mod password;
pub mod published;
pub mod secure;
mod signed_disk;
pub mod tree;

pub use choose::{Answer, Offer, choose};
pub use machine::{Machine, Platform, Stage};
