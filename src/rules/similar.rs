//! `similar`: too like the current password, or what is known about the user.

use std::ops::Range;

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::folding::{self, Folding, SUBSTITUTE, folded};
use super::names::{Automaton, bit, said_of};
use super::{
    Doc, Example, Findings, Form, Given, Judge, Kind, Lists, Looser, Opt, Prepared, Role, Rule,
    Step,
};
use crate::context::{Context, Field, Operation};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::{Check, Outcome};
use crate::text::{Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("similar", build).documented(Doc {
    forbids: "Passwords within a few edits of the current one, or of a name: also read backwards, \
              with the beginning moved to the end, or with the whole of it inside.",
    why: "Who is made to change a password changes a digit at its end, and whoever knows the old \
          one tries that first. Where nobody gives the current password, there is nothing to \
          compare: a new account has none, otherwise the check is deferred, also where no \
          operation is named.",
    instead: "Make up a new password instead of changing a few characters of the old one.",
    options: &[
        Opt::new(
            "to",
            Form::List(&Form::Word(&[
                "current-password",
                "given-name",
                "surname",
                "display-name",
                "account-name",
                "user-principal-name",
                "tenant",
                "tenant-domain",
                "term",
            ])),
            "what the password is compared with, up to 1024 values and 16384 folded characters of \
             each: with more, what refuses nothing is left to the caller",
        )
        .default("[\"current-password\"]")
        .looser(Looser::Fewer),
        Opt::new(
            "min-distance",
            Form::Integer(1, MAX_DISTANCE as u64),
            "the fewest edits that must lie between, each the insertion, removal or replacement \
             of a character",
        )
        .default("4")
        .looser(Looser::Less),
        Opt::new(
            "min-length",
            Form::Integer(1, u32::MAX as u64),
            "what is shorter, in folded characters, is not compared",
        )
        .default("4")
        .looser(Looser::More),
        Opt::new("reversed", Form::Flag, "also compares with it read backwards")
            .default("true")
            .looser(Looser::Is(false)),
        Opt::new(
            "rotated",
            Form::Flag,
            "also refuses it with its beginning moved to its end (`secret` as `retsec`)",
        )
        .default("true")
        .looser(Looser::Is(false)),
        Opt::new("contained", Form::Flag, "also refuses a password that has all of it inside")
            .default("true")
            .looser(Looser::Is(false)),
        Opt::new(
            "fold",
            Form::Word(&["none", "case", "full"]),
            "what is looked through: `none`, `case` for case only, `full` for case, marks, \
             look-alikes and substitutions",
        )
        .default("\"case\"")
        .looser(Looser::Weaker(&["full", "case", "none"]))
        .role(Role::Grain),
        SUBSTITUTE,
    ],
    examples: &[
        Example {
            options: "",
            context: &[(Given::CurrentPassword, "Trombone17!")],
            passwords: &[
                ("", &[]),
                ("Trombone18!", &["current"]),
                ("trombone1989", &["current"]),
                ("!71enobmorT", &["current"]),
                ("17!Trombone", &["current"]),
                ("my Trombone17! again", &["current"]),
                ("tromb-1989", &[]),
            ],
        },
        Example {
            options: "to = ['surname', 'tenant']\nmin-distance = 2\nmin-length = 5\nfold = 'full'\n\
                      reversed = false\nrotated = false\ncontained = false",
            context: &[
                (Given::Name(Field::Surname), "M\u{fc}ller"),
                (Given::Name(Field::Tenant), "acme"),
                (Given::CurrentPassword, "relleum"),
            ],
            passwords: &[
                ("Mu1lerr", &["names"]),
                ("acme", &[]),
                ("relleum", &[]),
                ("lermul", &[]),
                ("muller 22", &[]),
            ],
        },
        Example {
            options: "to = ['current-password', 'term']\nmin-distance = 1",
            context: &[(Given::CurrentPassword, "stapler"), (Given::Name(Field::Term), "battery")],
            passwords: &[("STAPLER", &["current"]), ("yrettab", &["names"]), ("batteri", &[])],
        },
    ],
});

/// A band of this many characters to either side is looked at.
const MAX_DISTANCE: usize = 16;

/// How many values of a field are compared. Where there are more, the rest could
/// refuse what these do not, so the check does not pass: it is deferred. Counted
/// as they are given, so that fewer comparisons never make a rule stricter.
const MAX_VALUES: usize = 1024;

/// How many folded characters of a field are compared, in all values together: a
/// comparison takes time in proportion to their length. What does not fit counts
/// as one value too many does. No other option changes what fits.
const MAX_CHARACTERS: usize = 16 * MAX_VALUES;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SimilarOptions {
    #[serde(default = "current")]
    to: Vec<To>,
    #[serde(default = "four")]
    min_distance: usize,
    #[serde(default = "four")]
    min_length: usize,
    #[serde(default = "yes")]
    reversed: bool,
    #[serde(default = "yes")]
    rotated: bool,
    #[serde(default = "yes")]
    contained: bool,
    #[serde(default = "case")]
    fold: Folding,
    substitute: Option<Substitution>,
}

/// The current password, or a field of the context.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum To {
    CurrentPassword,
    GivenName,
    Surname,
    DisplayName,
    AccountName,
    UserPrincipalName,
    Tenant,
    TenantDomain,
    Term,
}

