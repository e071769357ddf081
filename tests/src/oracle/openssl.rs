//! The rows played by OpenSSL itself, through the crate `openssl`: what comes out must be
//! what is recorded, so that the runner is known to play rows as they were played.

use std::sync::{Arc, Mutex, PoisonError};

use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode, SslVerifyMode, SslVersion,
};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParamRef};
use openssl::x509::{X509, X509StoreContextRef, X509VerifyResult};

use super::callback::{Call, Callback};
use super::data::Files;
use super::deviations::Deviation;
use super::inputs::{Ciphers, Flag, Inputs, SideInputs};
use super::runner::{Implementation, Outcome};
use super::step::Step;
use super::talk::{self, Witness};
use crate::endpoint::{Endpoint, Side};
use crate::folder::TemporaryFolder;
use crate::peers::NOW;
use crate::peers::openssl::{OpenSsl, set_identity};
use crate::wiretap::KeyLog;

/// OpenSSL on both sides.
#[derive(Clone, Copy, Debug)]
pub struct OpenSslItself;

impl Implementation for OpenSslItself {
    fn deviations(&self) -> &'static [Deviation] {
        &[]
    }

    fn play(&self, inputs: &Inputs, steps: &[Step], files: &Files) -> Outcome {
        if steps != [Step::Handshake] {
            return Outcome::LeftOut("not a single handshake".to_owned());
        }
        for side in [&inputs.client, &inputs.server] {
            if let Some(reason) = cannot_say(side) {
                return Outcome::LeftOut(reason.to_owned());
            }
        }
        let log = KeyLog::default();
        let mut client = Played::new(Side::Client, inputs, files, &log);
        let mut server = Played::new(Side::Server, inputs, files, &log);
        Outcome::Ran(vec![talk::handshake(&mut client, &mut server, &log)])
    }
}

/// What the safe interface of the crate cannot express.
fn cannot_say(side: &SideInputs) -> Option<&'static str> {
    match side.callback {
        _ if side.chooser.is_some() => Some("the crate has no SSL_CTX_set_client_cert_cb"),
        _ if side.replacement.is_some() => Some("the crate has no replacement verifiers"),
        Callback::Negative => Some("a callback of the crate returns no negative number"),
        Callback::Retry | Callback::RetryZero => Some("the crate has no SSL_set_retry_verify"),
        _ => None,
    }
}

/// One end, with the trace of its callback.
#[derive(Debug)]
struct Played {
    end: OpenSsl,
    trace: Arc<Mutex<Vec<String>>>,
}

impl Played {
    fn new(side: Side, inputs: &Inputs, files: &Files, log: &KeyLog) -> Self {
        let trace = Arc::default();
        let own = match side {
            Side::Client => &inputs.client,
            Side::Server => &inputs.server,
        };
        let mut builder = context(side, own, files, &trace).expect("the inputs are accepted");
        set_protocol(&mut builder, side, inputs).expect("the versions and suites are known");
        let log = log.clone();
        builder.set_keylog_callback(move |_, line| log.record_line(line));
        let mut ssl = Ssl::new(&builder.build()).expect("a connection can be made");
        set_parameters(ssl.param_mut(), own).expect("the parameters are accepted");
        Self {
            end: OpenSsl::start(ssl, side),
            trace,
        }
    }
}

fn context(
    side: Side,
    inputs: &SideInputs,
    files: &Files,
    trace: &Arc<Mutex<Vec<String>>>,
) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls())?;
    builder.set_security_level(u32::from(inputs.level));
    builder.set_mode(SslMode::NO_AUTO_CHAIN);
    builder.set_session_id_context(b"oracle")?;
    if let Some(name) = &inputs.certificate {
        let folder = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        let (chain, key) = files.identity(folder, name);
        // One that the security level refuses leaves the context without one.
        let _ = set_identity(&mut builder, chain, key);
    }
    set_trust(&mut builder, inputs, files)?;
    set_verification(&mut builder, inputs, Arc::clone(trace));
    Ok(builder)
}

