//! The Unicode data, and that all of it is of one version.

use icu_casemap::CaseMapper;
use icu_properties::props::{ChangesWhenCasefolded, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_public_assigned;

/// What the ICU4X data crates say they carry; they have no constant for it.
/// [`agreed`] finds out when it is no longer true.
const ICU4X: (u64, u64, u64) = (18, 0, 0);

/// The Unicode version of each crate that data is taken from.
#[must_use]
pub fn versions() -> [(&'static str, (u64, u64, u64)); 4] {
    let (major, minor, update) = unicode_normalization::UNICODE_VERSION;
    [
        ("icu_casemap", ICU4X),
        ("icu_properties", ICU4X),
        ("unicode-normalization", (major.into(), minor.into(), update.into())),
        ("unicode-security", unicode_security::UNICODE_VERSION),
    ]
}

/// The one Unicode version that all the data is of.
///
/// # Errors
///
/// When the crates carry different versions: their data would contradict each
/// other for some code points.
pub fn agreed() -> Result<(u64, u64, u64), String> {
    let versions = versions();
    if let Some((name, version)) = versions.iter().find(|(_, version)| *version != ICU4X) {
        return Err(format!("{name} carries Unicode {version:?}, ICU4X {ICU4X:?}"));
    }
    // Every version assigns code points, so whoever agrees on all of them is of
    // the same version.
    if let Some(c) = ('\0'..=char::MAX).find(|&c| is_public(c) != is_public_assigned(c)) {
        return Err(format!("the crates disagree whether U+{:04X} is assigned", u32::from(c)));
    }
    let changes = CodePointSetData::new::<ChangesWhenCasefolded>();
    let case = CaseMapper::new();
    let folds = |c: char| {
        let text: String = c.nfd().collect();
        case.fold_string(&text) != text
    };
    if let Some(c) = changeable().find(|&c| changes.contains(c) != folds(c)) {
        return Err(format!("the crates disagree on the case of U+{:04X}", u32::from(c)));
    }
    Ok(ICU4X)
}

/// The code points that any mapping may change: all that Unicode assigns, and
/// those that it has set aside to be default-ignorable.
pub(crate) fn changeable() -> impl Iterator<Item = char> {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    ('\0'..=char::MAX).filter(move |&c| is_public(c) || ignorable.contains(c))
}

/// Whether Unicode assigns `c`, and not for private use.
fn is_public(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    !matches!(category, GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
}
