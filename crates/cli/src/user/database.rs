//! Which database, and of which tenant.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_server::store::{Store, StoreError, StoreOptions};

use crate::failure::Failure;

#[derive(Args)]
pub(super) struct Database {
    /// The configuration of `countersign serve`, which names the database and the tenant
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another database: a file of SQLite, or `postgres://...`
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The tenant of a database that is new
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
}

/// What a configuration says.
#[derive(Default)]
pub(super) struct Configured {
    pub(super) database: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) policy: Option<String>,
}

impl Database {
    pub(super) fn configured(&self) -> Result<Configured, Failure> {
        self.config.as_deref().map_or_else(|| Ok(Configured::default()), read)
    }

    /// Does something with the accounts.
    pub(super) fn open<T>(
        &self,
        options: &StoreOptions,
        job: impl AsyncFnOnce(&Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let configured = self.configured()?;
        let url = self.database.as_deref().or(configured.database.as_deref());
        let url = url.ok_or_else(|| {
            Failure::new("no database is named")
                .hint("`--database accounts.db`, or `--config` of `countersign serve`")
        })?;
        let tenant = self.tenant.as_deref().or(configured.tenant.as_deref());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot wait for anything", &error))?;
        runtime.block_on(async {
            let store = Store::open(url, tenant, options).await.map_err(|error| {
                let is_new = matches!(error, StoreError::Tenantless);
                let failure = Failure::from(error);
                if is_new { failure.hint("`--tenant` takes its id") } else { failure }
            })?;
            let done = job(&store).await;
            store.close().await;
            done
        })
    }
}

/// Reads a configuration. Errors do not quote it: there may be a password in it.
fn read(path: &Path) -> Result<Configured, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::io(format_args!("cannot read {shown}"), &error))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Failure::new(format!("{shown}, line {line}: {}", error.message()))
    })?;
    let string = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(value)) => Ok(Some(value.clone())),
        Some(_) => Err(Failure::new(format!("{shown}: `{key}` is not a string"))),
    };
    Ok(Configured {
        database: string("database")?,
        tenant: string("tenant")?,
        policy: string("policy")?,
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}
