//! `countersign user import`

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use countersign::Encoding;
use countersign_server::password;
use countersign_server::roles::Membership;
use countersign_server::store::{Field, NewAccount, PasswordPolicies, StoreError, StoreOptions};
use serde_json::Value;
use zeroize::Zeroizing;

use super::csv::{self, Record, Wrong};
use super::database::Database;
use super::{add, roles, say, written};
use crate::Answer;
use crate::failure::Failure;
use crate::input::{Source, not_utf_8};
use crate::words::{Printable, counted};

/// Adds many accounts at once: all of them or, if anything is wrong, none.
///
/// FILE, else standard input, is CSV whose first line names the columns, or has
/// a JSON object on each line.
#[derive(Args)]
#[command(after_help = "\
Columns, or members:
  userPrincipalName   such as AdeleV@contoso.com; the only one that has to be
                      there
  id                  by default a new UUID
  displayName, givenName, surname
  passwordHash        a PHC string of Argon2, such as $argon2id$v=19$...; clear
                      passwords are not taken
  roles               names or ids of templates, with `;` between them; in JSON
                      also an array
  mustChange          `true`: the password has to be changed at the next sign-in
  passwordPolicies    DisablePasswordExpiration, DisableStrongPassword, or both
                      with a comma between

Where nothing stands, nothing is known.")]
pub(crate) struct Import {
    #[command(flatten)]
    database: Database,
    /// Take any other role, too
    #[arg(long)]
    custom: bool,
    /// The file to read; `-` is standard input
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Column {
    Field(Field),
    PasswordHash,
    MustChange,
    PasswordPolicies,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::Field(Field::Id),
        Self::Field(Field::UserPrincipalName),
        Self::Field(Field::DisplayName),
        Self::Field(Field::GivenName),
        Self::Field(Field::Surname),
        Self::PasswordHash,
        Self::Field(Field::Roles),
        Self::MustChange,
        Self::PasswordPolicies,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Field(field) => field.name(),
            Self::PasswordHash => "passwordHash",
            Self::MustChange => "mustChange",
            Self::PasswordPolicies => "passwordPolicies",
        }
    }

    fn is_known(name: &str) -> bool {
        Self::ALL.into_iter().any(|column| column.name() == name)
    }

    /// `is_name`: it stands where names stand, and is no value.
    fn of(line: usize, name: &str, is_name: bool) -> Result<Self, Failure> {
        let known = || Self::ALL.map(Self::name).join(", ");
        if let Some(column) = Self::ALL.into_iter().find(|column| column.name() == name) {
            return Ok(column);
        }
        if name.eq_ignore_ascii_case("password") {
            return Err(at(line, None, "clear passwords are not taken").hint(
                "set them with `countersign user add`, one by one, or give hashes as `passwordHash`",
            ));
        }
        let near = Self::ALL.into_iter().map(Self::name).find(|known| {
            name.len() <= 64
                && strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()) <= 3
        });
        let is_shown = is_name && name.len() <= 64;
        let what = match is_shown {
            true => format!("`{}` is no column or member that is known", Printable(name)),
            false => "a column or member is not known".to_owned(),
        };
        Err(at(line, None, &what).hint(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known ones are {}", known()),
        }))
    }
}

/// An error in the input: where, and never a value.
fn at(line: usize, column: Option<Column>, why: &str) -> Failure {
    match column {
        Some(column) => Failure::new(format!("line {line}, `{}`: {why}", column.name())),
        None => Failure::new(format!("line {line}: {why}")),
    }
}

/// What stands in a line: the line, and the values of its columns.
struct Row {
    line: usize,
    values: Vec<(Column, Vec<String>)>,
}

