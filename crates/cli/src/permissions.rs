//! `countersign permissions`

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use countersign_server::permissions::{Action, Cloud, Row, Version, rows};
use countersign_server::roles::{EVERYBODY, RESETTABLE, Role};
use serde::Serialize;

use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::words::Paint;

/// Lists who may do what: the tables that `countersign serve` enforces.
///
/// Of each action, by version and kind of token: the permission with the least
/// privileges that suffices, those that allow more, those that are accepted
/// though the documentation of this version does not name them, whose account
/// it may be, the roles of which the caller needs one for another's account,
/// and the clouds that offer it. Then who may reset whose password.
#[derive(Args)]
#[command(after_help = "\
Formats:
  text  to be read
  json  `permissions` and `resettable`, on one line
  csv   one table: rows of `permissions` and of `resettable`, by the first
        column. What is several things has semicolons between them")]
pub(crate) struct Permissions {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json|csv")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

pub(crate) fn run(Permissions { format }: &Permissions) -> Result<Answer, Failure> {
    let rows: Vec<_> = rows().collect();
    let resettable = resettable();
    output::write(|stdout| match format {
        Format::Text => text(&rows, &resettable, stdout),
        Format::Csv => csv(&rows, &resettable, stdout),
        Format::Json => {
            let tables = Tables { permissions: &rows, resettable: &resettable };
            serde_json::to_writer(&mut *stdout, &tables)?;
            writeln!(stdout)
        }
    })?;
    Ok(Answer::Yes)
}

#[derive(Serialize)]
struct Tables<'a> {
    permissions: &'a [Row],
    resettable: &'a [Resettable],
}

/// Whose password may be reset by whom.
#[derive(Serialize)]
struct Resettable {
    targets: Vec<&'static str>,
    by: Vec<&'static str>,
}

fn resettable() -> Vec<Resettable> {
    let names = |roles: &[Role]| roles.iter().map(|role| role.name()).collect::<Vec<_>>();
    let targets = |roles: &[Role]| if roles.is_empty() { vec!["no role"] } else { names(roles) };
    let rows = RESETTABLE.iter();
    let rows = rows.map(|row| Resettable { targets: targets(row.targets), by: names(row.by) });
    let others = Resettable { targets: vec!["any other role"], by: names(EVERYBODY) };
    rows.chain([others]).collect()
}

fn clouds(row: &Row) -> Vec<&'static str> {
    row.clouds.iter().copied().map(Cloud::name).collect()
}

fn text(rows: &[Row], resettable: &[Resettable], out: &mut impl Write) -> io::Result<()> {
    let paint = Paint::stdout();
    let column = rows.iter().map(|row| row.permission_type.name().len()).max().unwrap_or(0);
    let mut before: Option<&Row> = None;
    for row in rows {
        if before.is_none_or(|before| before.action != row.action) {
            writeln!(out, "{}", paint.strong(row.action.name()))?;
            writeln!(out, "  for {}", row.account.told())?;
            if !row.roles.is_empty() {
                writeln!(out, "  by one of {}; see below", row.roles.join(", "))?;
            }
        }
        if before.is_none_or(|before| (before.action, before.version) != (row.action, row.version))
        {
            writeln!(out, "  {}, offered in {}", row.version.segment(), clouds(row).join(", "))?;
        }
        before = Some(row);
        let Some(least) = row.least else {
            writeln!(out, "    {:column$}  not supported", row.permission_type.name())?;
            continue;
        };
        writeln!(out, "    {:column$}  {least}", row.permission_type.name())?;
        for (what, permissions) in [("or ", row.higher), ("also ", row.also_accepted)] {
            for permission in permissions {
                writeln!(out, "    {:column$}  {what}{permission}", "")?;
            }
        }
    }
    for action in Action::ALL {
        for version in Version::ALL {
            if !rows.iter().any(|row| (row.action, row.version) == (*action, *version)) {
                writeln!(out, "{} is not offered in {}", action.name(), version.segment())?;
            }
        }
    }
    writeln!(out, "\n{}", paint.strong("Whose password may be reset, and by whom"))?;
    for Resettable { targets, by } in resettable {
        writeln!(out, "  {}\n    {}", targets.join(", "), by.join(", "))?;
    }
    Ok(())
}

fn csv(rows: &[Row], resettable: &[Resettable], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "table,action,version,permissionType,least,higher,alsoAccepted,account,roles,clouds,targets"
    )?;
    for row in rows {
        let fields = [
            "permissions",
            row.action.name(),
            row.version.segment(),
            row.permission_type.name(),
            row.least.unwrap_or("not supported"),
            &row.higher.join(";"),
            &row.also_accepted.join(";"),
            row.account.told(),
            &row.roles.join(";"),
            &clouds(row).join(";"),
            "",
        ];
        writeln!(out, "{}", fields.map(quoted).join(","))?;
    }
    for Resettable { targets, by } in resettable {
        let (targets, by) = (targets.join(";"), by.join(";"));
        writeln!(out, "resettable,resetPassword,,,,,,,{},,{}", quoted(&by), quoted(&targets))?;
    }
    Ok(())
}

/// A field; between quotation marks if a comma stands in it.
fn quoted(field: &str) -> String {
    match field.contains(',') {
        true => format!("\"{field}\""),
        false => field.to_owned(),
    }
}
