//! Reports for machines: what [`Report`] looks like in JSON and the like.

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use crate::certificate::Certificate;
use crate::report::{ChainLink, Check, Outcome, Report};

impl Serialize for Report {
    /// A map of `accepted`, `code`, `name`, `sentence`, `advice`, `matched_name`, `chain` and
    /// `checks`. Certificates are told by subject, issuer and end of validity, not in full.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Report", 8)?;
        map.serialize_field("accepted", &self.is_accepted())?;
        map.serialize_field("code", &self.code().number())?;
        map.serialize_field("name", self.code().name())?;
        map.serialize_field("sentence", &self.sentence())?;
        map.serialize_field("advice", &self.advice())?;
        map.serialize_field("matched_name", &self.matched_name())?;
        map.serialize_field("chain", &Chain(self))?;
        map.serialize_field("checks", self.checks())?;
        map.end()
    }
}

struct Chain<'a>(&'a Report);

impl Serialize for Chain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.chain().len()))?;
        for link in self.0.chain() {
            list.serialize_element(&link)?;
        }
        list.end()
    }
}

impl Serialize for ChainLink<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let certificate = Certificate::parse(self.der()).ok();
        let subject = certificate
            .as_ref()
            .map(|certificate| certificate.subject().to_string());
        let issuer = certificate
            .as_ref()
            .map(|certificate| certificate.issuer().to_string());
        let until = certificate
            .as_ref()
            .map(|certificate| certificate.not_after().to_string());
        let mut map = serializer.serialize_struct("ChainLink", 5)?;
        map.serialize_field("depth", &self.depth())?;
        map.serialize_field("origin", &format!("{:?}", self.origin()))?;
        map.serialize_field("subject", &subject)?;
        map.serialize_field("issuer", &issuer)?;
        map.serialize_field("not_after", &until)?;
        map.end()
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (outcome, detail) = match self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(reason) => ("failed", Some(format!("{reason:?}"))),
            Outcome::Skipped(why) => ("skipped", Some(format!("{why:?}"))),
        };
        let mut map = serializer.serialize_struct("Check", 5)?;
        map.serialize_field("depth", &self.depth)?;
        map.serialize_field("kind", &format!("{:?}", self.kind))?;
        map.serialize_field("outcome", outcome)?;
        map.serialize_field("detail", &detail)?;
        map.serialize_field("code", &self.failure().map(|reason| reason.code().number()))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Parameters, Purpose, TrustStore, ValidationTime, verify};

    #[test]
    fn a_report_as_json() {
        let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked);
        let report = verify(&[], &TrustStore::empty(), &parameters);
        let json: serde_json::Value = serde_json::to_value(&report).unwrap();
        assert_eq!(json["accepted"], false);
        assert_eq!(json["name"], "X509_V_ERR_INVALID_CALL");
        assert_eq!(json["checks"][0]["outcome"], "failed");
        assert_eq!(json["checks"][0]["code"], 69);
        assert_eq!(json["chain"], serde_json::json!([]));
    }
}
