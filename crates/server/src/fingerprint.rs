//! Fingerprints of wrong passwords, so that the same one counts once.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::store::Fingerprint;
use crate::trace::whole_blocks;

/// The key, which is kept outside the database: with the database alone,
/// fingerprints cannot be guessed at.
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Reads 64 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii().as_bytes();
        let mut key = Zeroizing::new([0; 32]);
        if text.len() != 64 {
            return None;
        }
        for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_plain)?;
        }
        Some(Self(key))
    }

    /// A new one, as it is written.
    pub(crate) fn draw() -> Result<Zeroizing<String>, getrandom::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice())?;
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in key.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        text.push('\n');
        Ok(text)
    }

    /// Of the password of an account.
    pub(crate) fn of(&self, account: &str, password: &str) -> Fingerprint {
        Fingerprint::new(self.hash(&[account.as_bytes(), password.as_bytes()]))
    }

    /// Of what replicas are to have in common, in hexadecimal digits.
    pub(crate) fn mark(&self, parts: &[&[u8]]) -> String {
        // An account has no empty id.
        let parts: Vec<&[u8]> = [&[][..]].into_iter().chain(parts.iter().copied()).collect();
        self.hash(&parts).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        // Keys of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            return [0; 32];
        };
        mac.update(&whole_blocks(parts));
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hexadecimal() {
        let drawn = Key::parse(&Key::draw().unwrap()).unwrap();
        assert_ne!(*drawn.0, [0; 32]);
        for wrong in ["", "00", &"+1".repeat(32), &"0".repeat(63), &"g0".repeat(32)] {
            assert!(Key::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn fingerprints_differ_by_account_and_password() {
        let [key, other] = [(); 2].map(|()| Key::parse(&Key::draw().unwrap()).unwrap());
        let one = key.of("a", "bc");
        assert!(one == key.of("a", "bc"));
        assert!(one != key.of("ab", "c"));
        assert!(one != key.of("a", "bd"));
        assert!(one != other.of("a", "bc"));
        assert_eq!(key.mark(&[b"a", b"bc"]), key.mark(&[b"a", b"bc"]));
        assert_eq!(key.mark(&[b"a"]).len(), 64);
        assert_ne!(key.mark(&[b"a", b"bc"]), key.mark(&[b"ab", b"c"]));
        assert_ne!(key.mark(&[b"a"]), other.mark(&[b"a"]));
    }
}
