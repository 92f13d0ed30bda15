//! The built lists are what `wordlists/*.txt` and this version's fold make.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use countersign::{Banlist, Substitution};

const LISTS: &[&str] = &["base", "common", "long"];

/// The same bytes that `countersign banlist build` writes, see
/// `wordlists/SOURCES.md`.
fn rebuilt(name: &str, set: &str) -> Vec<u8> {
    let substitution = Substitution::from_name(set).unwrap();
    let mut builder =
        Banlist::builder(&substitution).provenance(format!("countersign: wordlists/{name}.txt"));
    let text = File::open(Path::new("wordlists").join(format!("{name}.txt"))).unwrap();
    builder.add_lines(BufReader::new(text)).unwrap();
    let mut bytes = Vec::new();
    builder.write_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn lists_are_rebuilt_byte_for_byte() {
    for name in LISTS {
        for set in ["entra", "leet"] {
            let path = Path::new("wordlists").join(format!("{name}.{set}.csl"));
            let bytes = rebuilt(name, set);
            if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
                fs::write(&path, &bytes).unwrap();
            }
            assert!(
                fs::read(&path).unwrap() == bytes,
                "{} is out of date: see wordlists/SOURCES.md",
                path.display()
            );
        }
    }
}
