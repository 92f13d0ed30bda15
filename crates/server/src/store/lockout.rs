//! Smart lockout: how many wrong passwords an account takes.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::error::StoreError;

/// When an account is locked, and for how long. Durations are milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Lockout {
    /// How many wrong passwords lock the account; Entra's is 10.
    pub threshold: u32,
    /// How long the first lock lasts; Entra's is 60,000.
    pub first: i64,
    /// Each wrong password after a lock doubles the next, up to this.
    pub longest: i64,
    /// How long the reservation of a process that died counts. Longer than any
    /// verification takes.
    pub reservation: i64,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { threshold: 10, first: 60_000, longest: 3_600_000, reservation: 60_000 }
    }
}

/// What tells wrong passwords apart without giving them away: an HMAC under a
/// key that is kept outside the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of an HMAC-SHA-256.
    pub fn new(hmac: [u8; 32]) -> Self {
        Self(hmac)
    }

    fn written(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// How an attempt ended that was reserved.
#[derive(Clone, Copy)]
pub enum Attempt {
    /// The password was right: nothing is held against the account any more.
    Right,
    /// It was wrong.
    Wrong(Fingerprint),
    /// It was not verified, or lost a race.
    Undecided,
}

/// The wrong passwords that are held against an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many there were since the last right one, equal ones in a row once.
    pub failures: u32,
    /// When the lock ends, or ended: milliseconds since 1970.
    pub until: Option<i64>,
}

impl Held {
    /// When the lock ends, if there is one at this time: milliseconds since 1970.
    pub fn locked(&self, now: i64) -> Option<i64> {
        self.until.filter(|until| *until > now)
    }
}

/// How many wrong passwords are remembered.
const REMEMBERED: usize = 3;
/// How soon an attempt is worth repeating that others were in the way of.
const SOON: i64 = 1000;

/// What is held against an account and its credential.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(super) struct State {
    /// Wrong passwords since the last right one.
    failures: u32,
    /// When the lock ends.
    until: i64,
    /// The fingerprints of the last wrong passwords, newest first.
    wrong: Vec<String>,
    /// When the reservations of attempts that are being verified end.
    reserved: Vec<i64>,
    /// How many were verified at the same time as an equal one, and not counted.
    /// They keep their places until nothing is verified any more: else each
    /// would let another one in.
    #[serde(default)]
    uncounted: u32,
}

/// Whether an attempt may be made.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) enum Decision {
    /// The end of its reservation, by which it is settled.
    Granted(i64),
    KnownWrong,
    Locked {
        until: i64,
    },
}

impl State {
    pub(super) fn read(written: &str) -> Result<Self, StoreError> {
        serde_json::from_str(written).map_err(|_| StoreError::unreadable("lockout"))
    }