pub(super) fn run(Import { database, custom, file }: &Import) -> Result<Answer, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    match Source::open(file.as_deref())? {
        Source::Terminal => {
            return Err(Failure::new("accounts are not read from a terminal")
                .hint("name a file, or pipe them in"));
        }
        Source::File(mut file) => {
            let read = file.read_to_end(&mut bytes);
            read.map_err(|error| Failure::io("cannot read the input", &error))?;
        }
    }
    if let Some(encoding) = Encoding::of(&bytes) {
        return Err(not_utf_8(encoding));
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.iter().take(error.valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        at(line, None, "this is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = if text.trim_start().starts_with('{') { json(text) } else { comma_separated(text) };
    let now = add::now();
    let mut lines = Vec::new();
    let mut accounts = Vec::new();
    for row in rows? {
        lines.push(row.line);
        accounts.push(account(row, *custom, now)?);
    }
    if accounts.is_empty() {
        return Err(Failure::new("there are no accounts in the input"));
    }
    // However many there are, they are one transaction.
    let options = StoreOptions { timeout: Duration::from_secs(600), ..StoreOptions::default() };
    database.open_or_make(&options, async |store| {
        let line = |at: usize| lines.get(at).copied().unwrap_or_default();
        store.insert_all(&accounts).await.map_err(|error| match error {
            StoreError::Conflict { at, field } => {
                let why = "another account has it already, here or in the database";
                self::at(line(at), Some(Column::Field(field)), why).hint("nothing was imported")
            }
            StoreError::Invalid { at, field, why } => {
                self::at(line(at), Some(Column::Field(field)), &format!("it {why}"))
            }
            error => written(error),
        })?;
        let count = counted(accounts.len() as u64, "account", "accounts");
        say(|out| writeln!(out, "imported {count}"))
    })
}

/// What else stands between columns.
const SEPARATORS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")];

/// Whether tables of accounts call a column so, where nobody's value is that.
fn is_usual(name: &str) -> bool {
    const USUAL: [&str; 7] =
        ["department", "email", "emailaddress", "firstname", "lastname", "samaccountname", "upn"];
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    USUAL.contains(&plain.as_str())
        || Column::ALL.into_iter().any(|column| column.name().eq_ignore_ascii_case(&plain))
}

fn is_identifier(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=40).contains(&name.len()) && name.bytes().all(is_part)
}

fn comma_separated(text: &str) -> Result<Vec<Row>, Failure> {
    let first = text.lines().next().unwrap_or_default();
    for (sign, name) in SEPARATORS {
        let mut parts = first.split(sign).map(|part| part.trim().trim_matches('"'));
        if first.contains(sign) && parts.any(Column::is_known) {
            let why = format!("the columns are apart by {name}");
            return Err(at(1, None, &why).hint("write commas between them"));
        }
    }
    let mut records = csv::records(text);
    let wrong = |Wrong { line, why }: Wrong| at(line, None, why);
    let Some(header) = records.next() else { return Ok(Vec::new()) };
    let Record { line, cells } = header.map_err(wrong)?;
    if let [one] = cells.as_slice()
        && !Column::is_known(one)
        && let Some((_, name)) = SEPARATORS.into_iter().find(|(sign, _)| one.contains(*sign))
    {
        let failure = at(line, None, "a column or member is not known");
        return Err(
            failure.hint(format!("if columns are apart by {name} here, write commas between them"))
        );
    }
    let mut columns: Vec<Column> = Vec::new();
    // Without a line of names, what stands in the first line are values. Where it
    // is one by the looks of it only, what could be a password is left out.
    let is_header = cells.iter().any(|name| Column::is_known(name));
    let is_like_one = cells.iter().any(|name| is_usual(name));
    for name in &cells {
        let is_name = is_header || is_like_one && is_identifier(name);
        let column = Column::of(line, name, is_name)?;
        if columns.contains(&column) {
            return Err(at(line, Some(column), "the column stands twice"));
        }
        columns.push(column);
    }
    let row = |record: Result<Record, Wrong>| {
        let Record { line, cells } = record.map_err(wrong)?;
        if cells.len() != columns.len() {
            let (found, expected) = (cells.len(), columns.len());
            let values = counted(found as u64, "value", "values");
            return Err(at(line, None, &format!("there are {values}, and {expected} columns")));
        }
        let values = columns.iter().zip(cells);
        Ok(Row {
            line,
            values: values.map(|(column, cell)| (*column, split(*column, cell))).collect(),
        })
    };
    records.map(row).collect()
}

/// The values of a text: roles are several.
fn split(column: Column, text: String) -> Vec<String> {
    let parts = match column {
        Column::Field(Field::Roles) => text.split(';').map(|part| part.trim().to_owned()).collect(),
        _ => vec![text],
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn json(text: &str) -> Result<Vec<Row>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty());
    lines
        .map(|(index, text)| {
            let line = index + 1;
            let object: serde_json::Map<String, Value> =
                serde_json::from_str(text).map_err(|error| {
                    let what = format!("column {}: this is no JSON object", error.column());
                    at(line, None, &what)
                })?;
            let values = object.into_iter().map(|(name, value)| {
                let column = Column::of(line, &name, true)?;
                Ok((column, texts(line, column, value)?))
            });
            Ok(Row { line, values: values.collect::<Result<_, Failure>>()? })
        })
        .collect()
}

fn texts(line: usize, column: Column, value: Value) -> Result<Vec<String>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(split(column, text)),
        Value::Bool(value) if column == Column::MustChange => Ok(vec![value.to_string()]),
        Value::Array(values) if column == Column::Field(Field::Roles) => values
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(at(line, Some(column), "one of them is not a string")),
            })
            .collect(),
        _ => Err(at(line, Some(column), "this is a value of another kind")),
    }
}

fn account(Row { line, values }: Row, custom: bool, now: i64) -> Result<NewAccount, Failure> {
    let mut new = NewAccount { created: now, ..NewAccount::default() };
    for (column, mut values) in values {
        if let Column::Field(Field::Roles) = column {
            for name in &values {
                let role = Membership::of(name);
                if matches!(role, Membership::Other(_)) && !custom {
                    let why = format!("{} has no role of one of these names", roles::TABLE);
                    return Err(at(line, Some(column), &why).hint(roles::near(name)));
                }
                new.roles.push(role);
            }
            continue;
        }
        let Some(value) = values.pop() else { continue };
        match column {
            Column::Field(Field::Id) => new.id = value,
            Column::Field(Field::UserPrincipalName) => new.upn = value,
            Column::Field(Field::DisplayName) => new.display_name = Some(value),
            Column::Field(Field::GivenName) => new.given_name = Some(value),
            Column::Field(Field::Surname) => new.surname = Some(value),
            Column::Field(Field::Roles) => {}
            Column::PasswordHash => {
                password::check(&value)
                    .map_err(|why| at(line, Some(column), &format!("it {why}")))?;
                new.phc = Some(value);
            }
            Column::MustChange => {
                new.must_change = match value.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(at(line, Some(column), "it is neither `true` nor `false`")),
                };
            }
            Column::PasswordPolicies => PasswordPolicies::read(&value)
                .map_err(|why| at(line, Some(column), &format!("it {why}")))?
                .give(&mut new),
        }
    }
    if new.id.is_empty() {
        new.id = add::new_id();
    }
    let checked = new.check();
    checked.map_err(|(field, why)| at(line, Some(Column::Field(field)), &format!("it {why}")))?;
    Ok(new)
}
