//! Hashes of passwords: Argon2id, written as PHC strings.
//!
//! Passwords are hashed in NFC, so that one typed on another keyboard is the same
//! password.

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory: u32,
    iterations: u32,
    lanes: u32,
}

/// 19 MiB, twice, in one lane: the least of what OWASP recommends for Argon2id.
impl Default for Cost {
    fn default() -> Self {
        Self { memory: 19 * 1024, iterations: 2, lanes: 1 }
    }
}

/// The most memory of one hash, in KiB: a stored hash says how much it takes.
const MAX_MEMORY: u32 = 1 << 20;
/// The most iterations.
const MAX_ITERATIONS: u32 = 64;
/// The most lanes.
const MAX_LANES: u32 = 64;
/// The length of hashes that are made here, in bytes.
const LENGTH: usize = 32;

impl Cost {
    /// Memory in KiB, how often it is gone through, and in how many lanes.
    ///
    /// # Errors
    ///
    /// What is out of bounds, and what the bounds are.
    pub fn new(memory: u32, iterations: u32, lanes: u32) -> Result<Self, String> {
        if !(1..=MAX_ITERATIONS).contains(&iterations) {
            return Err(format!("the iterations of a hash are 1 to {MAX_ITERATIONS}"));
        }
        if !(1..=MAX_LANES).contains(&lanes) {
            return Err(format!("the lanes of a hash are 1 to {MAX_LANES}"));
        }
        let least = lanes * 8;
        if !(least..=MAX_MEMORY).contains(&memory) {
            return Err(format!(
                "the memory of a hash is {least} KiB (8 for each lane) to {MAX_MEMORY} KiB"
            ));
        }
        Ok(Self { memory, iterations, lanes })
    }

    fn params(self) -> Result<Params, Failed> {
        Ok(Params::new(self.memory, self.iterations, self.lanes, Some(LENGTH))?)
    }
}

/// A hash that could not be made: there was no randomness, or no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the password could not be hashed")
    }
}

impl std::error::Error for Failed {}

impl From<argon2::Error> for Failed {
    fn from(_: argon2::Error) -> Self {
        Self
    }
}

impl From<argon2::password_hash::Error> for Failed {
    fn from(_: argon2::password_hash::Error) -> Self {
        Self
    }
}

