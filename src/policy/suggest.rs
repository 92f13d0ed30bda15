//! The nearest of the names that would have been right.

/// "did you mean `x`?", if a name is near enough to be meant.
pub(crate) fn suggestion<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // Longer than any name of ours: nothing is near, and time is bounded.
    if given.len() > 64 {
        return None;
    }
    let normal = given.to_ascii_lowercase().replace('_', "-");
    let allowed = (normal.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|name| (distance(&normal, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// Edit distance in characters, an exchange of neighbours counted as one.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, j) + usize::from(ca != cb))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["length", "characters", "complexity", "banned", "names"];
        for (given, meant) in [
            ("lenght", "length"),
            ("Length", "length"),
            ("character", "characters"),
            ("baned", "banned"),
            ("name", "names"),
        ] {
            let expected = format!("did you mean `{meant}`?");
            assert_eq!(suggestion(given, known).as_deref(), Some(expected.as_str()));
        }
        assert_eq!(suggestion("zxcvbn", known), None);
        assert_eq!(suggestion(&"x".repeat(1 << 20), known), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
