//! Programs made here, signed with names only. Those of Debian are in tests/signed.rs.

use super::*;

/// An item of DER.
fn item(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match length {
        0..0x80 => bytes.push(length as u8),
        0x80..0x100 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend(content);
    bytes
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    item(0x30, &parts.concat())
}

/// A name of one part: the last number of 2.5.4.x, a kind of string, and the string.
fn name_of(part: u8, tag: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[item(0x31, &sequence(&[item(0x06, &[0x55, 0x04, part]), item(tag, value)]))])
}

fn name(common: &str) -> Vec<u8> {
    name_of(3, 0x0c, common.as_bytes())
}

fn certificate(serial: u8, issuer: &[u8], subject: &[u8]) -> Vec<u8> {
    let signed = sequence(&[
        item(0xa0, &item(0x02, &[2])),
        item(0x02, &[serial]),
        sequence(&[]),
        issuer.to_vec(),
        sequence(&[]),
        subject.to_vec(),
    ]);
    sequence(&[signed, sequence(&[]), item(0x03, &[0])])
}

fn signed_data(certificates: &[Vec<u8>], signers: &[(Vec<u8>, u8)]) -> Vec<u8> {
    let signers: Vec<Vec<u8>> = signers
        .iter()
        .map(|(issuer, serial)| {
            sequence(&[item(0x02, &[1]), sequence(&[issuer.clone(), item(0x02, &[*serial])]), item(0x31, &[])])
        })
        .collect();
    let data = sequence(&[
        item(0x02, &[1]),
        item(0x31, &[]),
        sequence(&[]),
        item(0xa0, &certificates.concat()),
        item(0x31, &signers.concat()),
    ]);
    let kind = item(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]);
    sequence(&[kind, item(0xa0, &data)])
}

/// Signed by `subject` with a certificate of `issuer`.
fn signed_by(issuer: &str, subject: &str) -> Vec<u8> {
    signed_data(&[certificate(7, &name(issuer), &name(subject))], &[(name(issuer), 7)])
}

fn entry(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32 + 8).to_le_bytes().to_vec();
    bytes.extend([0, 2]);
    bytes.extend(kind.to_le_bytes());
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// Where the optional header of these programs is, and the fields behind it.
const OPTIONAL: usize = 0x80 + 24;
const DIRECTORY: usize = OPTIONAL + 112 + 4 * 8;

/// A program for 64-bit x86 with these sections and certificates.
fn program(sections: &[(&str, Vec<u8>)], certificates: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0u8; 1024];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, b"MZ");
    put(0x3c, &[0x80]);
    put(0x80, b"PE\0\0\x64\x86");
    put(0x86, &[sections.len() as u8]);
    put(0x80 + 20, &240u16.to_le_bytes());
    put(OPTIONAL, &0x20bu16.to_le_bytes());
    put(OPTIONAL + 108, &16u32.to_le_bytes());
    let mut content: Vec<u8> = Vec::new();
    let mut strings = vec![0u8; 4];
    for (number, (name, part)) in sections.iter().enumerate() {
        let header = OPTIONAL + 240 + number * 40;
        if name.len() > 8 {
            put(header, format!("/{}", strings.len()).as_bytes());
            strings.extend([name.as_bytes(), b"\0"].concat());
        } else {
            put(header, name.as_bytes());
        }
        put(header + 8, &(part.len() as u32).to_le_bytes());
        put(header + 16, &(part.len() as u32).next_multiple_of(512).to_le_bytes());
        put(header + 20, &(1024 + content.len() as u32).to_le_bytes());
        content.extend(part);
        content.resize(content.len().next_multiple_of(512), 0);
    }
    put(0x80 + 12, &(1024 + content.len() as u32).to_le_bytes());
    content.extend(strings);
    content.resize(content.len().next_multiple_of(8), 0);
    let table = certificates.concat();
    if !table.is_empty() {
        put(DIRECTORY, &(1024 + content.len() as u32).to_le_bytes());
        put(DIRECTORY + 4, &(table.len() as u32).to_le_bytes());
    }
    [bytes, content, table].concat()
}

fn read(bytes: &[u8]) -> Option<Signed> {
    let read = |at: u64, buffer: &mut [u8]| {
        let at = usize::try_from(at).unwrap();
        // Nothing behind the end is asked for.
        buffer.copy_from_slice(&bytes[at..at + buffer.len()]);
        Ok(())
    };
    of("/EFI/BOOT/BOOTX64.EFI", &read, bytes.len() as u64)
}

