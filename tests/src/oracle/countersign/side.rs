//! How one end of a row is configured.

use core::task::Poll;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::{
    Alert, ChainVerifier, CipherSuite, ClientConfig, ClientSessions, ConfigBuilder, Credential,
    Decision, ExpectedName, Limits, MemoryStore, PeerNames, Presented, ProtocolVersion, Question,
    Report, ResumePolicy, Revocation, Role, ServerConfig, Step, SubjectNames, TicketKeyring,
    TrustStore, ValidationTime, Verdict, Verification, Verifier, VerifyCode, VerifyMode,
};
use countersign_x509::Purpose;

use super::Played;
use crate::oracle::callback::{Call, Callback, Replacement};
use crate::oracle::data::Files;
use crate::oracle::inputs::{Chooser, Ciphers, Flag, SideInputs};
use crate::oracle::weak_key::WeakKey;
use crate::peers::countersign::{Countersign, FixedTime, Log};
use crate::wiretap::KeyLog;

/// The calls of a callback, in order.
pub(super) type Trace = Arc<Mutex<Vec<String>>>;

/// The certificate that the client shows when it is asked, if it has one at the moment.
pub(super) type Shown = Arc<Mutex<Option<Credential>>>;

/// What several connections of a row share: OpenSSL keeps it in the contexts.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) policy: ResumePolicy,
    pub(super) sessions: ClientSessions,
    pub(super) keyring: TicketKeyring,
    pub(super) store: Arc<MemoryStore>,
}

impl Shared {
    pub(super) fn new(policy: ResumePolicy) -> Self {
        Self {
            policy,
            sessions: ClientSessions::default(),
            keyring: TicketKeyring::new(),
            store: Arc::new(MemoryStore::new(256)),
        }
    }
}

/// What one side is configured from.
#[derive(Clone, Copy)]
pub(super) struct SideUnderTest<'a> {
    pub(super) role: Role,
    pub(super) proto: &'a str,
    pub(super) ciphers: &'a Ciphers,
    pub(super) inputs: &'a SideInputs,
    pub(super) files: &'a Files,
    pub(super) log: &'a KeyLog,
    pub(super) shared: &'a Shared,
    /// Whom it trusts was changed since its context was made.
    pub(super) trust_changed: bool,
}