/// The versions and the suites, which are those of both sides but for a client of both versions.
fn set_protocol(
    builder: &mut SslContextBuilder,
    side: Side,
    inputs: &Inputs,
) -> Result<(), ErrorStack> {
    let (oldest, newest) = match (inputs.proto.as_str(), side) {
        ("13", _) => (SslVersion::TLS1_3, SslVersion::TLS1_3),
        ("c12", Side::Client) => (SslVersion::TLS1_2, SslVersion::TLS1_3),
        _ => (SslVersion::TLS1_2, SslVersion::TLS1_2),
    };
    builder.set_min_proto_version(Some(oldest))?;
    builder.set_max_proto_version(Some(newest))?;
    match &inputs.ciphers {
        Ciphers::Default => {}
        Ciphers::Anonymous(name) => builder.set_cipher_list(name)?,
        Ciphers::All => builder.set_cipher_list("ALL:aNULL")?,
    }
    if inputs.ciphers != Ciphers::Default {
        // The crate cannot have OpenSSL choose parameters; which they are is compared nowhere.
        builder.set_tmp_dh(&*Dh::get_2048_256()?)?;
    }
    Ok(())
}

fn set_trust(
    builder: &mut SslContextBuilder,
    inputs: &SideInputs,
    files: &Files,
) -> Result<(), ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for anchor in X509::stack_from_pem(files.anchors(&inputs.trust).as_bytes())? {
        store.add_cert(anchor)?;
    }
    if !inputs.crls.is_empty() {
        // The crate reads revocation lists from files only.
        let folder = TemporaryFolder::new();
        let file = folder.put("crls.pem", &files.crls(&inputs.crls));
        store
            .add_lookup(X509Lookup::file())?
            .load_crl_file(&file, SslFiletype::PEM)?;
    }
    builder.set_cert_store(store.build());
    Ok(())
}

fn set_verification(
    builder: &mut SslContextBuilder,
    inputs: &SideInputs,
    trace: Arc<Mutex<Vec<String>>>,
) {
    let bits = i32::try_from(inputs.mode).expect("a small number");
    let mode = SslVerifyMode::from_bits_retain(bits);
    let callback = inputs.callback;
    if callback == Callback::Absent {
        builder.set_verify(mode);
        return;
    }
    builder.set_verify_callback(mode, move |ok, context| {
        let call = Call {
            ok,
            depth: context.error_depth(),
            code: u32::try_from(context.error().as_raw()).expect("not negative"),
        };
        trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call.to_string());
        let reply = callback.reply(call, &mut 0);
        set_code(context, reply.set_code);
        reply.go_on
    });
}

fn set_code(context: &mut X509StoreContextRef, code: Option<u32>) {
    match code {
        Some(0) => context.set_error(X509VerifyResult::OK),
        Some(_) => context.set_error(X509VerifyResult::APPLICATION_VERIFICATION),
        None => {}
    }
}

fn set_parameters(
    parameters: &mut X509VerifyParamRef,
    inputs: &SideInputs,
) -> Result<(), ErrorStack> {
    parameters.set_time(i64::try_from(NOW).expect("small"));
    if let Some(flag) = inputs.flag {
        parameters.set_flags(match flag {
            Flag::PartialChain => X509VerifyFlags::PARTIAL_CHAIN,
            Flag::Strict => X509VerifyFlags::X509_STRICT,
            Flag::NoCheckTime => X509VerifyFlags::NO_CHECK_TIME,
            Flag::CrlCheckLeaf => X509VerifyFlags::CRL_CHECK,
            Flag::CrlCheckAll => X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL,
        })?;
    }
    if let Some(depth) = inputs.depth {
        parameters.set_depth(i32::try_from(depth).expect("a small number"));
    }
    if let Some(level) = inputs.auth_level {
        parameters.set_auth_level(i32::from(level));
    }
    if let Some(host) = &inputs.host {
        // As SSL_set1_host does, where an address is no name.
        match host.parse() {
            Ok(address) => parameters.set_ip(address)?,
            Err(_) => parameters.set_host(host)?,
        }
    }
    if let Some(ip) = &inputs.ip {
        parameters.set_ip(ip.parse().expect("an address"))?;
    }
    if let Some(email) = &inputs.email {
        parameters.set_email(email)?;
    }
    Ok(())
}

impl Witness for Played {
    fn verify_result(&self) -> u32 {
        u32::try_from(self.end.ssl().verify_result().as_raw()).expect("not negative")
    }

    fn take_trace(&mut self) -> Vec<String> {
        core::mem::take(&mut self.trace.lock().unwrap_or_else(PoisonError::into_inner))
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
