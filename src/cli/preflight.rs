//! `bootwright check`: what could keep computers from booting, before anything is started.

use serde::Serialize;

use super::{Serve, Status, complain, complain_of_recipes, out, out_json, serve};
use crate::check::{self, Finding, Remedy, Subject, Verdict, preflight};
use crate::deployment::Places;
use crate::look;
use crate::text;

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    serve: Serve,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    blocking: usize,
    findings: &'a [Finding],
}

pub(super) fn run(options: Options) -> Status {
    complain_of_recipes();
    let Some(settings) = serve::asked(options.serve) else { return Status::Wrong };
    let looked = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string());
    let looked = looked.and_then(|runtime| runtime.block_on(look::facts(Places::of_this_user(), settings, None)));
    let facts = match looked {
        Ok(facts) => facts,
        Err(error) => {
            complain(&format!("This computer cannot be looked at ({error})."));
            return Status::Cannot;
        }
    };
    let findings = preflight::preflight(&facts);
    let blocking = check::blocking(&findings);
    match options.json {
        true => out_json(&Report { blocking, findings: &findings }),
        false => out(&told(&findings)),
    }
    if blocking == 0 { Status::Done } else { Status::Cannot }
}

/// The findings in groups, each with its meaning and its next step, and what it comes to.
fn told(findings: &[Finding]) -> String {
    let mut told = String::new();
    for subject in [Subject::ThisComputer, Subject::Network, Subject::Files] {
        let own: Vec<&Finding> = findings.iter().filter(|finding| finding.subject == subject).collect();
        if !own.is_empty() {
            told.push_str(subject.name());
            told.push('\n');
            told.extend(own.into_iter().map(paragraph));
            told.push('\n');
        }
    }
    told.push_str(&sum(findings));
    told.push('\n');
    told
}

/// One finding: a mark with its title, and below it what else there is to say.
fn paragraph(finding: &Finding) -> String {
    let mark = match finding.verdict {
        Verdict::Pass => "ok   ",
        Verdict::Caution => "note ",
        Verdict::Blocks => "STOP ",
    };
    let details = finding.details.as_ref().map(|details| format!("({details})")).unwrap_or_default();
    // The window has a button for it.
    let option = finding.remedy.as_ref().filter(|_| finding.verdict != Verdict::Pass).and_then(Remedy::option);
    let option = option.map(|option| format!(" ({option})")).unwrap_or_default();
    let next_step = format!("{}{option}", finding.next_step);
    let more = [&finding.meaning, &next_step, &details].into_iter().filter(|words| !words.is_empty());
    let more = more.map(|words| format!("        {}\n", text::plain(words, 1000)));
    format!("  {mark} {}\n{}", text::plain(&finding.title, 500), more.collect::<String>())
}

fn sum(findings: &[Finding]) -> String {
    let notes = findings.iter().filter(|finding| finding.verdict == Verdict::Caution).count();
    let notes = match notes {
        0 => String::new(),
        1 => " There is 1 thing to know.".to_owned(),
        more => format!(" There are {more} things to know."),
    };
    match check::blocking(findings) {
        0 => format!("Nothing stands in the way.{notes}"),
        1 => format!("1 thing has to be fixed before anything can be served.{notes}"),
        more => format!("{more} things have to be fixed before anything can be served.{notes}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_in_groups_with_what_they_come_to() {
        let fine = Finding::new("All is well.", "", "").about(Subject::ThisComputer).pass();
        let held = Finding::new("UDP port 67 is held.", "Nobody is heard.", "Stop it.").about(Subject::ThisComputer);
        let slow = Finding::new("It is slow.", "It takes long.", "Use another.").caution().with("said\u{1b}[2J");
        let text = told(&[fine.clone(), held, slow]);
        let expected = "This computer\n  ok    All is well.\n  STOP  UDP port 67 is held.\n        Nobody is heard.\n        \
                        Stop it.\n\nNetwork\n  note  It is slow.\n        It takes long.\n        Use another.\n        \
                        (said·[2J)\n\n1 thing has to be fixed before anything can be served. There is 1 thing to know.\n";
        assert_eq!(text, expected);
        assert_eq!(sum(&[fine]), "Nothing stands in the way.");
    }
}
