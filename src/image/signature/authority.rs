//! Whose certificates people meet, in people's words.

use serde::{Deserialize, Serialize};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// Microsoft for others, with the keys of 2011: shims and option ROMs.
    #[serde(rename = "microsoft-uefi-2011")]
    MicrosoftUefi2011,
    /// The same with the keys of 2023: shims.
    #[serde(rename = "microsoft-uefi-2023")]
    MicrosoftUefi2023,
    /// The same for option ROMs alone.
    #[serde(rename = "microsoft-option-rom-2023")]
    MicrosoftOptionRom2023,
    /// Microsoft for Windows, with the keys of 2011.
    #[serde(rename = "windows-2011")]
    Windows2011,
    /// The same with the keys of 2023.
    #[serde(rename = "windows-2023")]
    Windows2023,
    /// Debian.
    Debian,
    /// Canonical, for Ubuntu.
    Canonical,
    /// Fedora.
    Fedora,
    /// Red Hat.
    RedHat,
    /// CentOS.
    #[serde(rename = "centos")]
    CentOs,
    /// AlmaLinux.
    #[serde(rename = "almalinux")]
    AlmaLinux,
    /// Rocky Linux.
    Rocky,
    /// Oracle.
    Oracle,
    /// SUSE, for its enterprise systems and for openSUSE Leap's kernels.
    Suse,
    /// openSUSE.
    #[serde(rename = "opensuse")]
    OpenSuse,
    /// iPXE.
    Ipxe,
    /// VMware.
    Vmware,
    /// Proxmox.
    Proxmox,
    /// Somebody else: the certificate's own name tells.
    Other,
}

/// Microsoft's certificates by their whole names (Microsoft, "Windows Secure Boot Key Creation and Management Guidance",
/// section 1.3.4): whoever else has "Microsoft" in a name is not in a computer's firmware.
const MICROSOFT: [(&str, Authority); 5] = [
    ("Microsoft Corporation UEFI CA 2011", Authority::MicrosoftUefi2011),
    ("Microsoft UEFI CA 2023", Authority::MicrosoftUefi2023),
    ("Microsoft Option ROM UEFI CA 2023", Authority::MicrosoftOptionRom2023),
    ("Microsoft Windows Production PCA 2011", Authority::Windows2011),
    ("Windows UEFI CA 2023", Authority::Windows2023),
];

/// How the others' names begin, in lower case (the certificates of their shims, as rhboot/shim-review has them).
const OTHERS: [(&str, Authority); 17] = [
    ("debian ", Authority::Debian),
    ("canonical ", Authority::Canonical),
    ("ubuntu ", Authority::Canonical),
    ("fedora ", Authority::Fedora),
    ("red hat ", Authority::RedHat),
    ("centos ", Authority::CentOs),
    ("almalinux ", Authority::AlmaLinux),
    ("rocky ", Authority::Rocky),
    ("oracle ", Authority::Oracle),
    ("opensuse ", Authority::OpenSuse),
    ("suse ", Authority::Suse),
    ("ipxe ", Authority::Ipxe),
    ("vmware", Authority::Vmware),
    ("proxmox ", Authority::Proxmox),
    ("fedoraca", Authority::Fedora),
    ("rhel ", Authority::RedHat),
    ("ciq ", Authority::Rocky),
];

