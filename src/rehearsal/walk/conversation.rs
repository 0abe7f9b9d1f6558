//! The conversation by DHCP: from the first question to the name of a boot file.

use super::{Boot, Stop, Walk};
use crate::dhcp::Note;
use crate::engine::double::{Addresses, Ask, Reply};
use crate::rehearsal::dhcp::{self, Answer, Question};
use crate::rehearsal::firmware::Dialect;
use crate::rehearsal::report::{Asked, Fault};

impl Walk<'_> {
    /// The conversation by DHCP up to the name of a boot file.
    pub(super) async fn asks(&mut self, dialect: Dialect) -> Result<Boot, Stop> {
        let beside = self.net.scene().addresses != Addresses::Ours;
        let (offer, notes) = self.says(dialect, Question::Discover, 0).await?;
        let offer = match offer {
            Some(offer) => offer,
            None => return Err(self.nothing(&notes, Asked::Discover)),
        };
        let answer = if beside {
            self.by_proxy(dialect, offer).await?
        } else {
            // Firmware passes over an offer without a boot file.
            if offer.file().is_empty() {
                return Err(self.nothing(&notes, Asked::Discover));
            }
            let (Some(address), Some(server)) = (offer.address, offer.server) else {
                return Err(Fault::Silent { asked: Asked::Discover }.into());
            };
            let (answer, notes) = self.says(dialect, Question::Request { address, server }, 1).await?;
            let answer = answer.ok_or_else(|| self.nothing(&notes, Asked::Request))?;
            if answer.kind != 5 {
                return Err(Fault::Refused.into());
            }
            self.address = address;
            if answer.file().is_empty() {
                return Err(self.nothing(&notes, Asked::Request));
            }
            // A full server that says `PXEClient` is asked again at its port 4011 by UEFI that was not told otherwise.
            match dhcp::asks_boot_server(self.firmware, dialect, &answer) {
                true => self.boot_server(dialect).await?,
                false => answer,
            }
        };
        if let Some(shortcoming) = dhcp::shortcoming(self.firmware, dialect, &answer, beside) {
            return Err(Fault::Answer { shortcoming, file: answer.file().to_owned() }.into());
        }
        Ok(Boot { file: answer.file().to_owned(), field: answer.field })
    }

    /// Another server gives the address: the offer of boot information counts, or what port 4011 says.
    async fn by_proxy(&mut self, dialect: Dialect, offer: Answer) -> Result<Answer, Stop> {
        if dhcp::asks_boot_server(self.firmware, dialect, &offer) {
            return self.boot_server(dialect).await;
        }
        if offer.file().is_empty() {
            return Err(Fault::Silent { asked: Asked::Discover }.into());
        }
        Ok(offer)
    }

    pub(super) async fn boot_server(&mut self, dialect: Dialect) -> Result<Answer, Stop> {
        let question = Question::BootServer { address: self.address };
        let (answer, notes) = self.says(dialect, question, 0).await?;
        answer.filter(|answer| !answer.file().is_empty()).ok_or_else(|| self.nothing(&notes, Asked::BootServer))
    }

    async fn says(
        &self,
        dialect: Dialect,
        question: Question,
        tries: u16,
    ) -> Result<(Option<Answer>, Vec<Note>), Fault> {
        let mac = self.firmware.mac();
        let packet = dhcp::packet(self.firmware, dialect, mac, question, tries);
        let ask = Ask::Hear {
            token: self.net.scene().token.clone(),
            boot_server: dhcp::is_for_boot_server(question),
            from: dhcp::source(self.firmware, question),
            packet,
        };
        match self.line.ask(ask).await {
            Ok(Reply::Heard { answers, notes }) => {
                Ok((answers.iter().find_map(|answer| Answer::read(answer, mac)), notes))
            }
            Ok(Reply::Refused { reason }) | Err(reason) => Err(Fault::NoServices { reason }),
            Ok(_) => Err(Fault::NoServices { reason: "they answer what was not asked".to_owned() }),
        }
    }

    /// Why no boot file came.
    fn nothing(&self, notes: &[Note], asked: Asked) -> Stop {
        let told = notes.iter().find_map(|note| match note {
            Note::NoBootFile { reason } => Some(match self.firmware.is_common() {
                true => Stop::Fault(Fault::NoBootFile { reason: reason.clone() }),
                false => Stop::NotServed(reason.clone()),
            }),
            Note::PoolExhausted { size } => Some(Stop::Fault(Fault::NoAddress { size: *size })),
            Note::Refused { .. } => Some(Stop::Fault(Fault::Refused)),
            _ => None,
        });
        told.unwrap_or(Stop::Fault(Fault::Silent { asked }))
    }
}
