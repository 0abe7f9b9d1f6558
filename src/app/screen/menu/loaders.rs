//! Which computer gets which boot loader, and what Secure Boot means for it.

use iced::widget::{Column, column, row};
use iced::{Alignment, Element, Fill};

use super::{Context, Message};
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::card::card;
use crate::app::widget::press::press;
use crate::app::widget::words::{section, small, soft};
use crate::boot::Platform;
use crate::boot::loader::{Begins, Loaders, Preference, Way};
use crate::deployment::{DhcpMode, Settings};
use crate::text;

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    computer: &'static str,
    gets: String,
    served: bool,
}

/// The computers of the table, in its order, by what people call them.
const COMPUTERS: [(&str, Platform); 4] = [
    ("BIOS", Platform::Bios),
    ("UEFI, 64 bit", Platform::EfiX64),
    ("UEFI, 32 bit", Platform::EfiIa32),
    ("UEFI, ARM", Platform::EfiArm64),
];

/// The table with the choice above it.
pub(super) fn table<'a>(context: Context<'a>) -> Element<'a, Message> {
    let preference = context.draft.loader.unwrap_or_default();
    let choice = |name: &'static str, of: Preference| {
        let look = if preference == of { Look::CurrentLine } else { Look::Line };
        press(small(name, Tone::Ink)).look(look).padding([5, 12]).on_press(Message::LoaderPicked(of))
    };
    let choices = row![
        choice("What suits each", Preference::Auto),
        choice("iPXE only", Preference::Ipxe),
        choice("Signed from the start", Preference::Signed),
    ];
    let rows = rows(context.draft, context.loaders).into_iter().map(|line| {
        let tone = if line.served { Tone::Ink } else { Tone::Caution };
        row![soft(line.computer).width(104), small(line.gets, tone).width(Fill)]
            .spacing(gap::SMALL)
            .align_y(Alignment::Start)
            .into()
    });
    column![
        section("Which computer gets which boot loader"),
        choices.spacing(gap::TIGHT),
        card(Column::with_children(rows).spacing(gap::SMALL)).width(Fill),
        soft(meaning(preference)),
    ]
    .spacing(gap::SMALL)
    .into()
}

fn rows(draft: &Settings, loaders: &Loaders) -> Vec<Row> {
    let preference = draft.loader.unwrap_or_default();
    let beside = draft.dhcp.unwrap_or(DhcpMode::Proxy) == DhcpMode::Proxy;
    let row = |(computer, platform): (&'static str, Platform)| {
        let ways = |by_http| preference.ways(platform, loaders, Begins { beside, by_http });
        let (pxe, http) = (ways(false), ways(true));
        Row { computer, gets: gets(platform, &pxe, &http), served: !pxe.is_empty() }
    };
    COMPUTERS.into_iter().map(row).collect()
}

fn gets(platform: Platform, pxe: &[Way], http: &[Way]) -> String {
    let Some(first) = pxe.first() else { return "none: there is no boot loader for it".to_owned() };
    let mut words = text::capital(first.name());
    if platform != Platform::Bios && !first.is_signed() {
        match pxe.iter().find(|way| way.is_signed()) {
            Some(Way::SignedDisk) => words.push_str(
                ". With Secure Boot on: by HTTP Boot only, shim and the signed GRUB, once it has refused the first",
            ),
            Some(way) => {
                words.push_str(&format!(". With Secure Boot on: {}, once it has refused the first", way.name()))
            }
            None => words.push_str(". It does not start with Secure Boot on"),
        }
    } else if *first == Way::SignedDisk {
        words.push_str(", by HTTP Boot only: beside another DHCP server it finds no menu by PXE");
    } else if http.first().is_some_and(|way| *way == Way::SignedDisk) && *first == Way::SignedGrub {
        words.push_str("; by HTTP Boot a disk with both");
    }
    words
}

fn meaning(preference: Preference) -> &'static str {
    match preference {
        Preference::Auto => {
            "A computer that does not start its loader gets the next one at its next try, and what worked is remembered."
        }
        Preference::Ipxe => {
            "Computers with Secure Boot on do not start, unless an iPXE pack with signed loaders is added."
        }
        Preference::Signed => {
            "For rooms where Secure Boot is on everywhere: no first try is lost. Signed GRUB loads more slowly than iPXE."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::loader::Loader;

    fn told(dhcp: DhcpMode, loader: Preference, loaders: &[Loader]) -> Vec<String> {
        let draft = Settings { dhcp: Some(dhcp), loader: Some(loader), ..Settings::default() };
        rows(&draft, &Loaders::of(loaders.iter().copied())).into_iter().map(|row| row.gets).collect()
    }

    #[test]
    fn the_table_says_what_the_ladder_does() {
        use Loader::{GrubHttpArm64, GrubHttpIa32, GrubX64, ShimX64, SnponlyX64, Undionly};
        let debian = [Undionly, SnponlyX64, ShimX64, GrubX64, GrubHttpIa32, GrubHttpArm64];
        let full = told(DhcpMode::Full, Preference::Auto, &debian);
        assert_eq!(full.first().map(String::as_str), Some("iPXE"));
        assert!(full.get(1).is_some_and(|row| row.contains("shim and the signed GRUB, once")), "{full:?}");
        assert_eq!(full.get(2).map(String::as_str), Some("GRUB. It does not start with Secure Boot on"));
        let beside = told(DhcpMode::Proxy, Preference::Auto, &debian);
        assert!(beside.get(1).is_some_and(|row| row.contains("by HTTP Boot only")), "{beside:?}");
        let ipxe = told(DhcpMode::Full, Preference::Ipxe, &debian);
        assert_eq!(ipxe.last().map(String::as_str), Some("none: there is no boot loader for it"));
        let signed = told(DhcpMode::Full, Preference::Signed, &debian);
        assert!(signed.get(1).is_some_and(|row| row.starts_with("Shim and the signed GRUB; by HTTP")), "{signed:?}");
    }
}