impl Authority {
    /// Who that is, by the common names of the issuer and of the certificate that signed.
    pub fn of(issuer: &str, signer: &str) -> Authority {
        if let Some((_, authority)) = MICROSOFT.iter().find(|(name, _)| *name == issuer) {
            return *authority;
        }
        let known = |name: &str| {
            let name = name.to_lowercase();
            OTHERS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, authority)| *authority)
        };
        known(issuer).or_else(|| known(signer)).unwrap_or(Authority::Other)
    }

    /// For people; `None` where the certificate's own name has to do.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Authority::MicrosoftUefi2011 => "Microsoft's UEFI CA 2011",
            Authority::MicrosoftUefi2023 => "Microsoft's UEFI CA 2023",
            Authority::MicrosoftOptionRom2023 => "Microsoft's Option ROM CA 2023",
            Authority::Windows2011 => "Microsoft's Windows PCA 2011",
            Authority::Windows2023 => "Microsoft's Windows UEFI CA 2023",
            Authority::Debian => "Debian",
            Authority::Canonical => "Canonical",
            Authority::Fedora => "Fedora",
            Authority::RedHat => "Red Hat",
            Authority::CentOs => "CentOS",
            Authority::AlmaLinux => "AlmaLinux",
            Authority::Rocky => "Rocky Linux",
            Authority::Oracle => "Oracle",
            Authority::Suse => "SUSE",
            Authority::OpenSuse => "openSUSE",
            Authority::Ipxe => "iPXE",
            Authority::Vmware => "VMware",
            Authority::Proxmox => "Proxmox",
            Authority::Other => return None,
        })
    }

    /// Whether the firmware of nearly every computer starts what it signed, one of the two years at least.
    pub fn is_in_firmware(self) -> bool {
        use Authority::{MicrosoftUefi2011, MicrosoftUefi2023, Windows2011, Windows2023};
        matches!(self, MicrosoftUefi2011 | MicrosoftUefi2023 | Windows2011 | Windows2023)
    }

    /// The year of Microsoft's keys: a firmware may have those of one year only.
    pub fn year(self) -> Option<u16> {
        match self {
            Authority::MicrosoftUefi2011 | Authority::Windows2011 => Some(2011),
            Authority::MicrosoftUefi2023 | Authority::MicrosoftOptionRom2023 | Authority::Windows2023 => Some(2023),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_of_the_field_are_known() {
        let cases = [
            (
                "Microsoft Corporation UEFI CA 2011",
                "Microsoft Windows UEFI Driver Publisher",
                "Microsoft's UEFI CA 2011",
            ),
            ("Microsoft UEFI CA 2023", "Microsoft UEFI CA 2023 signer", "Microsoft's UEFI CA 2023"),
            ("Microsoft Windows Production PCA 2011", "Microsoft Windows", "Microsoft's Windows PCA 2011"),
            ("Windows UEFI CA 2023", "Microsoft Windows", "Microsoft's Windows UEFI CA 2023"),
            ("Debian Secure Boot CA", "Debian Secure Boot Signer 2022 - linux", "Debian"),
            (
                "Canonical Ltd. Master Certificate Authority",
                "Canonical Ltd. Secure Boot Signing (2022 v1)",
                "Canonical",
            ),
            ("Fedora Secure Boot CA", "Fedora Secure Boot Signer", "Fedora"),
            ("Red Hat Secure Boot CA 8", "Red Hat Secure Boot Signing 802", "Red Hat"),
            ("SUSE Linux Enterprise Secure Boot CA", "SUSE Linux Enterprise Secure Boot Signkey", "SUSE"),
            ("openSUSE Secure Boot CA", "openSUSE Secure Boot Signkey", "openSUSE"),
            ("GlobalSign GCC R45 EV CodeSigning CA 2020", "AlmaLinux OS Foundation", "AlmaLinux"),
        ];
        for (issuer, signer, expected) in cases {
            assert_eq!(Authority::of(issuer, signer).name(), Some(expected), "{issuer}");
        }
        let told = [Authority::MicrosoftUefi2011, Authority::Windows2023, Authority::RedHat, Authority::OpenSuse];
        let told = serde_json::to_string(&told).unwrap();
        assert_eq!(told, r#"["microsoft-uefi-2011","windows-2023","red-hat","opensuse"]"#);
        for stranger in ["Microsoft UEFI CA 2023 ", "My Debian Key", "Microsoft Corporation", ""] {
            assert_eq!(Authority::of(stranger, ""), Authority::Other, "{stranger}");
        }
    }
}
