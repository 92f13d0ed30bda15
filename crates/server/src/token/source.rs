//! Where an issuer's keys come from, and when they are looked at again.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};

use super::keys::Keys;
use crate::clock::Clock;
use crate::files::Stamp;

/// How many bytes a key set may have.
const MAX_KEYS: usize = 1 << 20;
/// How long fetching keys may take.
const FETCH: Duration = Duration::from_secs(5);
/// At most once in so many seconds, keys are fetched because a token names one
/// that is not known.
const APART: u64 = 60;
/// How often a file is looked at.
const FILE_PERIOD: Duration = Duration::from_secs(1);
/// How often keys are fetched in any case, so that those that were withdrawn
/// do not stay.
const URL_PERIOD: Duration = Duration::from_secs(3600);

/// Where a JSON Web Key Set is.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file, which is read again when it changes.
    File(PathBuf),
    /// An https URL, which is fetched again every hour, and when a token names
    /// an unknown key, at most once a minute.
    Url {
        /// The URL.
        url: String,
        /// Certificates in PEM that may vouch for the server, instead of the
        /// public ones.
        authorities: Option<PathBuf>,
    },
}

impl KeySource {
    /// A URL if it looks like one, else a file.
    pub fn of(text: &str, authorities: Option<PathBuf>) -> Self {
        match text.contains("://") {
            true => Self::Url { url: text.to_owned(), authorities },
            false => Self::File(text.into()),
        }
    }
}

/// The keys, as new as they are known.
pub(super) struct KeyRing {
    current: ArcSwap<Keys>,
    origin: Origin,
    clock: Clock,
    /// When keys were last looked for because a token named one that is not
    /// known, in seconds since 1970. Locked while they are, whatever the reason.
    missed: tokio::sync::Mutex<Option<u64>>,
    /// How often that was begun: one look does for all who wait for it to begin.
    looks: AtomicU64,
}

enum Origin {
    File { path: PathBuf, seen: Mutex<Option<Stamp>> },
    Url { url: Url, client: Client },
}

impl KeyRing {
    /// # Errors
    ///
    /// The keys cannot be read.
    pub(super) async fn open(source: KeySource, clock: Clock) -> Result<Arc<Self>, String> {
        let (origin, text, period) = match source {
            KeySource::File(path) => {
                let stamp = Stamp::of(&path).ok();
                let text = read(&path)?;
                (Origin::File { path, seen: Mutex::new(stamp) }, text, FILE_PERIOD)
            }
            KeySource::Url { url, authorities } => {
                let (url, client) = connect(&url, authorities.as_deref(), FETCH)?;
                let text = fetch(&client, &url).await?;
                (Origin::Url { url, client }, text, URL_PERIOD)
            }
        };
        let keys = Keys::parse(&text).map_err(|error| format!("{}: {error}", origin.name()))?;
        let current = ArcSwap::from_pointee(keys);
        let (missed, looks) = (tokio::sync::Mutex::default(), AtomicU64::new(0));
        let ring = Arc::new(Self { current, origin, clock, missed, looks });
        let watched = Arc::downgrade(&ring);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(period).await;
                // Until nobody verifies with the keys any more.
                let Some(ring) = watched.upgrade() else { break };
                ring.look(None, ring.looks()).await;
            }
        });
        Ok(ring)
    }

    pub(super) fn current(&self) -> Guard<Arc<Keys>> {
        self.current.load()
    }

    /// Looks for newer keys, because one is not known; unless that was done a
    /// moment ago for the same reason.
    pub(super) async fn renew(self: &Arc<Self>) {
        let apart = match &self.origin {
            // Asking a file system is cheap.
            Origin::File { .. } => 0,
            Origin::Url { .. } => APART,
        };
        if let Ok(missed) = self.missed.try_lock()
            && self.is_recent(*missed, apart)
        {
            return;
        }
        let (ring, looks) = (Arc::clone(self), self.looks());
        // Goes on if the caller leaves: else whoever asks and leaves at once
        // could keep newer keys away for ever.
        let _ = tokio::spawn(async move { ring.look(Some(apart), looks).await }).await;
    }

    fn looks(&self) -> u64 {
        self.looks.load(Ordering::Acquire)
    }

    fn is_recent(&self, missed: Option<u64>, apart: u64) -> bool {
        missed.is_some_and(|missed| self.clock.seconds().saturating_sub(missed) < apart)
    }

    /// Takes newer keys, if there are any. Where they cannot be had, the old
    /// ones stay. Nothing is done if a look has begun since there had been so
    /// many `looks`, or, where a key is missed, if that was looked for less than
    /// `apart` seconds ago.
    async fn look(self: &Arc<Self>, apart: Option<u64>, looks: u64) {
        let mut missed = self.missed.lock().await;
        if self.looks() != looks || apart.is_some_and(|apart| self.is_recent(*missed, apart)) {
            return;
        }
        if apart.is_some() {
            *missed = Some(self.clock.seconds());
        }
        self.looks.fetch_add(1, Ordering::AcqRel);
        let text = match &self.origin {
            Origin::Url { url, client } => fetch(client, url).await.map(Some),
            Origin::File { .. } => {
                let ring = Arc::clone(self);
                let changed = tokio::task::spawn_blocking(move || ring.changed()).await;
                changed.unwrap_or_else(|_| Err("the key set cannot be read".to_owned()))
            }
        };
        let newer = text.and_then(|text| {
            let text = text.filter(|text| !self.current().is_of(text));
            text.map(|text| Keys::parse(&text)).transpose()
        });
        let name = self.origin.name();
        match newer {
            Ok(None) => {}
            Ok(Some(keys)) => {
                self.current.store(Arc::new(keys));
                tracing::info!(keys = name, "newer keys for tokens are used");
            }
            Err(error) => {
                tracing::warn!(keys = name, error, "no newer keys for tokens: the old ones stay");
            }
        }
    }

    /// The text of the file, if it has changed since it was last looked at.
    fn changed(&self) -> Result<Option<Vec<u8>>, String> {
        let Origin::File { path, seen } = &self.origin else { return Ok(None) };
        let stamp = Stamp::of(path).ok();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == stamp {
            return Ok(None);
        }
        *seen = stamp;
        read(path).map(Some)
    }
}

