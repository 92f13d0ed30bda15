//! `countersign banlist build`

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use countersign::{Banlist, Substitution};
use tempfile::NamedTempFile;

use super::encoding::Encoding;
use super::is_built;
use crate::Answer;
use crate::failure::Failure;
use crate::output;
#[cfg(unix)]
use crate::signals::{Cleanup, SIGINT, SIGTERM};
use crate::warnings;
use crate::words::{Printable, counted};

/// Builds a list from terms, one per line.
///
/// Lines end with LF or CRLF; a byte order mark and empty lines are skipped,
/// and nothing is trimmed. Terms are folded (case, accents, look-alikes,
/// substitutions), sorted, and kept once. A line that is not UTF-8 or has more
/// than 48 characters when folded is an error, and nothing is built. Lines that
/// look like something else than terms (hashes, wildcards, quotation marks,
/// counts) are warned about: they are compared with passwords as they stand.
///
/// The list is written beside OUT and renamed when it is whole: a build that
/// fails leaves what was there.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign banlist build acme.txt -o acme.csl
  sort -u *.txt | countersign banlist build -o acme.csl --provenance 'Product names, 2026'
  countersign banlist build acme.txt -o acme.leet.csl --substitute leet
  countersign banlist build export.txt -o acme.csl --encoding utf-16")]
pub(crate) struct Build {
    /// Text files; `-`, or none, is standard input
    inputs: Vec<PathBuf>,
    /// The list to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The characters read as others, as in the rules that will use the list: a set of that name,
    /// or pairs such as `0=o,5=s`
    #[arg(long, value_name = "entra|leet|none|PAIRS", default_value = "entra", value_parser = parse_substitution)]
    substitute: Substitution,
    /// Leave out what `fuzzy` needs: half of the size
    #[arg(long)]
    no_forward: bool,
    /// Add what `fuzzy = "anywhere"` needs in a long list: three times the size
    #[arg(long)]
    anywhere: bool,
    /// Skip lines that start with `#`, which otherwise are terms
    #[arg(long)]
    comments: bool,
    /// Skip and count lines that cannot be terms
    #[arg(long)]
    skip_invalid: bool,
    /// What the texts are in: utf-8, utf-16, utf-16le, utf-16be or windows-1252
    #[arg(long, value_enum, default_value_t = Encoding::Utf8, hide_possible_values = true, value_name = "NAME")]
    encoding: Encoding,
    /// Build nothing where there is something to warn about
    #[arg(long)]
    deny_warnings: bool,
    /// Where the terms come from, kept in the list
    #[arg(long, value_name = "TEXT")]
    provenance: Option<String>,
    /// The memory to sort in; beyond it temporary files are used
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = parse_size)]
    memory_budget: usize,
}

pub(super) fn run(build: &Build) -> Result<Answer, Failure> {
    let destination = Destination::of(&build.output)?;
    let mut builder = Banlist::builder(&build.substitute)
        .forward(!build.no_forward)
        .anywhere(build.anywhere)
        .comments(build.comments)
        .skip_invalid(build.skip_invalid)
        .memory_budget(build.memory_budget);
    if let Some(provenance) = &build.provenance {
        builder = builder.provenance(provenance);
    }
    let mut about = Vec::new();
    let stdin = [PathBuf::from("-")];
    let inputs = if build.inputs.is_empty() { &stdin[..] } else { &build.inputs };
    for input in inputs {
        let (name, mut reader) = open(input, &destination)?;
        let start = reader.fill_buf().map_err(|error| unreadable(&name, &error))?;
        if is_built(Path::new(""), start) {
            return Err(Failure::new(format!("{name} is a built list already"))
                .hint("a list is built from text"));
        }
        let reader = build.encoding.read(reader).map_err(|error| unreadable(&name, &error))?;
        builder.add_lines(reader).map_err(|error| error.in_file(&name))?;
        let warnings = builder.take_warnings().into_iter();
        about.extend(warnings.map(|warning| warning.in_file(&name)));
    }
    warnings::tell(&about, build.deny_warnings)?;
    let mut summary = None;
    destination.replace(|file| {
        summary = Some(builder.write_to(file)?);
        Ok(())
    })?;
    output::write(|stdout| {
        let Some(summary) = summary else { return Ok(()) };
        let name = build.output.display().to_string();
        let terms = counted(summary.terms, "term", "terms");
        let bytes = counted(summary.bytes, "byte", "bytes");
        writeln!(stdout, "{}: {terms}, {bytes}", Printable(name))?;
        for (count, what) in [
            (summary.duplicates, "already there once folded"),
            (summary.dropped, "that fold to nothing"),
            (summary.skipped, "skipped as invalid"),
        ] {
            if count > 0 {
                writeln!(stdout, "  {} {what}", counted(count, "line", "lines"))?;
            }
        }
        Ok(())
    })?;
    Ok(Answer::Yes)
}

