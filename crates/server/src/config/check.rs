//! What a configuration must not say: it would start, and then not do what
//! somebody means.

use std::path::Path;

use super::{ClaimsConfig, Config, LOCAL_ISSUER, LOCAL_KEYS, origin};
use crate::network::Prefix;

/// How many former passwords may be asked for: each costs a whole hash.
const MAX_HISTORY: u32 = 100;
/// How many may wait for a hash.
const MAX_QUEUE: usize = 1 << 20;
/// How many threads may hash.
const MAX_THREADS: usize = 1024;
/// How many connections there may be to the database.
const MAX_CONNECTIONS: u32 = 1000;
/// The least that a body may have: less is no request with a long password.
const MIN_BODY: usize = 512;
/// The least that headers may have: HTTP reads so much at once.
const MIN_HEADER: usize = 8192;
/// How long a lock, or a wait, may take: a year.
const MAX_SECONDS: u32 = 366 * 24 * 3600;
/// How often a directory may be asked again; each wait is twice as long as the
/// one before.
const MAX_RETRIES: u32 = 16;

/// The names of authorities that stand for whoever comes, and the tenant of
/// personal accounts.
const NO_TENANTS: [&str; 4] =
    ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"];

/// Claims that users' tokens have, too.
const OF_EVERYBODY: [&str; 15] = [
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "azp", "appid", "oid", "tid", "scp",
    "scope", "roles",
];

/// The audiences of Microsoft's own directory services, without scheme and final
/// slash: Graph in each cloud, and the service before it.
const GRAPHS: [&str; 9] = [
    "00000003-0000-0000-c000-000000000000",
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "graph.microsoft.de",
    "microsoftgraph.chinacloudapi.cn",
    "00000002-0000-0000-c000-000000000000",
    "graph.windows.net",
    "graph.chinacloudapi.cn",
];

/// Claims that can be changed, or given to somebody else.
const NAMES: [&str; 10] = [
    "upn",
    "preferred_username",
    "email",
    "unique_name",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "username",
    "phone_number",
];

/// Claims that are read by these names whatever the configuration says, or are
/// roles.
const NO_SCOPES: [&str; 3] = ["roles", "wids", "idtyp"];

/// What is wrong, and what to do.
type Checked = Result<(), String>;

fn refuse(is_wrong: bool, why: &str) -> Checked {
    match is_wrong {
        true => Err(why.to_owned()),
        false => Ok(()),
    }
}

