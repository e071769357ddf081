//! The credentials of the flags, and which of them was used.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Credential, CredentialError, PrivateKey, SignError, SignatureScheme, Signer};
use pki_types::PrivateKeyDer;
use pki_types::pem::PemObject;

use crate::settings::{CredentialSettings, Settings};
use crate::stop::{Stop, unexpected};

/// The number that stands for the credential of the flags before the first `-new-x509-credential`.
const DEFAULT: i32 = -1;

/// What the keys were used for.
#[derive(Clone, Default)]
pub(crate) struct KeyUse(Arc<Mutex<Used>>);

#[derive(Default)]
struct Used {
    /// The number of the credential that signed last.
    by: Option<i32>,
    /// The key that is waited for.
    waiting: Option<Arc<PrivateKey>>,
}

impl KeyUse {
    /// The number of the credential that signed last; that of the default one if none did.
    pub(crate) fn selected(&self) -> i32 {
        self.lock(|used| used.by).unwrap_or(DEFAULT)
    }

    /// Signs what a key was asked to sign earlier.
    pub(crate) fn sign_now(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, String> {
        let key = self.lock(|used| used.waiting.take());
        let key = key.ok_or("no key is waited for")?;
        key.sign(scheme, message).map_err(|error| error.to_string())
    }

    fn lock<R>(&self, look: impl FnOnce(&mut Used) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The credentials in the order in which they are tried: the default one is the last.
pub(crate) fn load(settings: &Settings, key_use: &KeyUse) -> Result<Vec<Credential>, Stop> {
    let numbered = (0..).zip(&settings.credentials);
    numbered
        .chain([(DEFAULT, &settings.default_credential)])
        .filter(|(_, credential)| credential.chain_file.is_some())
        .map(|(number, credential)| {
            let key_use = key_use.clone();
            load_one(credential, |key, schemes| NotingSigner {
                number,
                key,
                schemes,
                answers_later: settings.answers_later,
                key_use,
            })
        })
        .collect()
}

fn load_one(
    settings: &CredentialSettings,
    signer: impl FnOnce(Arc<PrivateKey>, Vec<SignatureScheme>) -> NotingSigner,
) -> Result<Credential, Stop> {
    let chain = read(settings.chain_file.as_deref())?;
    let key = read(settings.key_file.as_deref())?;
    // It checks that the key belongs to the certificate.
    let checked = Credential::from_pem(&chain, &key).map_err(refused)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| unexpected(format!("No private key: {error}")))?;
    let key = PrivateKey::from_der(&key).map_err(|error| refused(CredentialError::Key(error)))?;
    let wanted = settings.schemes.iter().copied().map(SignatureScheme::from);
    // A key does not sign in what is unknown here, but it has to be able to sign.
    if !settings.schemes.is_empty() && !wanted.clone().any(is_known) {
        return Err(Stop::Unimplemented("signing in these schemes".to_owned()));
    }
    let schemes = if settings.schemes.is_empty() {
        key.schemes().to_vec()
    } else {
        wanted
            .filter(|scheme| key.schemes().contains(scheme))
            .collect()
    };
    let credential = Credential::with_signer(
        checked.certificates().to_vec(),
        signer(Arc::new(key), schemes),
    )
    .map_err(refused)?;
    Ok(if settings.must_match_issuer {
        credential.only_for_its_authorities()
    } else {
        credential
    })
}

/// Whether countersign has the scheme.
pub(crate) fn is_known(scheme: SignatureScheme) -> bool {
    scheme.name() != "unknown"
}

/// A key that cannot be used is one of a kind that countersign does not have.
fn refused(error: CredentialError) -> Stop {
    match error {
        CredentialError::Key(error) => Stop::Unimplemented(format!("this private key ({error})")),
        error => unexpected(error.to_string()),
    }
}

fn read(file: Option<&str>) -> Result<Vec<u8>, Stop> {
    let file = file.ok_or_else(|| unexpected("A credential needs a certificate and a key"))?;
    fs::read(file).map_err(|error| unexpected(format!("{file}: {error}")))
}

/// A key that notes when it is used, and may be slow.
struct NotingSigner {
    number: i32,
    key: Arc<PrivateKey>,
    schemes: Vec<SignatureScheme>,
    answers_later: bool,
    key_use: KeyUse,
}

impl Signer for NotingSigner {
    fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key_use.lock(|used| used.by = Some(self.number));
        if self.answers_later {
            self.key_use
                .lock(|used| used.waiting = Some(Arc::clone(&self.key)));
            return Err(SignError::Later);
        }
        self.key.sign(scheme, message)
    }
}
