//! Where random numbers come from.

use zeroize::Zeroizing;

use crate::error::Error;

/// What gives random bytes. Passwords are only ever drawn from [`System`].
pub(super) trait Source {
    /// # Errors
    ///
    /// There are none.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error>;

    /// A number below `end`, each as likely as any other.
    fn below(&mut self, end: u128) -> Result<u128, Error> {
        let bits = u128::BITS - end.saturating_sub(1).leading_zeros();
        let mask = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
        let mut bytes = Zeroizing::new([0; 16]);
        loop {
            if let Some(needed) = bytes.get_mut(..bits.div_ceil(8) as usize) {
                self.fill(needed)?;
            }
            let number = u128::from_le_bytes(*bytes) & mask;
            if number < end.max(1) {
                return Ok(number);
            }
        }
    }
}

/// Random numbers of the operating system, some at a time. Wiped.
pub(super) struct System {
    bytes: Zeroizing<[u8; 256]>,
    left: usize,
}

impl Default for System {
    fn default() -> Self {
        Self { bytes: Zeroizing::new([0; 256]), left: 0 }
    }
}

impl Source for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            if self.left == 0 {
                getrandom::fill(self.bytes.as_mut_slice()).map_err(|error| {
                    let error = std::io::Error::other(error.to_string());
                    Error::io("the operating system gives no random numbers", error)
                })?;
                self.left = self.bytes.len();
            }
            self.left -= 1;
            *byte = self.bytes.get(self.left).copied().unwrap_or_default();
        }
        Ok(())
    }
}

/// The same numbers in every process: SplitMix64 (Steele, Lea and Flood, 2014).
/// For texts that nobody uses, by which it is known what a policy accepts.
pub(super) struct Same(pub(super) u64);

impl Source for Same {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        for some in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            some.iter_mut().zip(z.to_le_bytes()).for_each(|(byte, drawn)| *byte = drawn);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_the_end_and_reach_it() {
        let mut source = Same(1);
        for end in [0, 1, 2, 3, 7, 8, 255, 256, 257] {
            let drawn: Vec<_> = (0..5_000).map(|_| source.below(end).unwrap()).collect();
            assert_eq!(drawn.iter().max(), Some(&end.saturating_sub(1)), "{end}");
        }
        let large = (0..100).map(|_| source.below(u128::MAX).unwrap()).max();
        assert!(large > Some(u128::MAX / 2));
    }

    #[test]
    fn the_operating_system_gives_other_numbers_each_time() {
        let (mut one, mut other) = (System::default(), System::default());
        let drawn = |source: &mut System| [(); 4].map(|()| source.below(u128::MAX).unwrap());
        assert_ne!(drawn(&mut one), drawn(&mut other));
        assert_ne!(drawn(&mut one), drawn(&mut one));
    }
}
