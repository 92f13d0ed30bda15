//! One password while it is typed.

use std::fmt;

use zeroize::Zeroize;

use crate::engine::{Engine, Subject};
use crate::pipeline::Progress;
use crate::report::{Change, Found, Report};
use crate::text::{WipedVec, wipe};

/// Code points for which a session has room from the start, as typed and in
/// NFC, and folded ones in each fold.
const ROOM: usize = 1024;

/// Prefixes of which a session knows the results at a time.
const REPORTS: usize = 257;

/// One password while it is typed: fed with the text of its field after each
/// edit, it has the verdict ready.
///
/// What an edit leaves as it was is not judged again: a key costs one step of
/// each rule, unless it changes the order of marks before it, and going back
/// costs none within 257 prefixes. What a session knows it owns, 60 to 90 kB
/// with the policies shipped; it allocates nothing more for texts up to 256
/// characters and 1,024 folded ones, and wipes everything when it is
/// [cleared](Self::clear) or dropped.
///
/// ```
/// use countersign::{Engine, Policy, Subject};
///
/// let engine = Engine::builder().build(&Policy::preset("entra")?)?;
/// let mut session = engine.session(Subject::default());
///
/// session.set("tr0mbone");
/// assert!(!session.report().is_valid());
///
/// session.set("tr0mbone Canal 17");
/// assert!(session.report().is_valid());
/// let turned: Vec<_> = session.changes().map(|change| change.check.id()).collect();
/// assert_eq!(turned, ["complexity.classes", "banned.listed"]);
/// # Ok::<(), countersign::Error>(())
/// ```
pub struct Session {
    engine: Engine,
    subject: Subject,
    progress: Progress,
    known: Remembered,
    /// Which of the known results the last report gave, and that for the text
    /// before.
    last: Option<usize>,
    before: Option<usize>,
    /// Whether the text was edited since the last report.
    edited: bool,
}

/// The results for prefixes of the text that a report was asked for.
struct Remembered {
    /// How many bytes each prefix has, ascending.
    ends: WipedVec<usize>,
    /// A row of results for each prefix, one after the other, and one more for
    /// a row that would be overwritten.
    rows: WipedVec<Found>,
    /// How many results a row has, those of alternatives included.
    checks: usize,
    /// How many rows were ever written, but for the last.
    used: usize,
}

impl Engine {
    /// Starts a password that is judged while it is typed.
    pub fn session(&self, subject: Subject) -> Session {
        let checks = self.catalog().results();
        Session {
            engine: self.clone(),
            subject: self.own(&subject).unwrap_or(subject),
            progress: Progress::with_capacity(self.pipeline(), ROOM, ROOM),
            known: Remembered::new(checks),
            last: None,
            before: None,
            edited: false,
        }
    }
}

impl Session {
    /// The text is now this one, whatever the edit was. It is kept, however
    /// long it is; beyond [`Engine::max_text`] it is not judged.
    pub fn set(&mut self, text: &str) {
        let common = self.progress.common(text);
        let (_, tail) = text.split_at_checked(common).unwrap_or_default();
        self.replace(common, tail);
    }

    /// Appends a code point as typed.
    pub fn push(&mut self, c: char) {
        let mut bytes = [0; 4];
        self.replace(self.progress.text().len(), c.encode_utf8(&mut bytes));
        bytes.zeroize();
    }

    /// Removes the last code point as typed, and tells whether there was one.
    pub fn pop(&mut self) -> bool {
        // What follows the first byte of a code point is 0b10......
        match self.progress.text().iter().rposition(|byte| byte & 0xC0 != 0x80) {
            Some(last) => {
                self.replace(last, "");
                true
            }
            None => false,
        }
    }

