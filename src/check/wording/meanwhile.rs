//! The sentences about what is arranged on this computer while it serves: its firewall, and that it stays awake.

use super::preflight::passed;
use crate::check::{Finding, Remedy, Subject};
use crate::deployment::Firewall;
use crate::engine::Arranged;
use crate::net::firewall::{Judgement, Look, Passage, Program};
use crate::net::privilege::Gate;
use crate::text;

/// What the firewall does with computers that boot, and what is done about that.
pub fn firewall(look: &Look, passage: &Passage, wanted: Firewall) -> Finding {
    let interface = text::plain(&passage.interface, 60);
    let Some(program) = look.program.as_ref() else {
        return passed(Subject::ThisComputer, "No firewall was found that keeps computers out.");
    };
    let (name, mine) = (program.name(), matches!(program, Program::Windows | Program::MacOs));
    let stands = match look.judgement {
        Some(Judgement::Passes) => {
            return passed(Subject::ThisComputer, format!("The firewall ({name}) lets computers in on {interface}."));
        }
        Some(Judgement::Dropped) => format!("The firewall ({name}) keeps computers out on {interface}."),
        Some(Judgement::Unclear) => format!("The firewall ({name}) may keep computers out on {interface}."),
        None => format!("There is a firewall ({name}), and whether it lets computers in on {interface} is not known."),
    };
    if wanted == Firewall::Open && !mine {
        let title = format!("The firewall ({name}) is opened on {interface} while serving, and closed again after it.");
        return passed(Subject::ThisComputer, title).remedy(Remedy::LeaveFirewall);
    }
    let commands = program.commands(passage);
    let by_hand = "or run the commands in brackets, which last longer";
    let step = match mine {
        true => "Run the commands in brackets. They were not tried on this system by us.".to_owned(),
        false if commands.is_empty() => "Let Bootwright open it while it serves.".to_owned(),
        false => format!("Let Bootwright open it while it serves, {by_hand}."),
    };
    let meaning = "What it keeps out is never seen here: computers ask, hear nothing, and start from their own disk.";
    let finding = Finding::new(stands, meaning, step).about(Subject::ThisComputer);
    let finding = if commands.is_empty() { finding } else { finding.with(commands.join("; ")) };
    let finding = if mine { finding } else { finding.remedy(Remedy::OpenFirewall) };
    // Only where it is certain: a start that would work is not to be refused.
    if look.judgement == Some(Judgement::Dropped) { finding } else { finding.caution() }
}

/// What was arranged for the time of serving, and what was not. Whether a computer that has no battery stays awake is not
/// worth a word.
pub fn arranged(arranged: &Arranged, interface: &str, is_portable: bool) -> Vec<Finding> {
    let interface = text::plain(interface, 60);
    let awake = match &arranged.awake {
        Ok(true) => Some(passed(
            Subject::ThisComputer,
            "This computer stays awake until serving ends, also with its lid closed.",
        )),
        Ok(false) => Some(passed(Subject::ThisComputer, "This computer stays awake until serving ends.")),
        Err(reason) => is_portable.then(|| asleep().with(text::plain(reason, 200))),
    };
    let gate = arranged.firewall.as_ref().map(|gate| match gate {
        Ok(gate) => self::gate(gate, &interface),
        Err(error) => super::explain_privilege(error).caution(),
    });
    awake.into_iter().chain(gate).collect()
}

/// What came of opening the firewall on an interface.
pub fn gate(gate: &Gate, interface: &str) -> Finding {
    match gate {
        Gate::Untouched => {
            passed(Subject::ThisComputer, format!("The firewall lets computers in on {interface} as it is."))
        }
        Gate::Opened => {
            let title = format!("The firewall is open for booting on {interface} until serving ends.");
            passed(Subject::ThisComputer, title)
        }
        Gate::Failed { reason } => Finding::new(
            format!("The firewall could not be opened on {interface}."),
            "Computers may ask and hear nothing.",
            "Open it by hand; bootwright check tells the commands.",
        )
        .about(Subject::ThisComputer)
        .caution()
        .with(text::plain(reason, 200)),
    }
}

/// The rule is gone.
pub fn gate_closed(interface: &str) -> String {
    format!("The firewall is as it was before on {}: the rule for booting was removed.", text::plain(interface, 60))
}

/// A service that is in the way could not be stopped.
pub fn not_stopped(unit: &str, reason: &str) -> Finding {
    let name = text::plain(unit.trim_end_matches(".service"), 60);
    Finding::new(
        format!("{name} could not be stopped."),
        "It still holds the port.",
        format!("Stop it with sudo systemctl stop {name}, and check again."),
    )
    .about(Subject::ThisComputer)
    .with(text::plain(reason, 200))
}

/// A service that was stopped for the time of serving runs again, or not, for this reason.
pub fn started_again(unit: &str, trouble: Option<&str>) -> String {
    let name = text::plain(unit.trim_end_matches(".service"), 60);
    match trouble {
        None => format!("{name} was started again."),
        Some(reason) => {
            let reason = text::plain(reason, 200);
            format!("{name} could not be started again ({reason}). Start it with sudo systemctl start {name}.")
        }
    }
}

/// Nothing keeps this computer awake.
pub(in crate::check) fn asleep() -> Finding {
    Finding::new(
        "Nothing keeps this computer awake while it serves.",
        "When it goes to sleep, computers in the middle of booting are cut off.",
        "Switch sleep off in the system's settings, and leave the lid open.",
    )
    .about(Subject::ThisComputer)
    .caution()
}
