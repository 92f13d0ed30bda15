//! Damaged and forged lists: refused with a reason, or, where a list that says
//! other things than its builder wrote is still a list, answered without panic.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::format::{Layout, Lengths, Meta, Writer};
use super::*;

const TERMS: [&str; 6] = ["abc", "abd", "b字c", "zebra", "zebras", "дa"];

fn bytes_of(terms: &[&str]) -> Vec<u8> {
    built(terms, false)
}

/// Where four characters may stand before a common end there is a wildcard.
const ANYWHERE: [&str; 6] = ["abxyz", "bbxyz", "字bxyz", "дbxyz", "xyz", "字字字字"];

fn built(terms: &[&str], anywhere: bool) -> Vec<u8> {
    let mut builder =
        Banlist::builder(&Substitution::entra()).provenance("a test").anywhere(anywhere);
    for term in terms {
        builder.add_term(term).unwrap();
    }
    let mut bytes = Vec::new();
    builder.write_to(&mut bytes).unwrap();
    bytes
}

#[track_caller]
fn refused(bytes: Vec<u8>, reason: &str) {
    let error = Banlist::from_bytes(bytes).map(|list| format!("{list:?}")).unwrap_err();
    assert!(error.is_list());
    assert!(error.to_string().contains(reason), "{error}");
}

fn with_hash(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let hash = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&hash);
    bytes
}

fn with_section(bytes: &[u8], name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let layout = Layout::read(bytes).unwrap();
    let mut change = Some(change);
    let sections: Vec<(String, Vec<u8>)> = layout
        .sections
        .into_iter()
        .map(|(each, range)| {
            let mut section = bytes[range].to_vec();
            if each == name {
                change.take().unwrap()(&mut section);
            }
            (each, section)
        })
        .collect();
    file(&sections)
}

fn file(sections: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes).unwrap();
    for (name, section) in sections {
        writer.begin_section().unwrap();
        std::io::Write::write_all(&mut writer, section).unwrap();
        writer.end_section(name);
    }
    writer.finish().unwrap();
    bytes
}

/// An automaton around hand-made nodes, with a right checksum.
fn automaton(nodes: &[u8], keys: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&3_u64.to_le_bytes());
    bytes.extend_from_slice(&0_u64.to_le_bytes());
    bytes.extend_from_slice(nodes);
    bytes.extend_from_slice(&keys.to_le_bytes());
    let root = (16 + nodes.len() - 1) as u64;
    bytes.extend_from_slice(&root.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    with_checksum(bytes)
}

/// CRC-32C, masked as crate `fst` masks it, bit by bit.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    let mut crc = u32::MAX;
    for &byte in &bytes[..end] {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
        }
    }
    let sum = (!crc).rotate_right(15).wrapping_add(0xA282_EAD8);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn meta(lengths: &[usize]) -> Vec<u8> {
    let mut counted = Lengths::default();
    lengths.iter().for_each(|&length| counted.add(length));
    let meta = Meta {
        substitution: Substitution::none(),
        lengths: counted,
        variants: None,
        provenance: String::new(),
    };
    meta.written().into_bytes()
}

/// A list whose reversed automaton has these nodes, first to last.
fn forged(nodes: &[&[u8]], lengths: &[usize]) -> Vec<u8> {
    let section = automaton(&nodes.concat(), lengths.len() as u64);
    file(&[("reversed".to_owned(), section), ("meta".to_owned(), meta(lengths))])
}

/// Asks what can be asked.
fn question(list: &Banlist) {
    for text in [
        "",
        "a",
        "abc",
        "zebr",
        "字",
        "abcdbabcd",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        list.contains(text);
        let text: Vec<char> = text.chars().collect();
        list.is_near_to(&text, 0);
        list.ends_at(&text, text.len(), 0, |start| assert!(start < text.len()));
        let cost = |start: usize| (start * 7 % 5) as u32;
        let start = list.cheapest_near(&text, |_| 0, cost, 4);
        assert!(start.is_none_or(|start| cost(start) < 4 && start + 4 <= text.len()));
    }
}

