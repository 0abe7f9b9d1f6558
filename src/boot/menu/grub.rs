//! Scripts for GRUB: the first one, the menu of a computer that starts GRUB, and what starts a hypervisor for iPXE.
//!
//! Two kinds of GRUB read them: Debian's signed one, 2.06 or 2.12, which has TFTP alone and is locked down under Secure
//! Boot, and the unsigned one with HTTP that `packaging/loaders.sh` makes. What stands in a menu keeps to commands that
//! both have: the signed one has no `eval` and no `read`.

mod first;
mod hypervisor;
mod menu;
mod page;
mod quote;
mod script;

use super::Place;

pub use first::{Asking, CONFIG, first};
pub use hypervisor::{Computer, script};
pub use menu::{Chains, Client, begin, begin_of, menu, restart, restart_of};
pub use page::{goes_on, page, waiting};

/// How a GRUB fetches its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By TFTP, as a signed GRUB does. Paths are the files' own names (`grub-core/net/tftp.c` sends them as they are).
    Tftp,
    /// By HTTP, as our own GRUB does. Paths are percent-encoded here, since GRUB sends them as they are as well
    /// (`grub-core/net/http.c`).
    Http,
}

impl Reach {
    /// Our service as GRUB names it.
    fn device(self, place: &Place) -> String {
        match self {
            Reach::Tftp => format!("(tftp,{})", place.server),
            Reach::Http => place.grub_device(),
        }
    }

    /// A path inside an image as part of GRUB's path.
    fn path(self, path: &str) -> String {
        match self {
            Reach::Tftp => path.to_owned(),
            Reach::Http => super::ipxe::url_path(path),
        }
    }

    /// What one of our own URLs is called. The URL has no names of an image's files in it.
    fn local(self, place: &Place, url: &str) -> String {
        format!("{}{}", self.device(place), url.strip_prefix(&place.base).unwrap_or(url))
    }
}

/// Writes our address into the place that a GRUB of ours keeps free for it (`packaging/loaders.sh`). One without such a
/// place stays as it is.
pub fn write_address(image: &mut [u8], place: &Place) {
    const SLOT: &[u8] = b"BOOTWRIGHT_SERVER_ADDRESS_AND_PORT_STAND_HERE";
    let address = place.base.strip_prefix("http://").unwrap_or(&place.base).as_bytes();
    let at = image.windows(SLOT.len()).position(|window| window == SLOT);
    let Some(slot) = at.and_then(|at| image.get_mut(at..at + SLOT.len())) else { return };
    // Spaces behind a word of GRUB's mean nothing.
    slot.fill(b' ');
    slot.iter_mut().zip(address).for_each(|(byte, letter)| *byte = *letter);
}

#[cfg(test)]
mod tests;