    pub(super) fn written(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| StoreError::unreadable("lockout"))
    }

    pub(super) fn held(&self) -> Held {
        Held { failures: self.failures, until: Some(self.until).filter(|until| *until > 0) }
    }

    /// Nothing is held against the account any more. Attempts that are being
    /// verified keep their places, and count when they end.
    pub(super) fn forgive(&mut self) {
        self.failures = 0;
        self.until = 0;
        self.wrong.clear();
    }

    /// Reserves an attempt, if there may be one.
    pub(super) fn reserve(
        &mut self,
        fingerprint: &Fingerprint,
        now: i64,
        rules: &Lockout,
    ) -> Decision {
        self.reserved.retain(|end| *end > now);
        self.rest();
        if self.until > now {
            return Decision::Locked { until: self.until };
        }
        if self.wrong.contains(&fingerprint.written()) {
            return Decision::KnownWrong;
        }
        let reserved = u32::try_from(self.reserved.len()).unwrap_or(u32::MAX);
        // After a lock, one at a time.
        let taken = self.failures.saturating_add(self.uncounted).saturating_add(reserved);
        let is_free = reserved == 0 || taken < rules.threshold;
        if !is_free {
            return Decision::Locked { until: now.saturating_add(SOON) };
        }
        let end = now.saturating_add(rules.reservation);
        self.reserved.push(end);
        Decision::Granted(end)
    }

    /// Ends the attempt whose reservation would have ended at `end`.
    pub(super) fn settle(&mut self, end: i64, attempt: Attempt, now: i64, rules: &Lockout) {
        if let Some(at) = self.reserved.iter().position(|reserved| *reserved == end) {
            self.reserved.remove(at);
        }
        self.end(attempt, now, rules);
        self.rest();
    }

    /// Frees the places of what was not counted, once nothing is verified.
    fn rest(&mut self) {
        if self.reserved.is_empty() {
            self.uncounted = 0;
        }
    }

    fn end(&mut self, attempt: Attempt, now: i64, rules: &Lockout) {
        match attempt {
            Attempt::Undecided => {}
            Attempt::Right => self.forgive(),
            Attempt::Wrong(fingerprint) => {
                let fingerprint = fingerprint.written();
                // The same one was being verified at the same time.
                if self.wrong.contains(&fingerprint) {
                    self.uncounted = self.uncounted.saturating_add(1);
                    return;
                }
                self.wrong.insert(0, fingerprint);
                self.wrong.truncate(REMEMBERED);
                self.failures = self.failures.saturating_add(1);
                if let Some(beyond) = self.failures.checked_sub(rules.threshold) {
                    let factor = 1i64.checked_shl(beyond).filter(|factor| *factor > 0);
                    let length = rules.first.saturating_mul(factor.unwrap_or(i64::MAX));
                    self.until = self.until.max(now.saturating_add(length.min(rules.longest)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Lockout = Lockout { threshold: 3, first: 100, longest: 350, reservation: 1000 };

    fn fingerprint(of: u8) -> Fingerprint {
        Fingerprint::new([of; 32])
    }

    #[track_caller]
    fn wrong(state: &mut State, of: u8, now: i64) {
        let Decision::Granted(end) = state.reserve(&fingerprint(of), now, &RULES) else {
            panic!("the attempt was not granted: {state:?}");
        };
        state.settle(end, Attempt::Wrong(fingerprint(of)), now, &RULES);
    }

    #[test]
    fn locks_grow_to_the_longest_and_end_with_a_right_password() {
        let mut state = State::default();
        wrong(&mut state, 0, 0);
        wrong(&mut state, 1, 0);
        let mut now = 0;
        for (guess, length) in [(2, 100), (3, 200), (4, 350), (5, 350)] {
            wrong(&mut state, guess, now);
            let locked = Decision::Locked { until: now + length };
            // Whatever is typed: a lock answers nothing.
            assert_eq!(state.reserve(&fingerprint(guess), now, &RULES), locked);
            assert_eq!(state.reserve(&fingerprint(9), now + length - 1, &RULES), locked);
            now += length;
        }
        let Decision::Granted(end) = state.reserve(&fingerprint(9), now, &RULES) else { panic!() };
        // One at a time.
        let busy = Decision::Locked { until: now + SOON };
        assert_eq!(state.reserve(&fingerprint(8), now, &RULES), busy);
        state.settle(end, Attempt::Right, now, &RULES);
        assert_eq!(state, State::default());
    }

    #[test]
    fn locks_do_not_overflow() {
        for threshold in [0, 1, 10] {
            let rules = Lockout { threshold, first: 1, longest: i64::MAX, ..RULES };
            let mut state = State { failures: threshold + 62, ..State::default() };
            for of in 0..5 {
                state.settle(0, Attempt::Wrong(fingerprint(of)), 7, &rules);
                assert_eq!(state.until, i64::MAX, "{threshold} {of}");
            }
        }
    }

    #[test]
    fn the_last_three_wrong_ones_are_known() {
        let mut state = State::default();
        let rules = Lockout { threshold: 100, ..RULES };
        for of in 0..4 {
            let Decision::Granted(end) = state.reserve(&fingerprint(of), 0, &rules) else {
                panic!()
            };
            state.settle(end, Attempt::Wrong(fingerprint(of)), 0, &rules);
        }
        for of in 1..4 {
            let before = state.clone();
            assert_eq!(state.reserve(&fingerprint(of), 0, &rules), Decision::KnownWrong);
            assert_eq!(state, before);
        }
        assert!(matches!(state.reserve(&fingerprint(0), 0, &rules), Decision::Granted(_)));
    }

    #[test]
    fn equal_guesses_at_once_count_once() {
        let mut state = State::default();
        let ends: Vec<_> = (0..5)
            .filter_map(|now| match state.reserve(&fingerprint(1), now, &RULES) {
                Decision::Granted(end) => Some(end),
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), 3);
        for end in ends {
            state.settle(end, Attempt::Wrong(fingerprint(1)), 5, &RULES);
        }
        assert_eq!((state.failures, state.until, state.reserved.len()), (1, 0, 0));
    }

    // Each of the equal ones let another one in.
    #[test]
    fn equal_guesses_at_once_let_no_others_in() {
        let rules = Lockout::default();
        let mut state = State::default();
        let granted = |state: &mut State, of| match state.reserve(&fingerprint(of), 0, &rules) {
            Decision::Granted(end) => Some(end),
            _ => None,
        };
        let ends: Vec<_> = (0..200).map_while(|_| granted(&mut state, 0)).collect();
        assert_eq!(ends.len(), 10);
        for (end, other) in ends.into_iter().zip(1..) {
            assert_eq!(granted(&mut state, other), None);
            state.settle(end, Attempt::Wrong(fingerprint(0)), 0, &rules);
        }
        // Nothing is verified any more, and one was counted.
        let others = (1..200).map_while(|of| granted(&mut state, of));
        assert_eq!(others.count(), 9);
    }

    #[test]
    fn leaked_reservations_end() {
        let mut state = State::default();
        for now in [0, 0, 500] {
            assert!(matches!(state.reserve(&fingerprint(1), now, &RULES), Decision::Granted(_)));
        }
        let busy = |now| Decision::Locked { until: now + SOON };
        assert_eq!(state.reserve(&fingerprint(1), 999, &RULES), busy(999));
        for now in [1000, 1000] {
            assert_eq!(state.reserve(&fingerprint(1), now, &RULES), Decision::Granted(2000));
        }
        assert_eq!(state.reserve(&fingerprint(1), 1000, &RULES), busy(1000));
        // One that was slow, not dead: it counts, and ends nobody else's.
        state.settle(1000, Attempt::Wrong(fingerprint(1)), 1100, &RULES);
        assert_eq!((state.failures, state.reserved.len()), (1, 3));
    }

    #[test]
    fn states_are_read_as_they_were_written() {
        let mut state = State::default();
        wrong(&mut state, 1, 5);
        let _ = state.reserve(&fingerprint(2), 6, &RULES);
        assert_eq!(State::read(&state.written().unwrap()).unwrap(), state);
        assert!(State::read("").is_err());
    }
}
