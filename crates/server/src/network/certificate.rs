//! The certificate, and those that take its place while the service runs.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::files::Stamp;

/// How often the files are looked at. What is found has to be there still at the
/// next look: the certificate and its key are seldom written at once.
const LOOK: Duration = Duration::from_secs(1);

/// A certificate with its key, as they were read last.
pub(crate) struct Certificate {
    files: Files,
    /// As they were before they were read at first.
    read: Stamps,
    current: RwLock<Arc<CertifiedKey>>,
}

#[derive(Clone)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

type Stamps = [Option<Stamp>; 2];

impl Files {
    fn stamps(&self) -> Stamps {
        [&self.cert, &self.key].map(|path| Stamp::of(path).ok())
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, String> {
        let Self { cert, key } = self;
        let told = |path: &PathBuf, error| format!("cannot read {}: {error}", path.display());
        let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect);
        let chain = chain.map_err(|error| told(cert, error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| told(key, error))?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(chain, private, &provider).map(Arc::new).map_err(|error| {
            format!("the certificate {} and its key do not fit: {error}", cert.display())
        })
    }
}

impl Certificate {
    /// The one that is configured.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or the two do not belong together.
    pub(crate) fn open(config: &Config) -> Result<Option<Arc<Self>>, String> {
        let (Some(cert), Some(key)) = (&config.tls.cert, &config.tls.key) else { return Ok(None) };
        let files = Files { cert: cert.clone(), key: key.clone() };
        let read = files.stamps();
        let current = RwLock::new(files.read()?);
        Ok(Some(Arc::new(Self { files, read, current })))
    }

    /// What answers with it, and with what comes after it.
    ///
    /// # Errors
    ///
    /// There are no versions of TLS that are safe.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(tls)))
    }

    /// Reads it again whenever its files have changed. Connections that are open
    /// keep the one that they began with.
    pub(crate) async fn look_after(self: Arc<Self>) {
        let (mut used, mut last) = (self.read, self.read);
        loop {
            tokio::time::sleep(LOOK).await;
            let files = self.files.clone();
            let look = tokio::task::spawn_blocking(move || files.stamps());
            let Ok(now) = look.await else { continue };
            if now == last && now != used {
                used = now;
                let again = Arc::clone(&self);
                let renewed = tokio::task::spawn_blocking(move || again.renew()).await;
                match renewed.unwrap_or_else(|_| Err("reading it panicked".to_owned())) {
                    Ok(()) => tracing::info!("the certificate was read again"),
                    Err(error) => {
                        tracing::error!(
                            error,
                            "the certificate is of no use: the one before stays"
                        );
                    }
                }
            }
            last = now;
        }
    }

    fn renew(&self) -> Result<(), String> {
        let new = self.files.read()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    /// Another file in its place, as those who renew certificates do it.
    fn put(path: &Path, text: &str) {
        let beside = path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, path).unwrap();
    }

    fn pair() -> (String, String, CertificateDer<'static>) {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (pair.cert.pem(), pair.signing_key.serialize_pem(), pair.cert.der().clone())
    }

    fn opened(folder: &Path) -> (Config, CertificateDer<'static>) {
        let (cert, key, der) = pair();
        let mut config = Config::default();
        config.tls.cert = Some(folder.join("cert.pem"));
        config.tls.key = Some(folder.join("key.pem"));
        put(&folder.join("cert.pem"), &cert);
        put(&folder.join("key.pem"), &key);
        (config, der)
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_used_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (config, first) = opened(folder.path());
        let certificate = Certificate::open(&config).unwrap().unwrap();
        assert_eq!(certificate.current().cert, [first]);
        let task = tokio::spawn(Arc::clone(&certificate).look_after());
        for _ in 0..2 {
            let (cert, key, next) = pair();
            put(&folder.path().join("cert.pem"), &cert);
            put(&folder.path().join("key.pem"), &key);
            let end = Instant::now() + Duration::from_secs(120);
            while certificate.current().cert != [next.clone()] {
                assert!(Instant::now() < end, "the new one is not used");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        task.abort();
    }

    #[test]
    fn a_broken_pair_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (config, first) = opened(folder.path());
        let certificate = Certificate::open(&config).unwrap().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let (other_cert, other_key, other) = pair();
        let old_key = fs::read_to_string(&key).unwrap();
        let keeps = |text: &str| {
            let error = certificate.renew().unwrap_err();
            assert!(error.starts_with(text), "{error}");
            assert!(!error.contains("PRIVATE"), "{error}");
            assert_eq!(certificate.current().cert, std::slice::from_ref(&first));
        };
        put(&cert, &other_cert);
        keeps("the certificate ");
        put(&cert, "");
        keeps("the certificate ");
        put(&cert, &other_cert);
        put(&key, "");
        keeps("cannot read ");
        put(&key, &other_cert);
        keeps("cannot read ");
        fs::remove_file(&key).unwrap();
        keeps("cannot read ");
        put(&key, &old_key);
        keeps("the certificate ");
        put(&key, &other_key);
        assert_eq!(certificate.renew(), Ok(()));
        assert_eq!(certificate.current().cert, [other]);
    }
}
