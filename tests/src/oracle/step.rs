//! The steps of a row, read.

use super::callback::Callback;
use crate::endpoint::Side;

/// Something that is done in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Step {
    /// `hs`: the handshake, until both ends are idle.
    Handshake,
    /// `midhs`: the ClientHello and the server's flight, which does not arrive.
    HalfHandshake,
    /// `pha`: the server asks for a certificate, and both ends talk until they are idle.
    Authenticate,
    /// `phacall`, `phacallc`: only the call.
    Ask(Side),
    /// `flushs`: what the server has to send is sent.
    Flush,
    /// `writes`, `writec`: one byte of data is sent.
    Write(Side),
    /// `reads`, `readc`: what is on its way to this end arrives.
    Read(Side),
    /// `kus`, `kuc`: keys are changed, and the peer is asked to do the same.
    UpdateKeys(Side),
    /// `newticket`: the server makes another ticket, and both ends talk until they are idle.
    NewTicket,
    /// `shutc`: the client closes its direction.
    Close,
    /// `pump`: both ends talk until they are idle.
    Pump,
    /// `reneg.s`, `reneg.sa`, `reneg.c`, `reneg.ca`: this end makes the handshake again, and both ends talk until they
    /// are idle. What the `a` asks of OpenSSL, to resume a session, cannot be asked of countersign.
    Renegotiate(Side),
    /// `resume`: a new connection, for which the client offers its newest session.
    Resume,
    /// `reuse`: `SSL_clear` on both ends, and a handshake without a session.
    Reuse,
    /// `key:value`: something is changed from here on.
    Set(Side, Setting),
}

/// Something that is changed from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Setting {
    /// The verify mode.
    Mode(u32),
    /// The verify callback.
    Callback(Callback),
    /// The own certificate.
    Certificate(Option<String>),
    /// Whom to trust.
    Trust(Vec<String>),
}

impl Step {
    /// Reads a step.
    ///
    /// # Errors
    /// The step, if it is not known.
    pub fn read(text: &str) -> Result<Self, String> {
        let setting = text.split_once(':');
        let step = match text {
            "hs" => Some(Self::Handshake),
            "midhs" => Some(Self::HalfHandshake),
            "pha" => Some(Self::Authenticate),
            "phacall" => Some(Self::Ask(Side::Server)),
            "phacallc" => Some(Self::Ask(Side::Client)),
            "flushs" => Some(Self::Flush),
            "writes" => Some(Self::Write(Side::Server)),
            "writec" => Some(Self::Write(Side::Client)),
            "reads" => Some(Self::Read(Side::Server)),
            "readc" => Some(Self::Read(Side::Client)),
            "kus" => Some(Self::UpdateKeys(Side::Server)),
            "kuc" => Some(Self::UpdateKeys(Side::Client)),
            "newticket" => Some(Self::NewTicket),
            "shutc" => Some(Self::Close),
            "reneg.s" | "reneg.sa" => Some(Self::Renegotiate(Side::Server)),
            "reneg.c" | "reneg.ca" => Some(Self::Renegotiate(Side::Client)),
            "pump" => Some(Self::Pump),
            "resume" => Some(Self::Resume),
            "reuse" => Some(Self::Reuse),
            _ => setting.and_then(|(name, value)| Self::setting(name, value)),
        };
        step.ok_or_else(|| format!("step not modelled: {text}"))
    }

    fn setting(name: &str, value: &str) -> Option<Self> {
        let side = match name.as_bytes().first()? {
            b'c' => Side::Client,
            b's' => Side::Server,
            _ => return None,
        };
        let names = || value.split('+').filter(|name| *name != "none");
        let setting = match name.get(1..)? {
            "mode" => Setting::Mode(value.parse().ok()?),
            "cb" => Setting::Callback(Callback::named(value)?),
            "cert" => Setting::Certificate(names().next().map(str::to_owned)),
            "trust" => Setting::Trust(names().map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Self::Set(side, setting))
    }

    /// Whether the step leaves no record.
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Set(..))
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, Step};
    use crate::endpoint::Side;

    #[test]
    fn settings_are_read() {
        assert_eq!(
            Step::read("smode:13"),
            Ok(Step::Set(Side::Server, Setting::Mode(13)))
        );
        assert_eq!(
            Step::read("ctrust:none"),
            Ok(Step::Set(Side::Client, Setting::Trust(Vec::new())))
        );
        assert!(Step::read("reneg").is_err());
        assert!(Step::read("smode:many").is_err());
    }
}
