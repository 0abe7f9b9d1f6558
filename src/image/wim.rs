//! Windows images (WIM, ESD and the parts of a split one): which systems one holds, by its header and its XML.
//!
//! The header has 208 bytes; the XML is UTF-16 and lies behind everything else, not packed (Microsoft, "Windows Imaging
//! File Format (WIM)" white paper; wimlib `include/wimlib/header.h` for what came later). Nothing is unpacked: what a
//! WIM holds is never looked into, so no bomb in one can go off here.

use std::io;

use roxmltree::{Document, Node, ParsingOptions};

use super::Disc;
use super::stored::read_at;
use crate::text;

mod media;

pub use media::{WindowsMedia, media};

/// Size of the header, in bytes.
const HEADER: u64 = 208;
const MAGIC: &[u8; 8] = b"MSWIM\0\0\0";
/// Most bytes of XML. Media with thirty editions in three languages have 200 kB.
const MAX_XML: u64 = 16 << 20;
/// Most images of one file; the largest collections that people make have about fifty.
const MAX_IMAGES: usize = 1000;
/// Most nodes of the XML: an image has about a hundred.
const MAX_NODES: u32 = 500_000;
/// Most equals signs between two tags, and most namespaces. Both cost the XML reader quadratic time, and Microsoft's
/// tags have one attribute at most and no namespace.
const MAX_ATTRIBUTES: usize = 64;
const MAX_NAMESPACES: usize = 64;
/// Most parts of a split file. FAT32 media, for which files are split, have two or three.
const MAX_PARTS: u16 = 999;
/// Most languages of one image that are kept.
const MAX_LANGUAGES: usize = 100;
/// Longest name or description kept, in characters.
const MAX_TEXT: usize = 200;
/// A resource that is packed cannot be read here (`WIM_RESHDR_FLAG_COMPRESSED`).
const PACKED: u8 = 4;

/// What one WIM file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wim {
    /// Its images, in the order of the XML.
    pub images: Vec<WimImage>,
    /// The image that it boots, counted from 1; 0 where none was chosen.
    pub boot_index: u32,
    /// Which part of how many this file is: `(1, 1)` where it is not split.
    pub part: (u16, u16),
    /// How its files are packed.
    pub compression: Compression,
}

/// One system in a WIM file. All texts are safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WimImage {
    /// Its number, counted from 1: what `wimboot` and `dism` call its index.
    pub index: u32,
    /// Its name, such as `Windows 11 Pro`.
    pub name: String,
    /// More about it; often the same again.
    pub description: String,
    /// Its edition as Windows writes it, such as `Professional`, `ServerStandardEval` or `WindowsPE`.
    pub edition_id: String,
    /// `Client`, `Server`, `Server Core` or `WindowsPE`.
    pub installation_type: String,
    /// The processor as `uname -m` says it, where we know it.
    pub architecture: Option<&'static str>,
    /// The build, which tells versions of Windows apart; 0 where the XML has none.
    pub build: u32,
    /// The update level within the build.
    pub revision: u32,
    /// The whole version, such as `10.0.26100.1742`; empty where the XML has none.
    pub version: String,
    /// Its languages, such as `en-US`.
    pub languages: Vec<String>,
    /// Bytes that it takes unpacked, by its own account.
    pub size: u64,
}

/// How the files of a WIM are packed, by the flags of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// XPRESS: quick.
    Xpress,
    /// LZX: what media have.
    Lzx,
    /// LZMS: solid, as in `install.esd`.
    Lzms,
    /// One that we do not know.
    Unknown,
}

/// Why a file is no WIM that can be read.
#[derive(Debug, thiserror::Error)]
pub enum WimError {
    /// It is not on the disc.
    #[error("there is no such file")]
    Missing,
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// It begins with something else.
    #[error("it is not a WIM file")]
    NotAWim,
    /// Its header points behind its end.
    #[error("it is cut off: {missing} bytes are missing")]
    CutOff {
        /// How many are missing at least.
        missing: u64,
    },
    /// Its header or its XML says what cannot be.
    #[error("it is damaged: {reason}")]
    Damaged {
        /// What is wrong, for people.
        reason: String,
    },
}

fn damaged(reason: impl Into<String>) -> WimError {
    WimError::Damaged { reason: reason.into() }
}

