//! Texts in other encodings than UTF-8, converted while they are read.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

use clap::ValueEnum;
use countersign::Encoding as Found;

/// What a text is in.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Encoding {
    #[value(name = "utf-8")]
    Utf8,
    /// In the order that its byte order mark says, without one in that which it looks like
    #[value(name = "utf-16")]
    Utf16,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
    #[value(name = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// The text in UTF-8.
    pub(super) fn read(self, mut from: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
        let unit: Unit = match self {
            Self::Utf8 => return Ok(from),
            Self::Utf16 => match Found::of(from.fill_buf()?) {
                Some(Found::Utf16Be) => Unit::Two(u16::from_be_bytes),
                _ => Unit::Two(u16::from_le_bytes),
            },
            Self::Utf16Le => Unit::Two(u16::from_le_bytes),
            Self::Utf16Be => Unit::Two(u16::from_be_bytes),
            Self::Windows1252 => Unit::One,
        };
        Ok(Box::new(BufReader::new(Decoder { from, unit, ahead: None, rest: VecDeque::new() })))
    }
}

/// What of a text makes a unit.
#[derive(Clone, Copy)]
enum Unit {
    One,
    Two(fn([u8; 2]) -> u16),
}

struct Decoder {
    from: Box<dyn BufRead>,
    unit: Unit,
    /// A unit that was read too early.
    ahead: Option<u16>,
    /// What of a character is still to be handed out, as UTF-8.
    rest: VecDeque<u8>,
}

/// What windows-1252 has instead of the controls from 0x80 to 0x9F.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

impl Decoder {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.from.fill_buf() {
                Ok(read) => {
                    let byte = read.first().copied();
                    self.from.consume(usize::from(byte.is_some()));
                    return Ok(byte);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn unit(&mut self, of: fn([u8; 2]) -> u16) -> io::Result<Option<u16>> {
        if let Some(unit) = self.ahead.take() {
            return Ok(Some(unit));
        }
        let Some(first) = self.byte()? else { return Ok(None) };
        let second = self.byte()?.ok_or_else(|| invalid("it ends within a character"))?;
        Ok(Some(of([first, second])))
    }

    fn character(&mut self) -> io::Result<Option<char>> {
        match self.unit {
            Unit::One => {
                let decoded = |byte: u8| match byte {
                    0x80..=0x9F => WINDOWS.chars().nth(usize::from(byte - 0x80)),
                    byte => Some(char::from(byte)),
                };
                Ok(self.byte()?.and_then(decoded))
            }
            Unit::Two(of) => {
                let Some(first) = self.unit(of)? else { return Ok(None) };
                let second = match first {
                    0xD800..=0xDBFF => self.unit(of)?,
                    _ => None,
                };
                let mut decoded = char::decode_utf16([first].into_iter().chain(second));
                let c = decoded.next().transpose();
                c.map_err(|_| invalid("half of a character stands alone in it"))
            }
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this is not the encoding named: {what}"))
}

impl Read for Decoder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(room) = into.get_mut(written..).filter(|room| !room.is_empty()) {
            if self.rest.is_empty() {
                let Some(c) = self.character()? else { break };
                self.rest.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
            // Room may end within a character.
            written += self.rest.read(room)?;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: Encoding, bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        encoding.read(Box::new(io::Cursor::new(bytes.to_vec())))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn other_encodings_become_utf_8() {
        let long = "contoso🙂 пароль\n".repeat(2000);
        for text in ["", "\u{feff}contoso\r\nwidget\n", "пароль\n🙂\n日本\n", &long] {
            let bytes =
                |of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<_>>();
            let (le, be) = (bytes(u16::to_le_bytes), bytes(u16::to_be_bytes));
            assert_eq!(read(Encoding::Utf16Le, &le).unwrap(), text);
            assert_eq!(read(Encoding::Utf16Be, &be).unwrap(), text);
            assert_eq!(read(Encoding::Utf16, &le).unwrap(), text);
            assert_eq!(read(Encoding::Utf16, &be).unwrap(), text);
            assert_eq!(read(Encoding::Utf8, text.as_bytes()).unwrap(), text);
        }
        assert_eq!(read(Encoding::Windows1252, b"\x80uro M\xFCller\n").unwrap(), "€uro Müller\n");
        for broken in [&b"a\0b"[..], b"\0\xD8a\0", b"\0\xDC"] {
            assert!(read(Encoding::Utf16Le, broken).is_err());
        }
    }
}
