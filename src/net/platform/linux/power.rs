//! Sleep and power: the inhibitor locks of systemd-logind, and what sysfs tells of batteries.

use std::fs;
use std::path::Path;

use crate::net::awake::Power;

/// What holds a lock of systemd-logind while a command runs, and whether that covers the lid. Whoever does not sit at this
/// computer may not have the lid's.
pub const AWAKE: &[(&[&str], bool)] =
    &[(&inhibit("--what=sleep:idle:handle-lid-switch"), true), (&inhibit("--what=sleep:idle"), false)];

const fn inhibit(what: &'static str) -> [&'static str; 5] {
    ["systemd-inhibit", what, "--mode=block", "--who=Bootwright", "--why=Computers boot from this one"]
}

/// How this computer stands with sleep and power.
pub fn power() -> Power {
    let can_stay = Path::new("/run/systemd/system").exists();
    of(Path::new("/sys/class/power_supply"), can_stay)
}

fn of(supplies: &Path, can_stay: bool) -> Power {
    let mut power = Power { can_stay, ..Power::default() };
    let mut plugged_in = false;
    let mut left = None;
    for supply in fs::read_dir(supplies).into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(supply.path().join(name)).map(|text| text.trim().to_owned());
        let read = |name: &str| read(name).unwrap_or_default();
        match read("type").as_str() {
            // The battery of a mouse is no battery of the computer.
            "Battery" if read("scope") != "Device" => {
                power.is_portable = true;
                left = left.max(read("capacity").parse::<u8>().ok());
                // Some computers list no mains.
                plugged_in |= ["Charging", "Full", "Not charging"].contains(&read("status").as_str());
            }
            "Mains" | "USB" => plugged_in |= read("online") == "1",
            _ => {}
        }
    }
    power.on_battery = left.filter(|_| !plugged_in);
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_is_told_while_nothing_else_feeds_the_computer() {
        let folder = tempfile::tempdir().unwrap();
        let supply = |name: &str, files: &[(&str, &str)]| {
            let place = folder.path().join(name);
            fs::create_dir_all(&place).unwrap();
            files.iter().for_each(|(file, text)| fs::write(place.join(file), format!("{text}\n")).unwrap());
        };
        let seen = || of(folder.path(), true);
        assert_eq!(seen(), Power { can_stay: true, on_battery: None, is_portable: false });
        supply("mouse", &[("type", "Battery"), ("scope", "Device"), ("capacity", "20"), ("status", "Discharging")]);
        assert_eq!(seen(), Power { can_stay: true, on_battery: None, is_portable: false });
        supply("BAT0", &[("type", "Battery"), ("capacity", "63"), ("status", "Discharging")]);
        assert_eq!(seen(), Power { can_stay: true, on_battery: Some(63), is_portable: true });
        supply("AC", &[("type", "Mains"), ("online", "1")]);
        assert_eq!(seen(), Power { can_stay: true, on_battery: None, is_portable: true });
        supply("AC", &[("online", "0")]);
        assert_eq!(seen().on_battery, Some(63));
    }
}
