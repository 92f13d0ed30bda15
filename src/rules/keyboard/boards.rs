//! Keyboards that a policy draws itself.

use serde::Deserialize;

use crate::error::Error;
use crate::policy::Options;
use crate::text::{self, Key, MAX_COLUMNS, MAX_ROWS};

/// Where characters are on a keyboard.
pub(super) struct Board {
    pub(super) grid: bool,
    pub(super) keys: Vec<(char, Key)>,
}

/// A keyboard of one's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Custom {
    rows: Vec<String>,
    #[serde(default)]
    shift: Vec<String>,
    #[serde(default)]
    grid: bool,
}

impl Custom {
    /// Its keys and their characters.
    ///
    /// # Errors
    ///
    /// Too many or too few keys, a character that stands twice, or one that takes
    /// several keys.
    pub(super) fn board(&self, options: &Options<'_>, index: usize) -> Result<Board, Error> {
        let path = format!("custom.{index}");
        let error = |path: &str, message: String| Err(options.error(path, message));
        if self.rows.len() > MAX_ROWS || self.shift.len() > self.rows.len() {
            let (side, most) = match self.rows.len() {
                rows if rows > MAX_ROWS => ("rows", MAX_ROWS),
                rows => ("shift", rows),
            };
            return error(&format!("{path}.{side}"), format!("more than {most} rows"));
        }
        let mut keys: Vec<(char, Key)> = Vec::new();
        for (side, rows) in [("rows", &self.rows), ("shift", &self.shift)] {
            for (row, text) in (0_u8..).zip(rows) {
                let path = format!("{path}.{side}.{row}");
                let text = text::nfc(text);
                for (column, c) in (0_u8..).zip(text.chars()) {
                    if usize::from(column) >= MAX_COLUMNS {
                        return error(&path, format!("more than {MAX_COLUMNS} keys in a row"));
                    }
                    if c == ' ' {
                        continue;
                    }
                    let mut strokes = Vec::new();
                    text::keys(c, |c| strokes.push(c));
                    let [c] = *strokes else {
                        let c = u32::from(c);
                        return error(&path, format!("U+{c:04X} takes more than one key"));
                    };
                    if keys.iter().any(|(known, _)| *known == c) {
                        return error(&path, format!("U+{:04X} stands twice", u32::from(c)));
                    }
                    keys.push((c, Key::new(column, row)));
                }
            }
        }
        if keys.len() < 3 {
            return error(&format!("{path}.rows"), "a keyboard has at least 3 keys".to_owned());
        }
        if self.shift.is_empty() {
            for (c, key) in keys.clone() {
                for other in c.to_uppercase().chain(c.to_lowercase()) {
                    let whole = c.to_uppercase().count() == 1 && c.to_lowercase().count() == 1;
                    if whole && keys.iter().all(|(known, _)| *known != other) {
                        keys.push((other, key));
                    }
                }
            }
        }
        Ok(Board { grid: self.grid, keys })
    }
}
