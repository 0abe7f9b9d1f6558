//! Answer files, and what is wrong with them.

use std::io::ErrorKind;
use std::path::Path;

use super::list;
use crate::answer::hostname::NameError;
use crate::answer::{AnswerError, Fault, Severity};
use crate::check::{Finding, Subject};
use crate::image::file_name;
use crate::text;

/// Most mistakes of a list that one sentence names.
const NAMED: usize = 3;

/// Why there are no answer files to give.
pub fn explain_answers(error: &AnswerError) -> Finding {
    let finding = match error {
        AnswerError::Read { path, source } => Finding::new(
            format!("{} cannot be read.", path.display()),
            "Computers that install from it would wait for it.",
            unreadable(source.kind()),
        )
        .with(source),
        AnswerError::TooLarge { path, limit } => Finding::new(
            format!("{} is larger than {} KiB.", path.display(), limit >> 10),
            "It is no answer file, or no list of computers.",
            "Choose another file. What an installer fetches besides its answers belongs into the folder of --files.",
        ),
        AnswerError::TooMuch => Finding::new(
            "The answer files are too large together.",
            "They are kept in memory while Bootwright serves.",
            "Publish large files with --files, and name them in the answer file.",
        ),
        AnswerError::NotText { path } => Finding::new(
            format!("{} is not a text in UTF-8.", path.display()),
            "Installers read nothing else.",
            "Save it as UTF-8, or choose another file.",
        ),
        AnswerError::List { path, faults } => {
            let told: Vec<String> = faults.iter().take(NAMED).map(line).collect();
            let more = if faults.len() > NAMED { "; and more" } else { "" };
            Finding::new(
                format!("The list of computers {} has mistakes: {}{more}.", path.display(), told.join("; ")),
                "No computer would get its own values.",
                mend(faults),
            )
        }
        AnswerError::HostName(error) => host_name(error),
        AnswerError::Variable { name } => Finding::new(
            format!("`{name}` cannot be the name of a variable."),
            "A template cannot use it, or it means something already.",
            "Rename it: letters, digits and underscores, no digit first, and no name that Bootwright fills in itself.",
        ),
        AnswerError::Template { path, fault } => Finding::new(
            format!("{} cannot be filled in: {}.", path.display(), line(fault)),
            "The installer would get no answers.",
            fault.next_step.clone(),
        ),
        AnswerError::None { entry } => Finding::new(
            format!("The entry {entry} has no answer file for this computer."),
            "Its installer asks its questions.",
            "Choose an answer file for the entry, or answer at the computer.",
        ),
    };
    finding.about(Subject::Files)
}

/// Why a computer has no name, and what helps: it is another thing for each cause.
fn host_name(error: &NameError) -> Finding {
    let next_step = match error {
        NameError::Pattern(_) => "Write a pattern like lab-{nn}.",
        NameError::Name(_) => "Choose a pattern that makes shorter names of letters, digits and dashes, like lab-{nn}.",
        NameError::NoSerial => {
            "Write {mac6} in the pattern instead of {serial}, or name the computer in the list of computers."
        }
        NameError::Full => {
            "Stop Bootwright and remove the file host-names.json from its state folder: computers are numbered anew then. \
             Or write {mac6} in the pattern instead of {n}."
        }
    };
    let title = format!("There is no host name: {error}.");
    Finding::new(title, "Installers would stop at the question for it.", next_step)
}

/// What helps where a file cannot be read.
fn unreadable(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "Put it back where it was, or choose another file.",
        ErrorKind::InvalidInput => "It is a folder or a device: choose a file.",
        _ => "Make it readable, or choose another file.",
    }
}

/// What helps with a list that has mistakes: with a single one, what helps with that.
fn mend(faults: &[Fault]) -> String {
    match faults {
        [fault] => fault.next_step.clone(),
        _ => "Mend these lines, save the list as CSV, and try again.".to_owned(),
    }
}

/// What is wrong inside an answer file, which is used nevertheless.
pub fn answer_fault(path: &std::path::Path, fault: &Fault) -> Finding {
    let title = format!("{}, {}.", file_name(path), line(fault));
    let meaning = match fault.severity {
        Severity::Error => "The installer stops, asks, or ignores this.",
        Severity::Warning => "",
    };
    Finding::new(title, meaning, fault.next_step.clone()).about(Subject::Files).caution()
}

fn line(fault: &Fault) -> String {
    let what = text::plain(fault.what.trim_end_matches('.'), 300);
    fault.line.map_or(what.clone(), |line| format!("line {line}: {what}"))
}

/// An answer file is for an entry that cannot use one; `able` are those that can.
pub fn answer_entry(entry: &str, able: &[String]) -> Finding {
    let next = match able {
        [] => "Leave the answer file out, or serve an image whose installer takes one.".to_owned(),
        able => format!("Give it to {}.", list(able.iter().cloned())),
    };
    let title = format!("{} is no entry that takes an answer file.", text::plain(entry, 60));
    Finding::new(title, "Its installer would ask its questions.", next).about(Subject::Files)
}

/// An answer file lies where anybody may fetch it by its name.
pub fn published(file: &Path) -> Finding {
    Finding::new(
        format!("The answer file {} lies in the published folder.", file.display()),
        "Anybody on this network could read it under /files/, passwords included.",
        "Move it out of that folder.",
    )
    .about(Subject::Files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_step(error: AnswerError) -> String {
        explain_answers(&error).next_step
    }

    #[test]
    fn each_cause_has_its_own_next_step() {
        let name = |error: NameError| next_step(error.into());
        let read = |kind: ErrorKind| next_step(AnswerError::Read { path: "a.cfg".into(), source: kind.into() });
        let fault = |line| Fault::error(line, "x is no UUID.", "Write it like y.");
        let list = |faults| next_step(AnswerError::List { path: "l.csv".into(), faults });
        let cases = [
            (name(NameError::Pattern("{".into())), "lab-{nn}"),
            (name(NameError::Name("-".into())), "shorter names"),
            (name(NameError::NoSerial), "{mac6}"),
            (name(NameError::Full), "host-names.json"),
            (read(ErrorKind::NotFound), "Put it back"),
            (read(ErrorKind::InvalidInput), "choose a file"),
            (read(ErrorKind::PermissionDenied), "Make it readable"),
            (list(vec![fault(2)]), "Write it like y."),
            (list(vec![fault(2), fault(3)]), "Mend these lines"),
            (next_step(AnswerError::Variable { name: "ip".into() }), "Rename it"),
            (next_step(AnswerError::None { entry: "debian".into() }), "Choose an answer file"),
        ];
        for (next_step, expected) in cases {
            assert!(next_step.contains(expected), "{next_step}: {expected}");
        }
    }

    #[test]
    fn a_list_with_many_mistakes_says_so() {
        let faults = |count| (1..=count).map(|line| Fault::error(line, "x", "")).collect();
        let title = |count| explain_answers(&AnswerError::List { path: "l".into(), faults: faults(count) }).title;
        assert!(title(4).ends_with("line 3: x; and more."), "{}", title(4));
        assert!(title(3).ends_with("line 3: x."), "{}", title(3));
    }
}
