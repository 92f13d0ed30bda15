//! `countersign check --live`: each check turns while one types.

mod field;
mod picture;

use std::fmt::Write;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use countersign::{Check, Engine, Messages, Outcome, Session, Subject, Verdict};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCONT, SIGWINCH};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use super::judged::{Positions, positions};
use super::text;
use crate::failure::Failure;
use crate::keys::{Decoder, Key};
use crate::terminal::Terminal;
use crate::words::Paint;
use field::Field;
use picture::{Window, clipped};

const LABEL: &str = "Password: ";
const HELP: &str = "Enter: done, Ctrl-R: show or hide, Esc: give up";

const MALFORMED: &str = "not UTF-8: remove everything (Ctrl-U), and type again";

/// Pasted text comes marked as such.
const ENTER: &str = "\x1b[?2004h";
/// The caret always waits in the first row: all that was shown goes. That row by
/// itself, as some terminals keep a screen that is cleared from its first row on
/// for scrolling back.
const LEAVE: &str = "\r\x1b[K\r\n\x1b[J\x1b[A\x1b[?2004l\x1b[?7h";

/// A readable password is shown on the terminal's other screen: what is shown
/// on this one may be scrolled out of reach when the terminal is resized.
const ENTER_OTHER: &str = "\x1b[?2004h\x1b[?1049h";
const TO_OTHER: &str = "\r\x1b[K\r\n\x1b[J\x1b[A\x1b[?1049h";
const FROM_OTHER: &str = "\x1b[H\x1b[K\x1b[J\x1b[?1049l";
const LEAVE_OTHER: &str = "\x1b[H\x1b[K\x1b[J\x1b[?1049l\x1b[?2004l\x1b[?7h";

/// How long to wait for the rest of a key that starts like ESC.
const ESCAPE: Duration = Duration::from_millis(50);

/// Lets somebody type a password, which `done` is then called with.
pub(super) fn run<T>(
    engine: &Engine,
    subject: &Subject,
    messages: &Messages,
    done: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let blind = |hint| Failure::new("there is no terminal to show the checks on").hint(hint);
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(blind("this one cannot redraw (TERM=dumb): use `check` without `--live`"));
    }
    let unread = |error: io::Error| Failure::io("cannot read from the terminal", &error);
    let terminal = Terminal::take(ENTER, LEAVE).map_err(unread)?;
    if !terminal.is_seen() {
        return Err(blind("use `check` without `--live`"));
    }
    let mut live = Live::new(engine, subject, messages, terminal);
    let end = live.type_in().map_err(unread)?;
    let field = live.end();
    match end {
        End::Entered => done(field.text()),
        End::GivenUp => Err(Failure::new("given up: nothing was judged")),
        End::Interrupted => Err(Failure::interrupt()),
    }
}

/// How typing ended.
enum End {
    Entered,
    GivenUp,
    Interrupted,
}

struct Live<'a> {
    engine: &'a Engine,
    subject: &'a Subject,
    messages: &'a Messages,
    session: Session,
    terminal: Terminal,
    paint: Paint,
    field: Field,
    is_revealed: bool,
    window: Window,
    /// Where the caret is drawn.
    column: usize,
    /// What is being pasted, and whether there was room for it.
    pasted: Option<(Field, bool)>,
    /// What went wrong with the last key.
    notice: Option<String>,
    /// Whether anything was left out that is not text.
    is_malformed: bool,
}

impl<'a> Live<'a> {
    fn new(
        engine: &'a Engine,
        subject: &'a Subject,
        messages: &'a Messages,
        terminal: Terminal,
    ) -> Self {
        let room = room(engine);
        Self {
            engine,
            subject,
            messages,
            session: engine.session(subject.clone()),
            terminal,
            paint: Paint::terminal(),
            field: Field::new(room),
            is_revealed: false,
            window: Window::new(room),
            column: 0,
            pasted: None,
            notice: None,
            is_malformed: false,
        }
    }

