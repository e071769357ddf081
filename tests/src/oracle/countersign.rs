//! The rows played by countersign on both sides.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::{
    Alert, ChainVerifier, ClientConfig, ConfigBuilder, Credential, Decision, ExpectedName,
    PeerNames, Presented, Question, Report, Revocation, Role, ServerConfig, Step, TrustStore,
    ValidationTime, Verdict, Verification, Verifier, VerifyCode, VerifyMode,
};
use countersign_x509::Purpose;

use super::callback::{Call, Callback, Replacement};
use super::data::Files;
use super::inputs::{Flag, Inputs, SideInputs};
use super::runner::{Implementation, Outcome};
use super::talk::{self, Witness};
use super::weak_key::WeakKey;
use crate::endpoint::Endpoint;
use crate::peers::countersign::{Countersign, FixedTime, Log};
use crate::wiretap::KeyLog;

/// countersign on both sides.
#[derive(Clone, Copy, Debug)]
pub struct CountersignItself;

impl Implementation for CountersignItself {
    fn play(&self, inputs: &Inputs, steps: &[String], files: &Files) -> Outcome {
        if steps != ["hs"] || inputs.proto != "13" {
            return Outcome::LeftOut("not a single handshake of TLS 1.3".to_owned());
        }
        let log = KeyLog::default();
        let ends = Played::client(&inputs.client, files, &log)
            .and_then(|client| Ok((client, Played::server(&inputs.server, files, &log)?)));
        match ends {
            Ok((mut client, mut server)) => {
                Outcome::Ran(vec![talk::handshake(&mut client, &mut server, &log)])
            }
            Err(sentence) => Outcome::Refused(sentence),
        }
    }
}

/// The calls of a callback, in order.
type Trace = Arc<Mutex<Vec<String>>>;

/// One end, with the trace of its callback.
#[derive(Debug)]
struct Played {
    end: Countersign,
    trace: Trace,
}

impl Played {
    fn client(inputs: &SideInputs, files: &Files, log: &KeyLog) -> Result<Self, String> {
        let trace = Trace::default();
        let side = SideUnderTest {
            role: Role::Client,
            inputs,
            files,
            log,
            trace: &trace,
        };
        let config = side.configure(ClientConfig::builder())?;
        let config = config.build().map_err(|error| error.to_string())?;
        let mut end = Countersign::client(&config);
        if inputs.callback == Callback::Retry {
            end.on_question(side.asks_again()?);
        }
        Ok(Self { end, trace })
    }

    fn server(inputs: &SideInputs, files: &Files, log: &KeyLog) -> Result<Self, String> {
        let trace = Trace::default();
        let side = SideUnderTest {
            role: Role::Server,
            inputs,
            files,
            log,
            trace: &trace,
        };
        let config = side.configure(ServerConfig::builder())?;
        let config = config.build().map_err(|error| error.to_string())?;
        Ok(Self {
            end: Countersign::server(&config),
            trace,
        })
    }
}

/// What one side is configured from.
struct SideUnderTest<'a> {
    role: Role,
    inputs: &'a SideInputs,
    files: &'a Files,
    log: &'a KeyLog,
    trace: &'a Trace,
}

impl SideUnderTest<'_> {
    fn configure<R>(&self, builder: ConfigBuilder<R>) -> Result<ConfigBuilder<R>, String> {
        let inputs = self.inputs;
        let mut builder = builder
            .verify(VerifyMode::from_openssl(inputs.mode, self.role))
            .security_level(inputs.level)
            .peer_names(self.names())
            .clock(FixedTime)
            .key_log(Log(self.log.clone()));
        if let Some(depth) = inputs.depth {
            builder = builder.verify_depth(u32::try_from(depth).map_err(|e| e.to_string())?);
        }
        if let Some(name) = &inputs.certificate {
            builder = builder.credential(self.credential(name)?);
        }
        if inputs.callback != Callback::Absent {
            let (callback, trace) = (inputs.callback, Arc::clone(self.trace));
            builder = builder.verify_callback(move |step| call(callback, step, &trace, &mut 0));
        }
        self.set_verifier(builder)
    }

    /// The built-in verifier with its defaults where that is enough, as an application would.
    fn set_verifier<R>(&self, builder: ConfigBuilder<R>) -> Result<ConfigBuilder<R>, String> {
        let inputs = self.inputs;
        let waits = self.role == Role::Client && inputs.callback == Callback::Retry;
        if let Some(replacement) = inputs.replacement {
            let (built_in, trace) = (self.chain_verifier()?, Arc::clone(self.trace));
            return Ok(builder.verifier(Replaced {
                replacement,
                built_in,
                trace,
            }));
        }
        if waits {
            return Ok(builder.verifier(Waits));
        }
        if inputs.flag.is_none() && inputs.auth_level.is_none() {
            return Ok(builder.trust(self.store()?));
        }
        Ok(builder.verifier(self.chain_verifier()?))
    }

    fn chain_verifier(&self) -> Result<ChainVerifier, String> {
        let mut verifier = ChainVerifier::new(self.store()?);
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
        let host = self
            .inputs
            .host
            .iter()
            .map(|host| ExpectedName::Dns(host.clone()));
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

    fn credential(&self, name: &str) -> Result<Credential, String> {
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
    ) -> Result<impl FnMut(&Question) -> Option<Verdict> + Send + 'static, String> {
        let verifier = self.chain_verifier()?;
        let (callback, trace) = (self.inputs.callback, Arc::clone(self.trace));
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

impl Witness for Played {
    fn verify_result(&self) -> u32 {
        self.end
            .connection()
            .verify_result()
            .map_or(0, VerifyCode::number)
    }

    fn trace(&self) -> Vec<String> {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Endpoint for Played {
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.end.exchange(arrived)
    }

    fn write(&mut self, data: &[u8]) {
        self.end.write(data);
    }

    fn close(&mut self) {
        self.end.close();
    }

    fn received(&self) -> &[u8] {
        self.end.received()
    }

    fn completed(&self) -> bool {
        self.end.completed()
    }

    fn failure(&self) -> Option<&str> {
        self.end.failure()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.end.alpn()
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.end.peer_certificate()
    }
}
