//! `ServerKeyExchange`: the server's half of the key exchange, signed unless the suite is anonymous.

use crate::error::Result;
use crate::messages::{Message, MessageType, Reader, Writer};
use crate::violation::Violation;

/// RFC 8422 §5.4: `ECCurveType { named_curve (3) }`.
const NAMED_CURVE: u8 = 3;

/// What it looks like depends on the suite, which is not in the message: [`Self::signed`] and
/// [`Self::anonymous`] read it as one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    pub(crate) content: &'a [u8],
}

impl<'a> Message<'a> for ServerKeyExchange<'a> {
    const TYPE: MessageType = MessageType::ServerKeyExchange;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            content: reader.rest(),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.content);
    }
}

impl<'a> ServerKeyExchange<'a> {
    /// The content under a suite with a signature.
    pub(crate) fn signed(&self) -> Result<SignedParameters<'a>> {
        let mut reader = Reader::new(self.content);
        let parameters = CurveParameters::read(&mut reader)?;
        let signed = SignedParameters {
            parameters,
            scheme: reader.u16()?,
            signature: reader.bytes_u16()?,
        };
        reader.finish()?;
        Ok(signed)
    }

    /// The content under an anonymous suite.
    pub(crate) fn anonymous(&self) -> Result<FiniteFieldParameters<'a>> {
        let mut reader = Reader::new(self.content);
        let parameters = FiniteFieldParameters::read(&mut reader)?;
        reader.finish()?;
        Ok(parameters)
    }
}

/// RFC 8422 §5.4: `struct { ServerECDHParams params; Signature signed_params; }`, with RFC 5246 §4.7:
/// `struct { SignatureAndHashAlgorithm algorithm; opaque signature<0..2^16-1>; }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignedParameters<'a> {
    pub(crate) parameters: CurveParameters<'a>,
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

impl SignedParameters<'_> {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.parameters.write(writer);
        writer.u16(self.scheme);
        writer.bytes_u16(self.signature);
    }
}

/// RFC 8422 §5.4:
///
/// ```text
/// struct {
///     ECCurveType curve_type = named_curve;
///     NamedCurve namedcurve;
///     opaque point<1..2^8-1>;
/// } ServerECDHParams;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CurveParameters<'a> {
    pub(crate) group: u16,
    pub(crate) point: &'a [u8],
}

impl<'a> CurveParameters<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        // RFC 8422 §5.4: explicit curves MUST NOT be used.
        if reader.u8()? != NAMED_CURVE {
            return Err(Violation::ServerShareNotOffered.into());
        }
        Ok(Self {
            group: reader.u16()?,
            point: {
                let point = reader.bytes_u8()?;
                reader.not_empty(point)?
            },
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(NAMED_CURVE);
        writer.u16(self.group);
        writer.bytes_u8(self.point);
    }
}

/// RFC 5246 §7.4.3: `struct { opaque dh_p<1..2^16-1>; opaque dh_g<1..2^16-1>; opaque dh_Ys<1..2^16-1>; } ServerDHParams;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FiniteFieldParameters<'a> {
    pub(crate) prime: &'a [u8],
    pub(crate) generator: &'a [u8],
    pub(crate) public: &'a [u8],
}

impl<'a> FiniteFieldParameters<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut some = || {
            let bytes = reader.bytes_u16()?;
            reader.not_empty(bytes)
        };
        Ok(Self {
            prime: some()?,
            generator: some()?,
            public: some()?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u16(self.prime);
        writer.bytes_u16(self.generator);
        writer.bytes_u16(self.public);
    }
}
