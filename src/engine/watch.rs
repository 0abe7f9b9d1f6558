//! What can change under the services: the interface, and the images' files.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Error, Services};
use crate::image::disc::Fate;
use crate::image::file_name;
use crate::journal::{Note, What};
use crate::net::{Interface, interface};

/// How often we look.
const EVERY: Duration = Duration::from_secs(1);
/// How soon we look again before we believe that something is gone.
const LOOK_TWICE: Duration = Duration::from_millis(200);

/// Looks until the interface is gone, which ends the services: they never move to another one by themselves.
pub(super) async fn run(services: Services, bound: Interface) -> Result<(), Error> {
    let mut link = None;
    let mut told: BTreeMap<String, Fate> = BTreeMap::new();
    loop {
        look_at_interface(&services, &bound, &mut link).await?;
        look_at_images(&services, &mut told).await?;
        for (mac, note) in services.rungs.silent() {
            services.events.tell(Some(mac), None, None, What::Service(note));
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look_at_interface(services: &Services, bound: &Interface, link: &mut Option<bool>) -> Result<(), Error> {
    let mut found = find(services, bound).await?;
    if found.is_err() {
        // The system lists links and addresses one after the other; in between they may not fit. What is missing twice
        // is gone.
        tokio::time::sleep(LOOK_TWICE).await;
        found = find(services, bound).await?;
    }
    let Some(up) = found? else { return Ok(()) };
    let interface = bound.name.clone();
    match link.replace(up) {
        Some(true) | None if !up => services.events.service(Note::LinkDown { interface }),
        Some(false) if up => services.events.service(Note::LinkUp { interface }),
        _ => {}
    }
    Ok(())
}

/// Whether the interface has link, or what is missing of it. `None` if the system did not answer, for want of file
/// descriptors for example.
async fn find(services: &Services, bound: &Interface) -> Result<Result<Option<bool>, Error>, Error> {
    let all = blocking(interface::list).await?;
    if all.is_empty() {
        return Ok(Ok(None));
    }
    let (interface, address) = (bound.name.clone(), services.plan.network.addr());
    // By its number too: one that was unplugged and plugged in again has the name, but not our sockets.
    let found = all.into_iter().find(|found| found.name == bound.name && found.index == bound.index);
    Ok(match found {
        None => Err(Error::InterfaceGone { interface }),
        Some(found) if found.addresses.iter().all(|network| network.addr() != address) => {
            Err(Error::AddressGone { interface, address })
        }
        Some(found) => Ok(Some(found.link)),
    })
}

async fn look_at_images(services: &Services, told: &mut BTreeMap<String, Fate>) -> Result<(), Error> {
    let tree = std::sync::Arc::clone(&services.tree);
    let fates = blocking(move || {
        let fate = |(id, disc): (&str, &crate::image::Disc)| (id.to_owned(), file_name(disc.path()), disc.fate());
        tree.images().map(fate).collect::<Vec<_>>()
    })
    .await?;
    for (id, image, fate) in fates {
        if told.insert(id.clone(), fate).unwrap_or(Fate::Unchanged) == fate {
            continue;
        }
        match fate {
            // Its extents were read from another state of the file; what they point to now may be anything.
            Fate::Changed => {
                services.tree.withdraw(&id);
                services.events.service(Note::ImageChanged { image });
            }
            Fate::Gone => services.events.service(Note::ImageGone { image }),
            Fate::Unchanged => {}
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Broken(error.to_string()))
}