    /// The text that was typed. What else is known of it is wiped, and the
    /// terminal is as it was.
    fn end(self) -> Field {
        self.field
    }

    fn type_in(&mut self) -> io::Result<End> {
        let woken = |signal| {
            let (woken, wake) = UnixStream::pair()?;
            woken.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(signal, wake)?;
            io::Result::Ok(woken)
        };
        let (resized, continued) = (woken(SIGWINCH)?, woken(SIGCONT)?);
        let mut decoder = Decoder::new();
        let mut bytes = Zeroizing::new([0; 1 << 10]);
        let mut size = self.terminal.size();
        self.draw(size, 0);
        loop {
            let patience = decoder.is_escape().then_some(ESCAPE);
            let event = wait(&self.terminal, [&resized, &continued], patience)?;
            let mut above = 0;
            match event {
                Event::Keys => {
                    let read = self.terminal.read(bytes.as_mut_slice())?;
                    if read == 0 {
                        return Ok(End::GivenUp);
                    }
                    self.notice = None;
                    let keys = bytes.iter().take(read).flat_map(|byte| decoder.feed(*byte));
                    if let Some(end) = keys.flatten().find_map(|key| self.press(key)) {
                        return Ok(end);
                    }
                }
                Event::Nothing => {
                    if let Some(end) = decoder.rest().and_then(|key| self.press(key)) {
                        return Ok(end);
                    }
                }
                Event::Resized => {
                    size = self.terminal.size();
                    // A narrower terminal has broken the row before the caret.
                    above = self.column / size.0;
                }
                Event::Continued => {
                    size = self.terminal.size();
                    let enter = if self.is_revealed { ENTER_OTHER } else { ENTER };
                    self.terminal.show(&[enter], None);
                }
            }
            self.draw(size, above);
        }
    }

    fn press(&mut self, key: Key) -> Option<End> {
        let field = &mut self.field;
        match (key, &mut self.pasted) {
            (Key::Text(c), Some((pasted, fits))) => *fits &= pasted.insert_char(c),
            (Key::Text(c), None) => {
                let fits = field.insert_char(c);
                self.told_if(!fits);
            }
            (Key::Malformed, _) => self.is_malformed = true,
            (Key::PasteStart, _) => {
                self.pasted = Some((Field::new(room(self.engine)), true));
            }
            (Key::PasteEnd, pasted) => {
                if let Some((pasted, fits)) = pasted.take() {
                    let text = pasted.text();
                    // Whoever copies a line copies its end.
                    let text = text.strip_suffix(['\r', '\n']).unwrap_or(text);
                    let fits = fits && field.insert(text);
                    self.told_if(!fits);
                }
            }
            (Key::Left, _) => field.left(),
            (Key::Right, _) => field.right(),
            (Key::Home, _) => field.home(),
            (Key::End, _) => field.end(),
            (Key::Backspace, _) => field.backspace(),
            (Key::Delete, _) => field.delete(),
            (Key::EraseBefore, _) => field.erase_before(),
            (Key::EraseWord, _) => field.erase_word(),
            (Key::EraseBehind, _) => field.erase_behind(),
            (Key::Reveal, _) => self.reveal(),
            (Key::Redraw, _) => {}
            // What was left out may have been meant.
            (Key::Enter, _) if self.is_malformed => {}
            (Key::Enter, _) => return Some(End::Entered),
            (Key::Interrupt, _) => return Some(End::Interrupted),
            (Key::GiveUp, _) => return Some(End::GivenUp),
        }
        if key != Key::Malformed && self.pasted.is_none() && self.field.text().is_empty() {
            self.is_malformed = false;
        }
        None
    }

    /// Makes the text readable, or not.
    fn reveal(&mut self) {
        self.is_revealed = !self.is_revealed;
        if self.is_revealed {
            self.terminal.show(&[TO_OTHER], Some(LEAVE_OTHER));
        } else {
            self.terminal.show(&[FROM_OTHER], Some(LEAVE));
        }
    }

