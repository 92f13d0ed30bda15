//! Comma-separated values (RFC 4180), with the lines they stand on.

/// What is between two line ends outside quotes, and where it begins.
pub(super) struct Record {
    /// From 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// Where a text is no CSV, and why.
pub(super) struct Wrong {
    /// From 1.
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// Reads records. Empty lines are none.
pub(super) fn records(text: &str) -> impl Iterator<Item = Result<Record, Wrong>> {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        loop {
            let first = line;
            match record(&mut rest, &mut line) {
                Ok(None) => return None,
                Ok(Some(cells)) if cells.len() == 1 && cells.iter().all(String::is_empty) => {}
                Ok(Some(cells)) => return Some(Ok(Record { line: first, cells })),
                Err(why) => {
                    // Nothing behind it would be understood.
                    rest = "";
                    return Some(Err(Wrong { line: first, why }));
                }
            }
        }
    })
}

fn record(rest: &mut &str, line: &mut usize) -> Result<Option<Vec<String>>, &'static str> {
    if rest.is_empty() {
        return Ok(None);
    }
    let mut cells = Vec::new();
    loop {
        let cell = match rest.strip_prefix('"') {
            Some(quoted) => {
                *rest = quoted;
                self::quoted(rest, line)?
            }
            None => {
                let (cell, behind) = rest.split_at(rest.find([',', '\n']).unwrap_or(rest.len()));
                *rest = behind;
                let cell = if behind.starts_with(',') { cell } else { without_return(cell) };
                if cell.contains('"') {
                    return Err("a quotation mark stands inside a value that has none around it");
                }
                cell.to_owned()
            }
        };
        cells.push(cell);
        if let Some(behind) = rest.strip_prefix(',') {
            *rest = behind;
            continue;
        }
        let behind = without_return_before(rest);
        *rest = match behind.strip_prefix('\n') {
            Some(behind) => behind,
            None if behind.is_empty() => behind,
            None => return Err("something stands behind the quotation mark that ends a value"),
        };
        *line += 1;
        return Ok(Some(cells));
    }
}

/// The rest of a value in quotation marks.
fn quoted(rest: &mut &str, line: &mut usize) -> Result<String, &'static str> {
    let mut cell = String::new();
    loop {
        let Some((part, behind)) = rest.split_once('"') else {
            return Err("a quotation mark is missing at the end of a value");
        };
        *line += part.matches('\n').count();
        cell.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                cell.push('"');
                *rest = behind;
            }
            None => {
                *rest = behind;
                return Ok(cell);
            }
        }
    }
}

fn without_return(cell: &str) -> &str {
    cell.strip_suffix('\r').unwrap_or(cell)
}

fn without_return_before(rest: &str) -> &str {
    match rest.strip_prefix('\r') {
        Some(behind) if behind.is_empty() || behind.starts_with('\n') => behind,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Vec<(usize, Vec<String>)>;

    fn read(text: &str) -> Result<Lines, (usize, &'static str)> {
        let records = records(text).map(|record| match record {
            Ok(Record { line, cells }) => Ok((line, cells)),
            Err(Wrong { line, why }) => Err((line, why)),
        });
        records.collect()
    }

    #[test]
    fn values_and_lines() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n\r\n", &[]),
            ("a", &[(1, &["a"][..])]),
            ("a,b\r\nc,\r\n", &[(1, &["a", "b"]), (2, &["c", ""])]),
            ("\n,\n", &[(2, &["", ""])]),
            ("\"a,\"\"b\"\"\n\nc\",d\ne", &[(1, &["a,\"b\"\n\nc", "d"]), (4, &["e"])]),
            ("\"\",\"\"\r\n\"x\"\r", &[(1, &["", ""]), (2, &["x"])]),
            ("a\rb, c \n", &[(1, &["a\rb", " c "])]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
                .collect();
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_csv_is_told_by_its_line() {
        for (text, line, part) in [
            ("a\n\"b", 2, "missing"),
            ("a\nb\"c\"", 2, "inside"),
            ("a\n\n\"b\"c", 3, "behind"),
            ("\"a\n\"b", 1, "behind"),
        ] {
            let (found, why) = read(text).unwrap_err();
            assert_eq!(found, line, "{text:?}");
            assert!(why.contains(part), "{why}");
        }
    }
}
