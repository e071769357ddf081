//! What is remembered of a connection so that it can be resumed.

use std::sync::Arc;

use countersign_x509::{Certificate, Report, TrustStore, VerifyCode};
use pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::crypto::suite::CipherSuite;
use crate::error::Result;
use crate::keys::secret::Secret;
use crate::messages::{Reader, Writer};
use crate::session::tickets::LONGEST_LIFETIME;
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::peer::{CertificateChain, Peer, Since, Standing};
use crate::verify::verifier;
use crate::violation::Violation;

/// The layout of a written session. Another number is another library, or another version.
const FORMAT: u8 = 2;

/// How long a written session can be without the peer's identity: format and suite, two strings of up to 255 bytes
/// with their lengths, and sixteen bytes of times.
const LARGEST_BUT_IDENTITY: usize = 1 + 2 + 2 * 256 + 16;

/// What a ticket stands for, on either side.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) suite: CipherSuite,
    /// The pre-shared key of TLS 1.3, or the master secret of TLS 1.2.
    pub(crate) psk: Secret,
    /// Seconds since 1970 at which the ticket was issued, or received.
    pub(crate) issued: u64,
    /// In seconds.
    pub(crate) lifetime: u32,
    pub(crate) age_add: u32,
    /// The name that the client asked for.
    pub(crate) server_name: Option<String>,
    pub(crate) identity: SessionIdentity,
}

/// Who the peer was, and how that was found out.
#[derive(Clone, Debug)]
pub(crate) struct SessionIdentity {
    /// The mode in force then.
    pub(crate) mode: VerifyMode,
    /// The peer was asked for a certificate (a server always is).
    pub(crate) asked: bool,
    pub(crate) peer: Option<SessionPeer>,
}

/// A peer as a session keeps it.
#[derive(Clone, Debug)]
pub(crate) struct SessionPeer {
    pub(crate) chain: CertificateChain,
    pub(crate) code: VerifyCode,
    pub(crate) standing: Standing,
    /// Of the verifier, when the certificate was verified.
    pub(crate) epoch: u64,
    pub(crate) report: SessionReport,
}

/// What was found out about a peer: as it was made, or as a ticket carries it.
#[derive(Clone, Debug)]
pub(crate) enum SessionReport {
    Made(Arc<Report>),
    Written(Vec<u8>),
}

impl SessionPeer {
    pub(crate) fn of(peer: &Peer) -> Self {
        Self {
            chain: peer.chain.clone(),
            code: peer.code,
            standing: peer.standing,
            epoch: peer.epoch,
            report: SessionReport::Made(Arc::clone(&peer.report)),
        }
    }

    /// The peer of a connection that takes this identity as it was. `trust` is the store that its
    /// report may be about.
    pub(crate) fn reuse(&self, whose: Role, trust: Option<&TrustStore>) -> Peer {
        let report = self.report(whose, trust);
        Peer {
            chain: self.chain.clone(),
            standing: self.standing_by(&report),
            report,
            code: self.code,
            since: Since::Resumption,
            epoch: self.epoch,
        }
    }

    /// Nobody is verified against the word of the report. A callback may have set a code although every check
    /// passed, and if the report cannot be read that code is all there is.
    fn standing_by(&self, report: &Report) -> Standing {
        match self.standing {
            Standing::Verified if !report.is_accepted() => Standing::Tolerated,
            standing => standing,
        }
    }

    /// A report that another version of this library wrote cannot be read. Then the code is left.
    fn report(&self, whose: Role, trust: Option<&TrustStore>) -> Arc<Report> {
        let octets = match &self.report {
            SessionReport::Made(report) => return Arc::clone(report),
            SessionReport::Written(octets) => octets,
        };
        let none = TrustStore::empty();
        let chain = self.chain.certificates();
        let read = Report::decode(octets, chain, trust.unwrap_or(&none));
        let stated = |_| Report::from_session(verifier::purpose(whose), self.code);
        Arc::new(read.unwrap_or_else(stated))
    }
}

impl SessionReport {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Made(report) => writer.bytes_u24(&report.encode()),
            Self::Written(octets) => writer.bytes_u24(octets),
        }
    }
}

impl Session {
    /// Whether the ticket is still good at `now`, in seconds since 1970. A clock that went
    /// backwards does not make it good.
    pub(crate) fn is_alive(&self, now: u64) -> bool {
        now.checked_sub(self.issued)
            .is_some_and(|age| age < u64::from(self.lifetime))
    }