/// What can be told from the file alone.
pub(super) fn sense(config: &Config) -> Checked {
    top(config)?;
    tokens(config)?;
    passwords(config)?;
    lockout(config)?;
    write_back(config)?;
    limits(config)?;
    shares(config)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn top(config: &Config) -> Checked {
    refuse(
        config.database.is_some() && config.database_file.is_some(),
        "`database` and `database-file` are both given: leave one out",
    )?;
    refuse(
        config.database.as_deref().is_some_and(is_blank),
        "`database` is empty: give a file or a URL, or leave it out",
    )?;
    refuse(
        config.database_connections.get() > MAX_CONNECTIONS,
        "`database-connections` is over 1000: the server gives each replica its share",
    )?;
    refuse(
        config.tls.cert.is_some() != config.tls.key.is_some(),
        "`[tls]` needs both `cert` and `key`",
    )?;
    let tenant = config.tenant.as_str();
    refuse(is_blank(tenant), "`tenant` is empty: give the id of your organisation")?;
    refuse(
        tenant.contains(|c: char| c.is_whitespace() || c.is_control() || "{}/".contains(c)),
        "`tenant` is no id: give that of your organisation as it stands in tokens",
    )?;
    refuse(
        NO_TENANTS.iter().any(|name| tenant.eq_ignore_ascii_case(name)),
        "`tenant` stands for accounts of any organisation, or of none: give the id of yours",
    )?;
    for (name, text) in
        [("tenant-name", &config.tenant_name), ("tenant-domain", &config.tenant_domain)]
    {
        refuse(
            text.as_deref().is_some_and(is_blank),
            &format!("`{name}` is empty: give it, or leave it out"),
        )?;
    }
    refuse(is_blank(&config.policy.name), "`name` in `[policy]` is empty: give a policy")?;
    refuse(
        config.generated.count == Some(0),
        "`count` in `[generated]` is 0: nothing would be made up; leave it out",
    )?;
    match &config.public_url {
        Some(url) => origin(url).map(|_| ()),
        None => Ok(()),
    }
}

fn tokens(config: &Config) -> Checked {
    let tokens = &config.tokens;
    refuse(
        tokens.audiences.is_empty(),
        "`[tokens]` has no `audiences`: no token would be accepted",
    )?;
    refuse(
        tokens.audiences.iter().any(|audience| is_blank(audience)),
        "`audiences` in `[tokens]` has an empty one: give what `aud` is in your tokens",
    )?;
    let issuer = tokens.issuer.as_str();
    refuse(is_blank(issuer), "`issuer` in `[tokens]` is empty: give what `iss` is in your tokens")?;
    let lower = issuer.to_ascii_lowercase();
    let is_any = lower.contains('{') || lower.split('/').any(|part| NO_TENANTS.contains(&part));
    refuse(
        is_any,
        "`issuer` in `[tokens]` stands for any organisation: give what `iss` is in your tokens, \
         with the id of your organisation",
    )?;
    claims(&tokens.claims)?;
    refuse(
        is_blank(&tokens.jwks),
        "`jwks` in `[tokens]` is empty: say where the issuer's keys are",
    )?;
    refuse(
        issuer != LOCAL_ISSUER && tokens.jwks == LOCAL_KEYS,
        "`[tokens]` has an `issuer` without its keys: say in `jwks` where they are",
    )?;
    refuse(
        tokens.jwks.contains("://") && !tokens.jwks.starts_with("https://"),
        "`jwks` in `[tokens]` has to be a file, or to start with https://: else whoever is \
         between could give out keys",
    )?;
    refuse(
        tokens.jwks_cache.is_some() && !tokens.jwks.contains("://"),
        "`jwks-cache` in `[tokens]` keeps what is fetched, and `jwks` is a file: leave it out",
    )?;
    refuse(
        tokens.jwks_cache.as_ref().is_some_and(|file| file.as_os_str().is_empty()),
        "`jwks-cache` in `[tokens]` is empty: name a file, or leave it out",
    )?;
    let is_graph = |audience: &String| {
        let audience = audience.trim().to_ascii_lowercase();
        let host = audience.split_once("://").map_or(audience.as_str(), |(_, host)| host);
        GRAPHS.contains(&host.trim_end_matches('/'))
    };
    refuse(
        issuer != LOCAL_ISSUER && tokens.audiences.iter().any(is_graph),
        "`audiences` in `[tokens]` has Microsoft Graph itself, whose tokens are not for others: \
         register an application with an audience of its own, and give that",
    )
}

fn claims(claims: &ClaimsConfig) -> Checked {
    let ClaimsConfig { tenant, user, scopes, roles, application } = claims;
    refuse(
        [user, scopes, roles].iter().any(|name| is_blank(name)),
        "`[tokens.claims]` has an empty name: only `tenant` and `application` may be none",
    )?;
    let is_of_users = OF_EVERYBODY.contains(&application.as_str())
        || !application.is_empty() && [tenant, user, scopes, roles].contains(&application);
    refuse(
        is_of_users,
        "`application` in `[tokens.claims]` is a claim of users' tokens, too: give one that only \
         applications' have",
    )?;
    refuse(
        NAMES.iter().any(|name| user.eq_ignore_ascii_case(name)),
        "`user` in `[tokens.claims]` is a claim that can be given to somebody else: give one with \
         an id that cannot, such as `oid` or `sub`",
    )?;
    refuse(
        NO_SCOPES.iter().any(|name| scopes.eq_ignore_ascii_case(name)),
        "`scopes` in `[tokens.claims]` is a claim that says something else: give the one with what \
         was granted, such as `scp` or `scope`",
    )?;
    let all = [tenant, user, scopes, roles];
    let is_twice = |at: usize| all.iter().skip(at + 1).any(|other| Some(other) == all.get(at));
    refuse(
        (0..all.len()).any(is_twice),
        "`[tokens.claims]` has one name twice: each is another claim",
    )
}

fn passwords(config: &Config) -> Checked {
    let passwords = &config.passwords;
    refuse(passwords.queue == 0, "`queue` in `[passwords]` is 0: nobody could wait for a hash")?;
    refuse(
        passwords.queue > MAX_QUEUE,
        "`queue` in `[passwords]` is over 1048576: who waits so long has left",
    )?;
    refuse(
        passwords.threads.is_some_and(|threads| threads.get() > MAX_THREADS),
        "`threads` in `[passwords]` is over 1024: give about as many as there are cores",
    )?;
    refuse(
        passwords.history > MAX_HISTORY,
        "`history` in `[passwords]` is over 100: each former password costs a hash at every change",
    )?;
    passwords.cost().map(|_| ())
}

fn lockout(config: &Config) -> Checked {
    let lockout = &config.lockout;
    refuse(
        lockout.first_seconds == 0,
        "`first-seconds` in `[lockout]` is 0: nothing would ever be locked",
    )?;
    refuse(
        lockout.longest_seconds < lockout.first_seconds,
        "`longest-seconds` in `[lockout]` is less than `first-seconds`: give at least as many",
    )?;
    refuse(
        lockout.longest_seconds > MAX_SECONDS,
        "`longest-seconds` in `[lockout]` is over a year: whoever guesses could lock others out \
         for good",
    )?;
    refuse(
        lockout.threshold.get() > 1000,
        "`threshold` in `[lockout]` is over 1000: so many guesses are as good as no lockout",
    )
}

fn write_back(config: &Config) -> Checked {
    let write_back = &config.write_back;
    refuse(
        !write_back.command.is_empty() && write_back.url.is_some(),
        "`[write-back]` has both `command` and `url`: leave one out",
    )?;
    refuse(
        write_back.command.first().is_some_and(|program| is_blank(program)),
        "`command` in `[write-back]` begins with an empty text: give a program",
    )?;
    refuse(
        write_back.url.as_ref().is_some_and(|url| !url.starts_with("https://")),
        "`url` in `[write-back]` has to start with https://",
    )?;
    refuse(
        write_back.url.is_none()
            && (write_back.authorization_file.is_some() || write_back.ca.is_some()),
        "`[write-back]` has `authorization-file` or `ca` without the `url` that they are for",
    )?;
    refuse(
        write_back.timeout_seconds == 0,
        "`timeout-seconds` in `[write-back]` is 0: nothing could answer in time",
    )?;
    refuse(
        write_back.timeout_seconds > MAX_SECONDS,
        "`timeout-seconds` in `[write-back]` is over a year",
    )?;
    refuse(
        write_back.retries > MAX_RETRIES,
        "`retries` in `[write-back]` is over 16: each waits twice as long as the one before",
    )
}

fn limits(config: &Config) -> Checked {
    let limits = &config.limits;
    let zero = [
        ("header-seconds", limits.header_seconds == 0, "no client could send its headers in time"),
        ("body-seconds", limits.body_seconds == 0, "no client could send its body in time"),
        ("connections", limits.connections == 0, "nobody could connect"),
        ("streams", limits.streams == 0, "HTTP/2 could ask for nothing"),
    ];
    for (name, is_zero, why) in zero {
        refuse(is_zero, &format!("`{name}` in `[limits]` is 0: {why}"))?;
    }
    refuse(
        limits.body_bytes < MIN_BODY,
        "`body-bytes` in `[limits]` is under 512: bodies with long passwords would be refused",
    )?;
    refuse(
        limits.header_bytes < MIN_HEADER,
        "`header-bytes` in `[limits]` is under 8192: requests with usual tokens would be refused",
    )?;
    refuse(
        [limits.body_budget_bytes, limits.address_body_budget()]
            .iter()
            .any(|budget| *budget != 0 && *budget < limits.body_bytes),
        "a budget of `[limits]` is less than `body-bytes`: no body could be that large",
    )?;
    refuse(
        config.probes.listen.is_some_and(|probes| probes == config.listen && probes.port() != 0),
        "`listen` in `[probes]` is that of the service: give another port",
    )
}

fn shares(config: &Config) -> Checked {
    let limits = &config.limits;
    for (name, share, of, whole) in [
        (
            "connections-per-address",
            limits.address_connections(),
            "connections",
            limits.connections,
        ),
        ("requests-per-address", limits.address_requests(), "requests", limits.requests),
        (
            "address-body-budget-bytes",
            limits.address_body_budget(),
            "body-budget-bytes",
            limits.body_budget_bytes,
        ),
    ] {
        refuse(
            whole != 0 && share > whole,
            &format!("`{name}` in `[limits]` is more than `{of}`: a share is not over the whole"),
        )?;
    }
    refuse(
        config.network.trusted_proxies.iter().any(Prefix::is_everybody),
        "`trusted-proxies` in `[network]` has all addresses: whoever connects could say that they \
         are anybody; name your proxies",
    )
}

impl Config {
    /// Whether the service may start with it here: what also depends on this
    /// machine, and on what was said in place of the file.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to do.
    pub fn check_start(&self) -> Result<(), String> {
        sense(self)?;
        let is_near = self.listen.ip().to_canonical().is_loopback();
        refuse(
            !is_near && self.tls.cert.is_none() && self.tokens.local().is_ok(),
            "`listen` lets other machines in, over plain HTTP and with tokens that are made up: \
             say in `[tokens]` who issues tokens, give a certificate in `[tls]`, or listen on \
             127.0.0.1",
        )?;
        match self.write_back.command.first() {
            Some(program) if !is_program(program) => Err(format!(
                "`command` in `[write-back]`: there is no program `{program}` that may be run here"
            )),
            _ => Ok(()),
        }
    }
}

/// Whether there is such a program: at a path, or in one of the folders where
/// programs are looked for.
fn is_program(program: &str) -> bool {
    let given = Path::new(program);
    if given.components().count() > 1 || given.is_absolute() {
        return may_run(given);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        let path = folder.join(given);
        may_run(&path) || cfg!(windows) && may_run(&path.with_extension("exe"))
    })
}

