//! Which database, and of which tenant.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_server::Config;
use countersign_server::store::{Store, StoreError, StoreOptions};

use crate::failure::Failure;

#[derive(Args)]
pub(super) struct Database {
    /// The configuration of `countersign serve`, which names the database and the
    /// tenant; without it, what `serve` does without one: the file countersign.db
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another database: a file of SQLite, or `postgres://...`
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The tenant of a database that is new
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
}

impl Database {
    pub(super) fn configured(&self) -> Result<Config, Failure> {
        match &self.config {
            Some(path) => Config::open(path).map_err(Failure::new),
            None => Ok(Config::default()),
        }
    }

    /// Does something with accounts that are there.
    pub(super) fn open<T>(
        &self,
        options: &StoreOptions,
        job: impl AsyncFnOnce(&Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let config = self.configured()?;
        let url = self.url(&config)?;
        let path = url.strip_prefix("sqlite:").unwrap_or(&url);
        if !url.contains("://") && !Path::new(path).exists() {
            let failure = Failure::new(format!("there is no database {path}"));
            return Err(failure.hint("`countersign user add`, `user import` and `serve` make it"));
        }
        self.open_or_make(options, job)
    }

    fn url(&self, config: &Config) -> Result<String, Failure> {
        match &self.database {
            Some(database) => Ok(database.clone()),
            None => config.database().map_err(Failure::new),
        }
    }

    /// Does something with the accounts, of which there may be none yet.
    pub(super) fn open_or_make<T>(
        &self,
        options: &StoreOptions,
        job: impl AsyncFnOnce(&Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let config = self.configured()?;
        let url = self.url(&config)?;
        // A database that is named by itself has its own.
        let tenant = match (&self.tenant, &self.database) {
            (Some(tenant), _) => Some(tenant.as_str()),
            (None, Some(_)) if self.config.is_none() => None,
            (None, _) => Some(config.tenant.as_str()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot wait for anything", &error))?;
        runtime.block_on(async {
            let store = Store::open(&url, tenant, options).await.map_err(|error| {
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}