/// The memory that hashes are made in, used again for the next. Wiped when
/// dropped.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    fn for_params(&mut self, params: &Params) -> Result<&mut [Block], Failed> {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            // Moving would leave a copy behind.
            self.0.zeroize();
            // What is too large fails, and does not end the process.
            self.0.try_reserve_exact(blocks).map_err(|_| Failed)?;
            self.0.resize(blocks, Block::new());
        }
        self.0.get_mut(..blocks).ok_or(Failed)
    }

    /// Gives it all back if it is more than hashes of this cost take.
    pub(crate) fn shrink_to(&mut self, cost: &Cost) {
        if self.0.len() > cost.memory as usize {
            *self = Self::default();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Hashes a password: a PHC string.
///
/// # Errors
///
/// There is no randomness, or not enough memory.
pub fn hash(password: &str, cost: &Cost, memory: &mut Memory) -> Result<String, Failed> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    getrandom::fill(&mut salt).map_err(|_| Failed)?;
    let params = cost.params()?;
    let hash = Hash { algorithm: Algorithm::Argon2id, version: Version::V0x13, params };
    let output = hash.compute(password, &salt, memory)?;
    let salt = SaltString::encode_b64(&salt)?;
    let hash = PasswordHash {
        algorithm: hash.algorithm.ident(),
        version: Some(hash.version.into()),
        params: ParamsString::try_from(&hash.params)?,
        salt: Some(salt.as_salt()),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Whether a hash is that of a password. Where there is none, or none that can be
/// read, the same work is done for nothing: how long it takes does not tell.
///
/// # Errors
///
/// There is not enough memory.
pub fn verify(
    password: &str,
    phc: Option<&str>,
    cost: &Cost,
    memory: &mut Memory,
) -> Result<bool, Failed> {
    let Some((hash, salt, expected)) = phc.and_then(|phc| Hash::read(phc).ok()) else {
        let params = cost.params()?;
        let hash = Hash { algorithm: Algorithm::Argon2id, version: Version::V0x13, params };
        hash.compute(password, &[0; Salt::RECOMMENDED_LENGTH], memory)?;
        return Ok(false);
    };
    let output = hash.compute(password, &salt, memory)?;
    Ok(output.as_bytes().ct_eq(expected.as_bytes()).into())
}

/// Whether a hash is not one that would be made today.
pub fn is_outdated(phc: &str, cost: &Cost) -> bool {
    let Ok((hash, ..)) = Hash::read(phc) else { return true };
    let params = cost.params();
    hash.algorithm != Algorithm::Argon2id
        || hash.version != Version::V0x13
        || params.is_ok_and(|params| params != hash.params)
}

/// Whether a text is a hash that [`verify`] can read.
///
/// # Errors
///
/// Why not, as the rest of a sentence about the text.
pub fn check(phc: &str) -> Result<(), &'static str> {
    Hash::read(phc).map(|_| ())
}

/// How a hash is made, without its salt.
struct Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Hash {
    /// How a hash was made, its salt, and what came out.
    fn read(phc: &str) -> Result<(Self, Vec<u8>, Output), &'static str> {
        let not_phc = "is not a PHC string of Argon2, such as `$argon2id$v=19$m=19456,t=2,p=1$...`";
        let hash = PasswordHash::new(phc).map_err(|_| not_phc)?;
        let algorithm = Algorithm::try_from(hash.algorithm).map_err(|_| not_phc)?;
        // The first version did not write its number.
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| not_phc)?;
        let params = Params::try_from(&hash).map_err(|_| not_phc)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err("has no salt or no hash");
        };
        let mut room = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut room).map_err(|_| not_phc)?;
        if Cost::new(params.m_cost(), params.t_cost(), params.p_cost()).is_err() {
            return Err("takes more than 1 GiB, 64 iterations or 64 lanes");
        }
        Ok((Self { algorithm, version, params }, salt.to_vec(), output))
    }

    fn compute(&self, password: &str, salt: &[u8], memory: &mut Memory) -> Result<Output, Failed> {
        let length = self.params.output_len().unwrap_or(LENGTH);
        let mut output = Zeroizing::new(vec![0; length]);
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let password = countersign::nfc(password);
        let blocks = memory.for_params(&self.params)?;
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks)?;
        Ok(Output::new(&output)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cheap as it gets.
    const CHEAP: Cost = Cost { memory: 8, iterations: 1, lanes: 1 };

    #[test]
    fn hashes_are_verified() {
        let memory = &mut Memory::default();
        let phc = hash("Grüße!", &CHEAP, memory).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc}");
        assert_ne!(hash("Grüße!", &CHEAP, memory).unwrap(), phc, "the salt is new each time");
        for (password, expected) in
            [("Grüße!", true), ("Gru\u{308}ße!", true), ("grüße!", false), ("", false)]
        {
            assert_eq!(verify(password, Some(&phc), &CHEAP, memory), Ok(expected), "{password}");
        }
        for none in [None, Some(""), Some("$argon2id$"), Some("Grüße!")] {
            assert_eq!(verify("Grüße!", none, &CHEAP, memory), Ok(false));
        }
    }

    // The reference implementation's own vectors.
    #[test]
    fn hashes_of_others_are_verified() {
        let memory = &mut Memory::default();
        for phc in [
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        ] {
            assert_eq!(check(phc), Ok(()));
            assert_eq!(verify("password", Some(phc), &CHEAP, memory), Ok(true), "{phc}");
            assert_eq!(verify("passwort", Some(phc), &CHEAP, memory), Ok(false), "{phc}");
            assert!(is_outdated(phc, &CHEAP));
        }
    }

    #[test]
    fn memory_that_was_used_before_changes_nothing() {
        let memory = &mut Memory::default();
        let large = Cost { memory: 64, iterations: 2, lanes: 2 };
        for _ in 0..2 {
            for cost in [CHEAP, large] {
                let phc = hash("password", &cost, memory).unwrap();
                assert_eq!(
                    verify("password", Some(&phc), &CHEAP, &mut Memory::default()),
                    Ok(true)
                );
                assert!(!is_outdated(&phc, &cost));
            }
        }
        assert_eq!(memory.0.len(), 64);
        memory.shrink_to(&large);
        assert_eq!(memory.0.len(), 64);
        memory.shrink_to(&CHEAP);
        assert_eq!(memory.0.capacity(), 0);
    }

    #[test]
    fn hashes_of_other_kinds_or_costs_are_refused() {
        for phc in [
            "",
            "password",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=9999,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ] {
            assert!(check(phc).is_err(), "{phc}");
            assert!(is_outdated(phc, &CHEAP));
        }
        assert!(Cost::new(19 * 1024, 2, 1).is_ok());
        for (memory, iterations, lanes) in
            [(7, 1, 1), (15, 1, 2), (1 << 21, 1, 1), (8, 0, 1), (8, 1, 0)]
        {
            assert!(Cost::new(memory, iterations, lanes).is_err());
        }
    }
}
