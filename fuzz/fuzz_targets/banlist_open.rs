//! Opens bytes as a banned list, with everything repaired that random bytes
//! would never get past: magic, version, table, checksums and hash. Whatever
//! opens is asked questions, which must neither panic nor go on for ever. What
//! was built, and not changed, gives the answers of the slow reference.

#![no_main]

use std::sync::LazyLock;

use countersign::{Banlist, Engine, Policy, Subject, Substitution, fold};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

#[allow(dead_code, reason = "not all of it is wanted here")]
#[path = "../../tests/common/reference.rs"]
mod reference;

/// The version of the fold, without which nothing opens.
static FOLD: LazyLock<String> = LazyLock::new(|| {
    let none = Banlist::builder(&Substitution::none()).build();
    none.expect("an empty list").info().fold().to_owned()
});

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    let bytes = match kind % 4 {
        0 => whole_file(data),
        1 => invented_nodes(data),
        2 => changed_list(data),
        _ => return answers(data),
    };
    let Some(list) = bytes.and_then(|bytes| Banlist::from_bytes(bytes).ok()) else {
        return;
    };
    assert!(list.info().longest() <= 48);
    // Everything that walks: membership, occurrences, and near terms where the
    // list has the section for them.
    let engines = POLICIES
        .iter()
        .filter_map(|policy| Engine::builder().list("list", list.clone()).build(policy).ok());
    let engines: Vec<_> = engines.collect();
    for text in data.chunks(12).take(16) {
        let text = String::from_utf8_lossy(text);
        list.contains(&text);
        for engine in &engines {
            engine.check(&text, &Subject::default());
        }
    }
});

/// Every comparison, with and without the search for near terms.
static POLICIES: LazyLock<[Policy; 3]> = LazyLock::new(|| {
    [("none", "none"), ("whole", "whole"), ("anywhere", "whole")].map(|(score, whole)| {
        let text = format!(
            "[[rule]]
            kind = 'banned'
            substitute = 'none'
            score = {{ lists = ['list'], fuzzy = '{score}' }}
            whole = {{ lists = ['list'], fuzzy = '{whole}' }}"
        );
        text.parse().expect("a policy")
    })
});

/// The bytes as they are, between a header and a hash.
fn whole_file(data: &[u8]) -> Option<Vec<u8>> {
    let mut file = b"\x89CSL\r\n\x1a\n\x01\0\0\0\0\0\0\0".to_vec();
    file.extend_from_slice(data);
    Some(with_hash(file))
}

/// Nodes and counts out of nothing.
fn invented_nodes(data: &[u8]) -> Option<Vec<u8>> {
    let (counts, nodes) = data.split_at_checked(6)?;
    let keys = counts.iter().copied().map(u64::from).sum();
    let reversed = automaton(nodes, keys);
    Some(file(&[("reversed", reversed), ("meta", meta(counts))]))
}

/// A list of some terms, with bytes of its automata changed.
fn changed_list(data: &[u8]) -> Option<Vec<u8>> {
    let (&changes, data) = data.split_first()?;
    let (filter, anywhere) = (changes & 8 > 0, changes & 16 > 0);
    let (changes, terms) = data.split_at_checked(usize::from(changes % 8) * 3)?;
    let builder = Banlist::builder(&Substitution::none()).skip_invalid(true);
    let mut builder = builder.filter(filter).anywhere(anywhere);
    builder.add_lines(terms).ok()?;
    let mut bytes = Vec::new();
    builder.write_to(&mut bytes).ok()?;
    let list = Banlist::from_bytes(bytes.clone()).expect("what was built opens");
    // As sections lie: from offset 16 on, each at a multiple of 8.
    let mut at: usize = 16;
    let mut sections = Vec::new();
    for (name, length) in list.info().sections() {
        at = at.next_multiple_of(8);
        let mut section = bytes[at..at + length].to_vec();
        at += length;
        let automaton = name != "meta" && name != "filter";
        if name != "meta" {
            let nodes = if automaton { 16..length - 20 } else { 0..length };
            for change in changes.chunks_exact(3) {
                let place = usize::from(u16::from_le_bytes([change[0], change[1]]));
                section[nodes.start + place % nodes.len()] = change[2];
            }
        }
        if automaton {
            let end = length - 4;
            let sum = checksum(&section[..end]);
            section[end..].copy_from_slice(&sum.to_le_bytes());
        }
        sections.push((name, section));
    }
    Some(file(&sections))
}

