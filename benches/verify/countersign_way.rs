//! countersign-x509.

use std::hint::black_box;
use std::rc::Rc;

use countersign_x509::{
    Certificate, ExpectedName, Parameters, Profile, Purpose, SignatureMemory, TrustStore,
    ValidationTime, verify,
};

use crate::certificates::{Chain, NAME};
use crate::measuring::{Operation, Outcome, ensure};

/// Under which rules, and whether verified signatures are remembered.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    name: &'static str,
    profile: Profile,
    remembers: bool,
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "openssl-rules-cold",
        profile: Profile::OpenSsl,
        remembers: false,
    },
    Setting {
        name: "openssl-rules-warm",
        profile: Profile::OpenSsl,
        remembers: true,
    },
    Setting {
        name: "webpki-rules-cold",
        profile: Profile::WebPki,
        remembers: false,
    },
    Setting {
        name: "webpki-rules-warm",
        profile: Profile::WebPki,
        remembers: true,
    },
];

pub(crate) struct Countersign {
    name: &'static str,
    chain: Rc<Chain>,
    trust: TrustStore,
    parameters: Parameters,
}

impl Countersign {
    pub(crate) fn new(setting: Setting, chain: &Rc<Chain>) -> Outcome<Self> {
        let mut parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(chain.time))
            .with_profile(setting.profile)
            .with_name(ExpectedName::host(NAME));
        if setting.remembers {
            parameters = parameters.with_signature_memory(SignatureMemory::new(4096));
        }
        Ok(Self {
            name: setting.name,
            chain: Rc::clone(chain),
            trust: TrustStore::from_der([chain.root.clone()])?,
            parameters,
        })
    }
}

impl Operation for Countersign {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        let report = verify(&self.chain.presented, &self.trust, &self.parameters);
        ensure(report.is_accepted(), "the chain is not accepted")
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
        "countersign"
    }

    fn run(&self) -> Outcome<()> {
        for der in &self.0.presented {
            black_box(Certificate::parse(der)?);
        }
        Ok(())
    }
}
