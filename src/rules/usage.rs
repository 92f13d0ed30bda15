//! How people use a name: not only as a directory writes it.
//!
//! Somebody whom a directory calls `Jean-Luc van den Børg` is also `jeanluc`,
//! `vandenborg`, `boerg`, and `børgjeanlucvanden`. Each of these is a reading.
//! They have as many characters as the name, times a constant.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::context::{Context, Field, local_part};
use crate::text;

/// A name of more parts is compared as it is written, without what stands
/// between, in its parts, and in the first and the last together, but not in what
/// others are together.
const MAX_PARTS: usize = 8;

/// A longer name, in characters, is compared as it is written, without what
/// stands between, and in its parts, but not in what parts are together.
const MAX_COMBINED: usize = 256;

/// Of so many given names, and of so many surnames, each is compared together
/// with each of the others.
const MAX_PAIRED: usize = 4;

/// What stands between the parts of a name, besides white space.
const SEPARATORS: &[char] = &[
    '.', ',', ';', ':', '-', '_', '+', '/', '\\', '|', '&', '#', '*', '~', '(', ')', '[', ']',
    '\'', '"', '`', '\u{b4}', '\u{ab}', '\u{b7}', '\u{bb}', '\u{2bb}', '\u{2bc}', '\u{5be}',
    '\u{5f3}', '\u{5f4}', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}',
    '\u{2018}', '\u{2019}', '\u{201b}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2027}', '\u{2032}',
    '\u{2212}', '\u{3001}', '\u{30a0}', '\u{30fb}', '\u{ff07}', '\u{ff08}', '\u{ff09}', '\u{ff0b}',
    '\u{ff0c}', '\u{ff0d}', '\u{ff0e}', '\u{ff0f}', '\u{ff3f}', '\u{ff65}',
];

/// What companies are called behind their name, or in front of it. None is known
/// by it, and many words have some of it inside.
const LEGAL_FORMS: &[&str] = &[
    "ag",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "group",
    "groupe",
    "gruppe",
    "gruppo",
    "grupo",
    "holding",
    "holdings",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "llp",
    "ltd",
    "ltda",
    "nv",
    "oy",
    "oyj",
    "plc",
    "pty",
    "pvt",
    "sa",
    "sarl",
    "sas",
    "se",
    "spa",
    "srl",
    "the",
    "\u{5408}\u{540c}\u{4f1a}\u{793e}",
    "\u{6709}\u{9650}\u{4f1a}\u{793e}",
    "\u{6709}\u{9650}\u{516c}\u{53f8}",
    "\u{682a}\u{5f0f}\u{4f1a}\u{793e}",
    "\u{c8fc}\u{c2dd}\u{d68c}\u{c0ac}",
];

/// Letters for which people write others: without the mark, and in full. For
/// one that is written in one way only, both are the same.
const LETTERS: &[(char, &str, &str)] = &[
    ('ä', "a", "ae"),
    ('ö', "o", "oe"),
    ('ü', "u", "ue"),
    ('å', "a", "aa"),
    ('ø', "o", "oe"),
    ('æ', "ae", "ae"),
    ('œ', "oe", "oe"),
    ('ß', "ss", "ss"),
    ('þ', "th", "th"),
    ('ð', "d", "d"),
    ('đ', "d", "dj"),
    ('ł', "l", "l"),
];

/// Whether it is of Han, kana or hangul, where two characters make a name.
pub(super) fn is_of_short_words(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}'
        | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Reads names as people use them.
pub(super) struct Usage<'a> {
    /// At which characters names are split into parts, if a policy says.
    pub(super) split: Option<&'a [char]>,
}

