//! Reports for machines: what [`Report`] looks like in JSON and the like.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::certificate::Certificate;
use crate::explain::name_of;
use crate::not_chosen::{Obstacle, PathNotChosen};
use crate::report::{ChainLink, Check, Outcome, Report};

impl Serialize for Report {
    /// A map of `profile`, `accepted`, `code`, `name`, `sentence`, `advice`, `matched_name`, `chain`,
    /// `checks`, `paths_not_chosen`, `further_paths_not_chosen` and `other_profile`, which is null or has
    /// the first six. Certificates are told by subject, issuer and end of validity, not in full.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Report", 12)?;
        serialize_judgement(self, &mut map)?;
        map.serialize_field("matched_name", &self.matched_name())?;
        map.serialize_field("chain", &List(|| self.chain()))?;
        map.serialize_field("checks", self.checks())?;
        map.serialize_field("paths_not_chosen", &List(|| self.paths_not_chosen()))?;
        map.serialize_field("further_paths_not_chosen", &self.further_paths_not_chosen())?;
        map.serialize_field("other_profile", &self.under_other_profile().map(Judgement))?;
        map.end()
    }
}

/// What is said of a report in few words.
fn serialize_judgement<M: SerializeStruct>(report: &Report, map: &mut M) -> Result<(), M::Error> {
    map.serialize_field("profile", &format!("{:?}", report.profile()))?;
    map.serialize_field("accepted", &report.is_accepted())?;
    map.serialize_field("code", &report.code().number())?;
    map.serialize_field("name", report.code().name())?;
    map.serialize_field("sentence", &report.sentence())?;
    map.serialize_field("advice", &report.advice())
}

struct Judgement<'a>(&'a Report);

impl Serialize for Judgement<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Judgement", 6)?;
        serialize_judgement(self.0, &mut map)?;
        map.end()
    }
}

/// What an iterator yields, as a list.
struct List<F>(F);

impl<F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: ExactSizeIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

impl Serialize for PathNotChosen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = || self.certificates().map(name_of);
        let (obstacle, kind, code) = match self.obstacle() {
            Obstacle::Check(kind, reason) => (
                "Check".to_owned(),
                Some(format!("{kind:?}")),
                Some(reason.code().number()),
            ),
            other => (format!("{other:?}"), None, None),
        };
        let mut map = serializer.serialize_struct("PathNotChosen", 6)?;
        map.serialize_field("certificates", &List(names))?;
        map.serialize_field("depth", &self.depth())?;
        map.serialize_field("obstacle", &obstacle)?;
        map.serialize_field("kind", &kind)?;
        map.serialize_field("code", &code)?;
        map.serialize_field("why", &self.why())?;
        map.end()
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
        assert_eq!(json["paths_not_chosen"], serde_json::json!([]));
        assert_eq!(json["profile"], "OpenSsl");
        assert_eq!(json["other_profile"]["profile"], "WebPki");
        assert_eq!(json["other_profile"]["code"], 69);
    }
}
