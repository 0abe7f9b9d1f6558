//! What keeps a computer, in words.

use crate::journal::cause::{Cause, Kind, Likelihood};

/// What a cause is, in one sentence.
pub fn cause_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NothingArrives => "No computer has asked for anything",
        Kind::NotAllowed => "The lists of computers leave it out",
        Kind::RelayElsewhere => "It asks from a network that is not served",
        Kind::NoAddressLeft => "No address is left for it",
        Kind::AddressRefused => "The address that it wants is not for it",
        Kind::NoBootFile => "There is no boot file for it",
        Kind::OtherServerWon => "It follows another DHCP server",
        Kind::OffersUnheeded => "Its firmware takes no boot information from a second server",
        Kind::NoAddressServer => "No DHCP server gives it an address",
        Kind::OfferNotTaken => "It does not take what it is offered",
        Kind::NoFileAsked => "It knows what to boot, and its request for that does not arrive",
        Kind::SilentAfterBootServer => "It asked on port 4011, and does not hear the answer",
        Kind::SizeAskedOnly => "It asked how large its loader is, and then for nothing",
        Kind::TransferPortBlocked => "A firewall keeps its loader from it",
        Kind::LargePacketsLost => "Large packets are lost on the way",
        Kind::TransferStalled => "It stopped in the middle of a file",
        Kind::PacketsLost => "Many packets are lost on the way",
        Kind::BrokeOff => "It broke a file off",
        Kind::SecureBoot => "Secure Boot does not let its loader start",
        Kind::LoaderUnsuitable => "Its loader does not run on it",
        Kind::FileMissing => "A file that it needs is not here",
        Kind::FileEmpty => "A file that it needs is empty",
        Kind::FileRefused => "It was refused a file",
        Kind::FileUnreadable => "A file cannot be read here",
        Kind::IpxeWithoutHttp => "The iPXE in its network card cannot read the menu",
        Kind::TooLittleMemory => "It has too little memory for this system",
        Kind::KernelSilent => "Its system does not go on",
        Kind::SystemMissesFile => "Its system asks for files that are not here",
        Kind::AnswerFetchedAgain => "It installs once more",
        Kind::SwitchSlow => "Its switch lets nothing through at first",
        Kind::RelaySeen => "A router passes its questions on",
        Kind::WaitingInMenu => "It shows its menu",
        Kind::MenuTimedOut => "Nobody chose from its menu",
    }
}

/// How sure a cause is, in a word that goes before it.
pub fn likelihood(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Certain => "Certain",
        Likelihood::Likely => "Likely",
        Likelihood::Possible => "Possible",
    }
}

/// A cause in short: how sure it is, and what it is.
pub fn cause_heading(cause: &Cause) -> String {
    let title = cause_title(cause.kind);
    match cause.likelihood {
        Likelihood::Certain => format!("{title}."),
        other => format!("{}: {}.", likelihood(other), uncapital(title)),
    }
}

/// A cause with all that is known of it, in one line.
pub fn cause_line(cause: &Cause) -> String {
    let parts = [cause_heading(cause), cause.evidence.clone(), cause.next_step.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The beginning of a sentence behind a colon. Names stay as they are written.
fn uncapital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) if !sentence.starts_with("Secure Boot") => first.to_lowercase().chain(letters).collect(),
        _ => sentence.to_owned(),
    }
}
