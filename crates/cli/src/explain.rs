//! `countersign explain`

use std::fs;
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use countersign::rules::{Doc, Form, Given, Kind, Opt};
use countersign::{Engine, Messages, Operation, Origin, Policy, Property, RuleOutline, Subject};
use serde::Serialize;
use serde_json::{Value, json};
use textwrap::core::display_width;

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
/// Without an argument: all kinds and policies, in a line each.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign explain --list
  countersign explain keyboard
  countersign explain nist-63b-4-mfa --language de
  countersign explain ./acme.toml --format json

What a password needs is said in the language asked for; what is for whoever
writes policies, in English.")]
pub(crate) struct Explain {
    /// A kind of rule, a built-in policy, or a policy file
    #[arg(value_name = "KIND|POLICY")]
    of: Option<String>,
    /// Name all kinds and policies, as without an argument
    #[arg(long, conflicts_with = "of")]
    list: bool,
    /// The language of requirements, such as `de` [default: en]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

const WIDTH: usize = 80;

pub(crate) fn run(explain: &Explain) -> Result<Answer, Failure> {
    let messages = check::messages(explain.language.as_deref())?;
    let paint = Paint::stdout();
    // A kind and a file of the same name: `./names` is the file.
    let kind = explain.of.as_deref().and_then(|of| {
        let mut kinds = Kind::built_in().iter();
        kinds.find(|kind| kind.name() == of)
    });
    match (&explain.of, kind, explain.format) {
        (None, _, Format::Text) => output::write(|out| everything(out, paint))?,
        (None, _, Format::Json) => print(&all())?,
        (Some(_), Some(kind), Format::Text) => output::write(|out| about_kind(out, kind, paint))?,
        (Some(_), Some(kind), Format::Json) => print(&described(kind))?,
        (Some(of), None, format) => {
            if !is_there(of) {
                let message =
                    format!("no kind of rule, no built-in policy and no file is named `{of}`");
                return Err(Failure::new(message).hint(nearest(of)));
            }
            let policy = check::load_policy(of)?;
            let engine = Engine::builder().build(&policy)?;
            let outline: Vec<_> = policy.outline().collect();
            let explained = Explained::of(&policy, &outline, &engine, &messages);
            match format {
                Format::Text => output::write(|out| explained.write(out, paint))?,
                Format::Json => print(&explained)?,
            }
        }
    }
    Ok(Answer::Yes)
}

/// One object on one line.
fn print(value: &impl Serialize) -> Result<(), Failure> {
    output::write(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}

fn is_there(policy: &str) -> bool {
    let is_preset = Policy::presets().any(|known| known == policy);
    is_preset || !fs::exists(policy).is_ok_and(|exists| !exists)
}

/// The names that may be meant, at most three.
fn nearest(given: &str) -> String {
    let names = Kind::built_in().iter().map(Kind::name).chain(Policy::presets());
    let allowed = (given.chars().count() / 3).clamp(1, 3);
    // Longer than any name: nothing is near.
    let near = names.filter(|_| given.len() <= 64).filter_map(|name| {
        let distance = strsim::damerau_levenshtein(&given.to_lowercase(), name);
        let is_part = given.len() >= 3 && name.contains(given);
        (distance <= allowed || is_part).then_some((!is_part, distance, name))
    });
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    let near: Vec<_> = near.iter().take(3).map(|(_, _, name)| format!("`{name}`")).collect();
    match near.split_last() {
        None => "`countersign explain --list` names what there is".to_owned(),
        Some((last, [])) => format!("did you mean {last}?"),
        Some((last, others)) => format!("did you mean {} or {last}?", others.join(", ")),
    }
}

/// All kinds and all policies, each with the sentence that says what it is.
fn names() -> [(&'static str, Vec<(&'static str, String)>); 2] {
    let kinds = Kind::built_in().iter();
    let kinds = kinds.map(|kind| (kind.name(), first_sentence(kind.doc().forbids)));
    let policies = Policy::presets().map(|name| {
        let description = Policy::preset(name).map(|policy| policy.description().to_owned());
        (name, first_sentence(&description.unwrap_or_default()))
    });
    [("Kinds of rules", kinds.collect()), ("Policies", policies.collect())]
}

fn everything(out: &mut impl Write, paint: Paint) -> io::Result<()> {
    for (index, (title, entries)) in names().iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        writeln!(out, "{gap}{}", paint.strong(title))?;
        let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in entries {
            entry(out, name, width, text)?;
        }
    }
    Ok(())
}

