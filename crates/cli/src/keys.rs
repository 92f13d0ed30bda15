//! What the bytes of a terminal mean.

use std::str;

use zeroize::Zeroizing;

/// What is done at the keyboard.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Key {
    Text(char),
    /// Bytes that are no text.
    Malformed,
    PasteStart,
    PasteEnd,
    Left,
    Right,
    Home,
    End,
    /// Removes the character before the caret, or the one behind it.
    Backspace,
    Delete,
    /// Removes everything before the caret, the word there, or everything behind
    /// it.
    EraseBefore,
    EraseWord,
    EraseBehind,
    Reveal,
    Redraw,
    Enter,
    Interrupt,
    GiveUp,
}

/// Puts bytes together to keys.
pub(crate) struct Decoder {
    state: State,
    /// Of a character or of a sequence, what came so far.
    part: Zeroizing<Vec<u8>>,
    pasting: bool,
}

enum State {
    Ground,
    Character,
    /// After ESC, which is also a key.
    Escape,
    /// After ESC and `[`.
    Control,
    /// After ESC and `O`.
    Function,
    /// After ESC, `[` and `[`, with which the Linux console starts F1 to F5.
    Console,
    /// In what is pasted, after so many bytes of what ends it.
    Pasted(usize),
}

/// Ends what is pasted. Nothing else does, and nothing else is a key there.
const PASTE_END: &[u8] = b"\x1b[201~";

/// The most keys that can be complete with one byte: what looked like the end
/// of what is pasted, and the byte.
const MOST: usize = PASTE_END.len();

const ESC: u8 = 0x1B;

/// More of a sequence is not kept; none that is known is longer.
const LONGEST: usize = 16;

impl Decoder {
    pub(crate) fn new() -> Self {
        let part = Zeroizing::new(Vec::with_capacity(LONGEST));
        Self { state: State::Ground, part, pasting: false }
    }

    /// Whether ESC came last: a key, if nothing follows soon.
    pub(crate) fn is_escape(&self) -> bool {
        matches!(self.state, State::Escape)
    }

    /// Whether what came last is complete.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.state, State::Ground)
    }

    /// Nothing followed.
    pub(crate) fn rest(&mut self) -> Option<Key> {
        self.is_escape().then(|| self.start(State::Ground)).map(|()| Key::GiveUp)
    }

    /// Takes a byte. Gives the key that is complete with it, or several if the
    /// byte shows that what was before it is incomplete.
    pub(crate) fn feed(&mut self, byte: u8) -> [Option<Key>; MOST] {
        let mut keys = [None; MOST];
        let key = match self.state {
            State::Ground => self.first(byte),
            State::Character => {
                self.part.push(byte);
                match str::from_utf8(&self.part) {
                    Ok(text) => {
                        let key = text.chars().next().map(Key::Text);
                        self.start(State::Ground);
                        key
                    }
                    Err(error) if error.error_len().is_none() => None,
                    Err(_) => {
                        self.start(State::Ground);
                        return Self::together([Key::Malformed], self.first(byte));
                    }
                }
            }
            State::Escape => {
                match byte {
                    b'[' => self.start(State::Control),
                    b'O' => self.start(State::Function),
                    ESC => {}
                    // A key together with Alt.
                    _ => self.start(State::Ground),
                }
                None
            }
            State::Control => match byte {
                0x20..=0x3F => {
                    if self.part.len() < LONGEST {
                        self.part.push(byte);
                    }
                    None
                }
                b'[' if self.part.is_empty() => {
                    self.start(State::Console);
                    None
                }
                _ => {
                    let key = self.sequence(byte);
                    self.start(State::Ground);
                    key
                }
            },
            State::Function => {
                self.start(State::Ground);
                named(byte)
            }
            State::Console => {
                self.start(State::Ground);
                (byte == b'B').then_some(Key::Reveal)
            }
            State::Pasted(matched) if PASTE_END.get(matched) == Some(&byte) => {
                if matched + 1 < PASTE_END.len() {
                    self.start(State::Pasted(matched + 1));
                    None
                } else {
                    self.pasting = false;
                    self.start(State::Ground);
                    Some(Key::PasteEnd)
                }
            }
            State::Pasted(matched) => {
                self.start(State::Ground);
                let text = PASTE_END.iter().take(matched);
                return Self::together(
                    text.map(|byte| Key::Text(char::from(*byte))),
                    self.first(byte),
                );
            }
        };
        if let Some(first) = keys.first_mut() {
            *first = key;
        }
        keys
    }

    /// Keys, and the one that came after them.
    fn together(keys: impl IntoIterator<Item = Key>, last: Option<Key>) -> [Option<Key>; MOST] {
        let mut all = [None; MOST];
        let keys = keys.into_iter().map(Some).chain([last]);
        all.iter_mut().zip(keys).for_each(|(place, key)| *place = key);
        all
    }

    fn start(&mut self, state: State) {
        self.part.clear();
        self.state = state;
    }

    fn first(&mut self, byte: u8) -> Option<Key> {
        Some(match byte {
            ESC => {
                self.start(if self.pasting { State::Pasted(1) } else { State::Escape });
                return None;
            }
            0x80.. => {
                self.part.push(byte);
                self.state = State::Character;
                // A byte with which nothing can start is complete.
                return match str::from_utf8(&self.part) {
                    Err(error) if error.error_len().is_none() => None,
                    _ => {
                        self.start(State::Ground);
                        Some(Key::Malformed)
                    }
                };
            }
            byte if self.pasting => Key::Text(char::from(byte)),
            b'\r' | b'\n' => Key::Enter,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::GiveUp,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x08 | 0x7F => Key::Backspace,
            0x0B => Key::EraseBehind,
            0x0C => Key::Redraw,
            0x12 => Key::Reveal,
            0x15 => Key::EraseBefore,
            0x17 => Key::EraseWord,
            0x00..0x20 => return None,
            byte => Key::Text(char::from(byte)),
        })
    }

    /// What ESC, `[`, some numbers and `last` mean.
    fn sequence(&mut self, last: u8) -> Option<Key> {
        if last != b'~' {
            return named(last);
        }
        let first = self.part.split(|byte| *byte == b';').next()?;
        match first {
            b"1" | b"7" => Some(Key::Home),
            b"3" => Some(Key::Delete),
            b"4" | b"8" => Some(Key::End),
            b"12" => Some(Key::Reveal),
            b"200" => {
                self.pasting = true;
                Some(Key::PasteStart)
            }
            _ => None,
        }
    }
}

