//! The certificates of a program: a table of PKCS #7 SignedData (RFC 2315 section 9; Microsoft's "Windows Authenticode
//! Portable Executable Signature Format"), of which only the names are read.

use super::der::{CONTEXT_0, INTEGER, Items, OID, SEQUENCE, SET};
use super::pe::{Image, u16_at, u32_at};
use super::{Authority, MAX_NAME, Signature};
use crate::text;

/// Largest table that is read, in bytes; shim's with two signatures has 19 kB.
const MAX_TABLE: u64 = 1 << 20;
/// Most entries of it; programs have one or two.
const MAX_ENTRIES: usize = 8;
/// Most signatures that are kept.
const MAX_SIGNATURES: usize = 4;
/// Most certificates that come with a signature; chains have two or three.
const MAX_CERTIFICATES: usize = 32;
/// Longest way from the signing certificate to the topmost.
const MAX_CHAIN: usize = 8;
/// WIN_CERT_TYPE_PKCS_SIGNED_DATA ("The Attribute Certificate Table").
const PKCS_SIGNED_DATA: u16 = 2;
/// Length of an entry's header, and what entries are aligned to, in bytes.
const HEADER: usize = 8;

/// 1.2.840.113549.1.7.2, signedData (RFC 2315 section 14).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 2.5.4.3, 2.5.4.11 and 2.5.4.10: common name, unit and organisation (RFC 5280 appendix A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const UNIT: &[u8] = &[0x55, 0x04, 0x0b];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
/// Strings that are not UTF-8 or a part of it (X.680 table 8).
const BMP_STRING: u8 = 0x1e;
const TELETEX_STRING: u8 = 0x14;

/// A certificate's fields as they are stored: names are compared so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Certificate<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
}

/// Who signed a program; empty where nobody did, or where its certificates cannot be read.
pub(super) fn signatures(image: &Image) -> Vec<Signature> {
    let table = image.certificates().filter(|place| place.length <= MAX_TABLE);
    let table = table.and_then(|place| image.start_of(place, MAX_TABLE as usize)).unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = table.as_slice();
    for _ in 0..MAX_ENTRIES {
        let Some((kind, content, behind)) = entry(rest) else { break };
        if kind == PKCS_SIGNED_DATA {
            found.extend(signed_data(content).unwrap_or_default());
        }
        rest = behind;
    }
    found.truncate(MAX_SIGNATURES);
    found
}

/// The first entry of the table: its type, what is in it, and what is behind it.
fn entry(table: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(table, 0)?).ok()?;
    let content = table.get(HEADER..length)?;
    // The last entry may lack the padding.
    let behind = length.checked_next_multiple_of(HEADER).and_then(|end| table.get(end..)).unwrap_or_default();
    Some((u16_at(table, 6)?, content, behind))
}

/// The signers in one SignedData. Padding behind it is ignored.
fn signed_data(bytes: &[u8]) -> Option<Vec<Signature>> {
    let mut info = Items(Items(bytes).field(SEQUENCE)?);
    info.field(OID).filter(|kind| *kind == SIGNED_DATA)?;
    let mut data = Items(Items(info.field(CONTEXT_0)?).field(SEQUENCE)?);
    data.field(INTEGER)?;
    data.field(SET)?;
    data.field(SEQUENCE)?;
    let certificates: Vec<Certificate> = Items(data.field(CONTEXT_0).unwrap_or_default())
        .take(MAX_CERTIFICATES)
        .filter(|item| item.tag == SEQUENCE)
        .filter_map(|item| fields(item.content))
        .collect();
    // Lists of revoked certificates may stand between.
    let signers = data.find(|item| item.tag == SET)?;
    Some(Items(signers.content).take(MAX_SIGNATURES).filter_map(|item| signer(item.content, &certificates)).collect())
}

/// The certificate that a signer names by its issuer and number, and those above it.
fn signer(info: &[u8], certificates: &[Certificate]) -> Option<Signature> {
    let mut fields = Items(info);
    fields.field(INTEGER)?;
    let mut named = Items(fields.field(SEQUENCE)?);
    let (issuer, serial) = (named.field(SEQUENCE)?, named.field(INTEGER)?);
    let own = certificates.iter().find(|it| it.issuer == issuer && it.serial == serial);
    let mut top = issuer;
    for _ in 0..MAX_CHAIN {
        let above = certificates.iter().find(|it| it.subject == top && it.issuer != top);
        let Some(above) = above else { break };
        top = above.issuer;
    }
    let signer = own.map(|it| common_name(it.subject)).unwrap_or_default();
    let issuer = common_name(issuer);
    let authority = Authority::of(&issuer, &signer);
    Some(Signature { signer, issuer, root: common_name(top), authority })
}

/// The fields of a certificate's content (RFC 5280 section 4.1).
fn fields(certificate: &[u8]) -> Option<Certificate<'_>> {
    let mut signed = Items(Items(certificate).field(SEQUENCE)?);
    // The version is left out in the oldest.
    signed.field(CONTEXT_0);
    let serial = signed.field(INTEGER)?;
    signed.field(SEQUENCE)?;
    let issuer = signed.field(SEQUENCE)?;
    signed.field(SEQUENCE)?;
    Some(Certificate { serial, issuer, subject: signed.field(SEQUENCE)? })
}

/// The common name of the one that a certificate in DER is for; `None` for what is no certificate.
pub(super) fn subject(certificate: &[u8]) -> Option<String> {
    let name = common_name(fields(Items(certificate).field(SEQUENCE)?)?.subject);
    (!name.is_empty()).then_some(name)
}

/// The common name in a name, else its unit or organisation; empty where it has none.
fn common_name(name: &[u8]) -> String {
    let find = |wanted: &[u8]| {
        let parts = Items(name).filter(|part| part.tag == SET).flat_map(|part| Items(part.content));
        let named = parts.filter_map(|pair| {
            let mut pair = Items(pair.content);
            pair.field(OID).filter(|kind| *kind == wanted)?;
            pair.next()
        });
        named.last().map(|value| words(value.tag, value.content)).filter(|name| !name.is_empty())
    };
    find(COMMON_NAME).or_else(|| find(UNIT)).or_else(|| find(ORGANISATION)).unwrap_or_default()
}

fn words(tag: u8, bytes: &[u8]) -> String {
    // Four bytes are the longest character.
    let bytes = bytes.get(..MAX_NAME * 4).unwrap_or(bytes);
    let words = match tag {
        BMP_STRING => {
            let units =
                bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk().map(|&pair| u16::from_be_bytes(pair)));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        TELETEX_STRING => bytes.iter().map(|&byte| char::from(byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    text::plain(&words, MAX_NAME)
}