    /// Writes the session, for a ticket or a store. The bytes hold the secret.
    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut identity = Vec::new();
        let mut writer = Writer::new(&mut identity);
        self.identity.write(&mut writer);
        writer.finish()?;
        // All of it has room, so that no outgrown copy of the secret stays behind.
        let room = identity.len().saturating_add(LARGEST_BUT_IDENTITY);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let mut writer = Writer::new(&mut bytes);
        writer.u8(FORMAT);
        writer.u16(self.suite.to_u16());
        writer.bytes_u8(self.psk.expose());
        writer.bytes(&self.issued.to_be_bytes());
        writer.u32(self.lifetime);
        writer.u32(self.age_add);
        writer.bytes_u8(self.server_name.as_deref().unwrap_or_default().as_bytes());
        writer.bytes(&identity);
        writer.finish()?;
        Ok(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote. It was authenticated, so what cannot be
    /// read comes from another version of this library.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(Violation::MalformedMessage.into());
        }
        let session = Self {
            suite: CipherSuite::from_u16(reader.u16()?).ok_or(Violation::MalformedMessage)?,
            psk: Secret::from_slice(reader.bytes_u8()?),
            issued: u64::from_be_bytes(*reader.array()?),
            lifetime: reader.u32()?,
            age_add: reader.u32()?,
            server_name: read_name(&mut reader)?,
            identity: SessionIdentity::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(session)
    }
}