fn named(byte: u8) -> Option<Key> {
    match byte {
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'F' => Some(Key::End),
        b'H' => Some(Key::Home),
        b'Q' => Some(Key::Reveal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Key::*;
    use super::*;

    fn keys(bytes: impl AsRef<[u8]>) -> Vec<Key> {
        let mut decoder = Decoder::new();
        let mut keys: Vec<_> =
            bytes.as_ref().iter().flat_map(|byte| decoder.feed(*byte)).flatten().collect();
        keys.extend(decoder.rest());
        keys
    }

    #[test]
    fn terminals_spell_keys_in_many_ways() {
        for (bytes, key) in [
            ("\x1b[D", Left),
            ("\x1bOD", Left),
            ("\x1b[1;5D", Left),
            ("\x1b[C", Right),
            ("\x1b[H", Home),
            ("\x1bOH", Home),
            ("\x1b[1~", Home),
            ("\x1b[7~", Home),
            ("\x1b[F", End),
            ("\x1b[4~", End),
            ("\x1b[8~", End),
            ("\x1b[3~", Delete),
            ("\x1b[3;2~", Delete),
            ("\x1bOQ", Reveal),
            ("\x1b[12~", Reveal),
            ("\x1b[[B", Reveal),
            ("\x12", Reveal),
            ("\x7f", Backspace),
            ("\x08", Backspace),
            ("\x15", EraseBefore),
            ("\x17", EraseWord),
            ("\x0b", EraseBehind),
            ("\r", Enter),
            ("\n", Enter),
            ("\x03", Interrupt),
            ("\x04", GiveUp),
            ("\x1b", GiveUp),
            ("\x1b\x1b", GiveUp),
            ("é", Text('é')),
            ("🙂", Text('🙂')),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_out_whole() {
        for bytes in ["\x1b[A", "\x1b[15~", "\x1b[<0;10;20M", "\x1bx", "\x1b[200;~x\x1b[201~", "\0"]
        {
            let keys = keys(format!("{bytes}a"));
            assert_eq!(keys.last(), Some(&Text('a')), "{bytes:?}");
        }
        assert_eq!(keys("\x1b[99;99;99;99;99;99;99;99~a"), [Text('a')]);
        assert_eq!(
            keys(b"a\xFFb\xC3c\xC3\xC3\xA9"),
            [Text('a'), Malformed, Text('b'), Malformed, Text('c'), Malformed, Text('é')]
        );
    }

    #[test]
    fn pasted_keys_are_text() {
        assert_eq!(
            keys("\x1b[200~a\r\t\x03é\x1b[C\x1b[201~\r"),
            [
                PasteStart,
                Text('a'),
                Text('\r'),
                Text('\t'),
                Text('\x03'),
                Text('é'),
                Text('\x1b'),
                Text('['),
                Text('C'),
                PasteEnd,
                Enter
            ]
        );
    }

    #[test]
    fn only_its_own_end_ends_a_paste() {
        for text in ["\x1b", "\x1b\x1b[20", "a\x1b[2Jb", "Ab1\x1bcd", "\x1b[200~", "\x1b[201\x1b"] {
            let expected: Vec<_> = [PasteStart]
                .into_iter()
                .chain(text.chars().map(Text))
                .chain([PasteEnd, Text('x')])
                .collect();
            assert_eq!(keys(format!("\x1b[200~{text}\x1b[201~x")), expected, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn typed_text_is_that_text(text in "[^\\x00-\\x1f\\x7f]{0,20}") {
            let expected: Vec<_> = text.chars().map(Text).collect();
            prop_assert_eq!(keys(&text), expected);
        }

        #[test]
        fn no_bytes_get_it_out_of_step(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut decoder = Decoder::new();
            for byte in &bytes {
                decoder.feed(*byte);
            }
            // Whatever was begun and not ended: three letters end it.
            let keys: Vec<_> =
                b"xxxab".iter().flat_map(|byte| decoder.feed(*byte)).flatten().collect();
            prop_assert!(keys.ends_with(&[Text('a'), Text('b')]));
        }
    }
}