fn all() -> Value {
    let [kinds, policies] = names().map(|(_, entries)| {
        let entries = entries.into_iter();
        Value::from_iter(entries.map(|(name, text)| json!({ "name": name, "description": text })))
    });
    json!({ "kinds": kinds, "policies": policies })
}

fn described(kind: &Kind) -> Value {
    fn options(all: &[Opt]) -> Value {
        let each = all.iter().map(|option| {
            let mut told = json!({
                "name": option.name,
                "form": form(&option.form),
                "default": option.default,
                "meaning": option.meaning,
            });
            if let (Some(inner), Some(told)) = (inner(&option.form), told.as_object_mut()) {
                told.insert("options".to_owned(), options(inner));
            }
            told
        });
        Value::from_iter(each)
    }
    let Doc { forbids, why, instead, options: own, .. } = *kind.doc();
    json!({
        "kind": kind.name(), "forbids": forbids, "why": why, "instead": instead,
        "options": options(own),
    })
}

/// The options of a table, or of each table of a list.
fn inner(form: &Form) -> Option<&'static [Opt]> {
    match form {
        Form::Table(inner) | Form::List(Form::Table(inner)) => Some(inner),
        _ => None,
    }
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
    let indent = " ".repeat(display_width(label));
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
    options: &[Opt],
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
        if let Some(inner) = inner(&option.form) {
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
        Form::Map(Form::Text) => "a table of texts".to_owned(),
        Form::Map(_) => "a table of pairs".to_owned(),
        Form::Rules => "a list of rules".to_owned(),
        Form::Either(forms) => forms.iter().map(self::form).collect::<Vec<_>>().join(", or "),
        _ => "a value".to_owned(),
    }
}

/// A policy: what a password needs, and where its rules come from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    name: &'a str,
    description: &'a str,
    source: &'a str,
    extends: Option<&'a str>,
    language: &'a str,
    title: String,
    #[serde(skip)]
    or: String,
    checks: Vec<Said<'a>>,
    rules: Vec<Rule<'a>>,
    warnings: Vec<String>,
}

/// What is said of a check, or of one in an alternative.
#[derive(Serialize)]
struct Said<'a> {
    id: &'a str,
    requirement: String,
    advice: String,
    /// The operations that it is limited to; all, if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on: Vec<&'static str>,
    /// The property of accounts that are exempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    unless: Option<&'static str>,
    /// All in one, as it may stand under a password field; alternatives stand
    /// below it.
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<SaidAlternative<'a>>,
}

#[derive(Serialize)]
struct SaidAlternative<'a> {
    id: &'a str,
    /// The property of the accounts to which alone it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
    text: String,
    checks: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    /// Those that come from another file than the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Changed<'a>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    option: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: Option<&'a str>,
    line: usize,
}

impl<'a> Place<'a> {
    fn of(origin: &Origin<'a>) -> Self {
        Self { file: origin.file, line: origin.line }
    }

    fn shown(&self) -> String {
        match self.file {
            Some(file) => format!("{}:{}", Printable(file), self.line),
            None => format!("line {}", self.line),
        }
    }
}

impl<'a> Said<'a> {
    fn of(check: &'a countersign::Check, messages: &Messages) -> Self {
        Self {
            id: check.id(),
            requirement: messages.requirement(check),
            advice: messages.advice(check),
            on: check.on().iter().copied().map(Operation::name).collect(),
            unless: check.unless().map(Property::name),
            text: messages.in_scope(check, &messages.heading(check)),
            alternatives: Vec::new(),
        }
    }
}