    /// Says that something was not taken. Half of it would be worse: nobody
    /// would see which half.
    fn told_if(&mut self, is_full: bool) {
        if is_full {
            let limit = self.engine.max_text();
            self.notice = Some(format!("left out: there is room for {limit} bytes"));
        }
    }

    /// Draws everything again, in place. The first row is `above` rows over the
    /// caret's.
    fn draw(&mut self, (columns, rows): (usize, usize), above: usize) {
        // Drawing alone turns nothing: what the last edit turned stays marked.
        if let Some(text) = self.field.edited() {
            self.session.set(text);
        }
        let (paint, text) = (self.paint, self.field.text());
        self.session.report();
        let turned = |check: &Check| {
            let mut changes = self.session.changes().filter(|change| change.before.is_some());
            changes.any(|change| change.check.id() == check.id())
        };
        let turned: Vec<_> = self.engine.checks().iter().map(turned).collect();
        let report = self.session.report();
        // The last column stays free: some terminals start a row there.
        let width = columns - 1;
        let (mut trouble, mut checks) = (Vec::new(), Vec::new());
        for (result, turned) in report.checks().zip(turned) {
            let spans = match result.outcome {
                Outcome::Failed => self.engine.spans(text, self.subject, result.check.id()),
                _ => Vec::new(),
            };
            let places: Vec<_> = positions(text, &spans).iter().map(Positions::range).collect();
            let details = self.messages.details(&result, &places);
            let details = if details.is_empty() { details } else { format!("({details})") };
            let is_news = turned || result.outcome != Outcome::Passed;
            let instead = match result.outcome {
                Outcome::Failed => {
                    let advice = text::advice(&report, &result, self.messages);
                    advice
                        .iter()
                        .flat_map(|advice| rows_of("   ", &[(advice, false)], width, paint))
                        .collect()
                }
                _ => Vec::new(),
            };
            let mark =
                format!("{} {}", if turned { ">" } else { " " }, text::mark(result.outcome, paint));
            let requirement = self.messages.requirement(result.check);
            let words = [(requirement.as_str(), false), (details.as_str(), true)];
            checks.push(Row { rows: rows_of(&mark, &words, width, paint), instead, is_news });
            trouble.extend(spans);
        }
        let label = if columns < 2 * LABEL.len() { "" } else { LABEL };
        self.window.show(&self.field, self.is_revealed, &trouble, columns - label.len());
        self.column = label.len() + self.window.caret;
        let said =
            |verdict| clipped(&self.messages.verdict(verdict, self.engine.policy_name()), width);
        // What stands behind it keeps its length.
        let verdicts = [Verdict::Accepted, Verdict::Refused, Verdict::Undecided];
        let longest = verdicts.map(|verdict| said(verdict).width()).into_iter().max().unwrap_or(0);
        let help = if self.is_malformed { MALFORMED } else { HELP };
        let notice = self.notice.as_deref().unwrap_or(help);
        let notice = clipped(notice, width.saturating_sub(longest + "  ".len()));
        let verdict = text::painted(report.verdict(), said(report.verdict()), paint);
        let mut below = vec![
            format!("{:1$}{2}", "", label.len(), paint.bad(&self.window.marks)),
            format!("{verdict}  {}", paint.faint(notice)),
        ];
        below.extend(fitting(checks, rows.saturating_sub(3)));
        below.truncate(rows - 1);
        let mut start = match above {
            _ if self.is_revealed => "\x1b[H".to_owned(),
            0 => "\r".to_owned(),
            above => format!("\x1b[{above}A\r\x1b[K\r\n\x1b[J\x1b[A"),
        };
        start.push_str("\x1b[?7l");
        let _ = write!(start, "{}", paint.strong(label));
        let mut end = "\x1b[K".to_owned();
        below.iter().for_each(|row| end.extend(["\r\n", row, "\x1b[K"]));
        end.push_str("\x1b[J\r");
        for (steps, direction) in [(below.len(), 'A'), (self.column, 'C')] {
            if steps > 0 {
                let _ = write!(end, "\x1b[{steps}{direction}");
            }
        }
        end.push_str("\x1b[?7h");
        self.terminal.show(&[&start, &self.window.shown, &end], None);
    }
}

