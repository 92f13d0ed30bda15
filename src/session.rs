//! One password while it is typed.

use std::fmt;

use zeroize::Zeroize;

use crate::engine::{Engine, Subject};
use crate::pipeline::Progress;
use crate::report::{Change, Report, ResultsMut, Tag};
use crate::text::WipedVec;

/// Code points for which a session has room from the start, as typed and in
/// NFC, and folded ones in each fold.
const ROOM: usize = 1024;

/// Prefixes of which a session knows the results at a time.
const REPORTS: usize = 257;

/// One password while it is typed: fed with the text of its field after each
/// edit, it has the verdict ready.
///
/// What an edit leaves as it was is not judged again: a key costs one step of
/// each rule, going back costs none. What a session knows it owns, about
/// 100 kB with the policies shipped; it allocates nothing more for texts up to
/// 256 characters and 1,024 folded ones, and wipes everything when it is
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
    /// Which of the known results the last report gave.
    last: Option<usize>,
    /// The outcomes of the report for the text before; none if there was none.
    before: WipedVec<Tag>,
    /// Whether the text was edited since the last report.
    edited: bool,
}

/// The results for prefixes of the text that a report was asked for.
struct Remembered {
    /// How many bytes each prefix has, ascending.
    ends: WipedVec<usize>,
    /// The results of each prefix, one after the other, with room for all.
    tags: WipedVec<Tag>,
    measured: WipedVec<u32>,
    /// How many results each prefix has.
    checks: usize,
    /// For how many prefixes results were ever kept.
    used: usize,
}

impl Engine {
    /// Starts a password that is judged while it is typed.
    pub fn session(&self, subject: Subject) -> Session {
        let checks = self.checks().len();
        Session {
            engine: self.clone(),
            subject: self.own(&subject).unwrap_or(subject),
            progress: Progress::with_capacity(self.pipeline(), ROOM, ROOM),
            known: Remembered::new(checks),
            last: None,
            before: WipedVec::with_capacity(checks),
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
        if *edited && let Some(last) = last {
            before.truncate(0);
            before.extend_from_slice(known.at(*last).0);
        }
        *edited = false;
        if known.ends.last() != Some(&progress.text().len()) {
            let results = known.push(progress.text().len());
            progress.judge(engine.pipeline(), engine.known(subject), results);
        }
        let now = known.ends.len() - 1;
        *last = Some(now);
        let (tags, measured) = known.at(now);
        Report::kept(engine.catalog(), tags, measured)
    }

    /// The checks that turned with the last edits that were reported: those
    /// whose outcome in the last report is not that in the report for the text
    /// before. After the first report those are all checks, and before it none.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        let last = self.last.map_or(&[][..], |last| self.known.at(last).0);
        let before = self.before.iter().map(|tag| Some(tag.outcome()));
        let before = before.chain(std::iter::repeat(None));
        self.engine.checks().iter().zip(last).zip(before).filter_map(|((check, now), before)| {
            let now = now.outcome();
            (before != Some(now)).then_some(Change { check, before, now })
        })
    }

    /// Wipes the text and everything found out about it, and starts again.
    pub fn clear(&mut self) {
        self.progress.clear();
        self.known.clear();
        self.last = None;
        self.before.truncate(0);
        self.edited = false;
    }

    fn replace(&mut self, at: usize, tail: &str) {
        if tail.is_empty() && at == self.progress.text().len() {
            return;
        }
        self.known.truncate(at);
        self.edited = true;
        self.progress.replace(at, tail, self.engine.pipeline(), self.engine.known(&self.subject));
    }
}

impl Remembered {
    fn new(checks: usize) -> Self {
        Self {
            ends: WipedVec::with_capacity(REPORTS),
            tags: WipedVec::of(REPORTS * checks, Tag::PASSED),
            measured: WipedVec::of(REPORTS * checks, 0),
            checks,
            used: 0,
        }
    }

    /// The results of a prefix, by its number.
    #[inline]
    fn at(&self, prefix: usize) -> (&[Tag], &[u32]) {
        let start = prefix * self.checks;
        let range = start..start + self.checks;
        (
            self.tags.get(range.clone()).unwrap_or_default(),
            self.measured.get(range).unwrap_or_default(),
        )
    }

    /// Where to write the results of a longer prefix.
    fn push(&mut self, end: usize) -> ResultsMut<'_> {
        // A character may be typed as several code points, so there is always
        // one prefix more; judging again costs less than room for all.
        if self.ends.len() == REPORTS {
            self.ends.truncate(0);
        }
        let start = self.ends.len() * self.checks;
        self.ends.push(end);
        self.used = self.used.max(self.ends.len());
        let range = start..start + self.checks;
        ResultsMut::new(
            self.tags.get_mut(range.clone()).unwrap_or_default(),
            self.measured.get_mut(range).unwrap_or_default(),
        )
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
        self.tags.get_mut(..used).unwrap_or_default().zeroize();
        self.measured.get_mut(..used).unwrap_or_default().zeroize();
        self.ends.truncate(0);
        self.used = 0;
    }
}

/// How many checks there are; a session holds a password.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("engine", &self.engine).finish_non_exhaustive()
    }
}