/// Reads what a WIM file of a disc holds.
pub fn read(disc: &Disc, path: &str) -> Result<Wim, WimError> {
    let stored = disc.find(path).ok_or(WimError::Missing)?;
    parse(|at, buffer| read_at(disc.file(), &stored.extents, at, buffer), stored.size)
}

/// Reads what a WIM of `size` bytes holds. `read` fills its buffer with the bytes from an offset on, and is asked for
/// nothing behind `size`: the header, and at most 16 MiB of XML.
pub fn parse(mut read: impl FnMut(u64, &mut [u8]) -> io::Result<()>, size: u64) -> Result<Wim, WimError> {
    let mut header = [0u8; HEADER as usize];
    let start = size.min(MAGIC.len() as u64);
    read(0, header.get_mut(..usize::try_from(start).unwrap_or(0)).unwrap_or_default())?;
    if !header.starts_with(MAGIC) {
        return Err(WimError::NotAWim);
    }
    if size < HEADER {
        return Err(WimError::CutOff { missing: HEADER - size });
    }
    read(0, &mut header)?;
    let header = Header::parse(&header)?;
    let xml = header.xml.checked_within(size)?;
    let mut bytes = vec![0u8; usize::try_from(xml.size).map_err(|_| damaged("too much XML"))?];
    read(xml.offset, &mut bytes)?;
    let images = images(&utf16(&bytes)?)?;
    // Parts after the first of a split file may say that they hold none.
    if usize::try_from(header.count) != Ok(images.len()) && header.part.0 <= 1 {
        return Err(damaged(format!("it counts {} images and describes {}", header.count, images.len())));
    }
    let (boot_index, part, compression) = (header.boot_index, header.part, header.compression);
    Ok(Wim { images, boot_index, part, compression })
}

/// What we use of the header, in the order in which it lies there (wimlib `struct wim_header_disk`).
struct Header {
    compression: Compression,
    part: (u16, u16),
    count: u32,
    xml: Resource,
    boot_index: u32,
}

impl Header {
    fn parse(bytes: &[u8; HEADER as usize]) -> Result<Header, WimError> {
        let number = |at: usize| read_u32(bytes, at).ok_or_else(|| damaged("its header is too short"));
        if u64::from(number(8)?) != HEADER {
            return Err(damaged("its header has an unknown size"));
        }
        let parts = number(0x28)?.to_le_bytes();
        let [low, high, total_low, total_high] = parts;
        let part = (u16::from_le_bytes([low, high]), u16::from_le_bytes([total_low, total_high]));
        if part.0 == 0 || part.0 > part.1 || part.1 > MAX_PARTS {
            return Err(damaged(format!("it is part {} of {}", part.0, part.1)));
        }
        let xml = bytes.get(0x48..0x60).and_then(Resource::parse).ok_or_else(|| damaged("it has no XML"))?;
        let compression = Compression::from_flags(number(0x10)?);
        Ok(Header { compression, part, count: number(0x2c)?, xml, boot_index: number(0x78)? })
    }
}

impl Compression {
    /// `WIM_HDR_FLAG_COMPRESSION`, and which one.
    fn from_flags(flags: u32) -> Compression {
        match flags {
            flags if flags & 2 == 0 => Compression::None,
            flags if flags & 0x2_0000 != 0 => Compression::Xpress,
            flags if flags & 0x4_0000 != 0 => Compression::Lzx,
            flags if flags & 0x8_0000 != 0 => Compression::Lzms,
            _ => Compression::Unknown,
        }
    }
}

/// Where a resource lies (wimlib `struct wim_reshdr_disk`): 56 bits of size, flags, offset, and its size unpacked.
struct Resource {
    size: u64,
    offset: u64,
    flags: u8,
}

impl Resource {
    fn parse(bytes: &[u8]) -> Option<Resource> {
        let numbers: [u8; 16] = bytes.get(..16)?.try_into().ok()?;
        let [size, offset] = [numbers.first_chunk::<8>()?, numbers.last_chunk::<8>()?].map(|&n| u64::from_le_bytes(n));
        Some(Resource { size: size & 0x00ff_ffff_ffff_ffff, offset, flags: size.to_be_bytes().first().copied()? })
    }