fn read_name(reader: &mut Reader<'_>) -> Result<Option<String>> {
    let name = core::str::from_utf8(reader.bytes_u8()?).map_err(|_| Violation::MalformedMessage)?;
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

impl SessionIdentity {
    /// For how many seconds after `now` the peer's certificate is still valid.
    pub(crate) fn validity_left(&self, now: u64) -> u32 {
        let Some(leaf) = self.peer.as_ref().and_then(|peer| peer.chain.leaf()) else {
            return LONGEST_LIFETIME;
        };
        let Ok(leaf) = Certificate::parse(leaf) else {
            return 0;
        };
        let end = u64::try_from(leaf.not_after().unix_seconds()).unwrap_or_default();
        u32::try_from(end.saturating_sub(now)).unwrap_or(u32::MAX)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.mode.bits());
        writer.u8(self.asked.into());
        writer.within_u24(|writer| {
            let Some(peer) = &self.peer else { return };
            writer.u32(peer.code.number());
            writer.u8(match peer.standing {
                Standing::Verified => 0,
                Standing::Tolerated => 1,
                Standing::Refused => 2,
            });
            writer.bytes(&peer.epoch.to_be_bytes());
            peer.report.write(writer);
            for certificate in peer.chain.certificates() {
                writer.bytes_u24(certificate);
            }
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mode = VerifyMode::from_openssl(reader.u8()?.into(), Role::Server);
        let asked = reader.u8()? != 0;
        let peer = reader.within_u24(|reader| {
            if reader.is_empty() {
                return Ok(None);
            }
            let code = VerifyCode::new(reader.u32()?);
            let standing = match reader.u8()? {
                0 => Standing::Verified,
                1 => Standing::Tolerated,
                _ => Standing::Refused,
            };
            let epoch = u64::from_be_bytes(*reader.array()?);
            let report = SessionReport::Written(reader.bytes_u24()?.to_vec());
            let mut certificates = Vec::new();
            while !reader.is_empty() {
                certificates.push(CertificateDer::from(reader.bytes_u24()?.to_vec()));
            }
            // A peer without a certificate is none.
            if certificates.is_empty() {
                return Err(Violation::MalformedMessage.into());
            }
            let chain = CertificateChain::new(certificates);
            Ok(Some(SessionPeer {
                chain,
                code,
                standing,
                epoch,
                report,
            }))
        })?;
        Ok(Self { mode, asked, peer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_x509::Purpose;

    fn session(peer: Option<SessionPeer>) -> Session {
        Session {
            suite: CipherSuite::Aes256GcmSha384,
            psk: Secret::from_slice(&[7; 48]),
            issued: 1_780_272_000,
            lifetime: 7200,
            age_add: 0xdead_beef,
            server_name: Some("server.example".to_owned()),
            identity: SessionIdentity {
                mode: VerifyMode::PEER,
                asked: true,
                peer,
            },
        }
    }

    #[test]
    fn a_session_survives_being_written() {
        let chain = CertificateChain::new(vec![vec![1, 2, 3].into(), vec![4].into()]);
        let code = VerifyCode::CERT_HAS_EXPIRED;
        let report = Report::from_application(Purpose::ClientAuth, code);
        let peer = SessionPeer {
            chain: chain.clone(),
            code: VerifyCode::CERT_HAS_EXPIRED,
            standing: Standing::Tolerated,
            epoch: 7,
            report: SessionReport::Made(Arc::new(report.clone())),
        };
        let bytes = session(Some(peer)).encode().unwrap();
        let read = Session::decode(&bytes).unwrap();
        assert_eq!(read.psk.expose(), [7; 48]);
        assert_eq!(
            (read.issued, read.lifetime, read.age_add),
            (1_780_272_000, 7200, 0xdead_beef)
        );
        assert_eq!(read.server_name.as_deref(), Some("server.example"));
        let peer = read.identity.peer.unwrap();
        assert_eq!(peer.chain, chain);
        assert_eq!(
            (peer.code, peer.standing, peer.epoch),
            (VerifyCode::CERT_HAS_EXPIRED, Standing::Tolerated, 7)
        );
        let reused = peer.reuse(Role::Client, None);
        assert_eq!(reused.report.checks(), report.checks());
        assert!(
            Session::decode(&session(None).encode().unwrap())
                .unwrap()
                .identity
                .peer
                .is_none()
        );
    }

    #[test]
    fn a_session_is_written_where_there_is_room_for_it() {
        let peer = |report| SessionPeer {
            chain: CertificateChain::new(vec![vec![1; 5000].into()]),
            code: VerifyCode::OK,
            standing: Standing::Verified,
            epoch: 0,
            report: SessionReport::Written(vec![2; report]),
        };
        for report in [0, 400, 600, 10_000] {
            let mut session = session(Some(peer(report)));
            session.psk = Secret::from_slice(&[7; 255]);
            session.server_name = Some("x".repeat(255));
            let bytes = session.encode().unwrap();
            assert_eq!(bytes.capacity(), bytes.len());
        }
    }

    #[test]
    fn of_a_report_that_cannot_be_read_the_code_is_left() {
        let peer = SessionPeer {
            chain: CertificateChain::new(vec![]),
            code: VerifyCode::CERT_HAS_EXPIRED,
            standing: Standing::Tolerated,
            epoch: 0,
            report: SessionReport::Written(vec![0xff]),
        };
        let reused = peer.reuse(Role::Client, None);
        assert_eq!(reused.report.code(), VerifyCode::CERT_HAS_EXPIRED);
        assert!(reused.report.sentence().contains("an earlier connection"));
    }

    #[test]
    fn nobody_is_verified_against_the_word_of_a_report() {
        let failed = Report::from_application(Purpose::ClientAuth, VerifyCode::CERT_HAS_EXPIRED);
        for report in [vec![0xff], failed.encode()] {
            let mut peer = SessionPeer {
                chain: CertificateChain::new(vec![vec![1].into()]),
                code: VerifyCode::CERT_HAS_EXPIRED,
                standing: Standing::Verified,
                epoch: 0,
                report: SessionReport::Written(report),
            };
            let reused = peer.reuse(Role::Client, None);
            assert_eq!(reused.standing, Standing::Tolerated);
            peer.standing = Standing::Refused;
            let reused = peer.reuse(Role::Client, None);
            assert_eq!(reused.standing, Standing::Refused);
        }
    }

    #[test]
    fn a_peer_without_a_certificate_is_refused() {
        let peer = |certificates| SessionPeer {
            chain: CertificateChain::new(certificates),
            code: VerifyCode::OK,
            standing: Standing::Verified,
            epoch: 0,
            report: SessionReport::Written(vec![]),
        };
        let decode = |peer| Session::decode(&session(Some(peer)).encode().unwrap());
        assert!(decode(peer(vec![])).is_err());
        assert!(decode(peer(vec![vec![1].into()])).is_ok());
    }

    #[test]
    fn what_is_cut_or_of_another_format_is_refused() {
        let bytes = session(None).encode().unwrap();
        for length in 0..bytes.len() {
            assert!(Session::decode(&bytes[..length]).is_err(), "{length}");
        }
        let mut other = bytes.to_vec();
        other[0] = FORMAT + 1;
        assert!(Session::decode(&other).is_err());
    }

    #[test]
    fn a_ticket_lives_as_long_as_it_says_and_not_before_it_was_issued() {
        let session = session(None);
        assert!(session.is_alive(1_780_272_000));
        assert!(session.is_alive(1_780_272_000 + 7199));
        assert!(!session.is_alive(1_780_272_000 + 7200));
        assert!(!session.is_alive(1_780_272_000 - 1));
    }
}