impl Usage<'_> {
    /// Gives every reading of the names in these fields, some more than once.
    pub(super) fn read(&self, context: &Context, fields: &[Field], give: &mut dyn FnMut(&str)) {
        for field in fields {
            for name in context.names(std::slice::from_ref(field)) {
                let name = text::nfc(name);
                // Account names may be written as addresses.
                let local = match field {
                    Field::AccountName => local_part(&name),
                    _ => &name,
                };
                if local.len() < name.len() {
                    self.text(&name, give);
                }
                self.name(local, *field == Field::Tenant, give);
            }
        }
        if fields.contains(&Field::GivenName) && fields.contains(&Field::Surname) {
            self.full_names(context, give);
        }
    }

    fn name(&self, name: &str, is_company: bool, give: &mut dyn FnMut(&str)) {
        self.text(name, give);
        let mut parts = self.parts(name);
        if is_company {
            let is_own = |part: &Range<usize>| !name.get(part.clone()).is_some_and(is_legal_form);
            let ends = parts.iter().position(is_own).zip(parts.iter().rposition(is_own));
            // What has no other words is called so.
            if let Some((first, last)) = ends {
                parts.truncate(last + 1);
                parts.drain(..first);
            }
        } else if self.split.is_none() {
            name.split_whitespace().for_each(|word| self.text(word, give));
        }
        self.text(together(name, &parts), give);
        for part in parts.iter().filter_map(|part| name.get(part.clone())) {
            self.text(part, give);
        }
        if parts.len() < 2 || is_long(name) {
            return;
        }
        // The first and the last, whatever stands between.
        if let [first, _, .., last] = parts.as_slice()
            && let Some((first, last)) = name.get(first.clone()).zip(name.get(last.clone()))
        {
            self.both(first, last, give);
            self.both(last, first, give);
        }
        if parts.len() > MAX_PARTS {
            return;
        }
        for from in 1..parts.len() {
            self.text(together(name, parts.get(from..).unwrap_or_default()), give);
        }
        // The last name first, and the first name last.
        for at in [1, parts.len() - 1] {
            if let Some((front, back)) = parts.split_at_checked(at) {
                self.both(together(name, back), together(name, front), give);
            }
        }
    }

    /// Given names and surnames, which directories keep apart.
    fn full_names(&self, context: &Context, give: &mut dyn FnMut(&str)) {
        let composed = |field| {
            let values = context.values(field).take(MAX_PAIRED);
            values.map(text::nfc).filter(|name| !is_long(name)).collect::<Vec<_>>()
        };
        let surnames = composed(Field::Surname);
        for given in &composed(Field::GivenName) {
            let first = self.parts(given).into_iter().next();
            let first = first.and_then(|first| given.get(first));
            for surname in &surnames {
                let last = self.parts(surname).pop().and_then(|last| surname.get(last));
                for given in [Some(&**given), first].into_iter().flatten() {
                    for surname in [Some(&**surname), last].into_iter().flatten() {
                        self.both(given, surname, give);
                        self.both(surname, given, give);
                    }
                }
            }
        }
    }

    /// One text behind the other, with and without a space between.
    fn both(&self, front: &str, back: &str, give: &mut dyn FnMut(&str)) {
        let mut both = Zeroizing::new(String::with_capacity(front.len() + back.len() + 1));
        [front, " ", back].into_iter().for_each(|part| both.push_str(part));
        self.text(&both, give);
    }

    /// A text as it is written, and without what stands between its parts.
    fn text(&self, text: &str, give: &mut dyn FnMut(&str)) {
        spelt(text, give);
        let split = self.split.unwrap_or_default();
        let is_between = |c: char| is_separator(c) || split.contains(&c);
        if text.contains(is_between) {
            let mut joined = Zeroizing::new(String::with_capacity(text.len()));
            joined.extend(text.chars().filter(|c| !is_between(*c)));
            spelt(&joined, give);
        }
    }

    /// Where the parts of a name stand. None is empty.
    fn parts(&self, name: &str) -> Vec<Range<usize>> {
        let is_end = |c: char| self.split.map_or_else(|| is_separator(c), |all| all.contains(&c));
        let mut parts = Vec::new();
        let mut start = 0;
        for (at, c) in name.char_indices().filter(|(_, c)| is_end(*c)) {
            parts.push(start..at);
            start = at + c.len_utf8();
        }
        parts.push(start..name.len());
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// From the first of these parts to the last.
fn together<'n>(name: &'n str, parts: &[Range<usize>]) -> &'n str {
    let ends = parts.first().zip(parts.last());
    ends.and_then(|(first, last)| name.get(first.start..last.end)).unwrap_or_default()
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || SEPARATORS.contains(&c)
}