/// Lines as terms, and texts that are near them: a list answers what the slow
/// reference does, whatever sections it has.
fn answers(data: &[u8]) {
    let Some((&[at, c], lines)) = data.split_first_chunk() else {
        return;
    };
    let terms: Vec<Vec<char>> = String::from_utf8_lossy(lines)
        .lines()
        .map(|line| fold(line, &Substitution::none()).chars().take(48).collect())
        .filter(|term: &Vec<char>| !term.is_empty())
        .take(40)
        .collect();
    let lists = [false, true].map(|more| {
        let mut builder = Banlist::builder(&Substitution::none()).filter(more).anywhere(more);
        for term in &terms {
            // Folding twice may still put marks in order.
            let term: String = term.iter().collect();
            builder.add_term(&term).expect("not too long");
        }
        builder.build().expect("a list")
    });
    let policy = usize::from(at) % POLICIES.len();
    let engines = lists.map(|list| {
        Engine::builder().list("list", list).build(&POLICIES[policy]).expect("an engine")
    });
    let again = |text: &[char]| -> Vec<char> {
        let text: String = text.iter().collect();
        fold(&text, &Substitution::none()).chars().collect()
    };
    let known: Vec<Vec<char>> = terms.iter().map(|term| again(term)).collect();
    for term in &terms {
        let (at, c) = (usize::from(at) % (term.len() + 1), char::from(c));
        let (mut less, mut more, mut other) = (term.clone(), term.clone(), term.clone());
        more.insert(at, c);
        if at < term.len() {
            less.remove(at);
            other[at] = c;
        }
        for text in [term, &less, &more, &other] {
            let folded = again(text);
            let text: String = text.iter().collect();
            let [without, with] =
                engines.each_ref().map(|engine| engine.check(&text, &Subject::default()));
            assert!(without == with, "more sections change the answer for {text:?} and {terms:?}");
            let expected = if reference::covering(&folded, &known, policy == 2) < 5 {
                Some("score")
            } else if reference::is_term(&folded, &known) {
                Some("whole")
            } else if policy > 0 && reference::is_near(&folded, &known, 4) {
                Some("score-near")
            } else if policy > 0 && reference::is_near(&folded, &known, 0) {
                Some("whole-near")
            } else {
                None
            };
            let found = without.check("banned.listed").and_then(|result| result.cause);
            assert!(found == expected, "{text:?} and {terms:?}: {found:?}, not {expected:?}");
        }
    }
}

fn automaton(nodes: &[u8], keys: u64) -> Vec<u8> {
    let mut section = 3_u64.to_le_bytes().to_vec();
    section.extend_from_slice(&0_u64.to_le_bytes());
    section.extend_from_slice(nodes);
    let root = section.len() as u64 - 1;
    section.extend_from_slice(&keys.to_le_bytes());
    section.extend_from_slice(&root.to_le_bytes());
    let sum = checksum(&section);
    section.extend_from_slice(&sum.to_le_bytes());
    section
}

/// `counts[n]` terms of `n + 1` characters.
fn meta(counts: &[u8]) -> Vec<u8> {
    let total: u64 = counts.iter().copied().map(u64::from).sum();
    let lengths: String = (1..)
        .zip(counts)
        .filter(|each| *each.1 > 0)
        .map(|(length, terms)| format!(" {length}:{terms}"))
        .collect();
    format!(
        "fold {}\nsubstitution none\nterms {total}\nlengths{lengths}\nprovenance ",
        FOLD.as_str()
    )
    .into_bytes()
}

fn file(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89CSL\r\n\x1a\n\x01\0\0\0\0\0\0\0".to_vec();
    let mut table = Vec::new();
    for (name, section) in sections {
        file.resize(file.len().next_multiple_of(8), 0);
        let mut padded = [0; 16];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        table.extend_from_slice(&padded);
        table.extend_from_slice(&(file.len() as u64).to_le_bytes());
        table.extend_from_slice(&(section.len() as u64).to_le_bytes());
        file.extend_from_slice(section);
    }
    file.resize(file.len().next_multiple_of(8), 0);
    table.extend_from_slice(&(file.len() as u64).to_le_bytes());
    table.extend_from_slice(&(sections.len() as u64).to_le_bytes());
    file.extend_from_slice(&table);
    with_hash(file)
}

fn with_hash(mut file: Vec<u8>) -> Vec<u8> {
    let hash = Sha256::digest(&file);
    file.extend_from_slice(&hash);
    file
}

/// CRC-32C, masked as crate `fst` masks it.
fn checksum(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 }
        })
    });
    (!crc).rotate_right(15).wrapping_add(0xA282_EAD8)
}