impl SideUnderTest<'_> {
    /// A client. If there is `asked`, it asks which certificate to show.
    pub(super) fn client(self, asked: Option<&Shown>) -> Result<Played, String> {
        let trace = Trace::default();
        let config = self
            .configure(ClientConfig::builder(), &trace, asked.is_none())?
            .sessions(self.shared.sessions.clone())
            .post_handshake_auth(self.inputs.post_handshake_auth)
            .renegotiation(self.inputs.renegotiates)
            .ask_for_credential(asked.is_some())
            .build()
            .map_err(|error| error.to_string())?;
        let mut end = Countersign::client(&config);
        if self.inputs.callback == Callback::Retry {
            end.on_question(self.asks_again(&trace)?);
        }
        if let Some(shown) = asked {
            let mut choose = self.choose(shown)?;
            end.on_credential_question(move |_| choose());
        }
        Ok(Played { end, trace })
    }

    pub(super) fn server(self) -> Result<Played, String> {
        let trace = Trace::default();
        let mut builder = self
            .configure(ServerConfig::builder(), &trace, true)?
            .ticket_keyring(self.shared.keyring.clone())
            .client_renegotiation(self.inputs.allows_client);
        if self.inputs.stores_sessions {
            builder = builder.session_store(Arc::clone(&self.shared.store));
        }
        if self.inputs.has_context {
            builder = builder.session_context("oracle");
        }
        if let Some(file) = &self.inputs.authority {
            let file = self.files.text(&format!("{file}.pem"));
            let store = TrustStore::from_pem(file.as_bytes()).map_err(|e| e.to_string())?;
            builder = builder.authorities(store.subjects());
        }
        let config = builder.build().map_err(|error| error.to_string())?;
        let end = Countersign::server(&config);
        Ok(Played { end, trace })
    }

    /// The certificate callback: it is called only if there is no certificate, and one that it
    /// gives stays.
    fn choose(
        &self,
        shown: &Shown,
    ) -> Result<impl FnMut() -> Poll<Option<Credential>> + Send + 'static, String> {
        let shown = Arc::clone(shown);
        let given = self.credential("missingint")?;
        let chooser = self.inputs.chooser;
        let mut suspended = false;
        Ok(move || {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.is_none() {
                match chooser {
                    Some(Chooser::Suspends) if !suspended => {
                        suspended = true;
                        return Poll::Pending;
                    }
                    Some(Chooser::Gives | Chooser::Suspends) => *shown = Some(given.clone()),
                    Some(Chooser::HasNone | Chooser::GivesNothing) | None => {}
                }
            }
            Poll::Ready(shown.clone())
        })
    }

    fn configure<R>(
        &self,
        builder: ConfigBuilder<R>,
        trace: &Trace,
        with_credential: bool,
    ) -> Result<ConfigBuilder<R>, String> {
        let inputs = self.inputs;
        let mut builder = builder
            .verify(VerifyMode::from_openssl(inputs.mode, self.role))
            .security_level(inputs.level)
            .peer_names(self.names())
            .resume_policy(self.shared.policy)
            .accept_identity_change(self.shared.policy == ResumePolicy::Reuse)
            .clock(FixedTime)
            .key_log(Log(self.log.clone()));
        builder = self.set_protocol(builder);
        // OpenSSL takes -1 for a depth that is not set.
        if let Some(depth) = inputs.depth.filter(|depth| *depth != -1) {
            let depth = u32::try_from(depth).map_err(|_| NEGATIVE_DEPTH.to_owned())?;
            builder = builder.verify_depth(depth);
        }
        let own = inputs.certificate.as_ref().filter(|_| with_credential);
        if let Some(name) = own {
            builder = builder.credential(self.credential(name)?);
        }
        if inputs.callback != Callback::Absent {
            builder = builder.verify_callback(callback(inputs.callback, trace));
        }
        self.set_verifier(builder, trace)
    }

    /// The versions, the suites, and whether a handshake may be made again.
    fn set_protocol<R>(&self, builder: ConfigBuilder<R>) -> ConfigBuilder<R> {
        let versions: &[ProtocolVersion] = match (self.proto, self.role) {
            ("13", _) => &[ProtocolVersion::Tls13],
            ("c12", Role::Client) => &[ProtocolVersion::Tls12, ProtocolVersion::Tls13],
            _ => &[ProtocolVersion::Tls12],
        };
        let builder = builder.versions(versions.iter().copied());
        let builder = match self.ciphers {
            Ciphers::Default => builder,
            Ciphers::All => builder.allow_anonymous(),
            Ciphers::Anonymous(_) => {
                let all = CipherSuite::ALL.iter().copied();
                let tls13 = all.filter(|suite| suite.version() == ProtocolVersion::Tls13);
                builder.suites(tls13.chain([INSTEAD])).allow_anonymous()
            }
        };
        let mut limits = Limits::default();
        if !self.inputs.renegotiates {
            limits.renegotiations = 0;
        }
        builder.limits(limits)
    }

    /// The built-in verifier with its defaults where that is enough, as an application would.
    fn set_verifier<R>(
        &self,
        builder: ConfigBuilder<R>,
        trace: &Trace,
    ) -> Result<ConfigBuilder<R>, String> {
        let inputs = self.inputs;
        let waits = self.role == Role::Client && inputs.callback == Callback::Retry;
        if let Some(replacement) = inputs.replacement {
            let (built_in, trace) = (self.chain_verifier()?, Arc::clone(trace));
            return Ok(builder.verifier(Replaced {
                replacement,
                built_in,
                trace,
            }));
        }
        if waits {
            return Ok(builder.verifier(Waits));
        }
        let usual = inputs.flag.is_none() && inputs.auth_level.is_none() && !self.trust_changed;
        if usual && self.names() == PeerNames::Unchecked {
            return Ok(builder.trust(self.store()?));
        }
        Ok(builder.verifier(self.chain_verifier()?))
    }

    fn chain_verifier(&self) -> Result<ChainVerifier, String> {
        // As OpenSSL does when nobody tells it otherwise.
        let mut verifier = ChainVerifier::new(self.store()?).subject_names(SubjectNames::Fallback);
        verifier = match self.inputs.flag {
            None => verifier,
            Some(Flag::PartialChain) => verifier.partial_chain(true),
            Some(Flag::Strict) => verifier.strict(true),
            Some(Flag::NoCheckTime) => verifier.time(ValidationTime::Unchecked),
            Some(Flag::CrlCheckLeaf) => verifier.revocation(Revocation::Leaf),
            Some(Flag::CrlCheckAll) => verifier.revocation(Revocation::Chain),
        };
        Ok(match self.inputs.auth_level {
            Some(level) => verifier.security_level(level),
            None => verifier,
        })
    }

    fn store(&self) -> Result<TrustStore, String> {
        if self.inputs.trust.is_empty() {
            return Ok(TrustStore::empty());
        }
        let anchors = self.files.anchors(&self.inputs.trust);
        let store = TrustStore::from_pem(anchors.as_bytes()).map_err(|e| e.to_string())?;
        if !self.inputs.crls.is_empty() {
            let crls = self.files.crls(&self.inputs.crls);
            store
                .add_crls_pem(crls.as_bytes())
                .map_err(|e| e.to_string())?;
        }
        Ok(store)
    }

    fn names(&self) -> PeerNames {
        let host = self.inputs.host.iter().map(|host| ExpectedName::host(host));
        let ip = self.inputs.ip.iter().map(|ip| ExpectedName::host(ip));
        let email = self
            .inputs
            .email
            .iter()
            .map(|email| ExpectedName::Email(email.clone()));
        let names: Vec<_> = host.chain(ip).chain(email).collect();
        if names.is_empty() {
            PeerNames::Unchecked
        } else {
            PeerNames::OneOf(names)
        }
    }

    pub(super) fn credential(&self, name: &str) -> Result<Credential, String> {
        let (chain, key) = self.files.identity(&self.role.to_string(), name);
        if name == "weakkey" {
            return WeakKey::credential(chain, key);
        }
        Credential::from_pem(chain.as_bytes(), key.as_bytes()).map_err(|error| error.to_string())
    }

    /// `SSL_set_retry_verify`: the callback is called again and again until it asks no more.
    /// Here the question stays open meanwhile, and the last round is that of the answer.
    fn asks_again(
        &self,
        trace: &Trace,
    ) -> Result<impl FnMut(&Question) -> Option<Verdict> + Send + 'static, String> {
        let verifier = self.chain_verifier()?;
        let (callback, trace) = (self.inputs.callback, Arc::clone(trace));
        let mut retries = self.inputs.retries;
        Ok(move |question: &Question| {
            let Question::Peer(question) = question else {
                return None;
            };
            let report = verifier.report(&question.presented());
            let before = retries;
            let mut left = retries;
            let silent = Trace::default();
            let round = report.replay(|step| call(callback, step, &silent, &mut left));
            if left == before || !round.accepted {
                return Some(Verdict::Follow(report));
            }
            retries = left;
            trace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&mut silent.lock().unwrap_or_else(PoisonError::into_inner));
            None
        })
    }
}