fn is_long(name: &str) -> bool {
    name.chars().nth(MAX_COMBINED).is_some()
}

fn is_legal_form(part: &str) -> bool {
    LEGAL_FORMS.iter().any(|form| part.eq_ignore_ascii_case(form))
}

/// A text in each of its spellings.
fn spelt(text: &str, give: &mut dyn FnMut(&str)) {
    give(text);
    contracted(text, give);
    let others = |c: char| {
        let lower = c.to_lowercase().next();
        LETTERS.iter().find(|(letter, ..)| !c.is_ascii() && Some(*letter) == lower)
    };
    if !text.chars().any(|c| others(c).is_some()) {
        return;
    }
    // Nobody writes a name half in one way and half in the other, and so there
    // are two more, however many such letters it has.
    for is_full in [false, true] {
        let mut spelt = Zeroizing::new(String::with_capacity(2 * text.len()));
        for c in text.chars() {
            match others(c) {
                Some((_, _, full)) if is_full => spelt.push_str(full),
                Some((_, plain, _)) => spelt.push_str(plain),
                None => spelt.push(c),
            }
        }
        give(&spelt);
    }
}

/// A text in which two letters may stand for one, with that one instead: with its
/// mark, and without. Again all of them in one way.
fn contracted(text: &str, give: &mut dyn FnMut(&str)) {
    for is_marked in [true, false] {
        let mut one = Zeroizing::new(String::with_capacity(text.len()));
        let (mut last, mut is_other) = (' ', false);
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next = rest.clone().next().unwrap_or(' ');
            let pair = (c.to_ascii_lowercase(), next.to_ascii_lowercase());
            let letter = match pair {
                // Behind these it is no umlaut (`Bauer`, `Quentin`).
                ('u', 'e') if "aeouq".contains(last) => None,
                ('a', 'e') => Some(('ä', 'a')),
                ('o', 'e') => Some(('ö', 'o')),
                ('u', 'e') => Some(('ü', 'u')),
                ('a', 'a') => Some(('å', 'a')),
                _ => None,
            };
            match letter {
                Some((marked, plain)) => {
                    is_other = true;
                    rest.next();
                    one.push(if is_marked { marked } else { plain });
                    last = pair.1;
                }
                None => {
                    one.push(c);
                    last = pair.0;
                }
            }
        }
        if !is_other {
            return;
        }
        give(&one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(context: &Context) -> usize {
        let mut made = 0;
        Usage { split: None }.read(context, Field::ALL, &mut |text| made += text.chars().count());
        made
    }

    /// The characters that are made are as many as the name has, times a constant,
    /// and nothing of what is long is put together.
    #[test]
    fn long_names_are_not_multiplied() {
        for part in ["m", "m\u{fc}", "mue", "ue ", "m-", "a.b ", "Mueller \u{d6}z "] {
            let name: String = part.chars().cycle().take(96 * 1024).collect();
            let made = made(&Context::new().given_name(&name).surname(&name));
            assert!(made <= 2 * 40 * 96 * 1024, "{part}: {made}");
        }
        let name: String = "x".repeat(96 * 1024);
        assert!(made(&Context::new().given_name(&name).surname(&name)) <= 2 * 4 * 96 * 1024);
        let many = (0..4).fold(Context::new(), |context, _| {
            let name = "ue ".repeat(MAX_COMBINED / 3);
            context.given_name(&name).surname(&name)
        });
        assert!(made(&many) <= 400 * 8 * MAX_COMBINED, "{}", made(&many));
    }
}