    /// The same, where it lies inside a file of this size and is XML that can be read.
    fn checked_within(self, file: u64) -> Result<Resource, WimError> {
        let end = self.offset.checked_add(self.size).ok_or_else(|| damaged("its XML lies nowhere"))?;
        if self.size == 0 || self.size > MAX_XML || self.flags & PACKED != 0 {
            return Err(damaged(format!("its XML has {} bytes", self.size)));
        }
        if end > file {
            return Err(WimError::CutOff { missing: end - file });
        }
        Ok(self)
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// The XML as text. It begins with a byte order mark, which Windows always writes.
fn utf16(bytes: &[u8]) -> Result<String, WimError> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let Some(([0xff, 0xfe], pairs)) = pairs.split_first() else {
        return Err(damaged("its XML is not UTF-16"));
    };
    let units = pairs.iter().map(|&pair| u16::from_le_bytes(pair));
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// The images that the XML describes.
fn images(xml: &str) -> Result<Vec<WimImage>, WimError> {
    // Some writers end the text with a NUL.
    let xml = xml.trim_end_matches('\0').trim();
    // A `<` stands in no attribute, so what lies between two of them has at most one tag.
    let crowded = xml.split('<').any(|part| part.bytes().filter(|&byte| byte == b'=').count() > MAX_ATTRIBUTES);
    if crowded || xml.matches("xmlns").count() > MAX_NAMESPACES {
        return Err(damaged("its XML has too many attributes"));
    }
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options);
    let document = document.map_err(|error| damaged(text::plain(&error.to_string(), MAX_TEXT)))?;
    let nodes = document.root_element().children().filter(|node| node.has_tag_name("IMAGE"));
    let images: Vec<WimImage> = nodes.take(MAX_IMAGES + 1).filter_map(image).collect();
    if images.len() > MAX_IMAGES {
        return Err(damaged(format!("it has more than {MAX_IMAGES} images")));
    }
    Ok(images)
}

/// One `IMAGE` element. Everything but the number may be missing: data images have no `WINDOWS`.
fn image(node: Node) -> Option<WimImage> {
    let index = node.attribute("INDEX")?.trim().parse().ok()?;
    let name = [below(node, &["NAME"]), below(node, &["DISPLAYNAME"])];
    let windows = |path: &[&str]| child(node, "WINDOWS").map(|windows| below(windows, path)).unwrap_or_default();
    let number = |name: &str| windows(&["VERSION", name]).parse::<u32>().ok();
    let version = ["MAJOR", "MINOR", "BUILD", "SPBUILD"].map(number);
    let parts: Vec<String> = version.iter().map_while(|part| part.map(|part| part.to_string())).collect();
    let [_, _, build, revision] = version.map(Option::unwrap_or_default);
    Some(WimImage {
        index,
        name: name.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        description: below(node, &["DESCRIPTION"]),
        edition_id: windows(&["EDITIONID"]),
        installation_type: windows(&["INSTALLATIONTYPE"]),
        architecture: architecture(&windows(&["ARCH"])),
        build,
        revision,
        version: parts.join("."),
        languages: languages(node),
        size: below(node, &["TOTALBYTES"]).parse().unwrap_or_default(),
    })
}

/// `PROCESSOR_ARCHITECTURE_*` of the Windows headers (`winnt.h`), as `uname -m` names them.
fn architecture(number: &str) -> Option<&'static str> {
    match number {
        "0" => Some("i386"),
        "9" => Some("x86_64"),
        "12" => Some("aarch64"),
        _ => None,
    }
}