/// What is played in place of the anonymous suites of the rows: countersign has no CBC, and none on curves.
pub(super) const INSTEAD: CipherSuite = CipherSuite::DhAnonAes128GcmSha256;

/// What the configuration answers to a depth below -1.
pub(crate) const NEGATIVE_DEPTH: &str = "a verify depth is never negative";

/// A verify callback that writes down its calls.
pub(super) fn callback(
    callback: Callback,
    trace: &Trace,
) -> impl Fn(&mut Step<'_>) -> Decision + Send + Sync + 'static {
    let trace = Arc::clone(trace);
    move |step| call(callback, step, &trace, &mut 0)
}

/// One call of the callback.
fn call(callback: Callback, step: &mut Step<'_>, trace: &Trace, retries: &mut u32) -> Decision {
    let call = Call {
        ok: step.is_ok(),
        depth: step.depth(),
        code: step.code().number(),
    };
    trace
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(call.to_string());
    let reply = callback.reply(call, retries);
    if let Some(code) = reply.set_code {
        step.set_code(code_of(code));
    }
    if reply.go_on {
        Decision::Continue
    } else {
        Decision::Stop
    }
}

fn code_of(number: u32) -> VerifyCode {
    if number == 0 {
        VerifyCode::OK
    } else {
        VerifyCode::APPLICATION_VERIFICATION
    }
}

/// Leaves the verdict for later.
struct Waits;

impl Verifier for Waits {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}

/// A replacement verifier.
struct Replaced {
    replacement: Replacement,
    built_in: ChainVerifier,
    trace: Trace,
}

impl Verifier for Replaced {
    fn verify(&self, presented: &Presented<'_>) -> Verification {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push("app".to_owned());
        let purpose = match presented.whose {
            Role::Client => Purpose::ClientAuth,
            Role::Server => Purpose::ServerAuth,
        };
        Verification::Now(match self.replacement {
            Replacement::BuiltIn => Verdict::Follow(self.built_in.report(presented)),
            Replacement::Answers {
                accepted: true,
                code,
            } => Verdict::Accept {
                despite: Report::from_application(purpose, code_of(code)),
            },
            Replacement::Answers {
                accepted: false,
                code,
            } => Verdict::Reject {
                alert: if code == 0 {
                    Alert::CertificateUnknown
                } else {
                    Alert::HandshakeFailure
                },
                because: "the application says so".to_owned(),
            },
        })
    }
}
