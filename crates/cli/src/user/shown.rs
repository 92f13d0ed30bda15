//! Accounts, as they are printed: never with a hash.

use std::io::{self, Write};

use countersign_server::roles::Membership;
use countersign_server::store::{Account, PasswordPolicies};
use jiff::Timestamp;
use serde::Serialize;
use textwrap::core::display_width;

use super::add;
use crate::words::{Paint, Printable, grouped};

/// What Microsoft Graph calls things, where it has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    id: &'a str,
    user_principal_name: &'a str,
    display_name: Option<&'a str>,
    given_name: Option<&'a str>,
    surname: Option<&'a str>,
    tenant: &'a str,
    roles: Vec<&'a str>,
    account_enabled: bool,
    password_policies: Option<String>,
    has_password: bool,
    force_change_password_next_sign_in: bool,
    force_change_password_next_sign_in_with_mfa: bool,
    created_date_time: Option<String>,
    last_password_change_date_time: Option<String>,
    /// Ours, as the next: wrong current passwords since the last right one.
    wrong_passwords: u32,
    locked_until_date_time: Option<String>,
}

/// One object on one line.
pub(super) fn json(out: &mut impl Write, account: &Account) -> io::Result<()> {
    let json = Json {
        id: &account.id,
        user_principal_name: &account.upn,
        display_name: account.display_name.as_deref(),
        given_name: account.given_name.as_deref(),
        surname: account.surname.as_deref(),
        tenant: &account.tenant,
        roles: account.roles.iter().map(role).collect(),
        account_enabled: account.enabled,
        password_policies: PasswordPolicies::of(account).written(),
        has_password: account.has_password,
        force_change_password_next_sign_in: account.must_change,
        force_change_password_next_sign_in_with_mfa: account.must_change_with_mfa,
        created_date_time: time(account.created),
        last_password_change_date_time: account.password_changed.and_then(time),
        wrong_passwords: account.held.failures,
        locked_until_date_time: locked(account),
    };
    serde_json::to_writer(&mut *out, &json)?;
    writeln!(out)
}

/// What is known, each on a line.
pub(super) fn text(out: &mut impl Write, account: &Account) -> io::Result<()> {
    let must = match (account.must_change, account.must_change_with_mfa) {
        (false, false) => "",
        (_, true) => ", to be changed at the next sign-in, after a second factor",
        (true, false) => ", to be changed at the next sign-in",
    };
    let password = match account.password_changed.and_then(time) {
        _ if !account.has_password => format!("none{must}"),
        Some(when) => format!("set {when}{must}"),
        None => format!("set{must}"),
    };
    let wrong = match account.held.failures {
        0 => String::new(),
        failures => format!("{}, since the last right one", grouped(failures.into())),
    };
    let lines = [
        ("id", account.id.clone()),
        ("user name", account.upn.clone()),
        ("display name", account.display_name.clone().unwrap_or_default()),
        ("given name", account.given_name.clone().unwrap_or_default()),
        ("surname", account.surname.clone().unwrap_or_default()),
        ("tenant", account.tenant.clone()),
        ("account", (if account.enabled { "" } else { "disabled" }).to_owned()),
        ("roles", roles(account)),
        ("password", password),
        ("locked", locked(account).map(|until| format!("until {until}")).unwrap_or_default()),
        ("wrong ones", wrong),
        ("policies", PasswordPolicies::of(account).written().unwrap_or_default()),
        ("created", time(account.created).unwrap_or_default()),
    ];
    let paint = Paint::stdout();
    for (name, value) in lines {
        if !value.is_empty() {
            writeln!(out, "{}  {}", paint.strong(format_args!("{name:12}")), Printable(value))?;
        }
    }
    Ok(())
}

/// Accounts, each on a line, their columns below each other.
pub(super) fn lines(out: &mut impl Write, accounts: &[Account]) -> io::Result<()> {
    let paint = Paint::stdout();
    let cells = |account: &Account| {
        let name = Printable(account.display_name.as_deref().unwrap_or("-")).to_string();
        [Printable(&account.upn).to_string(), account.id.clone(), name]
    };
    let widths = accounts.iter().map(cells).fold([0; 3], |widths, cells| {
        let mut cells = cells.iter().map(|cell| display_width(cell));
        widths.map(|width: usize| width.max(cells.next().unwrap_or(0)))
    });
    for account in accounts {
        let must = account.must_change || account.must_change_with_mfa;
        let state = [
            (!account.enabled).then(|| "disabled".to_owned()),
            (!account.has_password).then(|| "no password".to_owned()),
            must.then(|| "must change".to_owned()),
            locked(account).map(|until| format!("locked until {until}")),
            Some(roles(account)).filter(|roles| !roles.is_empty()),
        ];
        let rest: Vec<_> = state.into_iter().flatten().collect();
        let [upn, id, name] = cells(account);
        let space =
            |cell: &str, width: usize| " ".repeat(width.saturating_sub(display_width(cell)));
        let [first, second, third] = widths;
        let (upn_space, id_space) = (space(&upn, first), space(&id, second));
        let name_space = space(&name, third);
        write!(out, "{}{upn_space}  ", paint.strong(upn))?;
        write!(out, "{}{id_space}  {name}", paint.faint(id))?;
        match rest.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, "{name_space}  {}", rest.join(", "))?,
        }
    }
    Ok(())
}

/// How somebody is named in a sentence.
pub(super) fn name(account: &Account) -> String {
    format!("{} ({})", Printable(&account.upn), account.id)
}

/// The names of the roles.
pub(super) fn roles(account: &Account) -> String {
    let roles: Vec<_> = account.roles.iter().map(role).collect();
    Printable(roles.join(", ")).to_string()
}

fn role(membership: &Membership) -> &str {
    match membership {
        Membership::Role(role) => role.name(),
        Membership::Other(name) => name,
    }
}

/// When the lock ends, if there is one now.
fn locked(account: &Account) -> Option<String> {
    account.held.locked(add::now()).and_then(time)
}

/// A time of the store, in UTC.
pub(super) fn time(milliseconds: i64) -> Option<String> {
    Timestamp::from_millisecond(milliseconds).ok().map(|time| time.to_string())
}
