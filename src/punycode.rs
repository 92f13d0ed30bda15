//! Labels of domains that stand for others than ASCII (Punycode, RFC 3492).

use zeroize::Zeroizing;

/// How many bytes a label may have (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;

/// The domain with every label that begins with `xn--` as it is read; nothing where
/// there is none that can be.
pub(crate) fn domain(domain: &str, stops: &[char]) -> Option<Zeroizing<String>> {
    let mut read = Zeroizing::new(String::with_capacity(4 * domain.len()));
    let mut is_other = false;
    for label in domain.split(stops) {
        if !read.is_empty() {
            read.push('.');
        }
        match decoded(label) {
            Some(decoded) => {
                is_other = true;
                read.extend(decoded.iter());
            }
            None => read.push_str(label),
        }
    }
    is_other.then_some(read)
}

fn decoded(label: &str) -> Option<Zeroizing<Vec<char>>> {
    let (prefix, rest) = label.split_at_checked(4)?;
    (prefix.eq_ignore_ascii_case("xn--") && label.len() <= MAX_LABEL).then(|| decode(rest))?
}

/// Section 6.2 of the RFC. Inserting takes time in proportion to the text, which
/// is short.
fn decode(encoded: &str) -> Option<Zeroizing<Vec<char>>> {
    let (basic, deltas) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    if !encoded.is_ascii() || deltas.is_empty() {
        return None;
    }
    let mut text = Zeroizing::new(Vec::with_capacity(encoded.len()));
    text.extend(basic.chars());
    let (mut n, mut at, mut bias) = (128_u32, 0_u32, 72);
    let mut digits = deltas.chars();
    while !digits.as_str().is_empty() {
        let (start, mut weight, mut k) = (at, 1_u32, BASE);
        loop {
            let digit = match digits.next()? {
                c @ ('a'..='z' | 'A'..='Z') => c.to_digit(36)?.checked_sub(10)?,
                c => c.to_digit(10)?.checked_add(26)?,
            };
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k = k.checked_add(BASE)?;
        }
        let length = u32::try_from(text.len()).ok()?.checked_add(1)?;
        bias = adapted(at - start, length, start == 0);
        n = n.checked_add(at / length)?;
        at %= length;
        text.insert(at as usize, char::from_u32(n)?);
        at += 1;
    }
    Some(text)
}

/// Section 6.1 of the RFC.
fn adapted(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoded: &str) -> Option<String> {
        decode(encoded).map(|text| text.iter().collect())
    }

    /// Section 7.1 of the RFC.
    #[test]
    fn the_samples_of_the_rfc_are_read() {
        for (encoded, expected) in [
            (
                "egbpdaj6bu4bxfgehfvwxn",
                "\u{644}\u{64a}\u{647}\u{645}\u{627}\u{628}\u{62a}\u{643}\u{644}\u{645}\u{648}\u{634}\u{639}\u{631}\u{628}\u{64a}\u{61f}",
            ),
            (
                "ihqwcrb4cv8a8dqg056pqjye",
                "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}",
            ),
            (
                "ihqwctvzc91f659drss3x8bo0yb",
                "\u{4ed6}\u{5011}\u{7232}\u{4ec0}\u{9ebd}\u{4e0d}\u{8aaa}\u{4e2d}\u{6587}",
            ),
            ("Proprostnemluvesky-uyb24dma41a", "Pro\u{10d}prost\u{11b}nemluv\u{ed}\u{10d}esky"),
            (
                "PorqunopuedensimplementehablarenEspaol-fmd56a",
                "Porqu\u{e9}nopuedensimplementehablarenEspa\u{f1}ol",
            ),
            ("3B-ww4c5e180e575a65lsy2b", "3\u{5e74}B\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}"),
            ("2-u9tlzr9756bt3uc0v", "\u{3072}\u{3068}\u{3064}\u{5c4b}\u{6839}\u{306e}\u{4e0b}2"),
            ("d9juau41awczczp", "\u{305d}\u{306e}\u{30b9}\u{30d4}\u{30fc}\u{30c9}\u{3067}"),
            ("bcker-gra", "b\u{e4}cker"),
            ("mnchen-3ya", "m\u{fc}nchen"),
        ] {
            assert_eq!(read(encoded).as_deref(), Some(expected), "{encoded}");
        }
    }

    #[test]
    fn what_is_no_punycode_stays_as_it_is() {
        for label in ["xn--", "xn--a-", "xn--\u{e4}", "xn--!", "xn--99999999", "xn--a!", "b"] {
            assert_eq!(domain(&format!("{label}.example"), &['.']), None, "{label}");
        }
        let long = format!("xn--{}-gra", "b".repeat(60));
        assert_eq!(domain(&long, &['.']), None);
        let read = domain("Xn--Bcker-Gra.xn--mnchen-3ya.example", &['.']);
        assert_eq!(read.unwrap().as_str(), "B\u{e4}cker.m\u{fc}nchen.example");
    }
}
