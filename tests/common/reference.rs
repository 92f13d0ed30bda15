//! Section by section what the engine must say of a folded password, written
//! as slowly and as plainly as possible: no automaton, no state, no tricks.

/// The score of the cheapest covering of `text`: pieces that do not overlap,
/// each a term of at least four characters or a single character; with `near`
/// also within one edit of a term of at least five.
pub(crate) fn covering(text: &[char], terms: &[Vec<char>], near: bool) -> u32 {
    let mut known = vec![None; text.len() + 1];
    cheapest(text, 0, terms, near, &mut known)
}

fn cheapest(
    text: &[char],
    at: usize,
    terms: &[Vec<char>],
    near: bool,
    known: &mut [Option<u32>],
) -> u32 {
    if at == text.len() {
        return 0;
    }
    if let Some(cost) = known[at] {
        return cost;
    }
    let mut cost = 1 + cheapest(text, at + 1, terms, near, known);
    for term in terms.iter().filter(|term| term.len() >= 4) {
        if text[at..].starts_with(term) {
            cost = cost.min(1 + cheapest(text, at + term.len(), terms, near, known));
        }
    }
    if near {
        for term in terms.iter().filter(|term| term.len() >= 5) {
            for end in at + term.len() - 1..=(at + term.len() + 1).min(text.len()) {
                if edits(&text[at..end], term) <= 1 {
                    cost = cost.min(1 + cheapest(text, end, terms, near, known));
                }
            }
        }
    }
    known[at] = Some(cost);
    cost
}

/// The terms and, if they count backwards, too, each of them reversed.
pub(crate) fn read(terms: &[Vec<char>], reversed: bool) -> Vec<Vec<char>> {
    let mut read = terms.to_vec();
    for term in terms.iter().filter(|_| reversed) {
        read.push(term.iter().rev().copied().collect());
    }
    read
}

/// Which characters of the text are in an occurrence of a term of at least
/// four characters.
pub(crate) fn covered(text: &[char], terms: &[Vec<char>]) -> Vec<bool> {
    let mut covered = vec![false; text.len()];
    for term in terms.iter().filter(|term| term.len() >= 4) {
        for start in 0..text.len() {
            if text[start..].starts_with(term) {
                covered[start..start + term.len()].fill(true);
            }
        }
    }
    covered
}

/// Whether the whole text is a term.
pub(crate) fn is_term(text: &[char], terms: &[Vec<char>]) -> bool {
    terms.iter().any(|term| term == text)
}

/// Whether the whole text is within one insertion, deletion or substitution
/// of a term of at least `shortest` characters.
pub(crate) fn is_near(text: &[char], terms: &[Vec<char>], shortest: usize) -> bool {
    terms.iter().filter(|term| term.len() >= shortest).any(|term| edits(text, term) <= 1)
}

/// Levenshtein's distance.
pub(crate) fn edits(a: &[char], b: &[char]) -> usize {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                (table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                    .min(table[i - 1][j] + 1)
                    .min(table[i][j - 1] + 1)
            };
        }
    }
    table[a.len()][b.len()]
}

/// Whether one of the names of at least `min` characters occurs in the text.
pub(crate) fn contains_name(text: &[char], names: &[Vec<char>], min: usize) -> bool {
    names
        .iter()
        .filter(|name| name.len() >= min)
        .any(|name| text.windows(name.len()).any(|part| part == name.as_slice()))
}

