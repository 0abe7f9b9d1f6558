//! Why a computer stands still: what `check` finds out from its events, as it is told in the log and shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One explanation of what a computer does, or does not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What it is; [`super::wording::cause_title`] says it in words.
    #[serde(rename = "cause")]
    pub kind: Kind,
    /// How sure that is.
    pub likelihood: Likelihood,
    /// Since when it stands so.
    pub since: Timestamp,
    /// What was seen: whole sentences.
    pub evidence: String,
    /// What to do: whole sentences.
    pub next_step: String,
}

/// How sure an explanation is, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// It was seen.
    Certain,
    /// Nothing else explains what was seen as well.
    Likely,
    /// It is one of several.
    Possible,
}

/// What keeps a computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No computer has asked for anything.
    NothingArrives,
    /// The allow and deny lists leave it out.
    NotAllowed,
    /// It comes through a relay agent of another network.
    RelayElsewhere,
    /// All addresses are taken.
    NoAddressLeft,
    /// The address that it wanted is not for it.
    AddressRefused,
    /// There is no boot file for it.
    NoBootFile,
    /// It took another DHCP server's offer.
    OtherServerWon,
    /// Its firmware takes boot information from the server of its address alone.
    OffersUnheeded,
    /// No DHCP server gives it an address.
    NoAddressServer,
    /// It does not take our offer.
    OfferNotTaken,
    /// It has all it needs to ask for a file, and asks for none.
    NoFileAsked,
    /// It asked on port 4011, was answered, and does nothing more.
    SilentAfterBootServer,
    /// It asked how large its loader is, and does nothing more.
    SizeAskedOnly,
    /// It hears nothing of the port that its file is sent from.
    TransferPortBlocked,
    /// Small packets reach it, and large ones do not.
    LargePacketsLost,
    /// It stopped in the middle of a file.
    TransferStalled,
    /// Many packets were lost on the way.
    PacketsLost,
    /// It broke a file off.
    BrokeOff,
    /// Its firmware does not trust the loader.
    SecureBoot,
    /// The loader does not run on it.
    LoaderUnsuitable,
    /// A file that it needs is not here.
    FileMissing,
    /// A file that it needs has no bytes.
    FileEmpty,
    /// It was refused a file.
    FileRefused,
    /// A file cannot be read here.
    FileUnreadable,
    /// Its iPXE cannot fetch by HTTP.
    IpxeWithoutHttp,
    /// It has too little memory for what it starts.
    TooLittleMemory,
    /// Its system does not go on after its kernel.
    KernelSilent,
    /// Its system asks for files that are not here.
    SystemMissesFile,
    /// It fetched its answer file once more.
    AnswerFetchedAgain,
    /// Its switch lets nothing through in the first half minute.
    SwitchSlow,
    /// A router passes its questions on.
    RelaySeen,
    /// It shows its menu.
    WaitingInMenu,
    /// Its menu is over, by its time-out.
    MenuTimedOut,
}

impl Kind {
    /// Whether something is wrong; the others are worth knowing.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Kind::RelaySeen | Kind::WaitingInMenu | Kind::MenuTimedOut)
    }
}

impl Cause {
    /// Whether something is wrong.
    pub fn is_trouble(&self) -> bool {
        self.kind.is_trouble()
    }
}