impl To {
    fn field(self) -> Option<Field> {
        Some(match self {
            Self::CurrentPassword => return None,
            Self::GivenName => Field::GivenName,
            Self::Surname => Field::Surname,
            Self::DisplayName => Field::DisplayName,
            Self::AccountName => Field::AccountName,
            Self::UserPrincipalName => Field::UserPrincipalName,
            Self::Tenant => Field::Tenant,
            Self::TenantDomain => Field::TenantDomain,
            Self::Term => Field::Term,
        })
    }
}

fn current() -> Vec<To> {
    vec![To::CurrentPassword]
}

fn four() -> usize {
    4
}

fn yes() -> bool {
    true
}

fn case() -> Folding {
    Folding::Case
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let read: SimilarOptions = options.read()?;
    if read.to.is_empty() {
        return Err(options.error("to", "nothing is named, so nothing is compared"));
    }
    for (index, to) in read.to.iter().enumerate() {
        if read.to.iter().take(index).any(|before| before == to) {
            return Err(options.error(&format!("to.{index}"), "it stands twice"));
        }
    }
    if !(1..=MAX_DISTANCE).contains(&read.min_distance) {
        return Err(options.error_with_hint(
            "min-distance",
            "not a distance that is looked for",
            format!("a number from 1 to {MAX_DISTANCE}"),
        ));
    }
    if read.min_length == 0 {
        return Err(options.error("min-length", "every password contains a text of no length"));
    }
    let fields: Vec<_> = read.to.iter().filter_map(|to| to.field()).collect();
    let mut sources = Vec::new();
    if read.to.contains(&To::CurrentPassword) {
        sources.push(Source::CurrentPassword);
    }
    if !fields.is_empty() {
        sources.push(Source::Names(fields));
    }
    Ok(Box::new(Similar {
        sources,
        grain: folding::grain(options, read.fold, read.substitute)?,
        distance: read.min_distance,
        min_length: read.min_length,
        reversed: read.reversed,
        rotated: read.rotated,
        contained: read.contained,
    }))
}

struct Similar {
    /// One for each check.
    sources: Vec<Source>,
    grain: Grain,
    distance: usize,
    min_length: usize,
    reversed: bool,
    rotated: bool,
    contained: bool,
}

enum Source {
    CurrentPassword,
    Names(Vec<Field>),
}

/// What the password is compared with, for each check.
struct Compared(Vec<Texts>);

struct Texts {
    /// The shortest first.
    texts: Vec<Text>,
    /// Finds them inside of the password.
    automaton: Automaton,
    /// What holds if none of them refuses.
    otherwise: Outcome,
}

