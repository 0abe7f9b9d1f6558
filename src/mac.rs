//! The hardware address of a computer's network card.
//!
//! State about computers is keyed on it, never on a transaction id: the EFI builds of iPXE send the same one at every
//! boot (seen with Debian's ipxe.efi), so like machines switched on together may share it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 48-bit IEEE 802 address. Shown and read as `52:54:00:77:01:01`; dashes are read as well.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// The text is not six pairs of hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a MAC address like 52:54:00:12:34:56")]
pub struct NotAMac(String);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAMac(text.chars().take(64).collect());
        let mut octets = [0u8; 6];
        let mut parts = text.trim().split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(wrong)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        match parts.next() {
            None => Ok(Mac(octets)),
            Some(_) => Err(wrong()),
        }
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows_and_dashes_too() {
        let mac: Mac = "52:54:00:77:01:0A".parse().unwrap();
        assert_eq!(mac.to_string(), "52:54:00:77:01:0a");
        assert_eq!("52-54-00-77-01-0a".parse(), Ok(mac));
    }

    #[test]
    fn refuses_anything_else() {
        for text in ["", "52:54:00:77:01", "52:54:00:77:01:01:02", "5:54:00:77:01:01", "+5:54:00:77:01:zz"] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
