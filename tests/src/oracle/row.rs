//! The rows of the matrix, as they are written.

use serde::Deserialize;

use super::inputs::Inputs;
use super::step::Step;

/// One conversation: what was configured, what was done, what OpenSSL answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// The family's letter, a dash, and a hash of the inputs.
    pub id: String,
    /// The side under test: `server` or `client`.
    pub role: String,
    /// The inputs that differ from the defaults, as written.
    #[serde(rename = "in")]
    pub raw_inputs: serde_json::Map<String, serde_json::Value>,
    /// What was done, in order.
    pub steps: Vec<String>,
    /// What OpenSSL 3.6.3 did, one record a step.
    pub out: Vec<Record>,
    /// What OpenSSL 4.0.3 did, if it was something else.
    pub out_4_0: Option<Vec<Record>>,
}

impl Row {
    /// The letter of the family.
    pub fn family(&self) -> char {
        self.id.chars().next().unwrap_or('?')
    }

    /// The inputs with the defaults filled in.
    ///
    /// # Errors
    /// The names of the inputs that are not understood.
    pub fn inputs(&self) -> Result<Inputs, String> {
        Inputs::read(&self.raw_inputs)
    }

    /// The steps, read.
    ///
    /// # Errors
    /// The first that is not known.
    pub fn read_steps(&self) -> Result<Vec<Step>, String> {
        self.steps.iter().map(|step| Step::read(step)).collect()
    }

    /// Whether an input, as written, is one of these.
    pub fn is(&self, input: &str, values: &[&str]) -> bool {
        self.raw_inputs
            .get(input)
            .and_then(serde_json::Value::as_str)
            .is_some_and(|value| values.contains(&value))
    }

    /// Whether an input, as written, is this number.
    pub fn is_number(&self, input: &str, number: i64) -> bool {
        let value = self.raw_inputs.get(input);
        value.and_then(serde_json::Value::as_i64) == Some(number)
    }

    /// Whether an input differs from its default.
    pub fn has(&self, input: &str) -> bool {
        self.raw_inputs.contains_key(input)
    }

    /// The inputs in one line, for a report.
    pub fn describe(&self) -> String {
        let inputs: Vec<String> = self
            .raw_inputs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "{} {} [{}]",
            self.id,
            inputs.join(" "),
            self.steps.join(" ")
        )
    }
}

/// What one step led to.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// What the API call returned: `ok`, or `fail:` and the reason.
    #[serde(default)]
    pub api: Option<String>,
    /// What the client saw.
    #[serde(rename = "c")]
    pub client: SideRecord,
    /// What the server saw.
    #[serde(rename = "s")]
    pub server: SideRecord,
    /// How many `CertificateRequest` messages were written.
    #[serde(rename = "creq")]
    pub requests: u32,
    /// The alerts, in the order in which they were written.
    pub alerts: Vec<Alerted>,
    /// Whether a byte went both ways afterwards; absent if that was not tried.
    #[serde(default, deserialize_with = "number_as_option")]
    pub alive: Option<bool>,
    /// The messages in the order in which they were written; not compared strictly.
    #[serde(default)]
    pub wire: String,
}

/// What one side saw.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SideRecord {
    /// The handshake function returned success at some time.
    #[serde(rename = "hsret", deserialize_with = "number_as_bool")]
    pub completed: bool,
    /// That, and no fatal error or close since.
    #[serde(deserialize_with = "number_as_bool")]
    pub ok: bool,
    /// `SSL_get_verify_result`.
    #[serde(rename = "vr")]
    pub verify_result: u32,
    /// The common name in the peer's certificate.
    pub peer: Option<String>,
    /// Each call of the verify callback, `depth:code:ok`, or `app` for a replacement verifier.
    pub trace: Vec<String>,
}

impl Record {
    /// Whether a message was written: `s12`, for example.
    pub fn wrote(&self, message: &str) -> bool {
        self.wire.split(' ').any(|word| word == message)
    }

    /// Whether the call succeeded, if one was made.
    ///
    /// The matrix writes `ok`, `fail:` and the reason, or the number that OpenSSL returned. The
    /// steps that make new connections say something about sessions, which is not compared.
    pub fn succeeded(&self) -> Option<bool> {
        let api = self.api.as_deref()?;
        if api.starts_with("set_session") || api.starts_with("clear") {
            return None;
        }
        let number = api.parse::<i32>().is_ok_and(|number| number >= 0);
        Some(api.starts_with("ok") || number)
    }
}

/// An alert that was written: side (`c` or `s`), level, number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Alerted(pub String, pub u8, pub u8);

fn number_as_bool<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    u8::deserialize(deserializer).map(|number| number != 0)
}

fn number_as_option<'de, D>(deserializer: D) -> Result<Option<bool>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    number_as_bool(deserializer).map(Some)
}