// Nodes: an input of `a` stands in the state as 5, `b` as 26, `c` as 10.
const A_NEXT: u8 = 0b1100_0000 | 5;
const A_TO: u8 = 0b1000_0000 | 5;
const A_TO_LEAF: &[u8] = &[0, 0x10, A_TO];

#[test]
fn hand_made_automata_are_read_as_meant() {
    let read = |nodes: &[&[u8]], lengths: &[usize], term: &str| {
        let list = Banlist::from_bytes(forged(nodes, lengths)).unwrap();
        assert!(list.contains(term));
        question(&list);
    };
    read(&[A_TO_LEAF], &[1], "a");
    read(&[A_TO_LEAF, &[A_NEXT]], &[2], "aa");
    // `a` and `b` to the leaf, targets and inputs last first.
    read(&[&[0, 0, b'b', b'a', 0x10, 2], &[A_NEXT]], &[2, 2], "ba");
    // E5 AD 97.
    read(&[&[0, 0x10, 0x97, 0x80], &[0xAD, 0xC0], &[0xE5, 0xC0]], &[1], "字");
}

#[test]
fn forged_nodes() {
    let node =
        |nodes: &[&[u8]], lengths: &[usize], reason: &str| refused(forged(nodes, lengths), reason);
    // Itself as target would be a distance of 0, which is the leaf; further on
    // cannot be said. Before the first node:
    node(&[&[1, 0x10, A_TO]], &[1], "a target that is no node");
    node(&[&[A_NEXT]], &[1], "a target that is no node");
    node(&[&[200, 0x10, A_TO]], &[1], "a target that is no node");
    node(
        &[&[255, 255, 255, 255, 255, 255, 255, 255, 0x80, A_TO]],
        &[1],
        "a target that is no node",
    );
    // Into the middle of the node before.
    node(&[A_TO_LEAF, &[2, 0x10, A_TO]], &[2], "a target that is no node");
    // No node begins where the nodes begin.
    node(&[&[0], A_TO_LEAF], &[1], "runs into its header");
    node(&[&[0x70, A_TO]], &[1], "runs into its header");
    node(&[&[0xF0, A_TO]], &[1], "runs into its header");
    node(&[&[0, 0, b'a', b'b', 0x10, 2]], &[1, 1], "inputs out of order");
    node(&[&[0, 0, b'a', b'a', 0x10, 2]], &[1, 1], "inputs out of order");
    node(&[&[0, 0x00, A_TO]], &[1], "runs into its header");
    node(&[&[0x00, A_TO]], &[1], "impossible size");
    node(&[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, A_TO]], &[1], "impossible size");
    node(&[&[7, 0, 0x11, A_TO]], &[1], "has outputs");
    node(&[&[7, 0, b'a', 0x11, 0x01]], &[1], "has outputs");
    node(&[&[0x00, 0x00, 0x00]], &[1], "leads nowhere");
    node(&[&[0x00, 0x00, 0x40]], &[1], "leads nowhere");
    node(&[&[0x00, 0x00, 0x00], &[A_NEXT]], &[1], "leads nowhere");
    node(&[&[0, b'a', 0x10, 0x41]], &[1, 1], "an empty term");
    node(&[A_TO_LEAF], &[], "said to be empty");
    node(&[A_TO_LEAF], &[1, 1], "as it says");
    node(&[A_TO_LEAF], &[2], "longest term other");
    let doubling = [1, 1, b'b', b'a', 0x10, 2];
    let both = [0, 0, b'b', b'a', 0x10, 2];
    let many: Vec<&[u8]> = std::iter::once(&both[..]).chain([&doubling[..]; 32]).collect();
    node(&many, &[33], "more terms than can be");
    let fewer = Banlist::from_bytes(forged(&many[..10], &[10; 1024])).unwrap();
    assert!(fewer.contains("ababababab"));
    let next = [A_NEXT];
    let chain: Vec<&[u8]> = std::iter::once(A_TO_LEAF).chain([&next[..]; 48]).collect();
    node(&chain, &[48], "too long");
    assert!(Banlist::from_bytes(forged(&chain[..48], &[48])).is_ok());
}

