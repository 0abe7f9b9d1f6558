//! The generations of a program's parts, by which shim refuses old ones: its section `.sbat` (rhboot/shim `SBAT.md`,
//! "SBAT: UEFI Secure Boot Advanced Targeting").

use serde::{Deserialize, Serialize};

use super::pe::Image;
use crate::text;

/// Largest section that is read, in bytes; sections are one page, mostly padding.
const MAX_SECTION: usize = 16 << 10;
/// Most parts that are kept; GRUB's with its downstreams has five.
const MAX_COMPONENTS: usize = 16;
/// Longest field, in characters.
const MAX_FIELD: usize = 200;

/// A part of a program. Its fields are plain text of 200 characters at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name: `grub`, `grub.debian`.
    pub component: String,
    /// Its generation; a higher one has more mended.
    pub generation: u32,
    /// Who makes it.
    pub vendor: String,
    /// The vendor's name for it.
    pub package: String,
    /// The vendor's version.
    pub version: String,
    /// Where to read about it.
    pub url: String,
}

/// The parts of a program, in its order; empty where it tells none.
pub(super) fn components(image: &Image) -> Vec<Component> {
    let section = image.section(".sbat").and_then(|place| image.start_of(place, MAX_SECTION)).unwrap_or_default();
    parse(&section)
}

/// Lines that are not of the form are left out.
fn parse(section: &[u8]) -> Vec<Component> {
    let text = section.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).lines().filter_map(line).take(MAX_COMPONENTS).collect()
}

/// `component_name,component_generation,vendor_name,vendor_package_name,vendor_version,vendor_url`.
fn line(line: &str) -> Option<Component> {
    let mut fields = line.splitn(6, ',').map(|field| text::plain(field, MAX_FIELD));
    let mut field = || fields.next();
    let (component, generation) = (field()?, field()?.parse().ok()?);
    let mut rest = || field().unwrap_or_default();
    let (vendor, package, version, url) = (rest(), rest(), rest(), rest());
    (!component.is_empty()).then_some(Component { component, generation, vendor, package, version, url })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_components_and_padding_ends_them() {
        let text = b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\r\n\
                     grub,5,Free Software Foundation,grub,2.06,https://www.gnu.org/software/grub/\n\
                     no generation\nx,-1,a,b,c,d\n,3,a,b,c,d\nshort,7\n\0hidden,9,a,b,c,d\n";
        let found = parse(text);
        let told: Vec<(&str, u32, &str)> =
            found.iter().map(|it| (it.component.as_str(), it.generation, it.version.as_str())).collect();
        assert_eq!(told, [("sbat", 1, "1"), ("grub", 5, "2.06"), ("short", 7, "")]);
        assert_eq!(found[0].url, "https://github.com/rhboot/shim/blob/main/SBAT.md");
        assert_eq!((found[1].vendor.as_str(), found[1].package.as_str()), ("Free Software Foundation", "grub"));
    }

    #[test]
    fn a_section_of_lines_is_bounded() {
        let text = format!("{},1,\x1b[2J,b,c,d\n", "x".repeat(500)).repeat(100);
        let found = parse(text.as_bytes());
        assert_eq!(found.len(), MAX_COMPONENTS);
        assert!(found.iter().all(|it| it.component.len() == MAX_FIELD && text::is_plain(&it.vendor)));
    }
}