impl Texts {
    /// Those that may have fewer than `distance` edits between them and the
    /// password, or be a rotation of it: two numbers to look at for each, however
    /// long they are. An edit changes the length by one at most, and at most one
    /// character that a text has and the other has not.
    fn likely(&self, password: &[char], distance: usize) -> impl Iterator<Item = &Text> {
        let (length, set) = (password.len(), set(password));
        let end = length.saturating_add(distance);
        let start = self.texts.partition_point(|text| text.characters.len() + distance <= length);
        let end = self.texts.partition_point(|text| text.characters.len() < end);
        let near = self.texts.get(start..end).unwrap_or_default().iter();
        near.filter(move |text| {
            let only = [set & !text.set, text.set & !set];
            only.iter().all(|only| (only.count_ones() as usize) < distance)
        })
    }
}

/// The characters of a text, one bit for each 64th.
fn set(text: &[char]) -> u64 {
    text.iter().fold(0, |set, c| set | bit(*c))
}

struct Text {
    characters: Zeroizing<Vec<char>>,
    set: u64,
    /// For each prefix, how many characters the longest shorter one has that
    /// it ends with.
    borders: Vec<u32>,
}

impl Text {
    fn new(characters: Zeroizing<Vec<char>>) -> Self {
        let mut borders = vec![0; characters.len() + 1];
        let mut border = 0;
        for (end, c) in characters.iter().enumerate().skip(1) {
            border = extended(&characters, &borders, border, *c);
            if let Some(of_prefix) = borders.get_mut(end + 1) {
                *of_prefix = border;
            }
        }
        Self { set: set(&characters), characters, borders }
    }

    /// Whether the other text is this one with its beginning moved to its end:
    /// whether this one stands in the other written twice.
    fn is_rotation(&self, other: &[char]) -> bool {
        if other.len() != self.characters.len() {
            return false;
        }
        let mut read = 0;
        other.iter().chain(other).any(|c| {
            read = extended(&self.characters, &self.borders, read, *c);
            read as usize == self.characters.len()
        })
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.borders.zeroize();
        self.set.zeroize();
    }
}

/// How much of a text has been read after one more character, where `read` of
/// it was before (Knuth, Morris and Pratt, 1977).
fn extended(text: &[char], borders: &[u32], mut read: u32, c: char) -> u32 {
    loop {
        if text.get(read as usize) == Some(&c) {
            return read + 1;
        }
        if read == 0 {
            return 0;
        }
        read = borders.get(read as usize).copied().unwrap_or(0);
    }
}

/// Whether fewer than `distance` edits lie between the texts: Levenshtein's
/// table row by row, as far as cells below `distance` can be.
fn is_near<'c>(a: &[char], b: impl ExactSizeIterator<Item = &'c char>, distance: usize) -> bool {
    let rows = b.len();
    if a.len().abs_diff(rows) >= distance {
        return false;
    }
    // The cell of column j in row i stands at j + distance - i.
    let mut row = [distance; 2 * MAX_DISTANCE + 1];
    for (edits, cell) in row.iter_mut().skip(distance).take(distance).enumerate() {
        *cell = edits;
    }
    for (i, c) in (1..).zip(b) {
        let mut left = distance;
        let mut least = distance;
        for at in 0..=2 * distance {
            let Some(j) = (i + at).checked_sub(distance).filter(|j| *j <= a.len()) else {
                continue;
            };
            let above_left = row.get(at).copied().unwrap_or(distance);
            let above = row.get(at + 1).copied().unwrap_or(distance);
            let here = match j.checked_sub(1).and_then(|j| a.get(j)) {
                None => i,
                Some(other) => (above_left + usize::from(other != c)).min(above + 1).min(left + 1),
            };
            left = here.min(distance);
            least = least.min(left);
            if let Some(cell) = row.get_mut(at) {
                *cell = left;
            }
        }
        if least == distance {
            return false;
        }
    }
    let end = (a.len() + distance).checked_sub(rows);
    end.and_then(|at| row.get(at)).is_some_and(|edits| *edits < distance)
}

