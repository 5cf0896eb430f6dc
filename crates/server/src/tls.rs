//! TLS by rustls: our certificate, and whose certificates of clients are accepted.
//!
//! The cryptography is that of *ring*, which needs no further compiler; the other provider of rustls does. Files are read once, at the start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::Deserialize;

use crate::settings::{SettingsError, read};

/// Files in PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Our certificate, and those between it and an authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities of clients: if it is there, only clients with a certificate of theirs are accepted.
    #[serde(default)]
    pub client_authority: Option<PathBuf>,
}

impl Files {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if one cannot be read or does not fit.
    pub fn load(&self) -> Result<Arc<ServerConfig>, SettingsError> {
        let certificates = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(read(&self.key)?.as_bytes())
            .map_err(|error| invalid(&self.key, &error))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(&self.certificate, &error))?;
        let builder = match &self.client_authority {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|error| invalid(path, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder
            .with_single_cert(certificates, key)
            .map_err(|error| invalid(&self.certificate, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// How we speak to somebody whose certificate has to be of one of the authorities of a file.
///
/// # Errors
///
/// [`SettingsError`] if it cannot be read or there is none in it.
pub(crate) fn client(authority: &Path) -> Result<Arc<ClientConfig>, SettingsError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(authority, &error))?
        .with_root_certificates(authorities(authority)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn authorities(path: &Path) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|error| invalid(path, &error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|error| invalid(path, &error))?;
    if found.is_empty() {
        return Err(invalid(path, &"there is no certificate in it"));
    }
    Ok(found)
}

fn invalid(path: &Path, message: &dyn std::fmt::Display) -> SettingsError {
    SettingsError::Invalid { path: path.to_owned(), message: message.to_string() }
}
