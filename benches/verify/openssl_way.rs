//! OpenSSL, through its binding.

use std::hint::black_box;
use std::rc::Rc;

use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509PurposeId, X509StoreContext, X509StoreContextRef};

use crate::certificates::{Chain, NAME};
use crate::measuring::{Operation, Outcome, ensure};

pub(crate) struct Verify {
    chain: Rc<Chain>,
    store: X509Store,
}

impl Verify {
    pub(crate) fn new(chain: &Rc<Chain>) -> Outcome<Self> {
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_purpose(X509PurposeId::SSL_SERVER)?;
        parameters.set_host(NAME)?;
        parameters.set_time(chain.time.as_secs().try_into()?);
        parameters.set_auth_level(2);
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(X509::from_der(&chain.root)?)?;
        store.set_param(&parameters)?;
        Ok(Self {
            chain: Rc::clone(chain),
            store: store.build(),
        })
    }
}

impl Operation for Verify {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn run(&self) -> Outcome<()> {
        let leaf = X509::from_der(&self.chain.presented[0])?;
        let mut others = Stack::new()?;
        for der in &self.chain.presented[1..] {
            others.push(X509::from_der(der)?)?;
        }
        let accepted = X509StoreContext::new()?.init(
            &self.store,
            &leaf,
            &others,
            X509StoreContextRef::verify_cert,
        )?;
        ensure(accepted, "the chain is not accepted")
    }
}

pub(crate) struct Parse(Rc<Chain>);

impl Parse {
    pub(crate) fn new(chain: &Rc<Chain>) -> Self {
        Self(Rc::clone(chain))
    }
}

impl Operation for Parse {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn run(&self) -> Outcome<()> {
        for der in &self.0.presented {
            black_box(X509::from_der(der)?);
        }
        Ok(())
    }
}