impl Origin {
    fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Url { url, .. } => shown(url.as_str()),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let file = File::open(path).map_err(named)?;
    file.take(MAX_KEYS as u64 + 1).read_to_end(&mut text).map_err(named)?;
    match text.len() > MAX_KEYS {
        true => Err(format!("{}: more than {MAX_KEYS} bytes", path.display())),
        false => Ok(text),
    }
}

/// A client for a URL, which has to be https.
///
/// # Errors
///
/// The URL is none, or the certificates cannot be read.
pub(crate) fn connect(
    url: &str,
    authorities: Option<&Path>,
    timeout: Duration,
) -> Result<(Url, Client), String> {
    let url: Url = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
    if url.scheme() != "https" {
        return Err(format!("{}: has to begin with https://", shown(url.as_str())));
    }
    // Whoever came first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .https_only(true)
        .redirect(Policy::none())
        .timeout(timeout)
        // Else who cannot be reached is not told from who does not answer.
        .connect_timeout(timeout / 2)
        .use_rustls_tls();
    if let Some(path) = authorities {
        let certificates = Certificate::from_pem_bundle(&read(path)?)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| format!("{}: no certificates in PEM", path.display()))?;
        client = client.tls_built_in_root_certs(false);
        client =
            certificates.into_iter().fold(client, reqwest::ClientBuilder::add_root_certificate);
    }
    let client =
        client.build().map_err(|error| format!("{}: {}", shown(url.as_str()), whole(&error)))?;
    Ok((url, client))
}

/// A URL as it may be shown to people, without what may be secret: user,
/// password and query.
pub(crate) fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "a URL that is none".to_owned() };
    // URLs that cannot have them have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let name = shown(url.as_str());
    let named = |error: reqwest::Error| format!("{name}: {}", whole(&error.without_url()));
    let mut response = client.get(url.clone()).send().await.map_err(named)?;
    if response.status() != StatusCode::OK {
        return Err(format!("{name}: answers {}", response.status()));
    }
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await.map_err(named)? {
        if text.len() + part.len() > MAX_KEYS {
            return Err(format!("{name}: more than {MAX_KEYS} bytes"));
        }
        text.extend_from_slice(&part);
    }
    Ok(text)
}

/// An error with what led to it.
fn whole(error: &dyn Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", whole(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}