impl Similar {
    fn is_similar(&self, password: &[char], text: &Text) -> bool {
        is_near(password, text.characters.iter(), self.distance)
            || self.reversed && is_near(password, text.characters.iter().rev(), self.distance)
            || self.rotated && text.is_rotation(password)
    }
}

impl Similar {
    /// What the check of the current password comes to where nobody gave it.
    fn without_current(context: &Context) -> Outcome {
        match context.known_operation() {
            // A new account has none.
            Some(Operation::Create) => Outcome::Passed,
            _ => Outcome::Deferred,
        }
    }
}

impl Rule for Similar {
    fn checks(&self) -> Vec<Check> {
        let checks = self.sources.iter().map(|source| match source {
            Source::CurrentPassword => Check::new("current", Phrase::of("similar.current"))
                .first_failure(
                    "password_too_similar",
                    "Password is too similar to the current one.",
                )
                .while_deferred("Password has not been compared with the current one.")
                .all_rules(
                    "PasswordNotSimilar",
                    "The new password must not be similar to the current one.",
                )
                .of_current_password(),
            Source::Names(fields) => Check::new("names", said_of("similar.names", fields))
                .first_failure("password_too_similar", "Password is too similar to a name.")
                .all_rules(
                    "PasswordNotSimilarToNames",
                    "The new password must not be similar to a name.",
                ),
        });
        checks.collect()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // For each check the automaton's node, and whether a text has occurred.
    fn width(&self) -> usize {
        if self.contained { 2 * self.sources.len() } else { 0 }
    }

    fn prepare(&self, context: &Context) -> Prepared {
        let compared = self.sources.iter().map(|source| {
            let mut otherwise = Outcome::Passed;
            let mut texts = Vec::new();
            match source {
                Source::CurrentPassword => match context.current_password() {
                    Some(text) => texts.push(folded(text, &self.grain)),
                    None => otherwise = Self::without_current(context),
                },
                Source::Names(fields) => {
                    for field in fields.chunks(1) {
                        let mut left = MAX_CHARACTERS;
                        for name in context.names(field).take(MAX_VALUES) {
                            let text = folded(name, &self.grain);
                            match left.checked_sub(text.len()) {
                                Some(rest) => {
                                    left = rest;
                                    texts.push(text);
                                }
                                None => otherwise = Outcome::Deferred,
                            }
                        }
                        if context.names(field).nth(MAX_VALUES).is_some() {
                            otherwise = Outcome::Deferred;
                        }
                    }
                }
            }
            texts.retain(|text| text.len() >= self.min_length);
            texts.sort_unstable_by(|a, b| a.as_slice().cmp(b));
            texts.dedup();
            let automaton = Automaton::new(&texts);
            texts.sort_by_key(|text| text.len());
            Texts { texts: texts.into_iter().map(Text::new).collect(), automaton, otherwise }
        });
        Prepared::new(Compared(compared.collect()))
    }

    fn step(&self, step: &mut Step<'_>) {
        let Some(Compared(compared)) = step.prepared::<Compared>() else { return };
        let Some(&c) = step.text().last() else { return };
        for (Texts { automaton, .. }, numbers) in compared.iter().zip(step.state().chunks_mut(2)) {
            if let [node, found] = numbers {
                *node = automaton.step(*node, c);
                *found |= u32::from(automaton.is_hit(*node));
            }
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let compared = judge.prepared::<Compared>().map(|compared| compared.0.as_slice());
        let password = judge.text();
        for check in 0..self.sources.len() {
            let texts = compared.and_then(|compared| compared.get(check));
            let occurred = judge.state().get(2 * check + 1).is_some_and(|found| *found > 0);
            let is_refused = occurred
                || texts.is_some_and(|texts| {
                    let mut likely = texts.likely(password, self.distance);
                    likely.any(|text| self.is_similar(password, text))
                });
            match texts.map(|texts| texts.otherwise) {
                Some(Outcome::Deferred) if !is_refused => findings.defer(check),
                _ => findings.decide(check, !is_refused),
            }
        }
    }

    /// What is inside of the password, else all of it.
    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let compared = judge.prepared::<Compared>();
        let Some(texts) = compared.and_then(|all| all.0.get(check)) else { return };
        let password = judge.text();
        if texts.likely(password, self.distance).any(|text| self.is_similar(password, text)) {
            return mark(0..password.len());
        }
        for text in texts.texts.iter().filter(|_| self.contained) {
            for (start, part) in password.windows(text.characters.len()).enumerate() {
                if part == text.characters.as_slice() {
                    mark(start..start + part.len());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::{Engine, Subject};
    use crate::report::Outcome;

    fn engine(options: &str) -> Engine {
        let policy = format!("[[rule]]\nkind = 'similar'\n{options}").parse().unwrap();
        Engine::builder().build(&policy).unwrap()
    }

    fn outcome(engine: &Engine, subject: &Subject, password: &str) -> Outcome {
        engine.check(password, subject).check("similar.names").unwrap().outcome
    }

    /// Different words of ten letters, none like another.
    fn words(count: u64) -> impl Iterator<Item = String> {
        (1..=count).map(|n| {
            let mut number = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let letters = (0..10).map(|_| {
                number = number.rotate_left(7).wrapping_mul(0xD134_2543_DE82_EF95);
                b'a' + (number >> 59) as u8 % 26
            });
            letters.map(char::from).collect()
        })
    }

    /// Ten thousand comparisons at each key would be milliseconds.
    #[test]
    fn few_of_many_are_compared_at_a_key() {
        let texts = |count| {
            let texts = words(count).map(|word| Zeroizing::new(word.chars().collect::<Vec<_>>()));
            let texts: Vec<_> = texts.map(Text::new).collect();
            Texts { texts, automaton: Automaton::new(&[]), otherwise: Outcome::Passed }
        };
        let all = texts(5000);
        let likely: usize = words(5200)
            .skip(5000)
            .map(|word| all.likely(&word.chars().collect::<Vec<_>>(), 4).count())
            .sum();
        assert!(likely < 200 * 5000 / 50, "{likely}");
    }

    /// Nobody gave what the rule compares, and nothing is said to have passed.
    #[test]
    fn without_a_current_password_nothing_passes_as_compared() {
        use crate::context::Operation::{Change, Create, Reset};
        let limited = engine("on = ['change', 'reset']");
        let every = engine("on = ['create', 'change', 'reset']");
        let both = engine("to = ['current-password', 'surname']");
        let plain = engine("");
        let current = |engine: &Engine, operation: Option<_>, current: Option<&str>| {
            let mut context = Context::new().surname("Quillfeather");
            if let Some(operation) = operation {
                context = context.operation(operation);
            }
            if let Some(current) = current {
                context = context.with_current_password(current);
            }
            let subject = engine.subject(&context);
            let one = |id| engine.check("kettle-7493-x", &subject).check(id).unwrap().outcome;
            let mut session = engine.session(subject.clone());
            session.set("kettle-7493-x");
            let typed = session.report().verdict();
            assert_eq!(typed, engine.check("kettle-7493-x", &subject).verdict());
            one("similar.current")
        };
        for (operation, always, limited_to) in [
            (Some(Change), Outcome::Deferred, Outcome::Deferred),
            (Some(Reset), Outcome::Deferred, Outcome::Deferred),
            (Some(Create), Outcome::Passed, Outcome::Skipped),
            (None, Outcome::Deferred, Outcome::Deferred),
        ] {
            for engine in [&plain, &both, &every] {
                assert_eq!(current(engine, operation, None), always, "{operation:?}");
            }
            assert_eq!(current(&limited, operation, None), limited_to, "{operation:?}");
            // Given, it is compared, even an empty one.
            for (given, expected) in [
                ("kettle-7493-y", Outcome::Failed),
                ("walnut harbor", Outcome::Passed),
                ("", Outcome::Passed),
            ] {
                assert_eq!(current(&both, operation, Some(given)), expected, "{operation:?}");
            }
        }
        // The names are compared all the same, and refuse.
        let subject = both.subject(&Context::new().surname("Quillfeather").operation(Change));
        let names = |password| outcome(&both, &subject, password);
        assert_eq!(names("quillfeathers"), Outcome::Failed);
        assert_eq!(names("kettle-7493-x"), Outcome::Passed);
        assert_eq!(both.check("quillfeathers", &subject).verdict(), crate::Verdict::Refused);
        let mut report = both.check("kettle-7493-x", &subject);
        assert_eq!(report.verdict(), crate::Verdict::Undecided);
        // A caller that leaves former passwords aside finds it among them.
        let open: Vec<_> = report
            .checks()
            .filter(|result| {
                result.outcome == Outcome::Deferred && result.check.history().is_some()
            })
            .map(|result| result.check.id().to_owned())
            .collect();
        for id in &open {
            assert!(report.settle(id, true));
        }
        assert_eq!(report.verdict(), crate::Verdict::Accepted);
    }

    /// In an alternative, too, and for nobody.
    #[test]
    fn what_is_deferred_keeps_an_alternative_open() {
        let policy = "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
                      rule = [{ kind = 'length', min = 20 }]\n[[rule.alternative]]\n\
                      rule = [{ kind = 'similar' }]";
        let engine = Engine::builder().build(&policy.parse().unwrap()).unwrap();
        let verdict = |text, subject: &Subject| engine.check(text, subject).verdict();
        let nobody = Subject::default();
        let change = engine.subject(&Context::new().operation(Operation::Change));
        let create = engine.subject(&Context::new().operation(Operation::Create));
        for subject in [&nobody, &change] {
            assert_eq!(verdict("kettle-7493-x", subject), crate::Verdict::Undecided);
            assert_eq!(verdict("kettle walnut harbor violet", subject), crate::Verdict::Accepted);
        }
        assert_eq!(verdict("kettle-7493-x", &create), crate::Verdict::Accepted);
    }

    #[test]
    fn what_is_not_compared_does_not_pass() {
        let engine = engine("to = ['term', 'tenant']");
        let known = |terms: u64| {
            let context = words(terms).fold(Context::new(), |context, term| context.term(&term));
            engine.subject(&context.tenant("Contoso").tenant("Fabrikam"))
        };
        let most = MAX_VALUES as u64;
        let (full, over) = (known(most), known(most + 1));
        assert_eq!(outcome(&engine, &full, "kettle-7493-x"), Outcome::Passed);
        assert_eq!(outcome(&engine, &over, "kettle-7493-x"), Outcome::Deferred);
        // What is known refuses, however much is not: the last that is compared,
        // and another field.
        let last = words(most).last().unwrap();
        for password in [last.as_str(), &format!("my {last}!"), "c0ntoso"] {
            for subject in [&full, &over] {
                assert_eq!(outcome(&engine, subject, password), Outcome::Failed);
            }
        }
        let beyond = words(most + 1).last().unwrap();
        assert_eq!(outcome(&engine, &over, &beyond), Outcome::Deferred);
    }

    /// A hundred terms of a few thousand characters were 50 ms at a key.
    #[test]
    fn few_characters_are_compared_however_long_the_terms_are() {
        let rule = Similar {
            sources: vec![Source::Names(vec![Field::Term, Field::Tenant])],
            grain: Grain::Character,
            distance: MAX_DISTANCE,
            min_length: 4,
            reversed: true,
            rotated: true,
            contained: true,
        };
        let long = |n: usize| "ab".repeat(2010) + &"b".repeat(n % 8) + &format!("{n:08b}");
        let long = |n| long(n).replace('0', "a").replace('1', "b");
        let terms =
            |count: usize| (0..count).fold(Context::new(), |context, n| context.term(&long(n)));
        let password: Vec<char> = long(0).chars().collect();
        let compared = |context: &Context| {
            let prepared = rule.prepare(context);
            let Compared(compared) = prepared.get().unwrap();
            let texts = &compared[0];
            let likely = texts.likely(&password, rule.distance);
            (
                likely.map(|text| text.characters.len()).sum::<usize>(),
                texts.otherwise == Outcome::Deferred,
            )
        };
        let (few, more) = compared(&terms(4));
        assert!((4 * 4020..=MAX_CHARACTERS).contains(&few) && !more, "{few}");
        assert_eq!(compared(&terms(100)), (few, true));
        // What fits is compared, and other fields are counted by themselves.
        let (both, more) = compared(&terms(100).tenant(&long(200)).term("battery"));
        assert!((few + 4020..2 * MAX_CHARACTERS).contains(&both) && more);
        let engine = engine("to = ['term']\nmin-distance = 16");
        let outcome = |terms, password: &str| outcome(&engine, &engine.subject(&terms), password);
        let other = "kettle walnut harbor violet 7493";
        assert_eq!(outcome(terms(4), other), Outcome::Passed);
        assert_eq!(outcome(terms(5), other), Outcome::Deferred);
        assert_eq!(outcome(terms(5), &long(0)), Outcome::Failed);
        assert_eq!(outcome(terms(5).term("battery"), "my battery is flat"), Outcome::Failed);
    }

    /// The textbook's table.
    fn edits(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (i, 0) => i,
                    (0, j) => j,
                    _ => (table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                        .min(table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1),
                };
            }
        }
        table[a.len()][b.len()]
    }

    fn word() -> impl Strategy<Value = Vec<char>> {
        prop::collection::vec(prop::sample::select(vec!['a', 'b', 'ж']), 0..24)
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(4000))]

        #[test]
        fn the_band_is_the_whole_table(a in word(), b in word(), distance in 1..=MAX_DISTANCE) {
            prop_assert_eq!(is_near(&a, b.iter(), distance), edits(&a, &b) < distance);
        }

        #[test]
        fn a_band_is_wide_enough_for_texts_that_are_near(
            a in word(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, prop::sample::select(vec!['a', 'b', 'c'])), 0..18),
            distance in 1..=MAX_DISTANCE,
        ) {
            let mut b = a.clone();
            for (at, change, c) in changes {
                let at = at.index(b.len() + 1);
                match change {
                    0 => b.insert(at, c),
                    1 if at < b.len() => { b.remove(at); }
                    _ if at < b.len() => b[at] = c,
                    _ => {}
                }
            }
            prop_assert_eq!(is_near(&a, b.iter(), distance), edits(&a, &b) < distance);
        }

        /// What is not looked at would not have refused.
        #[test]
        fn whatever_may_be_similar_is_likely(
            password in word(),
            others in prop::collection::vec(word(), 0..8),
            distance in 1..=MAX_DISTANCE,
        ) {
            let rule = Similar {
                sources: Vec::new(),
                grain: Grain::Character,
                distance,
                min_length: 1,
                reversed: true,
                rotated: true,
                contained: false,
            };
            let mut others = others;
            others.sort_by_key(Vec::len);
            let similar = others.iter().filter(|other| {
                let backwards: Vec<_> = other.iter().rev().copied().collect();
                let turned = |at: usize| [&other[at..], &other[..at]].concat();
                edits(&password, other) < distance
                    || edits(&password, &backwards) < distance
                    || (0..other.len()).any(|at| turned(at) == password)
            });
            let texts = others.iter().map(|other| Text::new(Zeroizing::new(other.clone())));
            let texts =
                Texts { texts: texts.collect(), automaton: Automaton::new(&[]), otherwise: Outcome::Passed };
            let found = texts.likely(&password, distance);
            let found = found.filter(|text| rule.is_similar(&password, text));
            prop_assert_eq!(found.count(), similar.count());
        }

        #[test]
        fn a_rotation_is_one(a in word(), b in word(), at in any::<prop::sample::Index>()) {
            let text = Text::new(Zeroizing::new(a.clone()));
            let mut turned = a.clone();
            turned.rotate_left(at.index(a.len() + 1) % a.len().max(1));
            prop_assert!(a.is_empty() || text.is_rotation(&turned));
            let rotations = (0..a.len()).map(|at| [&a[at..], &a[..at]].concat());
            prop_assert_eq!(text.is_rotation(&b), rotations.into_iter().any(|turned| turned == b));
        }
    }
}
