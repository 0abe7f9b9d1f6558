//! With Secure Boot on, what starts an image's kernel: the shim that computers get first, the image's own, or nothing
//! here.
//!
//! A shim accepts what the firmware's keys or its own certificate lead to, and it starts the loader beside it, which asks
//! it before it starts a kernel (rhboot/shim `README.md`; GRUB `docs/grub.texi`, "UEFI secure boot and shim"). All is told
//! by names, which the firmware then verifies.

use crate::image::signature::{Machine, Signature, Signed};

/// How a kernel gets started with Secure Boot on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Chain {
    /// The first shim accepts it, or the firmware does.
    Direct,
    /// The image's own shim does, and the loader beside it can fetch it.
    OwnShim {
        /// The shim's absolute path in the image.
        shim: String,
        /// The loader's.
        loader: String,
    },
    /// Nothing here starts it: why, in a sentence.
    Nothing(String),
}

/// Decides for a kernel with these signatures (none where they could not be read) of this processor, in an image with
/// these programs, where computers get the shim `first`.
pub fn chain(kernel: Option<&[Signature]>, arch: &str, image: &[Signed], first: Option<&Signed>) -> Chain {
    let Some(kernel) = kernel else {
        return nothing("Who signed its kernel cannot be read");
    };
    if kernel.is_empty() {
        return nothing("Its kernel is not signed");
    }
    if is_in_firmware(kernel) || first.is_some_and(|first| first.accepts(kernel)) {
        return Chain::Direct;
    }
    match own_shim(kernel, Machine::of_arch(arch), image) {
        Ok((shim, loader)) => Chain::OwnShim { shim: shim.path.clone(), loader: loader.path.clone() },
        Err(why) => nothing(&format!("Its kernel is signed by {}, {why}", who(kernel))),
    }
}

fn nothing(why: &str) -> Chain {
    Chain::Nothing(format!("{why}, so it starts only with Secure Boot off."))
}

fn is_in_firmware(signatures: &[Signature]) -> bool {
    signatures.iter().any(|signature| signature.authority.is_in_firmware())
}

fn who(signatures: &[Signature]) -> &str {
    signatures.first().map_or("nobody", Signature::who)
}

/// The image's shim and loader for a machine, where the kernel can be fetched and started through them; else why not.
fn own_shim<'a>(
    kernel: &[Signature],
    machine: Machine,
    image: &'a [Signed],
) -> Result<(&'a Signed, &'a Signed), &'static str> {
    const NOBODY: &str = "which neither the firmware nor a shim here accepts";
    let suffix = machine.suffix().ok_or(NOBODY)?;
    let named = |name: &str| image.iter().find(|program| is_named(program, name) && program.machine == machine);
    let shim = named(&format!("boot{suffix}.efi")).filter(|program| program.is_shim() && program.accepts(kernel));
    let shim = shim.ok_or(NOBODY)?;
    if !is_in_firmware(&shim.signed_by) {
        return Err("and the image's own shim, which accepts that, is not signed by Microsoft");
    }
    // shim's DEFAULT_LOADER; SUSE builds it with a name of its own.
    let loader = named(&format!("grub{suffix}.efi")).or_else(|| named("grub.efi"));
    let loader = loader.ok_or("and the image's own shim, which accepts that, has no GRUB beside it")?;
    if !shim.accepts(&loader.signed_by) && !is_in_firmware(&loader.signed_by) {
        return Err("and the image's own shim, which accepts that, does not accept the GRUB beside it");
    }
    if !loader.grub.as_ref().is_some_and(|grub| grub.fetches) {
        return Err("which only the image's own shim accepts, and the GRUB beside that cannot fetch from a network");
    }
    Ok((shim, loader))
}

