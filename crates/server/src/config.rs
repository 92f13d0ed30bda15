//! The configuration of the service.

mod check;

use std::fs;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use countersign::{Dialect, Engine, Generator, Policy, Recipe, Subject};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::network::{ClientHeader, Prefix};
use crate::password::Cost;
use crate::permissions::Cloud;
use crate::token::{KeySource, shown};

/// A commented configuration, in which everything is at its default.
pub const SAMPLE: &str = include_str!("../sample.toml");

/// The file of the database, where nothing else is said.
const DATABASE: &str = "countersign.db";

/// Who issues tokens, where nobody real does.
const LOCAL_ISSUER: &str = "https://countersign.invalid/";

/// The public keys of the tokens that are made up.
const LOCAL_KEYS: &str = "countersign-jwks.json";

/// What a configuration file says; what it leaves out is at its default. The
/// [sample](SAMPLE) tells what each value means.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in the sample")]
pub struct Config {
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    pub public_url: Option<String>,
    pub tenant: String,
    pub tenant_name: Option<String>,
    pub tenant_domain: Option<String>,
    pub cloud: Option<Cloud>,
    pub dialect: DialectName,
    pub database: Option<String>,
    pub database_file: Option<PathBuf>,
    pub database_connections: NonZero<u32>,
    pub policy: PolicyConfig,
    pub tokens: Tokens,
    pub tls: Tls,
    pub passwords: Passwords,
    pub lockout: LockoutConfig,
    pub generated: Generated,
    pub write_back: WriteBackConfig,
    pub limits: Limits,
    pub network: NetworkConfig,
    pub probes: ProbesConfig,
    pub cors: CorsConfig,
    pub log: Log,
    pub metrics: MetricsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            tenant: "11111111-1111-4111-8111-111111111111".to_owned(),
            tenant_name: None,
            tenant_domain: None,
            cloud: None,
            dialect: DialectName::FirstFailure,
            database: None,
            database_file: None,
            database_connections: NonZero::<u32>::MIN.saturating_add(3),
            policy: PolicyConfig::default(),
            tokens: Tokens::default(),
            tls: Tls::default(),
            passwords: Passwords::default(),
            lockout: LockoutConfig::default(),
            generated: Generated::default(),
            write_back: WriteBackConfig::default(),
            limits: Limits::default(),
            network: NetworkConfig::default(),
            probes: ProbesConfig::default(),
            cors: CorsConfig::default(),
            log: Log::default(),
            metrics: MetricsConfig::default(),
        }
    }
}

/// A dialect of validatePassword's results.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum DialectName {
    /// One entry.
    FirstFailure,
    /// One entry for each check.
    AllRules,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::FirstFailure => Self::FirstFailure,
            DialectName::AllRules => Self::AllRules,
        }
    }
}

