//! `countersign token`

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use countersign_server::permissions::{self, TokenKind};
use countersign_server::roles::{Membership, Role};
use countersign_server::{Config, LocalKey, TokenRequest};

use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::warnings;

/// Makes an access token from a local key, for trying things out.
///
/// The key and the set of public keys that `countersign serve` reads are made
/// when they do not exist. Where the configuration names a real issuer (another
/// `issuer` than the default, a URL of keys, or a key set without this key), no
/// token is made. The token is all that is printed; whoever has it is whom it
/// names, as long as it is valid.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign token --oid 6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0 --scope User.ReadWrite
  countersign token --config countersign.toml --oid ... \\
      --scope UserAuthenticationMethod.ReadWrite.All --role \"Helpdesk Administrator\"
  countersign token --app --oid ... --scope User-PasswordProfile.ReadWrite.All

`countersign permissions` lists which scopes and roles do for what.")]
pub(crate) struct Token {
    /// The service's configuration: which issuer, audience, tenant and keys
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose token it is: the id of an account, or of an application
    #[arg(long, value_name = "ID")]
    oid: String,
    /// A permission, or several with spaces between them
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// A role, by its name or the id of its template, such as `User Administrator`
    #[arg(long = "role", value_name = "NAME|ID")]
    roles: Vec<String>,
    /// The token is an application's own: nobody is signed in
    #[arg(long)]
    app: bool,
    /// The tenant [default: that of the configuration]
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// The issuer [default: that of the configuration]
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Whom the token is for [default: that of the configuration]
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// How long it is valid, such as `90s`, `30m`, `8h` or `7d`, at most 30d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    valid_for: u64,
}

pub(crate) fn run(token: &Token) -> Result<Answer, Failure> {
    // Nothing is made for what makes no sense.
    let roles = token.roles.iter().map(|name| role(name)).collect::<Result<_, _>>()?;
    let config = match &token.config {
        Some(path) => Config::open(path).map_err(Failure::new)?,
        None => Config::default(),
    };
    let tokens = config.tokens;
    let ready = tokens.local().and_then(|jwks| LocalKey::ready(&tokens.signing_key, jwks));
    let (key, made) = ready.map_err(Failure::new)?;
    for path in made {
        // Nobody is left to be told if this fails.
        let _ = writeln!(io::stderr(), "made {}", path.display());
    }
    let given = |given: &Option<String>, setting: String| given.clone().unwrap_or(setting);
    let request = TokenRequest {
        issuer: given(&token.issuer, tokens.issuer),
        audience: given(&token.audience, tokens.audiences.into_iter().next().unwrap_or_default()),
        tenant: given(&token.tenant, config.tenant),
        object: token.oid.clone(),
        is_application: token.app,
        permissions: token
            .scopes
            .iter()
            .flat_map(|scopes| scopes.split(' '))
            .map(str::to_owned)
            .filter(|scope| !scope.is_empty())
            .collect(),
        roles,
        valid_for: token.valid_for,
    };
    let useless = request.permissions.iter().filter(|name| !is_asked_for(name, token.app));
    let whose = if token.app { "an application's" } else { "a user's" };
    let useless =
        useless.map(|name| format!("no call asks {whose} token for the permission `{name}`"));
    warnings::tell(&useless.collect::<Vec<_>>(), false)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let signed = key.sign(&request, now).map_err(Failure::new)?;
    output::write(|stdout| writeln!(stdout, "{signed}"))?;
    Ok(Answer::Yes)
}

/// Whether a call asks for a permission.
fn is_asked_for(name: &str, app: bool) -> bool {
    let kind = if app { TokenKind::Application } else { TokenKind::Delegated };
    permissions::rows().filter(|row| row.permission_type == kind).any(|row| {
        let all = row.least.iter().chain(row.higher).chain(row.also_accepted);
        all.into_iter().any(|permission| *permission == name)
    })
}

/// A role by its name, or any id.
fn role(name: &str) -> Result<Membership, Failure> {
    let role = Membership::of(name);
    let is_id = name.len() == 36 && name.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if matches!(role, Membership::Role(_)) || is_id {
        return Ok(role);
    }
    let near = Role::ALL
        .iter()
        .map(|role| {
            (strsim::damerau_levenshtein(&name.to_lowercase(), &role.name().to_lowercase()), role)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 5);
    let failure = Failure::new(format!("there is no role `{name}`"));
    Err(match near {
        Some((_, role)) => failure.hint(format!("did you mean `{}`?", role.name())),
        None => failure.hint("see `countersign permissions`; custom roles are named by their ids"),
    })
}

/// Seconds, from a number and its unit.
fn duration(text: &str) -> Result<u64, String> {
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 0,
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let seconds = seconds.filter(|seconds| (1..=30 * 24 * 3600).contains(seconds));
    seconds.ok_or_else(|| "a number with `s`, `m`, `h` or `d` behind it, at most `30d`".to_owned())
}