/// The name as people use it: everything that is compared, before the fold.
pub(crate) fn usages(field: &str, name: &str, split: Option<&str>) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || ".,-_+'\u{2019}&\\#".contains(c);
    let cuts = |c: char| split.map_or(between(c), |split| split.contains(c));
    let dropped = |c: char| between(c) || split.is_some_and(|split| split.contains(c));
    let mut texts = vec![name.to_owned()];
    let name = match field {
        "account-name" | "user-principal-name" => name.rsplit_once('@').map_or(name, |two| two.0),
        _ => name,
    };
    if field == "user-principal-name" {
        texts.clear();
    }
    texts.push(name.to_owned());
    // Where parts begin and end, in bytes.
    let mut ends = Vec::new();
    for (at, c) in name.char_indices().filter(|(_, c)| !cuts(*c)) {
        match ends.last_mut() {
            Some((_, end)) if *end == at => *end = at + c.len_utf8(),
            _ => ends.push((at, at + c.len_utf8())),
        }
    }
    if field == "tenant" {
        let is_form = |(start, end): &(usize, usize)| {
            ["ltd", "group"].contains(&name[*start..*end].to_lowercase().as_str())
        };
        if !ends.iter().all(is_form) {
            while ends.first().is_some_and(is_form) {
                ends.remove(0);
            }
            while ends.last().is_some_and(is_form) {
                ends.pop();
            }
        }
    } else if split.is_none() {
        texts.extend(name.split_whitespace().map(str::to_owned));
    }
    texts.extend(ends.iter().map(|(start, end)| name[*start..*end].to_owned()));
    if let (2..=8, Some((start, _)), Some((_, end))) = (ends.len(), ends.first(), ends.last()) {
        texts.extend(ends.iter().map(|(from, _)| name[*from..*end].to_owned()));
        for turn in [1, ends.len() - 1] {
            let (front, back) = (&name[*start..ends[turn - 1].1], &name[ends[turn].0..*end]);
            texts.push(format!("{back} {front}"));
        }
    } else if let (Some((start, _)), Some((_, end))) = (ends.first(), ends.last()) {
        texts.push(name[*start..*end].to_owned());
    }
    if let [first, _, .., last] = ends.as_slice() {
        let (first, last) = (&name[first.0..first.1], &name[last.0..last.1]);
        texts.extend([format!("{first} {last}"), format!("{last} {first}")]);
    }
    let joined: Vec<String> =
        texts.iter().map(|text| text.chars().filter(|c| !dropped(*c)).collect()).collect();
    texts.extend(joined);
    spellings(texts)
}

/// A given name and a surname together.
pub(crate) fn both(given: &str, surname: &str) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || ".,-_+'\u{2019}&\\#".contains(c);
    let mut texts = Vec::new();
    for given in [Some(given), given.split(between).find(|part| !part.is_empty())] {
        for surname in [Some(surname), surname.split(between).rfind(|part| !part.is_empty())] {
            if let (Some(given), Some(surname)) = (given, surname) {
                for text in [format!("{given} {surname}"), format!("{surname} {given}")] {
                    texts.push(text.chars().filter(|c| !between(*c)).collect());
                    texts.push(text);
                }
            }
        }
    }
    spellings(texts)
}

fn spellings(texts: Vec<String>) -> Vec<String> {
    let plain = [("ä", "a"), ("ø", "o"), ("ß", "ss"), ("æ", "ae")];
    let full = [("ä", "ae"), ("ø", "oe"), ("ß", "ss"), ("æ", "ae")];
    let written = |text: &String, with: &[(&str, &str)]| {
        with.iter().fold(text.clone(), |text, (letter, other)| text.replace(letter, other))
    };
    let each = texts.iter().flat_map(|text| {
        [text.clone(), written(text, &plain), written(text, &full), contracted(text)]
    });
    each.collect()
}

/// With one letter for each two that may stand for it.
fn contracted(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lower = |at: usize| chars.get(at).map(char::to_ascii_lowercase);
    let (mut one, mut at) = (String::new(), 0);
    while at < chars.len() {
        one.push(chars[at]);
        let is_behind_vowel =
            at.checked_sub(1).and_then(lower).is_some_and(|c| "aeouq".contains(c));
        at += match (lower(at), lower(at + 1)) {
            (Some('a'), Some('a' | 'e')) | (Some('o'), Some('e')) => 2,
            (Some('u'), Some('e')) if !is_behind_vowel => 2,
            _ => 1,
        };
    }
    one
}
