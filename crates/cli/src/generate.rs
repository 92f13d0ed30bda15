//! `countersign generate`

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign::{Context, Engine, Generator, Operation, Recipe, Subject};
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use crate::Answer;
use crate::check::{DEFAULT_POLICY, engine};
use crate::failure::Failure;
use crate::output;

/// Draws passwords at random that a policy accepts.
///
/// Each is drawn from all texts of the recipe that the policy accepts, with the
/// same chance, from the operating system's random numbers. How many bits that
/// is worth is told on standard error; the passwords, one a line, are all that
/// is printed.
#[derive(Args)]
#[command(after_help = "\
Recipes:
  --characters [N]  N letters, digits and symbols; without N as many as the policy
                    asks for, and at least 16 if it lets there be as many. This is
                    what is drawn where nothing else is asked for
  --words [N]       N words of a list of 7,776, which is 12.9 bits each; without N
                    6, or more if the policy asks for it. They begin with capitals,
                    and digits come last, only if the policy asks for that; what
                    stands between them is - or the next that the policy allows
  --pronounceable   two syllables and four digits, such as Cuyo5459: 26.6 bits, for
                    passwords that have to be changed at once

Examples:
  countersign generate
  countersign generate --policy nist-63b-4-single-factor --words
  countersign generate --count 100 --format json")]
pub(crate) struct Generate {
    /// A built-in policy (see `countersign policies`), else a policy file
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policy: String,
    /// A banned list for the policy's list or slot NAME, by default `custom`
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// How many passwords
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Draw characters
    #[arg(long, value_name = "N", num_args = 0..=1, group = "recipe", value_parser = clap::value_parser!(u16).range(1..=4096))]
    characters: Option<Option<u16>>,
    /// Draw words
    #[arg(long, value_name = "N", num_args = 0..=1, group = "recipe", value_parser = clap::value_parser!(u16).range(1..=4096))]
    words: Option<Option<u16>>,
    /// Draw what is easily read to somebody, and easily guessed
    #[arg(long, group = "recipe")]
    pronounceable: bool,
    /// What stands between words
    #[arg(long, value_name = "TEXT", requires = "words")]
    separator: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(generate: &Generate) -> Result<Answer, Failure> {
    let engine = engine::load(&generate.policy, &generate.lists)?.tell_of_lists()?.engine;
    // As an administrator who sets somebody's password.
    let subject = engine.subject(&Context::new().operation(Operation::Reset));
    let (recipe, generator) = generate.recipe(&engine, &subject)?;
    // Cut off, not rounded up.
    let bits = (generator.entropy() * 10.0).floor() / 10.0;
    let mut output =
        Wiped::stdout().map_err(|error| Failure::io("cannot write to standard output", &error))?;
    let is_json = matches!(generate.format, Format::Json);
    if is_json {
        let head = json!({ "policy": engine.policy_name(), "recipe": recipe, "entropyBits": bits });
        let head = head.to_string();
        let written = write!(output, "{},\"passwords\":[", head.trim_end_matches('}'));
        output::settle(written)?;
    }
    for number in 0..generate.count {
        let password = generator.generate()?;
        let written = match generate.format {
            Format::Text => output.write_all(password.as_bytes()).and_then(|()| writeln!(output)),
            Format::Json => {
                let comma = if number > 0 { "," } else { "" };
                let written = output.write_all(comma.as_bytes());
                written.and_then(|()| Ok(serde_json::to_writer(&mut output, &*password)?))
            }
        };
        // Whoever read them has left: the rest is not needed.
        if !output::settle(written)? {
            return Ok(Answer::Yes);
        }
    }
    let end = if is_json { "]}\n" } else { "" };
    output::settle(output.write_all(end.as_bytes()).and_then(|()| output.flush()))?;
    if let Format::Text = generate.format {
        // Nobody is left to be told if this fails.
        let each = if generate.count > 1 { " each" } else { "" };
        let _ = writeln!(io::stderr(), "at least {bits:.1} bits of entropy{each}");
    }
    Ok(Answer::Yes)
}

impl Generate {
    fn recipe(
        &self,
        engine: &Engine,
        subject: &Subject,
    ) -> Result<(&'static str, Generator), Failure> {
        if self.pronounceable {
            let generator = Generator::new(engine, subject, Recipe::pronounceable())?;
            return Ok(("pronounceable", generator));
        }
        if let Some(count) = self.words {
            let count = count.map(usize::from);
            let separator = self.separator.as_deref();
            return Ok(("words", Generator::words(engine, subject, count, separator)?));
        }
        let length = self.characters.flatten().map(usize::from);
        Ok(("characters", Generator::characters(engine, subject, length)?))
    }
}

/// Standard output through a buffer that is wiped, and never moved.
struct Wiped {
    file: File,
    buffer: Zeroizing<Vec<u8>>,
}

impl Wiped {
    fn stdout() -> io::Result<Self> {
        #[cfg(unix)]
        let file = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?.into();
        #[cfg(windows)]
        let file =
            std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?.into();
        Ok(Self { file, buffer: Zeroizing::new(Vec::with_capacity(1 << 16)) })
    }
}

impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == self.buffer.capacity() {
            self.flush()?;
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let part = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.zeroize();
        written
    }
}
