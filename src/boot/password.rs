//! Passwords of menu entries: kept as a slow hash alone, checked here, and asked for ever more slowly.

mod attempts;

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

pub use attempts::Attempts;

/// Longest password, in characters: iPXE of 2019 has room for as many (`src/hci/tui/login_ui.c`).
pub const MAX: usize = 63;

/// Most memory that a check may take, in KiB.
const MAX_MEMORY: u32 = 256 << 10;
/// Most passes over it, and most lanes.
const MAX_PASSES: u32 = 16;

/// Why a password cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// iPXE has no room for it.
    #[error("it has more than {MAX} characters, and iPXE has no room for more")]
    TooLong,
    /// It cannot be typed in front of iPXE.
    #[error("iPXE takes only letters without accents, digits, spaces and the usual signs")]
    Characters,
    /// iPXE would put something else in its place.
    #[error("iPXE would fill in what it takes for a name behind \"${{\"")]
    Expands,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// What is kept of a password: a PHC string (`$argon2id$…`). `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Hash(…)")
    }
}

impl Hash {
    /// Makes one, with 19 MiB of memory and two passes (OWASP's first choice for Argon2id). Takes some ten milliseconds.
    ///
    /// # Errors
    /// The password cannot be typed in front of iPXE, or the system gives no random numbers.
    pub fn of(password: &str) -> Result<Hash, BadPassword> {
        if let Some(bad) = objection(password) {
            return Err(bad);
        }
        let hash = hasher().hash_password(password.as_bytes()).map_err(|_| BadPassword::NoRandom)?;
        Ok(Hash(hash.to_string()))
    }

    /// What stands in a deployment.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a check can be made of it, with no more than 256 MiB of memory and 16 passes.
    pub fn is_usable(&self) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        let Ok(params) = Params::try_from(&hash) else { return false };
        let modest = params.m_cost() <= MAX_MEMORY && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_PASSES;
        modest && hash.algorithm.as_str() == Algorithm::Argon2id.as_str() && hash.salt.is_some() && hash.hash.is_some()
    }

    /// Whether this is the password. Takes as long as making one.
    pub fn fits(&self, password: &str) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        password.len() <= MAX && self.is_usable() && hasher().verify_password(password.as_bytes(), &hash).is_ok()
    }
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Why this cannot be a password; `None` if it can.
pub fn objection(password: &str) -> Option<BadPassword> {
    match () {
        () if password.is_empty() => Some(BadPassword::Empty),
        () if !password.chars().all(|c| matches!(c, ' '..='~')) => Some(BadPassword::Characters),
        () if password.len() > MAX => Some(BadPassword::TooLong),
        // iPXE looks once more at what it has filled in (`expand_settings`).
        () if password.contains("${") => Some(BadPassword::Expands),
        () => None,
    }
}

/// The password of an `Authorization` header (RFC 7617), whoever says it. `None` if it has none.
pub fn of_header(value: &str) -> Option<String> {
    use base64ct::Encoding;
    let (scheme, coded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || coded.len() > 1024 {
        return None;
    }
    let said = String::from_utf8(base64ct::Base64::decode_vec(coded.trim()).ok()?).ok()?;
    said.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_fits_its_hash() {
        let hash = Hash::of("open sesame: 1#/?@&%").expect("a hash");
        assert!(hash.is_usable() && hash.fits("open sesame: 1#/?@&%"));
        for wrong in ["", "open sesame: 1#/?@&", "Open sesame: 1#/?@&%", "open sesame: 1#/?@&% "] {
            assert!(!hash.fits(wrong), "{wrong}");
        }
        assert_ne!(hash, Hash::of("open sesame: 1#/?@&%").expect("a hash"), "each has its own salt");
        assert!(!hash.as_str().contains("sesame") && !format!("{hash:?}").contains('$'));
        let kept: Hash = serde_json::from_str(&serde_json::to_string(&hash).expect("text")).expect("a hash");
        assert_eq!(kept, hash);
    }

    #[test]
    fn what_cannot_be_typed_is_no_password() {
        let cases = [
            ("", Some(BadPassword::Empty)),
            ("a", None),
            ("two words $ { }", None),
            ("gr\u{fc}n", Some(BadPassword::Characters)),
            ("a\tb", Some(BadPassword::Characters)),
            ("a${net0/mac}", Some(BadPassword::Expands)),
        ];
        for (password, expected) in cases {
            assert_eq!(objection(password), expected, "{password:?}");
        }
        assert_eq!(objection(&"x".repeat(MAX)), None);
        assert_eq!(objection(&"x".repeat(MAX + 1)), Some(BadPassword::TooLong));
    }

    #[test]
    fn a_hash_that_is_none_or_costs_too_much_is_told() {
        let hash = |text: &str| Hash(text.to_owned());
        let end = "c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg";
        assert!(hash(&format!("$argon2id$v=19$m=19456,t=2,p=1${end}")).is_usable());
        let bad = [
            String::new(),
            "secret".to_owned(),
            "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
            format!("$argon2i$v=19$m=19456,t=2,p=1${end}"),
            format!("$argon2id$v=19$m=4194304,t=2,p=1${end}"),
            format!("$argon2id$v=19$m=19456,t=2000,p=1${end}"),
            format!("$scrypt$ln=16,r=8,p=1${end}"),
        ];
        for bad in bad {
            assert!(!hash(&bad).is_usable() && !hash(&bad).fits("secret"), "{bad}");
        }
    }

    #[test]
    fn the_password_of_a_header_is_what_stands_behind_the_colon() {
        let cases = [
            ("Basic OnNlc2FtZQ==", Some("sesame")),
            ("basic  YW55Ym9keTpzZTpzYW1l", Some("se:same")),
            ("Basic OnNlc2FtZQ", None),
            ("Basic", None),
            ("Basic ////", None),
            ("Basic c2VzYW1l", None),
            ("Digest OnNlc2FtZQ==", None),
        ];
        for (header, expected) in cases {
            assert_eq!(of_header(header).as_deref(), expected, "{header}");
        }
    }
}
