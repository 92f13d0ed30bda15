//! `countersign explain`

use std::io::{self, Write};

use clap::Args;
use countersign::rules::{Doc, Form, Given, Kind};
use countersign::{Engine, Messages, Origin, Policy};

use crate::Answer;
use crate::check;
use crate::failure::Failure;
use crate::output;
use crate::words::{Paint, Printable};

/// Says what a kind of rule forbids, or what a policy asks for.
///
/// Of a kind: what it forbids, why, what to do instead, its options and a few
/// examples. Of a policy: what a password needs, in words that could stand
/// under its field, and where each rule and each changed option comes from.
/// Without an argument: all kinds and policies.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign explain
  countersign explain keyboard
  countersign explain nist-63b-4-mfa --language de
  countersign explain ./acme.toml")]
pub(crate) struct Explain {
    /// A kind of rule, a built-in policy, or a policy file
    #[arg(value_name = "KIND|POLICY")]
    of: Option<String>,
    /// The language of requirements, such as `de` [default: en]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
}

const WIDTH: usize = 80;

pub(crate) fn run(explain: &Explain) -> Result<Answer, Failure> {
    let messages = check::messages(explain.language.as_deref())?;
    let paint = Paint::stdout();
    let Some(of) = &explain.of else {
        output::write(|out| everything(out, paint))?;
        return Ok(Answer::Yes);
    };
    // A kind and a file of the same name: `./names` is the file.
    if let Some(kind) = Kind::built_in().iter().find(|kind| kind.name() == of) {
        output::write(|out| about_kind(out, kind, paint))?;
        return Ok(Answer::Yes);
    }
    let loaded = check::load_policy(of).map_err(|failure| {
        let near = |name: &&str| strsim::damerau_levenshtein(of, name) <= 2;
        match Kind::built_in().iter().map(Kind::name).find(near) {
            Some(name) if of.len() <= 64 => failure.hint(format!("did you mean `{name}`?")),
            _ => failure,
        }
    })?;
    let engine = Engine::builder().build(&loaded)?;
    output::write(|out| about_policy(out, &loaded, &engine, &messages, paint))?;
    Ok(Answer::Yes)
}

fn everything(out: &mut impl Write, paint: Paint) -> io::Result<()> {
    writeln!(out, "{}", paint.strong("Kinds of rules"))?;
    let width = Kind::built_in().iter().map(|kind| kind.name().len()).max().unwrap_or(0);
    for kind in Kind::built_in() {
        entry(out, kind.name(), width, &first_sentence(kind.doc().forbids))?;
    }
    writeln!(out, "\n{}", paint.strong("Policies"))?;
    let width = Policy::presets().map(str::len).max().unwrap_or(0);
    for name in Policy::presets() {
        let description = Policy::preset(name).map(|policy| policy.description().to_owned());
        entry(out, name, width, &first_sentence(&description.unwrap_or_default()))?;
    }
    Ok(())
}

fn entry(out: &mut impl Write, name: &str, width: usize, text: &str) -> io::Result<()> {
    wrapped(out, &format!("  {name:width$}  "), text)
}