fn names(bytes: &[u8]) -> Vec<(String, String, String)> {
    let signatures = read(bytes).unwrap().signed_by;
    signatures.into_iter().map(|it| (it.signer, it.issuer, it.root)).collect()
}

fn own(parts: (&str, &str, &str)) -> (String, String, String) {
    (parts.0.to_owned(), parts.1.to_owned(), parts.2.to_owned())
}

/// A list of signatures of one kind, each of the same length.
fn list(kind: &[u8; 16], entries: &[Vec<u8>]) -> Vec<u8> {
    let size = entries.first().map_or(0, Vec::len) + 16;
    let mut bytes = kind.to_vec();
    for field in [28 + size * entries.len(), 0, size] {
        bytes.extend((field as u32).to_le_bytes());
    }
    entries.iter().for_each(|entry| bytes.extend([vec![9; 16], entry.clone()].concat()));
    bytes
}

const X509: [u8; 16] = [0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72];
const SHA256: [u8; 16] =
    [0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28];

fn vendor(accepted: &[u8], refused: &[u8]) -> Vec<u8> {
    let fields = [accepted.len(), refused.len(), 16, 16 + accepted.len()];
    let head: Vec<u8> = fields.into_iter().flat_map(|field| (field as u32).to_le_bytes()).collect();
    [head, accepted.to_vec(), refused.to_vec()].concat()
}

/// A module of GRUB for 64 bits that has this name.
fn module(name: &str) -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    let strings = b"\0.modname\0";
    elf.extend(strings);
    let at = elf.len();
    elf.extend([name.as_bytes(), b"\0"].concat());
    let length = elf.len() - at;
    elf.resize(elf.len().next_multiple_of(8), 0);
    let table = elf.len() as u64;
    for (offset, place, size) in [(0u32, 0, 0), (1, at, length), (0, 64, strings.len())] {
        let mut header = vec![0u8; 64];
        header[..4].copy_from_slice(&offset.to_le_bytes());
        header[0x18..0x20].copy_from_slice(&(place as u64).to_le_bytes());
        header[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
        elf.extend(header);
    }
    elf[0x28..0x30].copy_from_slice(&table.to_le_bytes());
    elf[0x3a..0x40].copy_from_slice(&[64, 0, 3, 0, 2, 0]);
    elf
}

fn objects(parts: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, content) in parts {
        bytes.extend(kind.to_le_bytes());
        bytes.extend((content.len() as u32 + 8).to_le_bytes());
        bytes.extend(content);
    }
    let size = 24 + bytes.len() as u64;
    [&b"mimg\0\0\0\0"[..], &24u64.to_le_bytes(), &size.to_le_bytes(), &bytes].concat()
}

fn grub_of(modules: &[&str]) -> Vec<u8> {
    let mut parts: Vec<(u32, Vec<u8>)> = modules.iter().map(|name| (0, module(name))).collect();
    parts.push((1, vec![0; 5000]));
    parts.push((3, b"/grub\0\0\0".to_vec()));
    objects(&parts)
}

#[test]
fn the_signing_certificate_is_the_one_that_is_named() {
    let (root, ca) = (name("Root"), name("Microsoft UEFI CA 2023"));
    let chain = [
        certificate(1, &root, &root),
        certificate(2, &root, &ca),
        certificate(8, &ca, &name("Another signer")),
        certificate(7, &ca, &name("The signer")),
    ];
    let bytes = program(&[], &[entry(2, &signed_data(&chain, &[(ca, 7)]))]);
    let found = read(&bytes).unwrap();
    assert_eq!(names(&bytes), [own(("The signer", "Microsoft UEFI CA 2023", "Root"))]);
    assert_eq!((found.machine, found.signed_by[0].authority), (Machine::X64, Authority::MicrosoftUefi2023));
    assert!(!found.is_shim() && found.grub.is_none() && found.sbat.is_empty());
}