fn languages(image: Node) -> Vec<String> {
    let list = child(image, "WINDOWS").and_then(|windows| child(windows, "LANGUAGES"));
    let found = list.into_iter().flat_map(|list| list.children()).filter(|node| node.has_tag_name("LANGUAGE"));
    found.map(said).filter(|language| !language.is_empty()).take(MAX_LANGUAGES).collect()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of a node below another; empty where it is not there.
fn below(node: Node, path: &[&str]) -> String {
    path.iter().try_fold(node, |node, name| child(node, name)).map(said).unwrap_or_default()
}

fn said(node: Node) -> String {
    text::plain(node.text().unwrap_or_default(), MAX_TEXT)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An `IMAGE` as Windows writes it.
    pub(in crate::image) fn described(index: u32, name: &str, edition: &str, kind: &str, build: u32) -> String {
        format!(
            "<IMAGE INDEX=\"{index}\"><DIRCOUNT>24909</DIRCOUNT><TOTALBYTES>16383717491</TOTALBYTES><WINDOWS>\
             <ARCH>9</ARCH><PRODUCTNAME>Microsoft® Windows® Operating System</PRODUCTNAME>\
             <EDITIONID>{edition}</EDITIONID><INSTALLATIONTYPE>{kind}</INSTALLATIONTYPE>\
             <LANGUAGES><LANGUAGE>en-US</LANGUAGE><LANGUAGE>de-DE</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>\
             <VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>{build}</BUILD><SPBUILD>1742</SPBUILD></VERSION>\
             </WINDOWS><NAME>{name}</NAME><DESCRIPTION>{name}, described</DESCRIPTION></IMAGE>"
        )
    }

    pub(in crate::image) fn xml(images: &[String]) -> String {
        format!("<WIM>{}<TOTALBYTES>3502723354</TOTALBYTES></WIM>", images.concat())
    }

    fn utf16_of(xml: &str) -> Vec<u8> {
        format!("\u{feff}{xml}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A whole WIM file with nothing between its header and its XML.
    pub(in crate::image) fn file(xml: &str, count: u32, part: (u16, u16)) -> Vec<u8> {
        with_xml(&utf16_of(xml), count, part)
    }

    fn with_xml(xml: &[u8], count: u32, part: (u16, u16)) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER as usize];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(8, &208u32.to_le_bytes());
        put(0xc, &0x10d00u32.to_le_bytes());
        put(0x10, &0x4_0002u32.to_le_bytes());
        put(0x28, &part.0.to_le_bytes());
        put(0x2a, &part.1.to_le_bytes());
        put(0x2c, &count.to_le_bytes());
        put(0x48, &(xml.len() as u64 | 2 << 56).to_le_bytes());
        put(0x50, &HEADER.to_le_bytes());
        put(0x58, &(xml.len() as u64).to_le_bytes());
        put(0x78, &2u32.to_le_bytes());
        bytes.extend(xml);
        bytes
    }

    pub(in crate::image) fn of(bytes: &[u8]) -> Result<Wim, WimError> {
        let read = |at: u64, buffer: &mut [u8]| {
            let at = usize::try_from(at).unwrap();
            let part = bytes.get(at..at + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(part);
            Ok(())
        };
        parse(read, bytes.len() as u64)
    }

    fn two() -> Vec<u8> {
        let images = [
            described(1, "Microsoft Windows PE (amd64)", "WindowsPE", "WindowsPE", 26100),
            described(2, "Microsoft Windows Setup (amd64)", "WindowsPE", "WindowsPE", 26100),
        ];
        file(&xml(&images), 2, (1, 1))
    }

    #[test]
    fn header_and_xml_are_read() {
        let wim = of(&two()).unwrap();
        assert_eq!((wim.boot_index, wim.part, wim.compression), (2, (1, 1), Compression::Lzx));
        let expected = WimImage {
            index: 2,
            name: "Microsoft Windows Setup (amd64)".into(),
            description: "Microsoft Windows Setup (amd64), described".into(),
            edition_id: "WindowsPE".into(),
            installation_type: "WindowsPE".into(),
            architecture: Some("x86_64"),
            build: 26100,
            revision: 1742,
            version: "10.0.26100.1742".into(),
            languages: vec!["en-US".into(), "de-DE".into()],
            size: 16_383_717_491,
        };
        assert_eq!(wim.images.len(), 2);
        assert_eq!(wim.images[1], expected);
    }

    #[test]
    fn processors_and_packing_have_names() {
        let archs = ["0", "9", "12", "6", ""].map(architecture);
        assert_eq!(archs, [Some("i386"), Some("x86_64"), Some("aarch64"), None, None]);
        use Compression::{Lzms, Lzx, None as Plain, Unknown, Xpress};
        let flags = [0, 0x2_0002, 0x4_0002, 0x8_0002, 0x10_0002, 0x2_0000].map(Compression::from_flags);
        assert_eq!(flags, [Plain, Xpress, Lzx, Lzms, Unknown, Plain]);
    }

    #[test]
    fn an_image_of_data_has_a_number_and_a_name_only() {
        let image = "<IMAGE INDEX=\"1\"><NAME>data\u{202e}\u{1f}</NAME></IMAGE><IMAGE><NAME>none</NAME></IMAGE>";
        // A control character is no XML at all.
        assert!(matches!(of(&file(&xml(&[image.into()]), 1, (1, 1))), Err(WimError::Damaged { .. })));
        let image = image.replace('\u{1f}', "&#x9b;\n");
        let wim = of(&file(&xml(&[image]), 1, (1, 1))).unwrap();
        let expected = WimImage { index: 1, name: "data··".into(), ..WimImage::default() };
        assert_eq!(wim.images, [expected]);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = two();
        for length in 0..whole.len() {
            let error = of(&whole[..length]).unwrap_err();
            // What is not there reads as zeros, with which the magic ends.
            let expected = if length < 5 { "it is not a WIM file" } else { "it is cut off" };
            assert!(error.to_string().starts_with(expected), "{length}: {error}");
        }
        assert!(matches!(of(&whole[..whole.len() - 7]), Err(WimError::CutOff { missing: 7 })));
    }

    #[test]
    fn what_cannot_be_is_damage() {
        let whole = two();
        let bent = |at: usize, bytes: &[u8]| {
            let mut bent = whole.clone();
            bent[at..at + bytes.len()].copy_from_slice(bytes);
            of(&bent).map(|_| ()).unwrap_err().to_string()
        };
        let cases: [(&str, usize, &[u8], &str); 12] = [
            ("another size of header", 8, &[212, 0], "unknown size"),
            ("part 0", 0x28, &[0, 0], "part 0 of 1"),
            ("part 2 of 1", 0x28, &[2, 0], "part 2 of 1"),
            ("part 1 of 65535", 0x2a, &[255, 255], "part 1 of 65535"),
            ("3 images", 0x2c, &[3], "counts 3 images and describes 2"),
            ("4294967295 images", 0x2c, &[255; 4], "counts 4294967295"),
            ("no XML", 0x48, &[0; 7], "its XML has 0 bytes"),
            ("2^56 - 1 bytes of XML", 0x48, &[255; 7], "its XML has 72057594037927935 bytes"),
            ("17 MiB of XML", 0x48, &[0, 0, 0x10, 1, 0], "its XML has 17825792 bytes"),
            ("packed XML", 0x4f, &[6], "its XML has"),
            ("XML at 2^64 - 1", 0x50, &[255; 8], "nowhere"),
            ("XML at 2^63", 0x50, &[0, 0, 0, 0, 0, 0, 0, 0x80], "cut off: 9223372036854"),
        ];
        for (name, at, bytes, expected) in cases {
            let error = bent(at, bytes);
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn xml_that_would_cost_much_is_refused() {
        let refused = |xml: &str| of(&file(xml, 0, (1, 1))).map(|_| ()).unwrap_err().to_string();
        let attributes: String = (0..100_000).map(|number| format!(" a{number}=\"\"")).collect();
        let deep = format!("{}{}", "<a>".repeat(600_000), "</a>".repeat(600_000));
        let cases = [
            ("attributes", format!("<WIM><a{attributes}/></WIM>"), "attributes"),
            ("namespaces", format!("<WIM>{}</WIM>", "<a xmlns:b=\"c\">".repeat(1000)), "attributes"),
            ("nodes", deep, "nodes limit"),
            ("entities", "<!DOCTYPE a [<!ENTITY b \"c\">]><WIM>&b;</WIM>".into(), "DTD"),
            ("images", xml(&vec!["<IMAGE INDEX=\"1\"/>".into(); 1001]), "more than 1000"),
            ("no XML", "hello".into(), "damaged"),
        ];
        for (name, xml, expected) in cases {
            let error = refused(&xml);
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert!(of(&with_xml(b"<WIM/>", 0, (1, 1))).is_err(), "8-bit text");
        assert!(of(&with_xml(&[0xff, 0xfe, 0x00, 0xd8, 0x41], 0, (1, 1))).is_err(), "half a character");
    }

    #[test]
    fn deep_xml_does_not_fill_the_stack() {
        let deep = format!("<WIM>{}<IMAGE INDEX=\"1\"/></WIM>", "<a>".repeat(200_000) + &"</a>".repeat(200_000));
        assert_eq!(of(&file(&deep, 1, (1, 1))).unwrap().images.len(), 1);
    }

    #[test]
    fn later_parts_of_a_split_file_may_count_less() {
        let xml = xml(&[described(1, "Windows 11 Pro", "Professional", "Client", 26100)]);
        assert_eq!(of(&file(&xml, 0, (2, 3))).unwrap().part, (2, 3));
        assert!(of(&file(&xml, 0, (1, 3))).is_err());
    }
}