/// An input and its name. The name is not that of a password: these are files.
fn open(input: &Path, destination: &Destination) -> Result<(String, Box<dyn BufRead>), Failure> {
    if input == Path::new("-") {
        return Ok(("standard input".to_owned(), Box::new(BufReader::new(io::stdin()))));
    }
    let name = input.display().to_string();
    let file = File::open(input).map_err(|error| unreadable(&name, &error))?;
    if fs::canonicalize(input).is_ok_and(|input| input == destination.path) {
        return Err(Failure::new(format!("{name} is both input and output")));
    }
    Ok((name, Box::new(BufReader::new(file))))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::io(format_args!("cannot read {name}"), error)
}

/// Where the list goes, once it is whole.
struct Destination {
    /// Without symbolic links, which stay.
    path: PathBuf,
    name: String,
    existing: Option<fs::Metadata>,
}

impl Destination {
    fn of(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let existing = match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(Failure::new(format!("cannot write {name}: it is not a regular file")));
            }
            Ok(metadata) => Some(metadata),
            Err(_) => None,
        };
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path, name, existing })
    }

    /// Writes a file beside the destination, and puts it in place when `job`
    /// is done.
    fn replace(
        self,
        job: impl FnOnce(&mut dyn Write) -> Result<(), countersign::Error>,
    ) -> Result<(), Failure> {
        let unwritten =
            |error: io::Error| Failure::io(format_args!("cannot write {}", self.name), &error);
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // A signal would leave half a list there. Held until the file is known, so
        // that none comes between.
        let unfinished = Arc::new(Mutex::new(None::<PathBuf>));
        let mut known = unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        let _cleanup = {
            let unfinished = Arc::clone(&unfinished);
            let cleanup = move || {
                let path = unfinished.lock().unwrap_or_else(PoisonError::into_inner).take();
                path.map(fs::remove_file);
            };
            Cleanup::before(&[SIGINT, SIGTERM], cleanup).map_err(unwritten)?
        };
        let file = self.temporary(directory.unwrap_or(Path::new(".")));
        *known = file.as_ref().ok().map(|file| file.path().to_owned());
        drop(known);
        let file = file.map_err(unwritten)?;
        let mut writer = BufWriter::new(&file);
        job(&mut writer).map_err(|error| error.in_file(&self.name))?;
        writer.flush().map_err(unwritten)?;
        drop(writer);
        if let Some(existing) = &self.existing {
            file.as_file().set_permissions(existing.permissions()).map_err(unwritten)?;
        }
        file.as_file().sync_all().map_err(unwritten)?;
        file.persist(&self.path).map_err(|error| unwritten(error.error))?;
        Ok(())
    }

    #[cfg(unix)]
    fn temporary(&self, directory: &Path) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        // As any other file; less what the user's mask takes away.
        let permissions = fs::Permissions::from_mode(0o666);
        tempfile::Builder::new()
            .prefix(".countersign-")
            .permissions(permissions)
            .tempfile_in(directory)
    }

    #[cfg(not(unix))]
    fn temporary(&self, directory: &Path) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(".countersign-").tempfile_in(directory)
    }
}

/// A named set, pairs (`0=o,5=s`), or what a list or an error calls a set.
fn parse_substitution(given: &str) -> Result<Substitution, String> {
    if let Some(set) = Substitution::from_name(given) {
        return Ok(set);
    }
    const FORM: &str = "a set is `entra`, `leet`, `none`, or pairs such as `0=o,5=s`";
    let mut pairs = Vec::new();
    let mut rest = given.chars();
    loop {
        let (Some(from), Some('='), Some(to)) = (rest.next(), rest.next(), rest.next()) else {
            return Err(FORM.to_owned());
        };
        pairs.push((from, to));
        match rest.next() {
            Some(',') => {}
            Some(_) => return Err(FORM.to_owned()),
            None => return Substitution::custom(pairs).map_err(|error| error.message().to_owned()),
        }
    }
}

/// A number of bytes, or of `K`, `M`, `G`: 1024 times as many each.
fn parse_size(given: &str) -> Result<usize, String> {
    const FORM: &str = "a size is a number of bytes, or of K, M or G (64M)";
    let digits = given.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: usize = match given.strip_prefix(digits).unwrap_or_default() {
        "" => 1,
        "K" | "k" | "KiB" => 1 << 10,
        "M" | "m" | "MiB" => 1 << 20,
        "G" | "g" | "GiB" => 1 << 30,
        _ => return Err(FORM.to_owned()),
    };
    let number: usize = digits.parse().map_err(|_| FORM.to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "more than there can be".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (given, size) in
            [("0", 0), ("7", 7), ("2K", 2048), ("256M", 256 << 20), ("1GiB", 1 << 30)]
        {
            assert_eq!(parse_size(given), Ok(size), "{given}");
        }
        for wrong in ["", "M", "1T", "-1", "1.5G", "99999999999999999999", "99999999999G"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn substitutions_are_named_or_spelled_out() {
        assert_eq!(parse_substitution("leet"), Ok(Substitution::leet()));
        let pairs = parse_substitution("0=o,,=x").unwrap();
        assert_eq!((pairs.map('0'), pairs.map(',')), ('o', 'x'));
        assert_eq!(parse_substitution(pairs.name()), Ok(pairs.clone()));
        for wrong in ["", "entre", "0", "0=", "0=o,", "0=oo", "0=o;5=s", "0=o,o=q"] {
            assert!(parse_substitution(wrong).is_err(), "{wrong}");
        }
    }
}
