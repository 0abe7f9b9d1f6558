//! Answer files, and what is wrong with them.

use super::super::{Finding, Subject};
use crate::answer::{AnswerError, Fault, Severity};
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
            "Make it readable, or choose another file.",
        )
        .with(source),
        AnswerError::TooLarge { path, limit } => Finding::new(
            format!("{} is larger than {} KiB.", path.display(), limit >> 10),
            "It is no answer file, or no list of computers.",
            "Choose the right file.",
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
            Finding::new(
                format!("The list of computers {} has mistakes: {}.", path.display(), told.join("; ")),
                "No computer would get its own values.",
                "Mend the list, save it as CSV, and try again.",
            )
        }
        AnswerError::HostName(error) => Finding::new(
            format!("There is no host name: {error}."),
            "Installers would stop at the question for it.",
            "Write a pattern like lab-{nn}.",
        ),
        AnswerError::Variable { name } => Finding::new(
            format!("`{name}` cannot be the name of a variable."),
            "A template cannot use it, or it means something already.",
            "Use letters, digits and underscores.",
        ),
        AnswerError::Template { path, fault } => Finding::new(
            format!("{} cannot be filled in: {}.", path.display(), line(fault)),
            "The installer would get no answers.",
            fault.next_step.clone(),
        ),
        AnswerError::None { entry } => Finding::new(
            format!("The entry {entry} has no answer file for this computer."),
            "Its installer asks its questions.",
            "",
        ),
    };
    finding.about(Subject::Files)
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