/// Enough to be over the limit, and to be told so.
fn room(engine: &Engine) -> usize {
    engine.max_text() + char::MAX.len_utf8()
}

/// What is shown of a check.
struct Row {
    /// Whether it turned, what it came to, what it requires.
    rows: Vec<String>,
    /// What would mend it.
    instead: Vec<String>,
    is_news: bool,
}

/// Words, some of them faint, behind a mark of three columns, on as few rows as
/// it takes.
fn rows_of(mark: &str, parts: &[(&str, bool)], width: usize, paint: Paint) -> Vec<String> {
    const INDENT: usize = 4;
    let mut rows = vec![mark.to_owned()];
    let mut used = INDENT - 1;
    let words = parts
        .iter()
        .flat_map(|(text, is_faint)| text.split_whitespace().map(move |word| (word, *is_faint)));
    for (word, is_faint) in words {
        let word = clipped(word, width.saturating_sub(INDENT));
        if used + 1 + word.width() > width && used >= INDENT {
            rows.push(" ".repeat(INDENT - 1));
            used = INDENT - 1;
        }
        used += 1 + word.width();
        if let Some(row) = rows.last_mut() {
            let word = if is_faint { paint.faint(word) } else { paint.plain(word) };
            let _ = write!(row, " {word}");
        }
    }
    rows
}

/// All checks if they fit into so many rows, with what would mend them if that
/// does, too; else those that are news first, as far as there is room, and how
/// many more there are.
fn fitting(mut checks: Vec<Row>, room: usize) -> Vec<String> {
    let advice = checks.iter().map(|check| check.instead.len()).sum::<usize>();
    let rows = checks.iter().map(|check| check.rows.len()).sum::<usize>();
    if rows + advice <= room {
        return checks
            .into_iter()
            .flat_map(|check| [check.rows, check.instead])
            .flatten()
            .collect();
    }
    if rows <= room {
        return checks.into_iter().flat_map(|check| check.rows).collect();
    }
    checks.sort_by_key(|check| !check.is_news);
    let mut left = checks.len();
    let mut shown = Vec::new();
    for check in checks {
        if shown.len() + check.rows.len() >= room {
            break;
        }
        shown.extend(check.rows);
        left -= 1;
    }
    shown.push(format!("  … and {left} more"));
    shown
}

enum Event {
    Keys,
    Resized,
    /// The program was stopped, and whoever ran meanwhile had the terminal.
    Continued,
    Nothing,
}

/// Waits for what comes first.
fn wait(
    terminal: &Terminal,
    [resized, continued]: [&UnixStream; 2],
    patience: Option<Duration>,
) -> io::Result<Event> {
    let patience = patience.map(|patience| Timespec {
        tv_sec: patience.as_secs() as i64,
        tv_nsec: patience.subsec_nanos().into(),
    });
    loop {
        let mut sources = [
            PollFd::from_borrowed_fd(terminal.input(), PollFlags::IN),
            PollFd::new(resized, PollFlags::IN),
            PollFd::new(continued, PollFlags::IN),
        ];
        match poll(&mut sources, patience.as_ref()) {
            Ok(0) => return Ok(Event::Nothing),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [_, is_resized, is_continued] = sources.map(|source| !source.revents().is_empty());
        let (mut woken, event) = match (is_continued, is_resized) {
            (true, _) => (continued, Event::Continued),
            (_, true) => (resized, Event::Resized),
            _ => return Ok(Event::Keys),
        };
        while woken.read(&mut [0; 16]).is_ok_and(|read| read > 0) {}
        return Ok(event);
    }
}
