//! Tokens that were verified.
//!
//! A table of fixed size without locks. Only tokens with a good signature come
//! into it, so strangers cannot push anybody's out.

use std::array;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::Caller;

/// A power of two: 16,384 tokens in all.
const SETS: usize = 4096;
/// How many tokens with the same place in the table are remembered.
const WAYS: usize = 4;

pub(super) struct Cache(Box<[[ArcSwapOption<Verified>; WAYS]]>);

pub(super) struct Verified {
    /// The SHA-256 of the token.
    pub(super) id: [u8; 32],
    pub(super) caller: Arc<Caller>,
    /// From when on it is good no longer, in seconds since 1970.
    pub(super) expires: u64,
    /// The keys that it was verified with: with others it has to be again.
    pub(super) generation: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self((0..SETS).map(|_| array::from_fn(|_| ArcSwapOption::empty())).collect())
    }
}

impl Cache {
    pub(super) fn find(&self, id: &[u8; 32], generation: u64, now: u64) -> Option<Arc<Caller>> {
        self.ways(id).iter().find_map(|way| {
            let found = way.load();
            let found = found.as_ref().filter(|found| found.is_good(generation, now))?;
            (found.id == *id).then(|| Arc::clone(&found.caller))
        })
    }

    /// Remembers a token, in the place of one that is good no longer if there
    /// is one. Whichever is dropped is only verified again.
    pub(super) fn keep(&self, token: Verified, now: u64) {
        let ways = self.ways(&token.id);
        let free = ways.iter().find(|way| {
            let kept = way.load();
            kept.as_ref()
                .is_none_or(|kept| kept.id == token.id || !kept.is_good(token.generation, now))
        });
        let [.., last] = token.id;
        if let Some(way) = free.or_else(|| ways.get(usize::from(last) % WAYS)) {
            way.store(Some(Arc::new(token)));
        }
    }

    fn ways(&self, [first, second, ..]: &[u8; 32]) -> &[ArcSwapOption<Verified>] {
        let set = usize::from(u16::from_ne_bytes([*first, *second])) % SETS;
        self.0.get(set).map_or(&[], |ways| ways)
    }
}

impl Verified {
    fn is_good(&self, generation: u64, now: u64) -> bool {
        self.generation == generation && now < self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::TokenKind;

    fn token(number: u32, generation: u64) -> Verified {
        use sha2::{Digest, Sha256};
        let caller = Caller {
            object: number.to_string(),
            kind: TokenKind::Delegated,
            permissions: Vec::new(),
            roles: Vec::new(),
        };
        let id = Sha256::digest(number.to_ne_bytes()).into();
        Verified { id, caller: Arc::new(caller), expires: 100, generation }
    }

    #[test]
    fn tokens_are_found_until_they_expire_or_the_keys_change() {
        let cache = Cache::default();
        let id = token(1, 7).id;
        assert!(cache.find(&id, 7, 99).is_none());
        cache.keep(token(1, 7), 99);
        assert_eq!(cache.find(&id, 7, 99).unwrap().object, "1");
        assert!(cache.find(&id, 7, 100).is_none());
        assert!(cache.find(&id, 8, 99).is_none());
        assert!(cache.find(&token(2, 7).id, 7, 99).is_none());
    }

    #[test]
    fn the_table_is_bounded_and_the_newest_is_there() {
        let cache = Cache::default();
        for number in 0..40_000 {
            cache.keep(token(number, 1), 1);
            assert!(cache.find(&token(number, 1).id, 1, 1).is_some());
        }
        let kept = (0..40_000).filter(|n| cache.find(&token(*n, 1).id, 1, 1).is_some()).count();
        assert!((SETS * WAYS * 9 / 10..=SETS * WAYS).contains(&kept), "{kept}");
        // Those of older keys make room first.
        for number in 0..2_000 {
            cache.keep(token(number, 2), 1);
        }
        let kept = (0..2_000).filter(|n| cache.find(&token(*n, 2).id, 2, 1).is_some()).count();
        assert!(kept > 1_990, "{kept}");
    }

    #[test]
    fn a_token_takes_one_place() {
        let cache = Cache::default();
        (0..10).for_each(|_| cache.keep(token(1, 1), 1));
        let ways = cache.ways(&token(1, 1).id);
        assert_eq!(ways.iter().filter(|way| way.load().is_some()).count(), 1);
    }
}
