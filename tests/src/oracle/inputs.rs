//! What a row configures, with the defaults filled in.

use serde_json::{Map, Value};

use super::callback::{Callback, Replacement};
use super::step::Setting;
use crate::endpoint::Side;

/// The moment at which every row verifies, in seconds since 1970: 2026-06-01T00:00:00Z.
pub const NOW: u64 = 1_780_272_000;

/// Everything that a row configures.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The protocol version: `12`, `13` or `c12`.
    pub proto: String,
    /// The cipher suites of TLS 1.2, of both sides.
    pub ciphers: Ciphers,
    /// The client's side.
    pub client: SideInputs,
    /// The server's side.
    pub server: SideInputs,
}

/// What one side configures.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an input of its own")]
pub struct SideInputs {
    /// The verify mode as given to `SSL_set_verify`.
    pub mode: u32,
    /// The verify callback.
    pub callback: Callback,
    /// How often the callback may ask to be called again.
    pub retries: u32,
    /// The verifier that replaces the built-in one.
    pub replacement: Option<Replacement>,
    /// The own certificate: `good`, `expired`, …; `None` for none.
    pub certificate: Option<String>,
    /// The names of the trust anchor files.
    pub trust: Vec<String>,
    /// The names of the certificate revocation lists.
    pub crls: Vec<String>,
    /// A flag of the verification.
    pub flag: Option<Flag>,
    /// The verify depth.
    pub depth: Option<i64>,
    /// The expected host name.
    pub host: Option<String>,
    /// The expected address.
    pub ip: Option<String>,
    /// The expected mail address.
    pub email: Option<String>,
    /// The security level.
    pub level: u8,
    /// The security level of the verification alone.
    pub auth_level: Option<u8>,
    /// A client offers to authenticate after the handshake.
    pub post_handshake_auth: bool,
    /// What a client's certificate callback does.
    pub chooser: Option<Chooser>,
    /// A server keeps sessions in a store (`SSL_OP_NO_TICKET`).
    pub stores_sessions: bool,
    /// It makes the handshake again (not `SSL_OP_NO_RENEGOTIATION`).
    pub renegotiates: bool,
    /// A server does so when the client asks (`SSL_OP_ALLOW_CLIENT_RENEGOTIATION`).
    pub allows_client: bool,
    /// A server has a session id context.
    pub has_context: bool,
    /// The certificate whose subject is the one authority named in a request.
    pub authority: Option<String>,
}

/// The cipher suites of TLS 1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Ciphers {
    /// Those of the default.
    Default,
    /// Only this one, which is anonymous; OpenSSL's name.
    Anonymous(String),
    /// All, and the anonymous ones after them.
    All,
}

impl Ciphers {
    /// Whether nobody authenticates under any of them.
    pub const fn are_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }

    fn named(list: &str) -> Option<Self> {
        // The level is an input of its own.
        let list = list.strip_suffix("@SECLEVEL=0")?;
        Some(match list {
            "ALL;aNULL" => Self::All,
            "ADH-AES128-SHA256" | "AECDH-AES128-SHA" => Self::Anonymous(list.to_owned()),
            _ => return None,
        })
    }
}

/// What a client's certificate callback does (`SSL_CTX_set_client_cert_cb`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Chooser {
    /// It gives a certificate.
    Gives,
    /// It has none.
    HasNone,
    /// It asks to be called again, then gives a certificate.
    Suspends,
    /// It says that it gives one, and does not.
    GivesNothing,
}

impl Chooser {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cert" => Self::Gives,
            "zero" => Self::HasNone,
            "suspend1" => Self::Suspends,
            "retnull" => Self::GivesNothing,
            _ => return None,
        })
    }
}

/// A flag of the verification (`X509_V_FLAG_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Flag {
    /// `X509_V_FLAG_PARTIAL_CHAIN`.
    PartialChain,
    /// `X509_V_FLAG_X509_STRICT`.
    Strict,
    /// `X509_V_FLAG_NO_CHECK_TIME`.
    NoCheckTime,
    /// `X509_V_FLAG_CRL_CHECK`.
    CrlCheckLeaf,
    /// `X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL`.
    CrlCheckAll,
}