macro_rules! sections {
    ($($(#[doc = $doc:literal])* $name:ident {
        $($(#[$meta:meta])* $field:ident: $type:ty = $default:expr,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
        #[allow(missing_docs, reason = "documented in the sample")]
        pub struct $name {
            $($(#[$meta])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

sections! {
    /// The policy and its lists.
    PolicyConfig {
        name: String = "entra".to_owned(),
        lists: Vec<PathBuf> = Vec::new(),
        watch: bool = true,
    }
    /// Whose tokens are accepted.
    Tokens {
        issuer: String = LOCAL_ISSUER.to_owned(),
        audiences: Vec<String> = vec![
            "https://graph.microsoft.com".to_owned(),
            "00000003-0000-0000-c000-000000000000".to_owned(),
        ],
        jwks: String = LOCAL_KEYS.to_owned(),
        jwks_cache: Option<PathBuf> = None,
        ca: Option<PathBuf> = None,
        signing_key: PathBuf = PathBuf::from("countersign-key.pem"),
        claims: ClaimsConfig = ClaimsConfig::default(),
    }
    /// What the issuer calls its claims.
    ClaimsConfig {
        tenant: String = "tid".to_owned(),
        user: String = "oid".to_owned(),
        scopes: String = "scp".to_owned(),
        roles: String = "wids".to_owned(),
        application: String = String::new(),
    }
    /// The certificate.
    Tls {
        cert: Option<PathBuf> = None,
        key: Option<PathBuf> = None,
    }
    /// How passwords are hashed.
    Passwords {
        memory_kib: u32 = 19_456,
        iterations: u32 = 2,
        parallelism: u32 = 1,
        threads: Option<NonZero<usize>> = None,
        queue: usize = 64,
        history: u32 = 1,
    }
    /// Smart lockout.
    LockoutConfig {
        threshold: NonZero<u32> = NonZero::<u32>::MIN.saturating_add(9),
        first_seconds: u32 = 60,
        longest_seconds: u32 = 3600,
        key_file: PathBuf = PathBuf::from("countersign-lockout.key"),
    }
    /// Passwords that a reset makes up.
    Generated {
        recipe: RecipeName = RecipeName::Characters,
        count: Option<usize> = None,
    }
    /// Where resets go first.
    WriteBackConfig {
        command: Vec<String> = Vec::new(),
        url: Option<String> = None,
        authorization_file: Option<PathBuf> = None,
        ca: Option<PathBuf> = None,
        timeout_seconds: u32 = 30,
        retries: u32 = 3,
        at_once: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(15),
    }
    /// What clients may ask for.
    Limits {
        body_bytes: usize = 65_536,
        header_bytes: usize = 16_384,
        body_budget_bytes: usize = 67_108_864,
        address_body_budget_bytes: Option<usize> = None,
        header_seconds: u32 = 10,
        body_seconds: u32 = 10,
        keep_alive_seconds: u32 = 75,
        connections: usize = 1024,
        connections_per_address: Option<usize> = None,
        streams: u32 = 100,
        requests: usize = 8192,
        requests_per_address: Option<usize> = None,
        caller_rate: u32 = 1000,
        refused_rate: u32 = 200,
    }
    /// Proxies between clients and the service.
    NetworkConfig {
        trusted_proxies: Vec<Prefix> = Vec::new(),
        client_header: ClientHeader = ClientHeader::XForwardedFor,
    }
    /// A port for probes.
    ProbesConfig {
        #[serde(deserialize_with = "some_address")]
        listen: Option<SocketAddr> = None,
    }
    /// Pages on other origins.
    CorsConfig {
        origins: Vec<Origin> = Vec::new(),
        max_age_seconds: u32 = 7200,
    }
    /// What is logged.
    Log {
        level: Level = Level::Info,
        format: LogFormat = LogFormat::Json,
        refusals_per_minute: u32 = 60,
    }
    /// What is counted.
    MetricsConfig {
        enabled: bool = true,
    }
}

/// What passwords are made of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeName {
    /// Letters, digits and symbols.
    Characters,
    /// Words of a list.
    Words,
    /// Two syllables and four digits.
    Pronounceable,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What failed.
    Error,
    /// What may be wrong.
    Warn,
    /// What was changed.
    Info,
    /// Every request.
    Debug,
}

/// How it is logged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// An object on each line.
    Json,
    /// For people.
    Text,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let example = "this is no address with its port, such as `127.0.0.1:8080`";
    text.parse().map_err(|_| D::Error::custom(example))
}

fn some_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    address(deserializer).map(Some)
}

/// The scheme, the host and the port of a page, as browsers write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// As it stands in the header `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = "this is no origin, such as `https://apps.example.com`: http:// or https://, a \
                     host and perhaps a port, and nothing behind them";
        let origin = origin_of(&text).ok_or_else(|| D::Error::custom(wrong))?.to_ascii_lowercase();
        // Browsers leave out the port that is meant anyway.
        let standard = if origin.starts_with("https:") { ":443" } else { ":80" };
        Ok(Self(origin.strip_suffix(standard).unwrap_or(&origin).to_owned()))
    }
}

/// A message without the text that stands where something else belongs: it
/// could be a secret.
fn unquoted(message: &str) -> String {
    let parts = message.split_once("invalid type: string \"");
    match parts.and_then(|(before, rest)| Some((before, rest.rsplit_once("\", expected ")?.1))) {
        Some((before, expected)) => format!("{before}invalid type: string, expected {expected}"),
        None => message.to_owned(),
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or says something that makes no sense: the message
    /// says where, and never a text that could be a secret.
    pub fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the configuration {shown}: {error}"))?;
        let mut config = Self::parse(&text).map_err(|error| format!("{shown}{error}"))?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Reads a text; an error begins with line and column.
    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!(":{line}:{column}: {}", unquoted(error.message()))
        })?;
        check::sense(&config).map_err(|error| format!(": {error}"))?;
        Ok(config)
    }

    /// Makes paths absolute, from where the file is.
    fn resolve(&mut self, folder: &Path) {
        let of = |path: &mut PathBuf| *path = folder.join(&*path);
        for path in [
            &mut self.database_file,
            &mut self.tokens.ca,
            &mut self.tokens.jwks_cache,
            &mut self.tls.cert,
            &mut self.tls.key,
            &mut self.write_back.authorization_file,
            &mut self.write_back.ca,
        ] {
            path.iter_mut().for_each(of);
        }
        of(&mut self.lockout.key_file);
        of(&mut self.tokens.signing_key);
        if !Policy::presets().any(|known| known == self.policy.name) {
            let path = folder.join(&self.policy.name);
            self.policy.name = path.to_string_lossy().into_owned();
        }
        for list in &mut self.policy.lists {
            // `NAME=FILE`, or a file.
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            *list = match list.to_str().and_then(|given| given.split_once('=')) {
                Some((name, file)) if !name.is_empty() && name.chars().all(plain) => {
                    format!("{name}={}", folder.join(file).display()).into()
                }
                _ => folder.join(&*list),
            };
        }
        if !self.tokens.jwks.contains("://") {
            let path = folder.join(&self.tokens.jwks);
            self.tokens.jwks = path.to_string_lossy().into_owned();
        }
        if self.database_file.is_none() {
            let database = self.database.take();
            let database = database.unwrap_or_else(|| DATABASE.to_owned());
            self.database =
                Some(match database.contains("://") || database.starts_with("sqlite:") {
                    true => database,
                    false => folder.join(database).to_string_lossy().into_owned(),
                });
        }
    }

    /// The database: a path, or a URL.
    ///
    /// # Errors
    ///
    /// `database-file` cannot be read.
    pub fn database(&self) -> Result<String, String> {
        match (&self.database, &self.database_file) {
            (Some(database), _) => Ok(database.clone()),
            (None, None) => Ok(DATABASE.to_owned()),
            (None, Some(path)) => {
                let text = fs::read_to_string(path).map_err(|error| {
                    format!("cannot read `database-file` {}: {error}", path.display())
                })?;
                Ok(text.trim().to_owned())
            }
        }
    }
}

/// Scheme and authority of a URL, in the form in which they stand in others.
pub(crate) fn origin(url: &str) -> Result<String, String> {
    origin_of(url).ok_or_else(|| {
        "`public-url` has to be http:// or https:// with a host and nothing behind it".to_owned()
    })
}

fn origin_of(url: &str) -> Option<String> {
    let uri: axum::http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let is_host = !matches!(authority.host(), "" | "*") && !authority.host().contains('*');
    (is_plain && is_host).then(|| format!("{scheme}://{authority}"))
}

impl Tokens {
    /// Whether tokens may be made up: only where nobody real issues them, so the
    /// issuer is the default one, and the keys are a file.
    ///
    /// # Errors
    ///
    /// Who issues them.
    pub fn local(&self) -> Result<&Path, String> {
        if self.issuer != LOCAL_ISSUER {
            return Err(format!("a real issuer is configured: {}", self.issuer));
        }
        match KeySource::of(&self.jwks, None) {
            KeySource::File(_) => Ok(Path::new(&self.jwks)),
            KeySource::Url { url, .. } => {
                Err(format!("the keys are a real issuer's: {}", shown(&url)))
            }
        }
    }
}

impl Limits {
    /// How many connections an address may have; 0 is no limit.
    pub(crate) fn address_connections(&self) -> usize {
        share(self.connections_per_address, self.connections, 16)
    }

    /// How many requests an address may have under way; 0 is no limit.
    pub(crate) fn address_requests(&self) -> usize {
        share(self.requests_per_address, self.requests, 16)
    }

    /// How many bytes of bodies an address may have in memory; 0 is no limit.
    pub(crate) fn address_body_budget(&self) -> usize {
        // One client's batch.
        let enough = self.body_bytes.saturating_mul(20);
        share(self.address_body_budget_bytes, self.body_budget_bytes, enough)
    }
}

/// What an address has of a whole: what is given, else a quarter, or enough for
/// one client. Where that is all, or nothing has a limit, there is no share.
fn share(given: Option<usize>, whole: usize, enough: usize) -> usize {
    given.unwrap_or_else(|| {
        let quarter = (whole / 4).max(enough);
        if quarter < whole { quarter } else { 0 }
    })
}

impl Passwords {
    /// What a hash costs.
    ///
    /// # Errors
    ///
    /// Something is out of bounds.
    pub fn cost(&self) -> Result<Cost, String> {
        Cost::new(self.memory_kib, self.iterations, self.parallelism)
            .map_err(|error| format!("`[passwords]`: {error}"))
    }
}

impl Generated {
    /// What draws the passwords.
    ///
    /// # Errors
    ///
    /// The policy accepts none of them.
    pub(crate) fn generator(
        &self,
        engine: &Engine,
        subject: &Subject,
    ) -> Result<Generator, countersign::Error> {
        match self.recipe {
            RecipeName::Characters => Generator::characters(engine, subject, self.count),
            RecipeName::Words => Generator::words(engine, subject, self.count, None),
            RecipeName::Pronounceable => Generator::new(engine, subject, Recipe::pronounceable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line that may be a value, as one.
    fn uncommented() -> String {
        let line = |line: &'static str| {
            let inside = line.strip_prefix("# ").filter(|inside| {
                inside.split_once(" = ").is_some_and(|(key, _)| {
                    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                })
            });
            inside.unwrap_or(line)
        };
        SAMPLE.lines().map(line).fold(String::new(), |text, line| text + line + "\n")
    }

    fn error(text: &str) -> String {
        Config::parse(text).err().unwrap()
    }

    #[test]
    fn the_sample_says_what_the_defaults_are() {
        assert!(Config::parse(SAMPLE).is_ok());
        let told = toml::from_str::<Config>(&uncommented()).unwrap_or_else(|e| panic!("{e}"));
        let default = Config::default();
        assert_eq!(told.listen, default.listen);
        assert_eq!(told.tenant, default.tenant);
        assert_eq!(told.database_connections, default.database_connections);
        assert_eq!(told.policy.name, default.policy.name);
        assert_eq!(told.policy.watch, default.policy.watch);
        assert_eq!(told.tokens.issuer, default.tokens.issuer);
        assert_eq!(told.tokens.audiences, default.tokens.audiences);
        assert_eq!(told.tokens.jwks, default.tokens.jwks);
        assert_eq!(told.tokens.signing_key, default.tokens.signing_key);
        let claims = |of: &Config| {
            let ClaimsConfig { tenant, user, scopes, roles, application } =
                of.tokens.claims.clone();
            (tenant, user, scopes, roles, application)
        };
        assert_eq!(claims(&told), claims(&default));
        let passwords = |of: &Config| {
            let Passwords { memory_kib, iterations, parallelism, queue, history, .. } =
                of.passwords.clone();
            (memory_kib, iterations, parallelism, queue, history)
        };
        assert_eq!(passwords(&told), passwords(&default));
        let lockout = |of: &Config| {
            let LockoutConfig { threshold, first_seconds, longest_seconds, key_file } =
                of.lockout.clone();
            (threshold, first_seconds, longest_seconds, key_file)
        };
        assert_eq!(lockout(&told), lockout(&default));
        assert_eq!(told.generated.recipe, default.generated.recipe);
        let write_back = |of: &Config| {
            let WriteBackConfig { timeout_seconds, retries, at_once, .. } = of.write_back.clone();
            (timeout_seconds, retries, at_once)
        };
        assert_eq!(write_back(&told), write_back(&default));
        let limits = |of: &Config| {
            let Limits {
                body_bytes,
                header_bytes,
                body_budget_bytes,
                header_seconds,
                body_seconds,
                keep_alive_seconds,
                connections,
                streams,
                requests,
                caller_rate,
                refused_rate,
                ..
            } = of.limits.clone();
            (
                (body_bytes, header_bytes, body_budget_bytes, of.limits.address_body_budget()),
                (header_seconds, body_seconds, keep_alive_seconds),
                (connections, of.limits.address_connections(), streams),
                (requests, of.limits.address_requests(), caller_rate, refused_rate),
            )
        };
        assert_eq!(limits(&told), limits(&default));
        assert_eq!(told.network.client_header, default.network.client_header);
        assert_eq!(told.network.trusted_proxies, default.network.trusted_proxies);
        assert_eq!(told.cors.origins, default.cors.origins);
        assert_eq!(told.cors.max_age_seconds, default.cors.max_age_seconds);
        // One that is off where nothing is said.
        assert!(told.probes.listen.is_some() && default.probes.listen.is_none());
        let log = |of: &Config| (of.log.level, of.log.format, of.log.refusals_per_minute);
        assert_eq!(log(&told), log(&default));
        assert_eq!(told.metrics.enabled, default.metrics.enabled);
    }

    #[test]
    fn errors_say_where_and_nothing_secret() {
        for (text, expected) in [
            ("listen = '127.0.0.1'", ":1:10: this is no address with its port, such as"),
            ("\n\nlisten = 5", ":3:10: invalid type: integer `5`, expected a string"),
            ("policy = 'hunter2'", ":1:10: invalid type: string, expected a table"),
            ("limits.streams = 'hunter2'", ":1:18: invalid type: string, expected u32"),
            ("tls = 'a\", expected hunter2'", ":1:7: invalid type: string, expected a table"),
            ("[limits]\nbody = 5", ":2:1: unknown field `body`"),
            ("datbase = 'postgres://a:hunter2@b'", ":1:1: unknown field `datbase`"),
            ("database = 'postgres://a:hunter2@b", ":1:35: "),
            ("database = 'a'\ndatabase-file = 'b'", ": `database` and `database-file`"),
            ("cloud = 'mars'", ":1:9: unknown variant `mars`"),
            ("[tokens.claims]\nuser = ''", ": `[tokens.claims]` has an empty name"),
            ("[tls]\ncert = 'a'", ": `[tls]` needs both"),
            ("[write-back]\nurl = 'http://a'", ": `url` in `[write-back]` has to start"),
            ("public-url = 'ftp://a'", ": `public-url`"),
            ("public-url = 'https://a/b'", ": `public-url`"),
            ("public-url = 'https://a:b@c'", ": `public-url`"),
            ("[cors]\norigins = ['*']", ":2:11: this is no origin"),
            ("[cors]\norigins = ['https://*.a']", ":2:11: this is no origin"),
            ("[cors]\norigins = ['null']", ":2:11: this is no origin"),
            ("[cors]\norigins = ['a.example']", ":2:11: this is no origin"),
            ("[cors]\norigins = ['https://a/b']", ":2:11: this is no origin"),
            ("[network]\ntrusted-proxies = ['proxy']", ":2:19: this is no address"),
            ("[network]\ntrusted-proxies = ['10.0.0.1/8']", ":2:19: this range has an address"),
            ("[network]\nclient-header = 'via'", ":2:17: unknown variant `via`"),
            ("[probes]\nlisten = 9090", ":2:10: invalid type: integer `9090`"),
            ("listen = '[::]:80'\nprobes.listen = '[::]:80'", ": `listen` in `[probes]` is that"),
            ("limits.body-budget-bytes = 9", ": a budget of `[limits]` is less than"),
            ("[lockout]\nthreshold = 0", ":2:13: "),
            ("[tokens]\nissuer = 'https://a'", ": `[tokens]` has an `issuer` without its keys"),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{text}: {error}");
        }
    }

    /// A key set that was still to come did for a real issuer's: a local key was
    /// made in its place, and whoever had it was anybody.
    #[test]
    fn tokens_are_made_up_only_where_nobody_real_issues_them() {
        let local = |text: &str| {
            let tokens = Config::parse(text).unwrap().tokens;
            tokens.local().map(Path::to_owned)
        };
        assert_eq!(local(""), Ok(LOCAL_KEYS.into()));
        assert_eq!(local("tokens.jwks = 'a.json'"), Ok("a.json".into()));
        let issuer = "[tokens]\nissuer = 'https://sts.windows.net/1/'\njwks = 'a.json'\n\
                      audiences = ['own']";
        assert!(local(issuer).is_err_and(|error| error.ends_with("https://sts.windows.net/1/")));
        let url = "tokens.jwks = 'https://a:hunter2@b/c?d=hunter3#e'";
        assert!(local(url).is_err_and(|error| error.ends_with(": https://b/c")));
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let mut config = Config::parse(
            "database = 'a.db'\n[tokens]\njwks = 'keys.json'\n[tls]\ncert = '/c'\nkey = 'k'",
        )
        .unwrap();
        config.resolve(Path::new("/etc/countersign"));
        assert_eq!(config.database().unwrap(), "/etc/countersign/a.db");
        assert_eq!(config.tokens.jwks, "/etc/countersign/keys.json");
        assert_eq!(config.tls.cert.as_deref(), Some(Path::new("/c")));
        assert_eq!(config.tls.key.as_deref(), Some(Path::new("/etc/countersign/k")));
        let text = "[policy]\nname = 'acme.toml'\nlists = ['a.txt', 'own=b.txt']";
        let mut config = Config::parse(text).unwrap();
        config.resolve(Path::new("/etc"));
        assert_eq!(config.policy.name, "/etc/acme.toml");
        let lists = [Path::new("/etc/a.txt"), Path::new("own=/etc/b.txt")];
        assert_eq!(config.policy.lists, lists);
        let mut config = Config::parse("database = 'postgres://a/b'").unwrap();
        config.resolve(Path::new("/etc"));
        assert_eq!(config.database().unwrap(), "postgres://a/b");
    }

    #[test]
    fn origins_of_pages_are_as_browsers_write_them() {
        let text = "cors.origins = ['HTTPS://Apps.Example/', 'http://a:80', 'https://a:443', \
                    'https://a:80', 'http://[::1]:3000']";
        let origins = Config::parse(text).unwrap().cors.origins;
        let origins: Vec<_> = origins.iter().map(Origin::as_str).collect();
        let expected =
            ["https://apps.example", "http://a", "https://a", "https://a:80", "http://[::1]:3000"];
        assert_eq!(origins, expected);
    }

    #[test]
    fn origins_are_scheme_and_authority() {
        assert_eq!(origin("https://a.example/").as_deref(), Ok("https://a.example"));
        assert_eq!(origin("http://[::1]:8080").as_deref(), Ok("http://[::1]:8080"));
        assert!(origin("a.example").is_err());
        assert!(origin("https://a?b").is_err());
    }
}
