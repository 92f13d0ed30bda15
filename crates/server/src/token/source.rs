//! Where an issuer's keys come from, and when they are looked at again.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};

use super::keep::Kept;
use super::keys::Keys;
use crate::clock::Clock;
use crate::files::Stamp;

/// How many bytes a key set may have.
pub(super) const MAX_KEYS: usize = 1 << 20;
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
/// How long after a failure they are fetched again: at first, and at most, since
/// each failure doubles it.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

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
        /// A file that keeps what was fetched last, for a start while the URL
        /// cannot be reached.
        kept: Option<PathBuf>,
    },
}

impl KeySource {
    /// A URL if it looks like one, else a file.
    pub fn of(text: &str, authorities: Option<PathBuf>) -> Self {
        match text.contains("://") {
            true => Self::Url { url: text.to_owned(), authorities, kept: None },
            false => Self::File(text.into()),
        }
    }

    /// The same, where what is fetched is kept in a file.
    #[must_use]
    pub fn kept_in(self, file: Option<PathBuf>) -> Self {
        match self {
            Self::File(path) => Self::File(path),
            Self::Url { url, authorities, .. } => Self::Url { url, authorities, kept: file },
        }
    }
}

/// The keys, as new as they are known.
pub(super) struct KeyRing {
    /// Nothing until they could be fetched at first.
    current: ArcSwapOption<Keys>,
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
    Url { url: Url, client: Client, kept: Option<Kept> },
}

impl KeyRing {
    /// Keys of a file are there then. Those of a URL are fetched once; if that
    /// fails, those that were kept are used, or none, and they are fetched in the
    /// background until it succeeds.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the URL could never be asked.
    pub(super) async fn open(source: KeySource, clock: Clock) -> Result<Arc<Self>, String> {
        let (origin, keys) = match source {
            KeySource::File(path) => {
                let stamp = Stamp::of(&path).ok();
                let keys = Keys::parse(&read(&path)?)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                (Origin::File { path, seen: Mutex::new(stamp) }, Some(keys))
            }
            KeySource::Url { url, authorities, kept } => {
                let kept = kept.map(|file| Kept::new(file, &url));
                let (url, client) = connect(&url, authorities.as_deref(), FETCH)?;
                (Origin::Url { url, client, kept }, None)
            }
        };
        let current = ArcSwapOption::from_pointee(keys);
        let (missed, looks) = (tokio::sync::Mutex::default(), AtomicU64::new(0));
        let ring = Arc::new(Self { current, origin, clock, missed, looks });
        let went_well = match &ring.origin {
            Origin::File { .. } => true,
            Origin::Url { .. } => {
                let went_well = ring.look(None, ring.looks()).await;
                if !went_well {
                    ring.take_kept();
                }
                went_well
            }
        };
        tokio::spawn(keep_looking(Arc::downgrade(&ring), went_well));
        Ok(ring)
    }

    /// The keys; nothing while none could be had.
    pub(super) fn current(&self) -> Guard<Option<Arc<Keys>>> {
        self.current.load()
    }

    /// Takes the keys that were kept, where there are none.
    fn take_kept(&self) {
        let Origin::Url { kept: Some(kept), .. } = &self.origin else { return };
        match kept.read(self.clock.seconds()) {
            Ok(Some(keys)) => {
                self.current.store(Some(Arc::new(keys)));
                tracing::warn!(
                    file = kept.name(),
                    "the issuer cannot be asked for its keys: those that were kept are used"
                );
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(file = kept.name(), error, "the keys that were kept are of no use");
            }
        }
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

    /// Takes newer keys, if there are any. Where they cannot be had, which is
    /// `false`, the old ones stay. Nothing is done if a look has begun since there had been so
    /// many `looks`, or, where a key is missed, if that was looked for less than
    /// `apart` seconds ago.
    async fn look(self: &Arc<Self>, apart: Option<u64>, looks: u64) -> bool {
        let mut missed = self.missed.lock().await;
        if self.looks() != looks || apart.is_some_and(|apart| self.is_recent(*missed, apart)) {
            return true;
        }
        if apart.is_some() {
            *missed = Some(self.clock.seconds());
        }
        self.looks.fetch_add(1, Ordering::AcqRel);
        let text = match &self.origin {
            Origin::Url { url, client, .. } => fetch(client, url).await.map(Some),
            Origin::File { .. } => {
                let ring = Arc::clone(self);
                let changed = tokio::task::spawn_blocking(move || ring.changed()).await;
                changed.unwrap_or_else(|_| Err("the key set cannot be read".to_owned()))
            }
        };
        let newer = text.and_then(|text| {
            let Some(text) = text else { return Ok(None) };
            let is_known = self.current().as_ref().is_some_and(|keys| keys.is_of(&text));
            let keys = match is_known {
                true => None,
                false => Some(Keys::parse(&text)?),
            };
            Ok(Some((text, keys)))
        });
        let name = self.origin.name();
        match newer {
            Ok(None) => true,
            Ok(Some((text, keys))) => {
                if let Some(keys) = keys {
                    self.current.store(Some(Arc::new(keys)));
                    tracing::info!(keys = name, "newer keys for tokens are used");
                }
                self.keep(text).await;
                true
            }
            Err(error) => {
                match self.current().is_some() {
                    true => tracing::warn!(
                        keys = name,
                        error,
                        "no newer keys for tokens: the old ones stay"
                    ),
                    false => tracing::error!(
                        keys = name,
                        error,
                        "there are no keys for tokens: calls are answered with 503 until there are"
                    ),
                }
                false
            }
        }
    }

    /// Keeps what was fetched, if it is to be.
    async fn keep(self: &Arc<Self>, text: Vec<u8>) {
        if !matches!(&self.origin, Origin::Url { kept: Some(_), .. }) {
            return;
        }
        let ring = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || {
            let Origin::Url { kept: Some(kept), .. } = &ring.origin else { return Ok(()) };
            kept.write(&text, ring.clock.seconds())
        });
        let written = written.await.unwrap_or_else(|_| Err("writing panicked".to_owned()));
        if let Err(error) = written {
            tracing::warn!(error, "the keys for tokens cannot be kept");
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

/// Looks at the origin until nobody verifies with the keys any more.
async fn keep_looking(ring: Weak<KeyRing>, mut went_well: bool) {
    let [first, longest] = AGAIN;
    let mut again = first;
    while let Some(period) = ring.upgrade().map(|ring| ring.origin.period()) {
        let pause = match went_well {
            true => period,
            false => again.min(period),
        };
        tokio::time::sleep(pause).await;
        let Some(ring) = ring.upgrade() else { break };
        again = if went_well { first } else { (again * 2).min(longest) };
        went_well = ring.look(None, ring.looks()).await;
    }
}

impl Origin {
    fn period(&self) -> Duration {
        match self {
            Self::File { .. } => FILE_PERIOD,
            Self::Url { .. } => URL_PERIOD,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Url { url, .. } => shown(url.as_str()),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
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