    /// The verdict on the text, equal to that of [`Engine::check`]. It is
    /// judged when it is first asked for.
    pub fn report(&mut self) -> Report<'_> {
        let Self { engine, subject, progress, known, last, before, edited } = self;
        let end = progress.text().len();
        let is_known = known.ends.last() == Some(&end);
        if *edited {
            *before = last.map(|last| if is_known { last } else { known.spared(last) });
            *edited = false;
        }
        if !is_known {
            // Should a rule panic, nothing half written is known.
            *last = None;
            progress.judge(engine.pipeline(), engine.known(subject), known.next());
            known.ends.push(end);
        }
        let now = known.ends.len() - 1;
        *last = Some(now);
        Report::kept(engine.catalog(), known.row(now))
    }

    /// The checks that turned with the last edits that were reported: those
    /// whose outcome in the last report is not that in the one before these
    /// edits. After the first report those are all checks, and before it none.
    /// To [`set`](Self::set) the text that there is already is no edit; edits
    /// that lead back to it are, and turn nothing.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        let row = |row: Option<usize>| row.map_or(&[][..], |row| self.known.row(row));
        let before = row(self.before).iter().map(|found| Some(found.tag().outcome()));
        let before = before.chain(std::iter::repeat(None));
        let now = row(self.last).iter().map(|found| found.tag().outcome());
        self.engine.checks().iter().zip(before).zip(now).filter_map(|((check, before), now)| {
            (before != Some(now)).then_some(Change { check, before, now })
        })
    }

    /// Wipes the text and everything found out about it, and starts again.
    pub fn clear(&mut self) {
        self.progress.clear();
        self.known.clear();
        self.last = None;
        self.before = None;
        self.edited = false;
    }

    fn replace(&mut self, at: usize, tail: &str) {
        if tail.is_empty() && at == self.progress.text().len() {
            return;
        }
        self.known.truncate(at);
        self.edited = true;
        self.progress.replace(at, tail, self.engine.pipeline());
    }
}

impl Remembered {
    fn new(checks: usize) -> Self {
        Self {
            ends: WipedVec::with_capacity(REPORTS),
            rows: WipedVec::of((REPORTS + 1) * checks, Found::default()),
            checks,
            used: 0,
        }
    }

    #[inline]
    fn row(&self, row: usize) -> &[Found] {
        self.rows.get(row * self.checks..(row + 1) * self.checks).unwrap_or_default()
    }

    /// The row for the results of a longer prefix, to be written before its
    /// end is known.
    fn next(&mut self) -> &mut [Found] {
        let row = self.next_row();
        self.ends.truncate(row);
        self.used = self.used.max(row + 1);
        self.rows.get_mut(row * self.checks..(row + 1) * self.checks).unwrap_or_default()
    }

    fn next_row(&self) -> usize {
        // A character may be typed as several code points, so there is always
        // one prefix more; judging again costs less than room for all.
        if self.ends.len() == REPORTS { 0 } else { self.ends.len() }
    }

    /// Where a row is found when the next one has been written.
    #[inline]
    fn spared(&mut self, row: usize) -> usize {
        if row != self.next_row() {
            return row;
        }
        let row = row * self.checks..(row + 1) * self.checks;
        let (rows, spare) = self.split();
        let row = rows.get(row).unwrap_or_default();
        spare.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
        REPORTS
    }

    /// The rows of prefixes, and the one more.
    fn split(&mut self) -> (&mut [Found], &mut [Found]) {
        self.rows.split_at_mut_checked(REPORTS * self.checks).unwrap_or_default()
    }

    /// Forgets the prefixes of more than `end` bytes.
    #[inline]
    fn truncate(&mut self, end: usize) {
        while self.ends.last().is_some_and(|last| *last > end) {
            self.ends.truncate(self.ends.len() - 1);
        }
    }

    /// Wipes everything.
    fn clear(&mut self) {
        let used = self.used * self.checks;
        let (rows, spare) = self.split();
        wipe(rows.get_mut(..used).unwrap_or_default());
        wipe(spare);
        self.ends.truncate(0);
        self.used = 0;
    }
}

/// The engine's own; a session holds a password.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("engine", &self.engine).finish_non_exhaustive()
    }
}
