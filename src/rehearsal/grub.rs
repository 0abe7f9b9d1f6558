//! Reads the scripts that GRUB gets, and plays them as far as they fetch files: the grammar and the commands that ours have,
//! and no others (GRUB manual 2.06, "Writing your own configuration files directly"; `grub-core/script/parser.y`).

mod play;
mod syntax;

use std::collections::BTreeMap;

use super::ipxe::Entry;
use super::script::{Play, Wrong};
use play::Player;
use syntax::{Kind, Statement, plain};

/// What the user's own disk is called, and what leads back from a submenu: no entries.
const NO_ENTRIES: [&str; 2] = ["local", "menu"];

/// What GRUB knows: variables by their names.
pub type Variables = BTreeMap<String, String>;

/// A script that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    statements: Vec<Statement>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// It does not close what it opens, or has a command that is not known here.
    pub fn read(text: &str) -> Result<Script, Wrong> {
        syntax::read(text).map(|statements| Script { statements })
    }

    /// The entries that a person can choose, those of submenus with them, in their order. The own disk is none.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        gather(&self.statements, &mut found);
        found.into_iter().map(|(entry, _)| entry).collect()
    }

    /// What comes of the script itself, before anything is chosen, if everything that it fetches is there.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn start(&self, variables: &Variables) -> Result<Play, Wrong> {
        Player::play(&self.statements, variables)
    }

    /// The same for one of its entries.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn entry(&self, id: &str, variables: &Variables) -> Result<Play, Wrong> {
        let mut found = Vec::new();
        gather(&self.statements, &mut found);
        let body = found.into_iter().find(|(entry, _)| entry.id == id).map(|(_, body)| body);
        let body = body.ok_or_else(|| Wrong::NoLabel { line: 0, label: id.to_owned() })?;
        Player::play(body, variables)
    }
}

fn gather<'a>(statements: &'a [Statement], found: &mut Vec<(Entry, &'a [Statement])>) {
    for statement in statements {
        match &statement.kind {
            Kind::Submenu { body, .. } => gather(body, found),
            Kind::Entry { words, body } => {
                let words: Vec<String> = words.iter().map(plain).collect();
                let id = words.iter().skip_while(|word| *word != "--id").nth(1).or(words.first());
                let (Some(id), Some(title)) = (id, words.first()) else { continue };
                if !NO_ENTRIES.contains(&id.as_str()) {
                    found.push((Entry { id: id.clone(), title: title.trim().to_owned() }, body));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::script::{End, Part};

    const FIRST: &str = include_str!("../../tests/golden/first.cfg");
    const TFTP: &str = include_str!("../../tests/golden/menu-tftp.cfg");
    const LONG: &str = include_str!("../../tests/golden/menu-long.cfg");
    const SECURE: &str = include_str!("../../tests/golden/menu-secure.cfg");

    fn variables() -> Variables {
        let pairs = [("grub_cpu", "x86_64"), ("net_default_mac", "52:54:00:77:01:01"), ("lockdown", "y")];
        let more = [("net_default_interface", "efinet0")];
        pairs.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_first_script_leads_to_the_menu() {
        let play = Script::read(FIRST).unwrap().start(&variables()).unwrap();
        let script = "(tftp,10.77.0.1)/grub/menu/x86_64/mac-52:54:00:77:01:01/lockdown-y/menu.cfg".to_owned();
        assert_eq!(play.end, End::Restart { script });
    }

    #[test]
    fn an_entry_fetches_its_kernel_and_what_belongs_to_it() {
        let script = Script::read(TFTP).unwrap();
        let ids: Vec<String> = script.entries().into_iter().map(|entry| entry.id).collect();
        assert_eq!(ids[..3], ["debian", "shell", "disc"]);
        assert_eq!(script.entries()[0].title, "Debian's live system");
        let play = script.entry("debian", &variables()).unwrap();
        assert_eq!(play.end, End::Boot);
        let urls: Vec<&str> = play.fetches.iter().map(|fetch| fetch.url.as_str()).collect();
        let expected = [
            "(tftp,10.77.0.1)/image/image-debian/boot/vmlinuz",
            "(tftp,10.77.0.1)/image/image-debian/live/initrd 1.img",
            "(tftp,10.77.0.1)/image/image-debian/live/micro#code",
            "(tftp,10.77.0.1)/inject/debian/0.cpio",
        ];
        assert_eq!(urls, expected);
        assert!(play.fetches[0].arguments.starts_with("ip=10.77.0.129:::255.255.255.0 BOOTIF="));
        assert_eq!(script.entry("shell", &variables()).unwrap().fetches[0].part, Part::Program);
        let disc = script.entry("disc", &variables()).unwrap();
        assert_eq!((disc.end, disc.fetches.len()), (End::Menu, 0));
        assert!(disc.said[1].contains("only iPXE"), "{:?}", disc.said);
        assert_eq!(script.start(&variables()).unwrap().end, End::Menu);
    }

    #[test]
    fn long_menus_are_read_with_their_submenus() {
        for text in [LONG, SECURE] {
            let script = Script::read(text).unwrap();
            assert_eq!(
                script.entries().len(),
                text.matches("menuentry '").count() - text.matches("--id 'menu'").count() - 1
            );
            for entry in script.entries() {
                script.entry(&entry.id, &variables()).unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let read = |text: &str| Script::read(text).unwrap_err();
        assert_eq!(read("echo a\nparted x"), Wrong::UnknownCommand { line: 2, command: "parted".into() });
        assert_eq!(read("menuentry 'x' {\necho a\n"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("echo 'a"), Wrong::Unbalanced { line: 1 });
        assert_eq!(read("if true; then\necho a"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("echo a\n}\n"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("<html></html>"), Wrong::NoScript);
        let circle = Script::read("while true; do\necho a\ndone").unwrap();
        assert!(matches!(circle.start(&variables()), Err(Wrong::Circles { .. })));
        assert_eq!(read(&"if true; then\n".repeat(500)), Wrong::Unbalanced { line: 33 });
    }

    #[test]
    fn every_truncation_is_an_answer_and_no_panic() {
        for length in (0..TFTP.len()).step_by(7).filter(|length| TFTP.is_char_boundary(*length)) {
            let _ = Script::read(&TFTP[..length]).map(|script| script.entries());
        }
    }
}