#[test]
fn every_entry_of_the_table_counts() {
    let debian = signed_by("Debian Secure Boot CA", "Debian Secure Boot Signer 2022 - linux");
    let microsoft = signed_by("Microsoft Corporation UEFI CA 2011", "Microsoft Windows UEFI Driver Publisher");
    let own_debian = own(("Debian Secure Boot Signer 2022 - linux", "Debian Secure Boot CA", "Debian Secure Boot CA"));
    let mut padded = debian.clone();
    padded.extend([0; 5]);
    assert_eq!(names(&program(&[], &[])), []);
    assert_eq!(names(&program(&[], &[entry(2, &padded)])), std::slice::from_ref(&own_debian));
    assert_eq!(names(&program(&[], &[entry(1, &debian), entry(2, &debian)])), std::slice::from_ref(&own_debian));
    let two = names(&program(&[], &[entry(2, &microsoft), entry(2, &debian)]));
    assert_eq!((two.len(), &two[1]), (2, &own_debian));
    let many: Vec<Vec<u8>> = std::iter::repeat_n(entry(2, &debian), 100).collect();
    assert_eq!(names(&program(&[], &many)).len(), 4);
}

#[test]
fn names_of_every_kind_of_string_are_read() {
    let utf16: Vec<u8> = "Ünï".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases = [
        (name_of(3, 0x13, b"Printable"), "Printable"),
        (name_of(3, 0x1e, &utf16), "Ünï"),
        (name_of(3, 0x14, b"\xdcn\xef"), "Ünï"),
        (name_of(10, 0x0c, b"An organisation"), "An organisation"),
        (name_of(3, 0x0c, b"\x1b[2J\xff"), "·[2J\u{fffd}"),
        (name_of(6, 0x13, b"DE"), ""),
        (name(&"x".repeat(500)), &"x".repeat(100)),
    ];
    for (subject, expected) in cases {
        let issuer = name("CA");
        let data = signed_data(&[certificate(7, &issuer, &subject)], &[(issuer, 7)]);
        assert_eq!(names(&program(&[], &[entry(2, &data)]))[0].0, expected);
    }
    // A signer whose certificate is not there is known by its issuer.
    let data = signed_data(&[certificate(8, &name("CA"), &name("Another"))], &[(name("CA"), 7)]);
    assert_eq!(names(&program(&[], &[entry(2, &data)])), [own(("", "CA", "CA"))]);
}

#[test]
fn certificates_that_issue_each_other_have_an_end() {
    let (one, two) = (name("One"), name("Two"));
    let circle = [certificate(1, &two, &one), certificate(2, &one, &two)];
    let found = names(&program(&[], &[entry(2, &signed_data(&circle, &[(two, 1)]))]));
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("One", "Two"));
}