impl Inputs {
    /// Fills in the defaults.
    ///
    /// # Errors
    /// The inputs that this runner does not model.
    pub fn read(raw: &Map<String, Value>) -> Result<Self, String> {
        let mut fields = Fields {
            left: raw.clone(),
            wrong: Vec::new(),
        };
        let proto = fields.text("proto").unwrap_or_else(|| "13".to_owned());
        let retries = fields.number("retries").unwrap_or(1);
        let ciphers = fields.known("ciphers", Ciphers::named);
        let client = SideInputs::read(&mut fields, 'c', retries);
        let server = SideInputs::read(&mut fields, 's', retries);
        fields.wrong.extend(fields.left.keys().cloned());
        if fields.wrong.is_empty() {
            Ok(Self {
                proto,
                ciphers: ciphers.unwrap_or(Ciphers::Default),
                client,
                server,
            })
        } else {
            Err(format!("inputs not modelled: {}", fields.wrong.join(", ")))
        }
    }
}

impl Inputs {
    /// One side.
    pub fn side_mut(&mut self, side: Side) -> &mut SideInputs {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Changes a setting.
    pub fn set(&mut self, side: Side, setting: &Setting) {
        let inputs = self.side_mut(side);
        match setting.clone() {
            Setting::Mode(mode) => inputs.mode = mode,
            Setting::Callback(callback) => inputs.callback = callback,
            Setting::Certificate(name) => inputs.certificate = name,
            Setting::Trust(names) => inputs.trust = names,
        }
    }
}

impl SideInputs {
    fn read(fields: &mut Fields, side: char, retries: u32) -> Self {
        let key = |name: &str| format!("{side}{name}");
        let own = if side == 's' { "good" } else { "none" };
        let certificate = fields.text(&key("cert")).unwrap_or_else(|| own.to_owned());
        let options = fields.options(&key("opts"));
        let has_option = |name: &str| options.iter().any(|option| option == name);
        Self {
            mode: fields.number(&key("mode")).unwrap_or(0),
            callback: fields
                .known(&key("cb"), Callback::named)
                .unwrap_or(Callback::Pass),
            retries,
            replacement: fields.known(&key("avc"), Replacement::named),
            certificate: (certificate != "none").then_some(certificate),
            trust: split(
                &fields
                    .text(&key("trust"))
                    .unwrap_or_else(|| "root".to_owned()),
            ),
            crls: split(&fields.text(&key("crls")).unwrap_or_default()),
            flag: fields.known(&key("param"), Flag::named),
            depth: fields.number(&key("depth")),
            host: fields.text(&key("host")),
            ip: fields.text(&key("ip")),
            email: fields.text(&key("email")),
            level: fields.number(&key("level")).unwrap_or(2),
            auth_level: fields.number(&key("authlevel")),
            post_handshake_auth: fields.number(&key("pha")) == Some(1),
            chooser: fields.known(&key("ccb"), Chooser::named),
            stores_sessions: has_option("NOTICKET"),
            renegotiates: !has_option("NORENEG"),
            allows_client: has_option("ALLOWCR"),
            has_context: fields.number(&key("idctx")) != Some(0),
            authority: fields.text(&key("calist")),
        }
    }
}

impl Flag {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "partial" => Self::PartialChain,
            "strict" => Self::Strict,
            "notime" => Self::NoCheckTime,
            "crlleaf" => Self::CrlCheckLeaf,
            "crlall" => Self::CrlCheckAll,
            _ => return None,
        })
    }
}

fn split(joined: &str) -> Vec<String> {
    joined
        .split('+')
        .filter(|name| !name.is_empty() && *name != "none")
        .map(str::to_owned)
        .collect()
}

struct Fields {
    left: Map<String, Value>,
    wrong: Vec<String>,
}

impl Fields {
    fn text(&mut self, name: &str) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// The options that are set. One of them changes nothing here: no renegotiation resumes a session anyway.
    fn options(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let known = ["", "NOTICKET", "NORENEG", "ALLOWCR", "NORESUMPTIONONRENEG"];
        if !text.split('+').all(|option| known.contains(&option)) {
            self.wrong.push(format!("{name}={text}"));
        }
        text.split('+').map(str::to_owned).collect()
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        self.known(name, |text| text.parse().ok())
    }

    fn known<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.wrong.push(format!("{name}={text}"));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use crate::oracle::data::Data;

    #[test]
    fn every_row_is_understood() {
        for row in &Data::copy().rows {
            row.inputs()
                .unwrap_or_else(|reason| panic!("{}: {reason}", row.id));
            row.read_steps()
                .unwrap_or_else(|reason| panic!("{}: {reason}", row.id));
        }
    }
}