// Each node has two ways to the one before: a list of a few hundred bytes with
// more ways than anybody could walk, and one term by what it says.
#[test]
fn walks_through_a_forged_list_that_nobody_verified_end() {
    let doubling = [1, 1, b'b', b'a', 0x10, 2];
    let both = [0, 0, b'b', b'a', 0x10, 2];
    let many: Vec<&[u8]> = std::iter::once(&both[..]).chain([&doubling[..]; 40]).collect();
    let section = automaton(&many.concat(), 1);
    for sections in [&["reversed"][..], &["forward"], &["forward", "reversed"]] {
        let mut sections: Vec<_> =
            sections.iter().map(|name| ((*name).to_owned(), section.clone())).collect();
        sections.push(("meta".to_owned(), meta(&[41])));
        let list = Banlist::new(Bytes::Held(file(&sections).into()), Check::Outline).unwrap();
        assert!(list.sample(4000).len() < 200);
        let with_forward = list.has_forward();
        assert_eq!(list.with_wildcard().is_err(), with_forward);
        for alphabet in [vec!['a', 'b'], vec!['c'], vec!['a']] {
            let fitting = Fitting { lengths: 60..=70, alphabet: Some(alphabet), others: 1 };
            assert!(list.has_none(&fitting));
            let fitting = Fitting { lengths: 0..=70, ..fitting };
            list.has_none(&fitting);
            assert!(list.fitting(&fitting) < 200);
        }
        question(&list);
        // Also on the way to an engine, and to what is tried on it.
        let policy: crate::Policy =
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'banned'\n\
             substitute = 'none'\nscore = { slots = ['own'] }\n[[rule]]\nkind = 'characters'\n\
             allow = ['U+0030-U+0039']"
                .parse()
                .unwrap();
        let built = crate::Engine::builder().list("own", list).build(&policy);
        assert_eq!(built.is_ok(), sections.iter().any(|(name, _)| name == "reversed"));
    }
}

#[test]
fn terms_that_are_not_utf8() {
    for term in [
        &b"\x80"[..],
        b"\xC3",
        b"a\xC3",
        b"\xC3a",
        b"\xC0\x80",
        b"\xE0\x9F\x80",
        b"\xED\xA0\x80",
        b"\xF0\x8F\x80\x80",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xE5\xAD",
        b"\xE5\xAD\x97\x97",
        b"\xFF",
    ] {
        let mut automaton = fst::raw::Builder::memory();
        automaton.add(term).unwrap();
        let section = automaton.into_inner().unwrap();
        let sections = [("reversed".to_owned(), section), ("meta".to_owned(), meta(&[1]))];
        refused(file(&sections), "not UTF-8");
    }
}

