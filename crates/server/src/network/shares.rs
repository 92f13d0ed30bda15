//! How much of something may be taken by all, and how much of it by each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::network;

/// What there is, and who has how much of it.
#[derive(Debug)]
pub(crate) struct Shares {
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// What somebody has taken; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    address: Option<IpAddr>,
    amount: usize,
}

/// Who has too much already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// All together.
    All,
    /// This address.
    Address,
}

impl Shares {
    /// So much for all together, and for each address; 0 is no limit.
    pub(crate) fn new(all: usize, each: usize) -> Arc<Self> {
        let limit = |told: usize| if told == 0 { usize::MAX } else { told };
        Arc::new(Self { all: limit(all), each: limit(each), taken: Mutex::default() })
    }

    /// Takes so much for an address.
    ///
    /// # Errors
    ///
    /// There is not so much left. The address is told first: what is left to
    /// others is not its business.
    pub(crate) fn take(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        amount: usize,
    ) -> Result<Share, Over> {
        let mut share =
            Share { shares: Arc::clone(self), address: address.map(network), amount: 0 };
        share.grow(amount)?;
        Ok(share)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes so much more.
    ///
    /// # Errors
    ///
    /// There is not so much left; what was taken before stays.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Over> {
        let mut taken = self.shares.taken();
        let all = taken.all.saturating_add(more);
        if let Some(address) = self.address {
            let has = taken.of.get(&address).copied().unwrap_or(0);
            let each = has.saturating_add(more);
            if each > self.shares.each {
                return Err(Over::Address);
            }
            if all > self.shares.all {
                return Err(Over::All);
            }
            if each > 0 {
                taken.of.insert(address, each);
            }
        } else if all > self.shares.all {
            return Err(Over::All);
        }
        taken.all = all;
        self.amount += more;
        Ok(())
    }
}

impl Share {
    /// Gives so much of it back.
    pub(crate) fn shrink(&mut self, less: usize) {
        let less = less.min(self.amount);
        self.amount -= less;
        let mut taken = self.shares.taken();
        taken.all = taken.all.saturating_sub(less);
        let Some(address) = self.address else { return };
        if let Some(has) = taken.of.get_mut(&address) {
            *has = has.saturating_sub(less);
            if *has == 0 {
                taken.of.remove(&address);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn nobody_takes_more_than_there_is_or_than_their_share() {
        let shares = Shares::new(10, 4);
        let mut first = shares.take(address(1), 3).unwrap();
        assert_eq!(shares.take(address(1), 2).unwrap_err(), Over::Address);
        let second = shares.take(address(1), 1).unwrap();
        assert_eq!(first.grow(1), Err(Over::Address));
        let _other = shares.take(address(2), 4).unwrap();
        assert_eq!(shares.take(address(3), 3).unwrap_err(), Over::All);
        // Who is not known has only the share of all.
        let unknown = shares.take(None, 2).unwrap();
        assert_eq!(shares.take(None, 1).unwrap_err(), Over::All);
        drop((second, unknown));
        assert_eq!(first.grow(1), Ok(()));
        drop(first);
        assert!(shares.take(address(1), 4).is_ok());
    }

    #[test]
    fn who_has_given_everything_back_is_forgotten() {
        let shares = Shares::new(0, 0);
        let counted = || {
            let taken = shares.taken();
            (taken.all, taken.of.len())
        };
        let all: Vec<_> = (0..=255).map(|last| shares.take(address(last), 7).unwrap()).collect();
        assert_eq!(counted(), (7 * 256, 256));
        drop(all);
        assert_eq!(counted(), (0, 0));
        // Addresses of one network of IPv6 share.
        let shares = Shares::new(0, 1);
        let _one = shares.take("2001:db8::1".parse().ok(), 1).unwrap();
        assert!(shares.take("2001:db8::2".parse().ok(), 1).is_err());
    }
}