fn may_run(path: &Path) -> bool {
    let Ok(file) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o111 == 0 {
        return false;
    }
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_and_says_what_to_do() {
        for (text, expected) in [
            ("tenant = ''", "`tenant` is empty"),
            ("tenant = ' '", "`tenant` is empty"),
            ("tenant = '{tenantid}'", "`tenant` is no id"),
            ("tenant = 'common'", "`tenant` stands for"),
            ("tenant = 'Organizations'", "`tenant` stands for"),
            ("tenant = 'consumers'", "`tenant` stands for"),
            ("tenant = '9188040D-6C67-4C5B-B112-36A304B66DAD'", "`tenant` stands for"),
            ("tenant-name = ''", "`tenant-name` is empty"),
            ("tenant-domain = ' '", "`tenant-domain` is empty"),
            ("database = ''", "`database` is empty"),
            ("database-connections = 1001", "`database-connections` is over"),
            ("policy.name = ''", "`name` in `[policy]` is empty"),
            ("generated.count = 0", "`count` in `[generated]` is 0"),
            ("tokens.audiences = []", "`[tokens]` has no `audiences`"),
            ("tokens.audiences = ['']", "`audiences` in `[tokens]` has an empty one"),
            ("tokens.audiences = ['a', ' ']", "`audiences` in `[tokens]` has an empty one"),
            ("tokens.issuer = ''", "`issuer` in `[tokens]` is empty"),
            (
                "tokens.issuer = 'https://login.microsoftonline.com/common/v2.0'",
                "`issuer` in `[tokens]` stands for any",
            ),
            (
                "tokens.issuer = 'https://login.microsoftonline.com/{tenantid}/v2.0'",
                "`issuer` in `[tokens]` stands for any",
            ),
            ("tokens.claims.application = 'azp'", "`application` in `[tokens.claims]` is a claim"),
            ("tokens.claims.application = 'roles'", "`application` in `[tokens.claims]` is a"),
            (
                "tokens.claims = { user = 'uid', application = 'uid' }",
                "`application` in `[tokens.claims]` is a",
            ),
            (
                "tokens.claims = { roles = 'entra', application = 'entra' }",
                "`application` in `[tokens.claims]` is a",
            ),
            ("tokens.jwks = ''", "`jwks` in `[tokens]` is empty"),
            ("tokens.jwks = 'http://keys.example/jwks'", "`jwks` in `[tokens]` has to be"),
            ("tokens.jwks-cache = 'kept.json'", "`jwks-cache` in `[tokens]` keeps what is fetched"),
            (
                "[tokens]\njwks = 'https://keys.example/jwks'\njwks-cache = ''",
                "`jwks-cache` in `[tokens]` is empty",
            ),
            ("lockout.first-seconds = 0", "`first-seconds` in `[lockout]` is 0"),
            ("lockout.longest-seconds = 0", "`longest-seconds` in `[lockout]` is less"),
            ("lockout.longest-seconds = 59", "`longest-seconds` in `[lockout]` is less"),
            ("lockout.longest-seconds = 4000000000", "`longest-seconds` in `[lockout]` is over"),
            ("lockout.threshold = 1001", "`threshold` in `[lockout]` is over"),
            ("passwords.queue = 0", "`queue` in `[passwords]` is 0"),
            ("passwords.queue = 1048577", "`queue` in `[passwords]` is over"),
            ("passwords.threads = 1025", "`threads` in `[passwords]` is over"),
            ("passwords.history = 101", "`history` in `[passwords]` is over"),
            ("passwords.memory-kib = 0", "`[passwords]`: "),
            ("passwords.iterations = 0", "`[passwords]`: "),
            ("write-back.command = ['']", "`command` in `[write-back]` begins"),
            ("write-back.authorization-file = 'a'", "`[write-back]` has `authorization-file`"),
            ("write-back.timeout-seconds = 0", "`timeout-seconds` in `[write-back]` is 0"),
            ("write-back.retries = 17", "`retries` in `[write-back]` is over"),
            ("limits.body-bytes = 0", "`body-bytes` in `[limits]` is under"),
            ("limits.header-bytes = 0", "`header-bytes` in `[limits]` is under"),
            ("limits.header-seconds = 0", "`header-seconds` in `[limits]` is 0"),
            ("limits.body-seconds = 0", "`body-seconds` in `[limits]` is 0"),
            ("limits.connections = 0", "`connections` in `[limits]` is 0"),
            ("limits.streams = 0", "`streams` in `[limits]` is 0"),
            ("network.trusted-proxies = ['0.0.0.0/0']", "`trusted-proxies` in `[network]` has all"),
            ("network.trusted-proxies = ['10.0.0.1', '::/0']", "`trusted-proxies` in `[network]`"),
            ("network.trusted-proxies = ['::ffff:0:0/96']", "`trusted-proxies` in `[network]`"),
            ("limits.connections-per-address = 1025", "`connections-per-address` in `[limits]` is"),
            ("limits.requests-per-address = 8193", "`requests-per-address` in `[limits]` is more"),
            (
                "limits.address-body-budget-bytes = 67108865",
                "`address-body-budget-bytes` in `[limits]` is more",
            ),
            (
                "limits.connections = 100\nlimits.connections-per-address = 256",
                "`connections-per-address` in `[limits]` is more",
            ),
        ] {
            refused(text, expected);
        }
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Config::parse(text).err();
        let error = error.unwrap_or_else(|| panic!("{text} was taken"));
        assert!(error.starts_with(&format!(": {expected}")), "{text}: {error}");
    }

    /// The service took tokens that a client had for Graph, and whoever is given
    /// one of those can call Graph with it, too.
    #[test]
    fn tokens_for_graph_itself_are_taken_from_no_real_issuer() {
        let real = "[tokens]\nissuer = 'https://keys.example/'\njwks = 'a.json'\n";
        refused(real, "`audiences` in `[tokens]` has Microsoft Graph itself");
        for audience in [
            "https://graph.microsoft.com",
            "https://graph.microsoft.com/",
            "HTTPS://Graph.Microsoft.com",
            "00000003-0000-0000-C000-000000000000",
            "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us/",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://graph.windows.net/",
            "00000002-0000-0000-c000-000000000000",
        ] {
            let text = format!("{real}audiences = ['own', '{audience}']");
            refused(&text, "`audiences` in `[tokens]` has Microsoft Graph itself");
            let local = format!("tokens.audiences = ['{audience}']");
            assert_eq!(Config::parse(&local).map(|_| ()), Ok(()), "{local}");
        }
        for audience in ["own", "api://own", "https://graph.example"] {
            let text = format!("{real}audiences = ['{audience}']");
            assert_eq!(Config::parse(&text).map(|_| ()), Ok(()), "{text}");
        }
    }

    #[test]
    fn claims_that_mean_something_else_are_refused() {
        for user in ["upn", "preferred_username", "email", "unique_name", "name", "UPN"] {
            let text = format!("tokens.claims.user = '{user}'");
            refused(&text, "`user` in `[tokens.claims]` is a claim that can be given");
        }
        for scopes in ["roles", "wids", "idtyp"] {
            let text = format!("[tokens.claims]\nscopes = '{scopes}'\nroles = 'groups'");
            refused(&text, "`scopes` in `[tokens.claims]` is a claim that says something else");
        }
        for text in [
            "user = 'tid'",
            "tenant = 'oid'",
            "scopes = 'oid'",
            "roles = 'scp'",
            "roles = 'tid'",
            "user = 'sub'\nroles = 'sub'",
        ] {
            let text = format!("[tokens.claims]\n{text}");
            refused(&text, "`[tokens.claims]` has one name twice");
        }
    }

    #[test]
    fn a_share_that_nobody_gave_is_a_part_of_the_whole() {
        for (text, expected) in [
            ("", (256, 2048, 16 << 20)),
            ("connections = 100\nrequests = 200", (25, 50, 16 << 20)),
            // Too little to be shared.
            ("connections = 4\nrequests = 1", (0, 0, 16 << 20)),
            ("body-budget-bytes = 65536", (256, 2048, 0)),
            ("body-budget-bytes = 100000", (256, 2048, 0)),
            ("body-budget-bytes = 4000000", (256, 2048, 20 * 65_536)),
            // No limit: neither of all, nor of one.
            ("requests = 0\nbody-budget-bytes = 0", (256, 0, 0)),
            ("connections-per-address = 0\nrequests-per-address = 8192", (0, 8192, 16 << 20)),
        ] {
            let limits = Config::parse(&format!("[limits]\n{text}")).unwrap().limits;
            let shares = (
                limits.address_connections(),
                limits.address_requests(),
                limits.address_body_budget(),
            );
            assert_eq!(shares, expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_strange_is_taken() {
        for text in [
            "",
            "tenant = 'contoso'",
            "lockout.first-seconds = 1\nlockout.longest-seconds = 1",
            "passwords.history = 0",
            "limits.keep-alive-seconds = 0",
            "limits.caller-rate = 0",
            "database-connections = 1",
            "tokens.claims = { tenant = '', application = 'client_id' }",
            "[tokens]\nissuer = 'https://keys.example/realms/common-room'\njwks = 'a.json'\n\
             audiences = ['own']",
            "network.trusted-proxies = ['10.0.0.0/8', '2001:db8::/32']",
            "tokens.claims.user = 'sub'\ntokens.claims.tenant = ''",
            // All may go to one address, where that is what is said.
            "limits.connections = 9\nlimits.connections-per-address = 9",
            "limits.body-budget-bytes = 0\nlimits.address-body-budget-bytes = 99999999",
        ] {
            assert_eq!(Config::parse(text).map(|_| ()), Ok(()), "{text}");
        }
    }

    #[test]
    fn made_up_tokens_are_not_taken_from_other_machines_in_the_clear() {
        let start = |text: &str| Config::parse(text).unwrap().check_start();
        for near in ["127.0.0.1:1", "127.8.9.10:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(start(&format!("listen = '{near}'")), Ok(()), "{near}");
        }
        const REAL: &str =
            "[tokens]\nissuer = 'https://keys.example/'\njwks = 'a.json'\naudiences = ['own']";
        const TLS: &str = "[tls]\ncert = 'a'\nkey = 'b'";
        for far in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"] {
            let listen = format!("listen = '{far}'\n");
            let refused = start(&listen).unwrap_err();
            assert!(refused.starts_with("`listen` lets other machines in"), "{far}: {refused}");
            assert_eq!(start(&format!("{listen}{REAL}")), Ok(()), "{far}");
            assert_eq!(start(&format!("{listen}{TLS}")), Ok(()), "{far}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_not_there_is_found_out_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "#!/bin/sh\n").unwrap();
        let start = |program: &Path| {
            let text = format!("write-back.command = ['{}', 'a']", program.display());
            Config::parse(&text).unwrap().check_start()
        };
        for wrong in [Path::new("/no/program"), Path::new("no-such-program"), folder.path(), &plain]
        {
            let refused = start(wrong).unwrap_err();
            assert!(refused.starts_with("`command` in `[write-back]`: there is no"), "{refused}");
        }
        assert_eq!(start(Path::new("sh")), Ok(()));
        assert_eq!(start(Path::new("/bin/sh")), Ok(()));
    }
}