proptest! {
    #![proptest_config(crate::drawn::cases(256))]

    #[test]
    fn bytes_are_taken_as_std_takes_them(
        mut keys in prop::collection::btree_set(prop::collection::vec(
            prop::sample::select(&b"ab\x80\x8F\x90\x9F\xA0\xBF\xC2\xDF\xE0\xE1\xED\xEE\xF0\xF1\xF4"[..]), 1..5), 1..4),
        valid in prop::collection::btree_set("[a-b\u{80}-\u{10FFFF}]{1,3}", 0..4),
    ) {
        keys.extend(valid.into_iter().map(String::into_bytes));
        let mut automaton = fst::raw::Builder::memory();
        keys.iter().for_each(|key| automaton.add(key).unwrap());
        let section = automaton.into_inner().unwrap();
        let lengths: Option<Vec<usize>> = keys
            .iter()
            .map(|key| Some(std::str::from_utf8(key).ok()?.chars().count()))
            .collect();
        let meta = meta(lengths.as_deref().unwrap_or(&vec![1; keys.len()]));
        let list = Banlist::from_bytes(file(&[("reversed".to_owned(), section), ("meta".to_owned(), meta)]));
        prop_assert_eq!(list.is_ok(), lengths.is_some());
    }

    #[test]
    fn mutated_automata_do_no_harm(
        section in prop::sample::select(vec!["reversed", "forward", "wildcard"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        terms in prop::collection::vec("[a-d字]{1,6}", 1..20),
        cut in any::<prop::sample::Index>(),
        cuts: bool,
    ) {
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let bytes = with_section(&built(&terms, true), section, |section| {
            let nodes = 16..section.len() - 20;
            for (at, to) in changes {
                section[nodes.start + at.index(nodes.len())] = to;
            }
            if cuts {
                section.remove(nodes.start + cut.index(nodes.len()));
                let root = section.len() - 12;
                let address = (section.len() - 21) as u64;
                section[root..root + 8].copy_from_slice(&address.to_le_bytes());
            }
            *section = with_checksum(std::mem::take(section));
        });
        if let Ok(list) = Banlist::from_bytes(bytes.clone()) {
            question(&list);
        }
        // As it is used by those who verified before.
        if let Ok(list) = Banlist::new(Bytes::Held(bytes.into()), Check::Outline) {
            question(&list);
        }
    }

    #[test]
    fn mutated_tables_and_metadata_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes_of(&TERMS);
        let meta = Layout::read(&bytes).unwrap().section("meta").unwrap();
        let open = meta.start..bytes.len() - 32;
        for (at, to) in changes {
            bytes[open.start + at.index(open.len())] = to;
        }
        if let Ok(list) = Banlist::from_bytes(with_hash(bytes)) {
            question(&list);
        }
    }
}

#[test]
fn no_truncation_is_a_list() {
    let bytes = bytes_of(&TERMS);
    for length in 0..bytes.len() {
        assert!(Banlist::from_bytes(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
    assert!(Banlist::from_bytes(bytes).is_ok());
}

#[test]
fn every_changed_bit_is_noticed() {
    for_every_bit_of(bytes_of(&TERMS));
    for_every_bit_of(built(&ANYWHERE, true));
}

fn for_every_bit_of(mut bytes: Vec<u8>) {
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = Banlist::from_bytes(bytes.clone()).map(|_| ()).unwrap_err();
        assert!(!TERMS.iter().any(|term| error.to_string().contains(term)));
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn foreign_files() {
    refused(Vec::new(), "the file is empty");
    refused(b"password\nletmein\n".to_vec(), "not a banned list of countersign");
    refused(b"\x89CSL\n\x1a\n".to_vec(), "not a banned list of countersign");
    refused(b"\x89CSL\r\n\x1a\n\x01".to_vec(), "ends after its first bytes");
    refused(automaton(A_TO_LEAF, 1), "not a banned list of countersign");
}

#[test]
fn other_versions() {
    let mut bytes = bytes_of(&TERMS);
    bytes[8] = 2;
    refused(with_hash(bytes.clone()), "format version 2, and this countersign reads version 1");
    bytes[8] = 0;
    refused(with_hash(bytes.clone()), "a format version that never was");
    bytes[8] = 1;
    bytes[12] = 1;
    refused(with_hash(bytes), "a format version that never was");

    let replace = |section: &mut Vec<u8>, from: &str, to: &str| {
        let text = String::from_utf8(section.clone()).unwrap();
        assert!(text.contains(from));
        *section = text.replacen(from, to, 1).into_bytes();
    };
    for (from, to, reason) in [
        (FOLD_VERSION, "0", "`countersign banlist build`"),
        ("entra", "klingon", "a substitution set that is not known"),
        ("terms 6", "terms 7", "`meta` is malformed"),
        ("terms 6", "terms 06", "`meta` is malformed"),
        ("lengths ", "lengths  ", "`meta` is malformed"),
        ("lengths 2:1", "lengths 02:1", "`meta` is malformed"),
        ("lengths 2:1", "lengths 1:1", "other lengths than the list says"),
        ("lengths 2:1 3:3", "lengths 2:3 3:1", "other lengths than the list says"),
        ("6:1", "7:1", "longest term other"),
        ("6:1", "6:1 49:0", "`meta` is malformed"),
        ("6:1", "6:18446744073709551615", "`meta` is malformed"),
        ("6:1", "6:1 6:1", "`meta` is malformed"),
        ("a test", "a \u{7}est", "`meta` is malformed"),
    ] {
        let bytes = with_section(&bytes_of(&TERMS), "meta", |section| replace(section, from, to));
        refused(bytes, reason);
    }
    refused(with_section(&bytes_of(&TERMS), "meta", |section| section.push(0xFF)), "malformed");
}

#[test]
fn forged_tables() {
    let bytes = bytes_of(&TERMS);
    let end = bytes.len() - 32;
    let table = u64::from_le_bytes(bytes[end - 16..end - 8].try_into().unwrap()) as usize;
    let set = |at: usize, value: u64| {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        with_hash(bytes)
    };
    let entry = |number: usize| table + 32 * number;
    let start = |number: usize| {
        u64::from_le_bytes(bytes[entry(number) + 16..entry(number) + 24].try_into().unwrap())
    };
    for forged in [
        // Where the table is, and how many sections it has.
        set(end - 16, u64::MAX),
        set(end - 16, 0),
        set(end - 16, table as u64 + 32),
        set(end - 8, u64::MAX),
        set(end - 8, u64::MAX / 32 + 2),
        set(end - 8, 2),
        set(end - 8, 4),
        // Offsets: overlapping, out of line, beyond the end, overflowing.
        set(entry(1) + 16, start(0)),
        set(entry(1) + 16, start(1) - 8),
        set(entry(1) + 16, start(1) + 1),
        set(entry(0) + 16, 0),
        set(entry(2) + 16, u64::MAX),
        // Lengths.
        set(entry(0) + 24, u64::MAX),
        set(entry(0) + 24, u64::MAX - 8),
        set(entry(0) + 24, 0),
        set(entry(2) + 24, 1 << 40),
        set(entry(2) + 24, bytes.len() as u64),
        // Names.
        set(entry(0), 0),
        set(entry(0), u64::from_le_bytes(*b"Reversed")),
        set(entry(0), u64::from_le_bytes(*b"a\0a\0\0\0\0\0")),
        set(entry(0), u64::from_le_bytes(*b"reversed")),
    ] {
        refused(forged, "the table of sections is damaged");
    }
    // Between sections there are zeros.
    let range = Layout::read(&bytes).unwrap().section("meta").unwrap();
    assert!(!range.end.is_multiple_of(8));
    let mut forged = bytes.clone();
    forged[range.end] = 1;
    refused(with_hash(forged), "the table of sections is damaged");
}

#[test]
fn missing_and_unknown_sections() {
    let bytes = bytes_of(&TERMS);
    let layout = Layout::read(&bytes).unwrap();
    let sections: Vec<(String, Vec<u8>)> =
        layout.sections.into_iter().map(|(name, range)| (name, bytes[range].to_vec())).collect();
    let without = |name: &str| {
        let rest: Vec<_> = sections.iter().filter(|section| section.0 != name).cloned().collect();
        file(&rest)
    };
    refused(without("meta"), "the section `meta` is missing");
    let list = Banlist::from_bytes(without("reversed")).unwrap();
    assert!(list.contains("zebra") && list.has_forward() && !list.has_reversed());
    let list = Banlist::from_bytes(without("forward")).unwrap();
    assert!(list.contains("zebra") && !list.has_forward() && list.has_reversed());
    let only_meta = sections.iter().filter(|section| section.0 == "meta").cloned();
    refused(file(&only_meta.collect::<Vec<_>>()), "no terms in any form");
    let mut more = sections.clone();
    more.insert(1, ("more".to_owned(), b"from the future".to_vec()));
    let list = Banlist::from_bytes(file(&more)).unwrap();
    assert!(list.contains("zebra"));
    assert!(list.info().sections().any(|section| section == ("more", 15)));
    // A wildcard section without the counts of its variants, and the other way round.
    more[1].0 = "wildcard".to_owned();
    refused(file(&more), "`wildcard` does not fit the section `meta`");
    let bytes = built(&ANYWHERE, true);
    let sections = Layout::read(&bytes).unwrap().sections.into_iter();
    let rest = sections.filter(|section| section.0 != "wildcard");
    let rest: Vec<_> = rest.map(|(name, range)| (name, bytes[range].to_vec())).collect();
    refused(file(&rest), "`wildcard` does not fit the section `meta`");
}

/// A list whose wildcard section has these keys, and 4 terms and one variant
/// by its own account.
fn with_keys(keys: &[&[u8]]) -> Vec<u8> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mut automaton = fst::raw::Builder::memory();
    keys.iter().for_each(|key| automaton.add(key).unwrap());
    let section = automaton.into_inner().unwrap();
    with_section(&built(&ANYWHERE[..4], true), "wildcard", |old| *old = section)
}

#[test]
fn forged_wildcards() {
    let terms: [&[u8]; 4] = [b"zyxba", b"zyxbb", "zyxb字".as_bytes(), "zyxbд".as_bytes()];
    let more = |keys: &[&'static [u8]]| with_keys(&[&terms[..], keys].concat());
    let read = |key: &'static [u8]| {
        let list = Banlist::from_bytes(more(&[key])).unwrap();
        question(&list);
    };
    assert!(more(&[b"zyxb\xFF"]) == built(&ANYWHERE[..4], true));
    read(b"zyxb\xFF");
    // What it holds is up to whoever made the list, here as for terms.
    read(b"\xFFzzzz");
    let counts = "other lengths than the list says";
    refused(more(&[b"zyxbc"]), counts);
    refused(more(&[b"zyx\xFF\xFF"]), counts);
    refused(more(&[b"zyx\xFF"]), counts);
    refused(more(&[b"zyxbx\xFF"]), "longest term other");
    refused(more(&[b"zyxb\xFF", b"zyxc\xFF"]), "as many terms as the list");
    refused(more(&[]), "as many terms as the list");
    for key in [&b"zy\xE5\xFFb"[..], b"\xC3\xFFxyz", b"zyx\xFF\x97"] {
        refused(more(&[key]), "not UTF-8");
    }
    for (from, to) in [("variants 5:1", "variants 4:1"), ("variants 5:1", "variants 5:1 6:0")] {
        let forged = with_section(&built(&ANYWHERE[..4], true), "meta", |section| {
            let text = String::from_utf8(section.clone()).unwrap();
            assert!(text.contains(from), "{text}");
            *section = text.replacen(from, to, 1).into_bytes();
        });
        assert!(Banlist::from_bytes(forged).unwrap_err().is_list());
    }
}

/// A filter can make near terms pass unnoticed, and nothing else.
#[test]
fn forged_filters() {
    let mut builder = Banlist::builder(&Substitution::entra()).filter(true);
    let terms: Vec<String> = ('a'..='h')
        .flat_map(|first| ('a'..='h').map(move |last| format!("{first}{last}字{last}{first}")))
        .collect();
    terms.iter().for_each(|term| builder.add_term(term).unwrap());
    let mut bytes = Vec::new();
    assert!(builder.write_to(&mut bytes).unwrap().filter);
    let with = |filter: &[u8]| with_section(&bytes, "filter", |section| *section = filter.to_vec());
    for size in [0, 1, 31, 33, 63] {
        refused(with(&vec![0xFF; size]), "the section `filter` is not made of blocks of 32 bytes");
    }
    let near = |list: &Banlist| {
        terms
            .iter()
            .filter(|term| {
                let text: Vec<char> = term.replace('字', "x").chars().collect();
                list.is_near_to(&text, 0)
            })
            .count()
    };
    for size in [32, 64, 96, 1 << 16] {
        let all = Banlist::from_bytes(with(&vec![0xFF; size])).unwrap();
        assert_eq!(near(&all), terms.len());
        let none = Banlist::from_bytes(with(&vec![0; size])).unwrap();
        assert_eq!(near(&none), 0);
        for list in [all, none] {
            assert!(terms.iter().all(|term| list.contains(term)));
            question(&list);
        }
    }
}

#[test]
fn forged_headers_and_footers_of_automata() {
    let change = |at_end: bool, at: usize, to: u8| {
        with_section(&bytes_of(&TERMS), "forward", |section| {
            let at = if at_end { section.len() - at } else { at };
            section[at] = to;
            *section = with_checksum(std::mem::take(section));
        })
    };
    refused(change(false, 0, 2), "`forward` is not a set of crate fst");
    refused(change(false, 8, 1), "`forward` is not a set of crate fst");
    refused(change(true, 20, 7), "`forward` does not hold as many terms as the list");
    refused(change(true, 13, 1), "`forward` does not hold as many terms as the list");
    refused(change(true, 12, 0), "`forward` has its root in the wrong place");
    refused(change(true, 5, 1), "`forward` has its root in the wrong place");
    let bytes = with_section(&bytes_of(&TERMS), "forward", |section| section[20] ^= 1);
    refused(bytes, "`forward` does not match its checksum");
    let bytes = with_section(&bytes_of(&TERMS), "forward", |section| section.truncate(35));
    refused(bytes, "`forward` is too short");
}

/// A node with an index, which is consulted instead of the inputs.
#[test]
fn forged_index() {
    let terms: Vec<String> = (b'!'..=b'Z').map(|c| char::from(c).to_string()).collect();
    let mut builder = Banlist::builder(&Substitution::none());
    terms.iter().for_each(|term| builder.add_term(term).unwrap());
    let mut bytes = Vec::new();
    builder.write_to(&mut bytes).unwrap();
    for (input, to) in [(b'a', 0), (b'!', 255), (b'!', 1), (b'z', 0)] {
        let forged = with_section(&bytes, "reversed", |section| {
            // The last node: state, perhaps a count, sizes, then the index.
            let end = section.len() - 20 - 2;
            section[end - 256 + usize::from(input)] = to;
            *section = with_checksum(std::mem::take(section));
        });
        if Banlist::from_bytes(forged.clone()).is_ok() {
            assert_eq!(forged, bytes);
        }
    }
}

#[test]
fn files_are_named_in_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("acme.csl");
    let error = Banlist::open(&path).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("acme.csl: cannot read the list: "));
    std::fs::write(&path, b"zebra").unwrap();
    let error = Banlist::open(&path).unwrap_err();
    assert!(error.is_list() && error.to_string().contains("acme.csl: this is not a banned list"));
    std::fs::write(&path, bytes_of(&TERMS)).unwrap();
    assert!(Banlist::open(&path).unwrap().contains("zebra"));
}

#[test]
#[cfg(feature = "mmap")]
#[allow(unsafe_code, reason = "nothing else knows the file")]
fn mapped_lists() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("acme.csl");
    // SAFETY: the file lies in a directory of its own and is not changed
    // while a list is mapped.
    let map = |bytes: &[u8]| unsafe {
        std::fs::write(&path, bytes).unwrap();
        (Banlist::map(&path), Banlist::map_unverified(&path))
    };
    let (verified, unverified) = map(&bytes_of(&TERMS));
    for list in [verified.unwrap(), unverified.unwrap()] {
        assert!(list.contains("zebra") && !list.contains("zebr"));
        assert!(list.is_near_to(&['z', 'e', 'b', 'r'], 0));
    }
    let (verified, unverified) = map(&[]);
    assert!(verified.unwrap_err().is_list() && unverified.unwrap_err().is_list());
    let mut damaged = bytes_of(&TERMS);
    damaged[40] ^= 1;
    let (verified, unverified) = map(&damaged);
    assert!(verified.unwrap_err().to_string().contains("acme.csl: the SHA-256 differs"));
    question(&unverified.unwrap());
}

#[test]
fn a_list_may_be_shared_and_shows_no_terms() {
    fn shared<T: Send + Sync + Clone + std::panic::UnwindSafe + std::panic::RefUnwindSafe>(_: &T) {}
    let list = Banlist::from_bytes(bytes_of(&TERMS)).unwrap();
    shared(&list);
    let shown = format!("{list:?} {:?}", list.info());
    assert!(shown.contains("terms: 6"));
    assert!(!TERMS.iter().any(|term| shown.contains(term)));
}
