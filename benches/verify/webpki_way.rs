//! rustls-webpki.

use std::hint::black_box;
use std::rc::Rc;

use pki_types::{ServerName, TrustAnchor};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs};

use crate::certificates::{Chain, NAME};
use crate::measuring::{Operation, Outcome};

pub(crate) struct WebPki {
    name: &'static str,
    chain: Rc<Chain>,
    anchors: Vec<TrustAnchor<'static>>,
    wanted: ServerName<'static>,
}

impl WebPki {
    pub(crate) fn new(name: &'static str, chain: &Rc<Chain>) -> Outcome<Self> {
        Ok(Self {
            name,
            chain: Rc::clone(chain),
            anchors: vec![anchor_from_trusted_cert(&chain.root)?.to_owned()],
            wanted: NAME.try_into()?,
        })
    }
}

impl Operation for WebPki {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        let leaf = EndEntityCert::try_from(&self.chain.presented[0])?;
        leaf.verify_for_usage(
            // In the order in which rustls has them.
            &[
                aws_lc_rs::ECDSA_P256_SHA256,
                aws_lc_rs::ECDSA_P384_SHA384,
                aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
            ],
            &self.anchors,
            &self.chain.presented[1..],
            self.chain.time,
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        leaf.verify_is_valid_for_subject_name(&self.wanted)?;
        Ok(())
    }
}

pub(crate) struct Parse {
    name: &'static str,
    chain: Rc<Chain>,
}

impl Parse {
    pub(crate) fn new(name: &'static str, chain: &Rc<Chain>) -> Self {
        Self {
            name,
            chain: Rc::clone(chain),
        }
    }
}

impl Operation for Parse {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        for der in &self.chain.presented {
            black_box(EndEntityCert::try_from(der)?);
        }
        Ok(())
    }
}
