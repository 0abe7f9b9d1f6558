//! What can change under the services: the interface, and the images' files.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Error, Services};
use crate::image::disc::Fate;
use crate::image::file_name;
use crate::journal::Note;
use crate::net::{Interface, interface};

/// How often we look.
const EVERY: Duration = Duration::from_secs(1);

/// Looks until the interface is gone, which ends the services: they never move to another one by themselves.
pub(super) async fn run(services: Services, bound: Interface) -> Result<(), Error> {
    let mut link = None;
    let mut told: BTreeMap<String, Fate> = BTreeMap::new();
    loop {
        look_at_interface(&services, &bound, &mut link).await?;
        look_at_images(&services, &mut told).await?;
        tokio::time::sleep(EVERY).await;
    }
}

async fn look_at_interface(services: &Services, bound: &Interface, link: &mut Option<bool>) -> Result<(), Error> {
    let all = blocking(interface::list).await?;
    if all.is_empty() {
        // The system did not answer, for want of file descriptors for example.
        return Ok(());
    }
    let name = bound.name.clone();
    // By its number too: one that was unplugged and plugged in again has the name, but not our sockets.
    let found = all.into_iter().find(|interface| interface.name == name && interface.index == bound.index);
    let Some(found) = found else { return Err(Error::InterfaceGone { interface: name }) };
    if !found.addresses.iter().any(|network| network.addr() == services.plan.network.addr()) {
        return Err(Error::AddressGone { interface: name, address: services.plan.network.addr() });
    }
    match link.replace(found.link) {
        Some(true) if !found.link => services.events.service(Note::LinkDown { interface: name }),
        None if !found.link => services.events.service(Note::LinkDown { interface: name }),
        Some(false) if found.link => services.events.service(Note::LinkUp { interface: name }),
        _ => {}
    }
    Ok(())
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
