//! `bootwright explain`: what a text means that a computer shows.

use super::{Status, complain, out, out_json};
use crate::check::help;

pub(super) fn run(shown: &[String], json: bool) -> Status {
    let shown = shown.join(" ");
    let found = help::explain(&shown);
    if json {
        out_json(&found);
    } else {
        let one = |help: &&help::Help| {
            format!(
                "{}\n  Shown by {}.\n  {}\n  {}\n",
                help.shows.first().unwrap_or(&""),
                help.from,
                help.meaning,
                help.next_step
            )
        };
        out(&found.iter().map(one).collect::<Vec<_>>().join("\n"));
    }
    if found.is_empty() {
        let shown = crate::text::plain(&shown, 60);
        complain(&format!(
            "Nothing is known of \u{201c}{shown}\u{201d}. Write the line as it stands on the screen, or its code, like PXE-E18."
        ));
        return Status::Cannot;
    }
    Status::Done
}