impl<'a> Explained<'a> {
    fn of(
        policy: &'a Policy,
        outline: &'a [RuleOutline<'a>],
        engine: &'a Engine,
        messages: &'a Messages,
    ) -> Self {
        // Subject to no context: every rule applies.
        let report = engine.check("", &Subject::default());
        let checks = report.checks().skip(1).map(|result| {
            let alternatives = report.alternatives(result.check.id()).into_iter();
            let text = match report.alternatives(result.check.id()).as_slice() {
                // Above a single one there is nothing to say.
                [only] => messages.in_scope(result.check, &messages.requirement_of(only)),
                _ => messages.in_scope(result.check, &messages.heading(result.check)),
            };
            let alternatives = alternatives.map(|alternative| SaidAlternative {
                id: alternative.id,
                when: alternative.when.map(Property::name),
                text: messages.requirement_of(&alternative),
                checks: alternative
                    .checks
                    .iter()
                    .map(|inner| Said::of(inner.check, messages))
                    .collect(),
            });
            Said { text, alternatives: alternatives.collect(), ..Said::of(result.check, messages) }
        });
        let rules = outline.iter().map(|rule| {
            let changed = rule.options.iter().filter(|(_, origin)| origin.file != rule.origin.file);
            Rule {
                id: rule.id,
                kind: rule.kind,
                place: Place::of(&rule.origin),
                options: changed
                    .map(|(option, origin)| Changed { option, place: Place::of(origin) })
                    .collect(),
            }
        });
        Self {
            name: policy.name(),
            description: policy.description(),
            source: policy.source(),
            extends: policy.extends(),
            language: messages.language(),
            title: messages.title(),
            or: messages.or(),
            checks: checks.collect(),
            rules: rules.collect(),
            warnings: engine.warnings().iter().map(ToString::to_string).collect(),
        }
    }

    fn write(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let name = if self.name.is_empty() { "the policy" } else { self.name };
        writeln!(out, "{}", paint.strong(Printable(name)))?;
        for (label, text) in [
            ("  ", self.description),
            ("  Source: ", self.source),
            ("  Extends: ", self.extends.unwrap_or_default()),
        ] {
            if !text.is_empty() {
                wrapped(out, label, text)?;
            }
        }
        writeln!(out, "\n{}", paint.strong(&self.title))?;
        let or = format!("   {} ", self.or);
        let first = " ".repeat(display_width(&or));
        // Rules that ask for the same in other ways are said once.
        let mut said = Vec::new();
        for check in &self.checks {
            let alternatives: Vec<_> = match check.alternatives.as_slice() {
                [_] => Vec::new(),
                all => all.iter().map(|alternative| alternative.text.as_str()).collect(),
            };
            let bullet = (check.text.as_str(), alternatives);
            if said.contains(&bullet) {
                continue;
            }
            wrapped(out, "  • ", bullet.0)?;
            for (index, alternative) in bullet.1.iter().enumerate() {
                wrapped(out, if index == 0 { &first } else { &or }, alternative)?;
            }
            said.push(bullet);
        }
        writeln!(out, "\n{}", paint.strong("Its rules, and where they come from"))?;
        let width = self.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
        for Rule { id, kind, place, options } in &self.rules {
            let kind = if id == kind { String::new() } else { format!("{kind}, ") };
            writeln!(out, "  {id:width$}  {kind}{}", paint.faint(place.shown()))?;
            for Changed { option, place } in options {
                let option = Printable(option);
                writeln!(out, "  {:width$}    {option}: {}", "", paint.faint(place.shown()))?;
            }
        }
        for warning in &self.warnings {
            writeln!(out, "\n{} {warning}", paint.open("warning:"))?;
        }
        Ok(())
    }
}
