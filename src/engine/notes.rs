//! What the log says first: what is about to be served, and how.

use super::Listening;
use crate::boot::menu::{self, Default as Choice};
use crate::deployment::{DhcpPlan, Plan};
use crate::image::file_name;
use crate::journal::Note;

/// What is served, once everything is bound: the services, each image, and a port that is another one than usual.
pub fn notes(plan: &Plan, listening: &Listening) -> Vec<Note> {
    let mut notes = vec![serving(plan, listening)];
    for (id, image) in menu::image_ids(&listening.images).iter().zip(&listening.images) {
        let own = listening.entries.iter().filter(|item| item.image == *id);
        notes.push(Note::Image {
            image: file_name(&image.path),
            title: image.title(),
            entries: own.map(|item| item.id.clone()).collect(),
            warnings: image.warnings.clone(),
        });
    }
    notes.extend(listening.port_taken.as_ref().map(|taken| {
        let holder = taken.holder.as_ref().map(ToString::to_string);
        Note::PortTaken { port: taken.port, holder, used: listening.http_port }
    }));
    notes
}

fn serving(plan: &Plan, listening: &Listening) -> Note {
    let (dhcp, range) = match &plan.dhcp {
        DhcpPlan::Full { range, .. } => ("full", Some(format!("{}-{}", range.first, range.last))),
        DhcpPlan::Proxy => ("proxy", None),
        DhcpPlan::Off => ("off", None),
    };
    let default = match &plan.default {
        Choice::Local => None,
        Choice::Entry(id) => Some(id.clone()),
        Choice::Position(position) => {
            let entry = position.checked_sub(1).and_then(|index| listening.entries.get(index));
            entry.map(|item| item.id.clone())
        }
    };
    Note::Serving {
        interface: plan.interface.clone(),
        address: plan.network.addr(),
        dhcp: dhcp.to_owned(),
        range,
        default,
        timeout: plan.menu_timeout,
    }
}
