//! Tells computers that there is no IPv6 router, which spares iPXE a long wait; see [`crate::net::router`].

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Error, Services};
use crate::journal::{Note, What};
use crate::mac::Mac;
use crate::net::platform::RouterSocket;

/// Most computers that are remembered as told. Those beyond are answered, and the log does not say so.
const MAX_TOLD: usize = 4096;
/// How long nothing is heard after an error: a link that went down is told by one.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(services: Services, socket: RouterSocket) -> Result<(), Error> {
    let mut told = BTreeSet::new();
    loop {
        let Ok(solicitation) = socket.asked().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if !services.gate.welcome(solicitation.mac) {
            continue;
        }
        // One that could not be sent (the cable is out, the buffer is full) is asked for again.
        if socket.answer(solicitation).is_ok() && is_first(&mut told, solicitation.mac) {
            services.events.tell(Some(solicitation.mac), None, None, What::Service(Note::NoRouter));
        }
    }
}

/// Whether a computer was not told before, as far as that is remembered.
fn is_first(told: &mut BTreeSet<Mac>, mac: Mac) -> bool {
    told.len() < MAX_TOLD && told.insert(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_computer_is_told_of_once_and_not_without_end() {
        let mut told = BTreeSet::new();
        let mac = |number: u16| {
            let [high, low] = number.to_be_bytes();
            Mac([2, 0, 0, 0, high, low])
        };
        assert!(is_first(&mut told, mac(1)) && !is_first(&mut told, mac(1)) && is_first(&mut told, mac(2)));
        let count = (0..10_000).filter(|&number| is_first(&mut told, mac(number))).count();
        assert_eq!((count, told.len()), (MAX_TOLD - 2, MAX_TOLD));
    }
}