fn first_sentence(text: &str) -> String {
    match text.find(". ") {
        Some(end) => text.get(..=end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}

/// The text behind a label, and under it where it takes several lines.
fn wrapped(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(label.chars().count());
    let text = Printable(text).to_string();
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(label)
        .subsequent_indent(&indent)
        .break_words(false);
    for line in textwrap::wrap(&text, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn about_kind(out: &mut impl Write, kind: &Kind, paint: Paint) -> io::Result<()> {
    let Doc { forbids, why, instead, options, examples, .. } = *kind.doc();
    writeln!(out, "{}", paint.strong(kind.name()))?;
    wrapped(out, "  Forbids  ", forbids)?;
    wrapped(out, "  Why      ", why)?;
    wrapped(out, "  Instead  ", instead)?;
    writeln!(out, "\n{}", paint.strong("Options"))?;
    options_of(out, options, 2, paint)?;
    wrapped(
        out,
        "  ",
        "Every rule also has `id`, its name in results; `on`, the operations it is limited to \
         (`create`, `change`, `reset`); and `unless`, a property of accounts that are exempt.",
    )?;
    writeln!(out, "\n{}", paint.strong("Examples"))?;
    for example in examples {
        let head = format!("[[rule]]\nkind = \"{}\"\n{}", kind.name(), example.options);
        for line in head.lines() {
            writeln!(out, "  {}", paint.faint(Printable(line.trim_end())))?;
        }
        for (given, value) in example.context {
            let given = match given {
                Given::Name(field) => field.name(),
                _ => "current password",
            };
            writeln!(out, "    with {given} {}", shown(value))?;
        }
        for (password, failing) in example.passwords {
            let mark = if failing.is_empty() { paint.good("✓") } else { paint.bad("✗") };
            write!(out, "    {mark} {}", shown(password))?;
            if !failing.is_empty() {
                write!(out, "  {}", paint.faint(format_args!("({})", failing.join(", "))))?;
            }
            writeln!(out)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// An example's text, so that nothing in it hides.
fn shown(text: &str) -> String {
    if text.is_empty() { "(nothing)".to_owned() } else { text.escape_debug().to_string() }
}

fn options_of(
    out: &mut impl Write,
    options: &[countersign::rules::Opt],
    indent: usize,
    paint: Paint,
) -> io::Result<()> {
    for option in options {
        let default = match option.default {
            "required" => "required".to_owned(),
            "none" => "optional".to_owned(),
            default => format!("{default} by default"),
        };
        let form = form(&option.form);
        writeln!(out, "{:indent$}{}", "", paint.strong(option.name))?;
        wrapped(out, &" ".repeat(indent + 4), option.meaning)?;
        wrapped(out, &" ".repeat(indent + 4), &format!("{form}; {default}"))?;
        if let Form::Table(inner) = option.form {
            options_of(out, inner, indent + 4, paint)?;
        } else if let Form::List(Form::Table(inner)) = option.form {
            options_of(out, inner, indent + 4, paint)?;
        }
    }
    Ok(())
}

fn form(form: &Form) -> String {
    match form {
        Form::Integer(least, most) if *most >= u64::from(u32::MAX) => {
            format!("a number from {least}")
        }
        Form::Integer(least, most) => format!("a number from {least} to {most}"),
        Form::Text => "text".to_owned(),
        Form::Flag => "true or false".to_owned(),
        Form::Word(words) => {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
        }
        Form::List(Form::Word(words)) => format!("a list of {}", words.join(", ")),
        Form::List(Form::Integer(..)) => "a list of numbers".to_owned(),
        Form::List(Form::Table(_)) => "a list of tables".to_owned(),
        Form::List(_) => "a list of texts".to_owned(),
        Form::Table(_) => "a table".to_owned(),
        Form::Map(_) => "a table of pairs".to_owned(),
        Form::Rules => "a list of rules".to_owned(),
        Form::Either(forms) => forms.iter().map(self::form).collect::<Vec<_>>().join(", or "),
        _ => "a value".to_owned(),
    }
}

fn about_policy(
    out: &mut impl Write,
    policy: &Policy,
    engine: &Engine,
    messages: &Messages,
    paint: Paint,
) -> io::Result<()> {
    let name = if policy.name().is_empty() { "the policy" } else { policy.name() };
    writeln!(out, "{}", paint.strong(Printable(name)))?;
    for (label, text) in [
        ("  ", policy.description()),
        ("  Source: ", policy.source()),
        ("  Extends: ", policy.extends().unwrap_or_default()),
    ] {
        if !text.is_empty() {
            wrapped(out, label, text)?;
        }
    }
    writeln!(out, "\n{}", paint.strong("A password needs"))?;
    // Subject to no context: every rule applies.
    let report = engine.check("", &countersign::Subject::default());
    for result in report.checks().skip(1) {
        let alternatives = report.alternatives(result.check.id());
        wrapped(out, "  • ", &messages.heading(result.check))?;
        for (index, alternative) in alternatives.iter().enumerate() {
            let label = if index == 0 { "      " } else { "   or " };
            wrapped(out, label, &messages.requirement_of(alternative))?;
        }
    }
    writeln!(out, "\n{}", paint.strong("Its rules, and where they come from"))?;
    let width = policy.outline().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in policy.outline() {
        let place = |origin: &Origin<'_>| match origin.file {
            Some(file) => format!("{}:{}", Printable(file), origin.line),
            None => format!("line {}", origin.line),
        };
        let (id, kind) = (rule.id, rule.kind);
        let kind = if id == kind { String::new() } else { format!("{kind}, ") };
        writeln!(out, "  {id:width$}  {kind}{}", paint.faint(place(&rule.origin)))?;
        for (option, origin) in &rule.options {
            if origin.file != rule.origin.file {
                let option = Printable(option);
                writeln!(out, "  {:width$}    {option}: {}", "", paint.faint(place(origin)))?;
            }
        }
    }
    for warning in engine.warnings() {
        writeln!(out, "\n{} {warning}", paint.open("warning:"))?;
    }
    Ok(())
}
