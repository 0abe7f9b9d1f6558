//! Alarms: what the log says keeps a computer. A test of a boot that goes well has none, and one that provokes trouble names
//! what it expects.

use std::sync::Mutex;

use bootwright::journal::{Event, Note, What};
use serde_json::Value;

use super::vm;

/// What a test expects to be told.
#[derive(Default)]
pub struct Alarms {
    expected: Mutex<Vec<String>>,
}

impl Alarms {
    /// From now on these causes are no surprise.
    pub fn expect(&self, causes: &[&str]) {
        self.expected.lock().unwrap().extend(causes.iter().map(|cause| (*cause).to_owned()));
    }

    /// Asserts at the end of a test that the log tells no other trouble of its computers, and prints what became of each.
    ///
    /// Programs that only ask and never boot are no computers; what is told of them is for their tests to say.
    pub fn check(&self, lines: &[Value]) {
        let expected = self.expected.lock().unwrap();
        let told: Vec<(&str, &str, &str)> = lines.iter().filter_map(trouble).collect();
        let surprise: Vec<_> =
            told.iter().filter(|(_, cause, _)| !expected.iter().any(|known| known == cause)).collect();
        assert!(surprise.is_empty(), "nothing keeps these computers, yet the log says: {surprise:#?}");
        let mut computers: Vec<&str> = lines.iter().filter_map(computer).collect();
        computers.sort_unstable();
        computers.dedup();
        for mac in computers {
            let of = |name: &str| lines.iter().any(|line| line["mac"] == mac && line["stage"] == name);
            let far = ["handed-over", "system", "kernel", "menu", "loader"].into_iter().find(|name| of(name));
            match (told.iter().any(|(of, ..)| *of == mac), far) {
                (false, Some(stage)) => println!("    GOOD BOOT of {mac} to {stage}, no alarm"),
                (alarm, stage) => println!("    {mac} came to {stage:?}, alarm: {alarm}"),
            }
        }
    }
}

/// The computer that a line is about, where it is one with firmware.
fn computer(line: &Value) -> Option<&str> {
    line["mac"].as_str().filter(|mac| mac.starts_with(vm::MACS))
}

/// The trouble that a line tells of a computer: the computer, the cause, and the sentence.
pub fn trouble(line: &Value) -> Option<(&str, &str, &str)> {
    let mac = computer(line).filter(|_| line["event"] == "diagnosis")?;
    let event: Event = serde_json::from_value(line.clone()).unwrap_or_else(|error| panic!("{error}: {line}"));
    let What::Service(Note::Diagnosis(cause)) = event.what else { panic!("no diagnosis: {line}") };
    cause.is_trouble().then(|| (mac, line["cause"].as_str().unwrap(), line["text"].as_str().unwrap()))
}