fn is_named(program: &Signed, name: &str) -> bool {
    program.path.rsplit('/').next().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::signature::{Authority, Grub};

    const MICROSOFT: &str = "Microsoft Corporation UEFI CA 2011";

    fn by(issuer: &str) -> Vec<Signature> {
        let signer = format!("{issuer} signer");
        let authority = Authority::of(issuer, &signer);
        vec![Signature { signer, issuer: issuer.to_owned(), root: issuer.to_owned(), authority }]
    }

    fn program(name: &str, signed_by: Vec<Signature>) -> Signed {
        Signed {
            path: format!("/EFI/BOOT/{name}"),
            machine: Machine::X64,
            signed_by,
            trusts: vec![],
            refuses: vec![],
            sbat: vec![],
            grub: None,
        }
    }

    fn shim(signed_by: &str, trusts: &str) -> Signed {
        Signed { trusts: vec![trusts.to_owned()], ..program("BOOTX64.EFI", by(signed_by)) }
    }

    fn grub(name: &str, signed_by: Vec<Signature>, fetches: bool) -> Signed {
        Signed { grub: Some(Grub { fetches, http: false, prefix: None }), ..program(name, signed_by) }
    }

    #[test]
    fn each_kernel_has_its_chain_or_a_reason() {
        let (debian, fedora) = ("Debian Secure Boot CA", "Fedora Secure Boot CA");
        let own = |loader: &str| Chain::OwnShim {
            shim: "/EFI/BOOT/BOOTX64.EFI".into(),
            loader: format!("/EFI/BOOT/{loader}"),
        };
        let whole = [shim(MICROSOFT, fedora), grub("grubx64.efi", by(fedora), true)];
        let suse = [shim("Microsoft UEFI CA 2023", fedora), grub("grub.efi", by(fedora), true)];
        let for_discs = [shim(MICROSOFT, fedora), grub("grubx64.efi", by(fedora), false)];
        let for_arm = whole.clone().map(|program| Signed { machine: Machine::Arm64, ..program });
        let cases: [(&str, Option<Vec<Signature>>, &[Signed], Result<Chain, &str>); 14] = [
            ("Debian's", Some(by(debian)), &[], Ok(Chain::Direct)),
            ("Microsoft's own", Some(by("Windows UEFI CA 2023")), &[], Ok(Chain::Direct)),
            ("with its own shim", Some(by(fedora)), &whole, Ok(own("grubx64.efi"))),
            ("a loader by SUSE's name", Some(by(fedora)), &suse, Ok(own("grub.efi"))),
            ("unreadable", None, &whole, Err("cannot be read")),
            ("unsigned", Some(vec![]), &whole, Err("Its kernel is not signed, so it starts only")),
            ("without a shim", Some(by(fedora)), &[], Err("by Fedora, which neither the firmware")),
            ("of a stranger", Some(by("My Key")), &whole, Err("by My Key, which neither")),
            ("a loader without network", Some(by(fedora)), &for_discs, Err("GRUB beside that cannot fetch")),
            ("a shim alone", Some(by(fedora)), &whole[..1], Err("no GRUB beside it")),
            ("another machine's shim", Some(by(fedora)), &for_arm, Err("which neither")),
            (
                "a shim of nobody",
                Some(by(fedora)),
                &[shim("My Key", fedora), whole[1].clone()],
                Err("not signed by Microsoft"),
            ),
            (
                "a loader of nobody",
                Some(by(fedora)),
                &[whole[0].clone(), grub("grubx64.efi", vec![], true)],
                Err("does not accept the GRUB"),
            ),
            (
                "a loader that is no GRUB",
                Some(by(fedora)),
                &[whole[0].clone(), program("grubx64.efi", by(fedora))],
                Err("cannot fetch"),
            ),
        ];
        let first = shim(MICROSOFT, debian);
        for (case, kernel, image, expected) in cases {
            let found = chain(kernel.as_deref(), "x86_64", image, Some(&first));
            match (expected, found) {
                (Ok(expected), found) => assert_eq!(found, expected, "{case}"),
                (Err(part), Chain::Nothing(why)) => {
                    assert!(
                        why.contains(part) && why.ends_with("so it starts only with Secure Boot off."),
                        "{case}: {why}"
                    );
                }
                (Err(_), found) => panic!("{case}: {found:?}"),
            }
        }
        assert!(matches!(chain(Some(&by(debian)), "x86_64", &[], None), Chain::Nothing(_)));
    }
}