#[test]
fn a_shim_tells_what_it_accepts_and_refuses() {
    let one = certificate(1, &name("Debian Secure Boot CA"), &name("Debian Secure Boot CA"));
    let old = certificate(1, &name("Old CA"), &name("Old CA"));
    let cases: [(&str, Vec<u8>, &[&str], &[&str]); 6] = [
        ("one certificate", vendor(&one, &[]), &["Debian Secure Boot CA"], &[]),
        (
            "lists",
            vendor(&[list(&X509, &[old.clone(), old.clone()]), list(&X509, std::slice::from_ref(&one))].concat(), &[]),
            &["Old CA", "Debian Secure Boot CA"],
            &[],
        ),
        (
            "hashes are refused, and a certificate",
            vendor(&one, &[list(&SHA256, &[vec![1; 32], vec![2; 32]]), list(&X509, &[old])].concat()),
            &["Debian Secure Boot CA"],
            &["Old CA"],
        ),
        ("nothing", vendor(&[], &[]), &[], &[]),
        ("cut off", vendor(&one, &[])[..500.min(one.len())].to_vec(), &[], &[]),
        ("sizes of 4 GiB", vec![0xff; 64], &[], &[]),
    ];
    for (case, section, accepted, refused) in cases {
        let found = read(&program(&[(".text", vec![1; 700]), (".vendor_cert", section)], &[])).unwrap();
        assert_eq!(
            (found.trusts.as_slice(), found.refuses.as_slice()),
            (&owned(accepted)[..], &owned(refused)[..]),
            "{case}"
        );
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_shim_accepts_by_its_own_certificates() {
    let one = certificate(1, &name("CA"), &name("CA"));
    let old = certificate(1, &name("CA"), &name("Old signer"));
    let shim = read(&program(&[(".vendor_cert", vendor(&one, &list(&X509, &[old])))], &[])).unwrap();
    let by =
        |issuer: &str, signer: &str| read(&program(&[], &[entry(2, &signed_by(issuer, signer))])).unwrap().signed_by;
    assert!(shim.accepts(&by("CA", "Signer")) && shim.accepts(&by("Root", "CA")));
    assert!(!shim.accepts(&by("Other", "Signer")) && !shim.accepts(&by("CA", "Old signer")) && !shim.accepts(&[]));
}

#[test]
fn a_grub_fetches_by_the_modules_that_it_has() {
    let cases: [(&[&str], bool, bool); 6] = [
        (&["normal", "net", "efinet", "tftp"], true, false),
        (&["efinet", "http"], true, true),
        // Debian's GRUB for discs: what it has of the network is there because `chain` needs it.
        (&["normal", "net", "efinet", "chain"], false, false),
        (&["tftp", "http"], false, false),
        (&["efinet", "tftpx", "xhttp"], false, false),
        (&[], false, false),
    ];
    for (modules, fetches, http) in cases {
        let grub = read(&program(&[("mods", grub_of(modules)), (".sbat", b"grub,3,a\n".to_vec())], &[])).unwrap();
        assert_eq!(grub.grub, Some(Grub { fetches, http, prefix: Some("/grub".into()) }), "{modules:?}");
        assert_eq!(grub.sbat[0].generation, 3);
    }
    // The names in its code are no modules.
    let text = objects(&[(0, module("efinet")), (0, b"\0tftp\0".to_vec())]);
    assert!(!read(&program(&[("mods", text)], &[])).unwrap().grub.unwrap().fetches);
    assert_eq!(read(&program(&[("mods", vec![7; 100])], &[])).unwrap().grub, None);
}

#[test]
fn what_is_no_program_is_none() {
    let mut no_magic = program(&[], &[]);
    no_magic[OPTIONAL] = 0;
    for bytes in [&b""[..], b"MZ", b"\x1f\x8b\x08", &[0; 2048], &no_magic, &program(&[], &[])[..OPTIONAL]] {
        assert_eq!(read(bytes), None, "{} bytes", bytes.len());
    }
}

#[test]
fn directories_that_lie_have_no_signatures() {
    let data = entry(2, &signed_by("CA", "Signer"));
    let good = program(&[], std::slice::from_ref(&data));
    assert_eq!(names(&good).len(), 1);
    let lies: [(&str, usize, u32); 7] = [
        ("a table at 4 GiB", DIRECTORY, u32::MAX),
        ("a table of 4 GiB", DIRECTORY + 4, u32::MAX),
        ("a table over the end", DIRECTORY + 4, data.len() as u32 + 8),
        ("a table over the headers", DIRECTORY, 0),
        ("an entry of 4 GiB", good.len() - data.len(), u32::MAX),
        ("an entry of nothing", good.len() - data.len(), 0),
        ("four directories", OPTIONAL + 108, 4),
    ];
    for (case, at, value) in lies {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(names(&bytes), [], "{case}");
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_breaks_it() {
    let ca = certificate(1, &name("CA"), &name("CA"));
    let parts = [
        (".vendor_cert", vendor(&ca, &list(&X509, std::slice::from_ref(&ca)))),
        (".sbat", b"shim,4,a,b,c,d\n".to_vec()),
        ("mods", grub_of(&["efinet", "tftp"])),
    ];
    let good = program(&parts, &[entry(2, &signed_by("CA", "Signer"))]);
    let whole = read(&good).unwrap();
    assert!(whole.is_shim() && whole.grub.as_ref().is_some_and(|grub| grub.fetches) && !whole.sbat.is_empty());
    for length in 0..good.len() {
        if let Some(found) = read(&good[..length]) {
            assert!(found.signed_by.is_empty(), "{length}");
        }
    }
    let mut bytes = good.clone();
    for at in 0..good.len() {
        for value in [0, 0xff] {
            bytes[at] = value;
            if let Some(found) = read(&bytes) {
                assert!(found.trusts.len() <= 16 && found.signed_by.len() <= 4 && found.sbat.len() <= 16);
            }
        }
        bytes[at] = good[at];
    }
}

#[test]
fn nesting_costs_nothing() {
    let mut deep = Vec::new();
    for _ in 0..200_000 / 4 {
        deep.extend([0x30, 0x82, 0xff, 0xff]);
    }
    assert_eq!(names(&program(&[(".vendor_cert", vendor(&deep, &deep))], &[entry(2, &deep)])), []);
}
