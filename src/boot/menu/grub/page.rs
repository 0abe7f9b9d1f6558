//! What stands instead of the menu where the technician is asked about a computer first.
//!
//! GRUB keeps each script that it reads in memory until that one ends, so a page that led to itself would fill the memory
//! while the computer waits. The page is a loop instead, which reads a few lines that say whether it goes on.

use super::super::page::{AGAIN, Page, own_disk};
use super::super::{Place, made};
use super::Reach;
use super::first::Asking;
use super::menu::{Client, menu};
use super::quote::quoted;
use super::script::Script;

/// `y` while the computer waits.
const WAITS: &str = "bootwright_waits";

/// The path by which a computer asks whether it still waits.
fn path(asking: &Asking) -> String {
    asking.path().replacen("/menu/", "/wait/", 1)
}

/// Who asks by such a path whether it still waits; `None` for any other path.
pub fn waiting(path: &str) -> Option<Asking> {
    let rest = path.strip_prefix(made::GRUB)?.strip_prefix("/wait/")?;
    Asking::of(&format!("{}/menu/{rest}", made::GRUB))
}

/// What stands instead of the menu.
pub fn page(page: Page, place: &Place, asking: Asking, reach: Reach) -> String {
    let mut script = Script::default();
    show(&mut script, page, place);
    script.line(&format!("sleep --interruptible {AGAIN}"));
    if page == Page::Refused {
        let client = Client { asking, reach, ip: place.server, netmask: place.server, secure: None };
        return script.text + &menu(&own_disk(), &client, place, &|_| None);
    }
    let device = reach.device(place);
    let source = |path: String| format!("source {}", quoted(&format!("{device}/{path}")));
    script.line(&format!("set {WAITS}=y"));
    script.open(&format!("while [ \"${WAITS}\" = y ]; do"));
    script.line(&source(path(&asking)));
    script.line(&format!("sleep --interruptible {AGAIN}"));
    script.close("done");
    // Its entries become the ones of whatever read this, as those of a menu that was there at once.
    script.line(&source(asking.path()));
    script.text
}

/// What the loop reads: the page that the computer goes on to wait at, or that there is something else for it now.
pub fn goes_on(page: Option<Page>, place: &Place) -> String {
    let mut script = Script::default();
    match page.filter(|page| *page != Page::Refused) {
        Some(page) => show(&mut script, page, place),
        None => script.line(&format!("set {WAITS}=n")),
    }
    script.text
}

fn show(script: &mut Script, page: Page, place: &Place) {
    page.lines(place).iter().for_each(|text| script.line(&format!("echo {}", quoted(text))));
}
