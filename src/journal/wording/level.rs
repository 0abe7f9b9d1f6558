//! How much an event matters.

use serde::{Deserialize, Serialize};

use crate::boot::Machine;
use crate::boot::tree::Role;
use crate::dhcp::{self, Question, Silence};
use crate::journal::cause::Kind;
use crate::journal::{Event, Note, Stage, What};
use crate::{http, tftp};

/// Smaller files are told when they have arrived, not when they begin.
pub(super) const WORTH_ANNOUNCING: u64 = 1_000_000;

/// Whether a person who reads along can do without an event: another one beside it says as much.
pub fn is_minor(event: &Event) -> bool {
    match &event.what {
        // It comes every few seconds while a computer waits.
        What::Tftp(_) | What::Http(_) if event.role == Some(Role::Page) => true,
        What::Tftp(tftp::Note::Started { size, .. }) => *size < WORTH_ANNOUNCING,
        What::Http(http::Note::Started { length, .. }) => *length < WORTH_ANNOUNCING,
        What::Service(Note::Stage { stage }) => matches!(stage, Stage::Asked | Stage::Offered | Stage::Menu),
        What::Service(Note::NoRouter) => true,
        What::Service(Note::Diagnosis(cause)) => matches!(cause.kind, Kind::WaitingInMenu | Kind::MenuTimedOut),
        _ => false,
    }
}

/// How much an event matters to a person who reads the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For those who look closely.
    Detail,
    /// What happens in every boot.
    #[default]
    Normal,
    /// Worth a look.
    Notice,
    /// Something does not work.
    Problem,
}

/// How much an event matters.
pub fn level(event: &Event) -> Level {
    if is_minor(event) {
        return Level::Detail;
    }
    match &event.what {
        What::Dhcp(note) => dhcp_level(note),
        What::Tftp(note) => tftp_level(note),
        What::Http(note) => http_level(note),
        What::Service(note) => service_level(note),
    }
}

fn dhcp_level(note: &dhcp::Note) -> Level {
    match note {
        dhcp::Note::Asked { client, question: Question::Discover | Question::BootServer, .. }
            if Machine::of(client).is_some() =>
        {
            Level::Normal
        }
        dhcp::Note::Offered { boot: Some(_), .. } | dhcp::Note::Granted { .. } => Level::Normal,
        // Each of them follows from a packet that any machine of the network may send at any time.
        dhcp::Note::Asked { .. }
        | dhcp::Note::Offered { .. }
        | dhcp::Note::Released { .. }
        | dhcp::Note::Unreadable { .. }
        | dhcp::Note::Ignored { reason: Silence::Unknown | Silence::OutsideNetwork } => Level::Detail,
        dhcp::Note::Refused { .. }
        | dhcp::Note::Declined { .. }
        | dhcp::Note::AddressInUse { .. }
        | dhcp::Note::Ignored { reason: Silence::NotAllowed | Silence::ForeignRelay | Silence::OtherServer { .. } } => {
            Level::Notice
        }
        dhcp::Note::ForeignServer { .. } => Level::Problem,
        dhcp::Note::NoBootFile { .. } | dhcp::Note::ChoseOther { .. } | dhcp::Note::PoolExhausted { .. } => {
            Level::Problem
        }
    }
}

fn tftp_level(note: &tftp::Note) -> Level {
    match note {
        tftp::Note::Progress { .. } | tftp::Note::SizeAsked { .. } | tftp::Note::NotFound { .. } => Level::Detail,
        tftp::Note::Started { .. } | tftp::Note::Done { .. } => Level::Normal,
        tftp::Note::Stalled { .. } | tftp::Note::Replaced { .. } | tftp::Note::Refused { .. } => Level::Notice,
        tftp::Note::Aborted { .. } | tftp::Note::TimedOut { .. } | tftp::Note::ReadFailed { .. } => Level::Problem,
    }
}

fn http_level(note: &http::Note) -> Level {
    match note {
        http::Note::Progress { .. } | http::Note::SizeAsked { .. } | http::Note::NotFound { .. } => Level::Detail,
        http::Note::Started { .. } | http::Note::Done { .. } => Level::Normal,
        http::Note::Refused { .. } => Level::Notice,
        http::Note::BrokenOff { .. } | http::Note::ReadFailed { .. } => Level::Problem,
    }
}

fn service_level(note: &Note) -> Level {
    match note {
        Note::Image { warnings, .. } if !warnings.is_empty() => Level::Notice,
        Note::Diagnosis(cause) if cause.is_trouble() => Level::Problem,
        Note::Ready { .. }
        | Note::Serving { .. }
        | Note::Image { .. }
        | Note::Menu { .. }
        | Note::AnswerGiven { .. }
        | Note::Arranged { .. }
        | Note::Approved
        | Note::TurnedAway
        | Note::Guests { .. }
        | Note::Answered { .. }
        | Note::Chosen { .. }
        | Note::OwnDisk { .. }
        | Note::Stopped => Level::Normal,
        Note::NoRouter => Level::Detail,
        Note::Diagnosis(_)
        | Note::Stage { .. }
        | Note::PortTaken { .. }
        | Note::AnswerRefused { .. }
        | Note::LoaderRefused { .. }
        | Note::Warning { .. }
        | Note::LeasesSetAside { .. }
        | Note::NamesSetAside { .. }
        | Note::LadderSetAside { .. }
        | Note::ApprovalSetAside { .. }
        | Note::Waiting { .. }
        | Note::OnceSetAside { .. }
        | Note::Begun { .. }
        | Note::PasswordRefused { .. }
        | Note::ImageGone { .. }
        | Note::LinkUp { .. }
        | Note::Dropped { .. } => Level::Notice,
        Note::LeasesNotSaved { .. }
        | Note::NamesNotSaved { .. }
        | Note::NoControl { .. }
        | Note::GuardEnded
        | Note::LadderNotSaved { .. }
        | Note::ApprovalNotSaved { .. }
        | Note::OnceNotSaved { .. }
        | Note::TraceNotWritten { .. }
        | Note::JobsNotWritten { .. }
        | Note::NotSent { .. }
        | Note::ImageChanged { .. }
        | Note::LinkDown { .. }
        | Note::Failed { .. } => Level::Problem,
    }
}
