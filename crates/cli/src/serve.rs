//! `countersign serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use countersign::Policy;
use countersign_server::{Config, Level, LogFormat, SAMPLE};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Answer;
use crate::check::engine;
use crate::failure::Failure;
use crate::input::refuse_dumps;
use crate::{output, warnings};

/// Answers Microsoft Graph's validatePassword, changePassword and resetPassword.
///
/// Without a configuration it listens on this machine only, keeps accounts in
/// the file countersign.db, and takes the tokens of `countersign token`.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign token --oid 8c3... --scope User.ReadWrite
      makes a key and a token for trying things out
  countersign serve
      serves http://127.0.0.1:8080
  countersign serve --print-config > countersign.toml
  countersign serve --config countersign.toml
      serves what the file says

SIGHUP loads the policy and its lists again, SIGTERM and SIGINT end the service
when the requests that are running are answered.")]
pub(crate) struct Serve {
    /// What to serve, and how; --print-config has a sample
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints a sample of the configuration, and ends
    #[arg(long, conflicts_with_all = ["config", "listen", "public_url", "tls_cert", "tls_key"])]
    print_config: bool,
    /// Where to listen, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Scheme and authority of the URLs in answers, as clients see them
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A certificate with its chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

pub(crate) fn run(serve: &Serve) -> Result<Answer, Failure> {
    if serve.print_config {
        output::write(|stdout| stdout.write_all(SAMPLE.as_bytes()))?;
        return Ok(Answer::Yes);
    }
    let mut config = match &serve.config {
        Some(path) => Config::open(path).map_err(Failure::new)?,
        None => Config::default(),
    };
    if let Some(listen) = serve.listen {
        config.listen = listen;
    }
    if let Some(url) = &serve.public_url {
        config.public_url = Some(url.clone());
    }
    if let (Some(cert), Some(key)) = (&serve.tls_cert, &serve.tls_key) {
        (config.tls.cert, config.tls.key) = (Some(cert.clone()), Some(key.clone()));
    }
    log(&config);
    refuse_dumps();
    open_many_files();
    let (policy, lists) = (config.policy.name.clone(), config.policy.lists.clone());
    let is_built_in = Policy::presets().any(|known| known == policy);
    let (file, listed) = (policy.clone(), lists.clone());
    let sources = move || {
        let mut files: Vec<_> =
            listed.iter().map(|list| engine::path_of(list).to_owned()).collect();
        // What is wrong with it is said when it is loaded.
        if !is_built_in && Path::new(&file).is_file() {
            files.extend(Policy::open(&file).ok()?.files().map(Path::to_path_buf));
        } else if !is_built_in {
            files.push(file.clone().into());
        }
        Some(files)
    };
    let load = move || {
        let loaded = engine::load(&policy, &lists).map_err(|failure| failure.line())?;
        // Whoever reads the log has no other way to know.
        for warning in loaded.warnings() {
            if warning.is_useless_list() {
                return Err(warnings::line(warning));
            }
            tracing::warn!(
                warning = warnings::line(warning),
                "the policy is taken, and may not do what is meant"
            );
        }
        Ok(loaded.engine)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot start threads", &error))?;
    let served = runtime.block_on(async {
        let shutdown = shutdown().map_err(|error| format!("signals cannot be heard: {error}"))?;
        countersign_server::serve(&config, Box::new(load), Arc::new(sources), shutdown, |url| {
            // Whoever starts it waits for this line.
            let told = output::write(|stdout| writeln!(stdout, "listening on {url}"));
            if told.is_err() {
                tracing::warn!("nobody reads standard output");
            }
            tracing::info!(url, "listening");
        })
        .await
    });
    // A look at a file on a network that is gone may never end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served.map_err(Failure::new)?;
    Ok(Answer::Yes)
}

/// Lets the process have as many connections and files as the system allows: what
/// shells and service managers give by default is less than `connections`.
fn open_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
}

/// Over when the process is asked to end.
fn shutdown() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// To standard error, for whoever runs the service.
fn log(config: &Config) {
    let level = match config.log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    // Of other crates, only what may be wrong: what they log is theirs, and may
    // be what was sent.
    let targets = tracing_subscriber::filter::Targets::new()
        .with_target("countersign_server", level)
        .with_target("countersign", level)
        .with_default(level.min(LevelFilter::ERROR));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    match config.log.format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
        LogFormat::Text => registry.with(layer.with_ansi(false)).init(),
    }
}
