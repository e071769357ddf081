//! The runner's flags.
//!
//! A flag holds for every connection. With the prefix `-on-initial`, `-on-resume` or `-on-retry` it holds for the
//! first connection, for those that resume, or for a connection after rejected early data.

use countersign::Role;

use crate::settings::{
    Alpn, CredentialSettings, Renegotiation, Settings, Tickets, VerifyCallback, WriteSizes,
};
use crate::stop::Stop;

/// What the runner wants of the connections of one process.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) initial: Settings,
    pub(crate) resumed: Settings,
}

impl Plan {
    /// Reads the command line, without the name of the program.
    ///
    /// # Errors
    /// [`Stop::Unimplemented`] for a flag that is unknown here.
    pub(crate) fn read(arguments: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, Stop> {
        let mut plan = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = String::from_utf8_lossy(&argument).into_owned();
            let (connections, name) = Connections::of(&argument)?;
            match find(name)? {
                Switch(set) => plan.apply(connections, |settings| {
                    set(settings);
                    Some(())
                }),
                Value(set) => {
                    let value = arguments.next().unwrap_or_default();
                    plan.apply(connections, |settings| set(settings, &value))
                }
            }
            .ok_or_else(|| Stop::Unexpected(format!("{argument} has no such value")))?;
        }
        Ok(plan)
    }

    fn apply(
        &mut self,
        connections: Connections,
        set: impl Fn(&mut Settings) -> Option<()>,
    ) -> Option<()> {
        if connections != Connections::Resumed {
            set(&mut self.initial)?;
        }
        if connections != Connections::Initial {
            set(&mut self.resumed)?;
        }
        Some(())
    }
}

/// For which connections a flag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connections {
    All,
    Initial,
    Resumed,
}

impl Connections {
    /// Takes the prefix off a flag.
    fn of(argument: &str) -> Result<(Self, &str), Stop> {
        // The process that the runner may split off is never used: see `-is-handshaker-supported`.
        let argument = without_prefix(argument, "-on-shim").unwrap_or(argument);
        let prefixes = [
            ("-on-initial", Self::Initial),
            ("-on-resume", Self::Resumed),
        ];
        for (prefix, connections) in prefixes {
            if let Some(name) = without_prefix(argument, prefix) {
                return Ok((connections, name));
            }
        }
        if without_prefix(argument, "-on-retry").is_some() {
            return Err(Stop::Unimplemented("early data".to_owned()));
        }
        Ok((Self::All, argument))
    }
}

/// `-on-resume-verify-fail` without `-on-resume` is `-verify-fail`.
fn without_prefix<'a>(argument: &'a str, prefix: &str) -> Option<&'a str> {
    argument
        .strip_prefix(prefix)
        .filter(|name| name.starts_with('-'))
}

/// What a flag changes. A value that makes no sense to it gives `None`.
#[derive(Clone, Copy)]
enum Effect {
    Switch(fn(&mut Settings)),
    Value(fn(&mut Settings, &[u8]) -> Option<()>),
}

fn find(name: &str) -> Result<Effect, Stop> {
    FLAGS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, effect)| *effect)
        .ok_or_else(|| Stop::Unimplemented(format!("the flag {name}")))
}

use Effect::{Switch, Value};

#[rustfmt::skip]
const FLAGS: &[(&str, Effect)] = &[
    // Where to connect
    ("-port", Value(|s, v| put(&mut s.port, number(v)))),
    ("-ipv6", Switch(|s| s.ipv6 = true)),
    ("-shim-id", Value(|s, v| put(&mut s.shim_id, number(v)))),
    ("-resume-count", Value(|s, v| put(&mut s.resume_count, number(v)))),
    // Who we are
    ("-server", Switch(|s| s.role = Role::Server)),
    ("-host-name", Value(|s, v| put(&mut s.host_name, text(v).map(Some)))),
    ("-cert-file", Value(|s, v| put(&mut s.current_credential().chain_file, text(v).map(Some)))),
    ("-key-file", Value(|s, v| put(&mut s.current_credential().key_file, text(v).map(Some)))),
    ("-signing-prefs", Value(|s, v| push(&mut s.current_credential().schemes, number(v)))),
    ("-must-match-issuer", Switch(|s| s.current_credential().must_match_issuer = true)),
    ("-new-x509-credential", Switch(|s| s.credentials.push(CredentialSettings::default()))),
    ("-use-old-client-cert-callback", Switch(|s| s.application_chooses = true)),
    // What is offered
    ("-min-version", Value(|s, v| put(&mut s.versions.min, number(v)))),
    ("-max-version", Value(|s, v| put(&mut s.versions.max, number(v)))),
    ("-no-tls1", Switch(|s| s.versions.excluded.push(0x0301))),
    ("-no-tls11", Switch(|s| s.versions.excluded.push(0x0302))),
    ("-no-tls12", Switch(|s| s.versions.excluded.push(0x0303))),
    ("-no-tls13", Switch(|s| s.versions.excluded.push(0x0304))),
    // It is the only one here.
    ("-server-preference", Switch(|_| {})),
    ("-curves", Value(|s, v| push(&mut s.groups, number(v)))),
    ("-key-shares", Value(|s, v| push(s.key_shares.get_or_insert_default(), number(v)))),
    ("-no-key-shares", Switch(|s| s.key_shares = Some(Vec::new()))),
    ("-verify-prefs", Value(|s, v| push(&mut s.verify_schemes, number(v)))),
    ("-advertise-alpn", Value(|s, v| put(&mut s.alpn, Some(Alpn::Advertised(v.to_vec()))))),
    ("-select-alpn", Value(|s, v| put(&mut s.alpn, Some(Alpn::Selected(v.to_vec()))))),
    ("-decline-alpn", Switch(|s| s.alpn = Alpn::Ignored)),
    ("-reject-alpn", Switch(|s| s.alpn = Alpn::Rejected)),
    ("-use-client-ca-list", Value(|s, v| put(&mut s.authorities, names(v)))),
    ("-no-ticket", Switch(|s| s.tickets = Tickets::Unwanted)),
    ("-max-send-fragment", Value(|s, v| put(&mut s.max_fragment, number(v).map(Some)))),
    ("-max-cert-list", Value(|s, v| put(&mut s.max_certificate_list, number(v).map(Some)))),
    // Renegotiation
    ("-renegotiate-freely", Switch(|s| s.renegotiation = Renegotiation::Free)),
    ("-renegotiate-once", Switch(|s| s.renegotiation = Renegotiation::Once)),
    ("-renegotiate-explicit", Switch(|s| s.renegotiation = Renegotiation::Explicit)),
    // Nobody negotiates again before the handshake is complete.
    ("-forbid-renegotiation-after-handshake", Switch(|s| s.renegotiation = Renegotiation::Forbidden)),
    ("-renegotiate-ignore", Switch(|s| s.renegotiation = Renegotiation::Refused)),
    ("-no-legacy-server-connect", Switch(|s| s.refuses_legacy_servers = true)),
    // How the peer is verified. Nobody is verified with what -trust-cert names: the callbacks decide.
    ("-trust-cert", Value(|_, _| Some(()))),
    ("-verify-peer", Switch(|s| s.verify_peer = true)),
    ("-require-any-client-certificate", Switch(|s| s.require_certificate = true)),
    ("-verify-fail", Switch(|s| s.verify_fails = true)),
    ("-use-custom-verify-callback", Switch(|s| s.verify_callback = VerifyCallback::Custom)),
    ("-reverify-on-resume", Switch(|s| s.reverify_on_resume = true)),
    // What happens
    ("-async", Switch(|s| s.answers_later = true)),
    // Whether the handshake is completed by a call of its own or by the first read makes no difference here,
    // nor does it when the application looks at the ClientHello.
    ("-implicit-handshake", Switch(|_| {})),
    ("-use-early-callback", Switch(|_| {})),
    ("-shim-writes-first", Switch(|s| s.writes_first = true)),
    ("-shim-initial-write", Value(|s, v| put(&mut s.initial_write, Some(v.to_vec())))),
    ("-repeat-shim-initial-write", Value(|s, v| put(&mut s.initial_writes, number(v)))),
    ("-read-with-unfinished-write", Switch(|s| s.write_is_left_unfinished = true)),
    ("-write-different-record-sizes", Switch(|s| s.write_sizes = WriteSizes::AroundLimits)),
    ("-read-size", Value(|s, v| put(&mut s.read_size, number(v)))),
    ("-shim-shuts-down", Switch(|s| s.shuts_down = true)),
    ("-check-close-notify", Switch(|s| s.checks_close_notify = true)),
    ("-key-update", Switch(|s| s.updates_keys_after_read = true)),
    ("-key-update-before-read", Switch(|s| s.updates_keys_before_read = true)),
    ("-send-alert", Switch(|s| s.sends_alert = true)),
    ("-no-op-extra-handshake", Switch(|s| s.handshakes_again = true)),
    ("-export-keying-material", Value(|s, v| put(&mut s.export.length, number(v)))),
    ("-export-label", Value(|s, v| put(&mut s.export.label, Some(v.to_vec())))),
    ("-export-context", Value(|s, v| put(&mut s.export.context, Some(v.to_vec())))),
    ("-use-export-context", Switch(|s| s.export.has_context = true)),
    ("-use-exporter-between-reads", Switch(|s| s.exports_between_reads = true)),
    ("-resumption-delay", Value(|s, v| put(&mut s.resumption_delay, number(v)))),
    // What must be found
    ("-expect-version", Value(|s, v| put(&mut s.expected.version, number(v).map(Some)))),
    ("-expect-cipher", Value(|s, v| put(&mut s.expected.suite, number(v).map(Some)))),
    ("-expect-cipher-aes", Value(|s, v| put(&mut s.expected.suite_with_aes, number(v).map(Some)))),
    ("-expect-cipher-no-aes", Value(|s, v| put(&mut s.expected.suite_without_aes, number(v).map(Some)))),
    ("-expect-curve-id", Value(|s, v| put(&mut s.expected.group, number(v).map(Some)))),
    ("-expect-peer-signature-algorithm", Value(|s, v| put(&mut s.expected.peer_signature, number(v).map(Some)))),
    ("-expect-peer-verify-pref", Value(|s, v| push(&mut s.expected.peer_schemes, number(v)))),
    ("-expect-peer-cert-file", Value(|s, v| put(&mut s.expected.peer_chain_file, text(v).map(Some)))),
    ("-expect-no-peer-cert", Switch(|s| s.expected.no_peer_certificate = true)),
    ("-expect-verify-result", Switch(|s| s.expected.verify_result = true)),
    ("-expect-client-ca-list", Value(|s, v| put(&mut s.expected.authorities, names(v).map(Some)))),
    ("-expect-selected-credential", Value(|s, v| put(&mut s.expected.selected_credential, number(v).map(Some)))),
    ("-expect-hrr", Switch(|s| s.expected.retry = Some(true))),
    ("-expect-no-hrr", Switch(|s| s.expected.retry = Some(false))),
    ("-expect-session-miss", Switch(|s| s.expected.session_miss = true)),
    ("-expect-no-session", Switch(|s| s.expected.no_session = true)),
    ("-expect-total-renegotiations", Value(|s, v| put(&mut s.expected.renegotiations, number(v)))),
    ("-expect-secure-renegotiation", Switch(|s| s.expected.secure_renegotiation = Some(true))),
    ("-expect-no-secure-renegotiation", Switch(|s| s.expected.secure_renegotiation = Some(false))),
    ("-expect-extended-master-secret", Switch(|s| s.expected.extended_master_secret = true)),
    ("-expect-session-id", Switch(|s| s.expected.session_id = Some(true))),
    ("-expect-no-session-id", Switch(|s| s.expected.session_id = Some(false))),
    ("-expect-ticket-renewal", Switch(|s| s.expected.ticket_renewal = true)),
    ("-expect-early-data-reason", Value(|s, v| put(&mut s.expected.early_data_reason, Some(Some(v.to_vec()))))),
    ("-expect-server-name", Value(|s, v| put(&mut s.expected.server_name, Some(Some(v.to_vec()))))),
    ("-expect-no-server-name", Switch(|s| s.expected.no_server_name = true)),
    ("-expect-alpn", Value(|s, v| put(&mut s.expected.alpn, Some(v.to_vec())))),
    ("-expect-advertised-alpn", Value(|s, v| put(&mut s.expected.advertised_alpn, Some(Some(v.to_vec()))))),
];

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn push<T>(list: &mut Vec<T>, value: Option<T>) -> Option<()> {
    list.push(value?);
    Some(())
}

fn text(value: &[u8]) -> Option<String> {
    String::from_utf8(value.to_vec()).ok()
}

fn number<N: core::str::FromStr>(value: &[u8]) -> Option<N> {
    text(value)?.parse().ok()
}

/// Distinguished names: a list of hexadecimal numbers, or one of two words for none.
fn names(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    match text(value)?.as_str() {
        "<NULL>" | "<EMPTY>" => Some(Vec::new()),
        list => list.split(',').map(bytes).collect(),
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, Plan, bytes};
    use crate::stop::Stop;

    fn read(arguments: &[&str]) -> Result<Plan, Stop> {
        Plan::read(
            arguments
                .iter()
                .map(|argument| argument.as_bytes().to_vec()),
        )
    }

    #[test]
    fn a_flag_holds_for_all_connections_and_with_a_prefix_for_one_kind() {
        let plan = read(&[
            "-port",
            "4433",
            "-on-initial-verify-peer",
            "-on-resume-verify-fail",
            "-on-resume-expect-curve-id",
            "29",
        ])
        .unwrap();
        assert_eq!((plan.initial.port, plan.resumed.port), (4433, 4433));
        assert!(plan.initial.verify_peer && !plan.resumed.verify_peer);
        assert!(!plan.initial.verify_fails && plan.resumed.verify_fails);
        assert_eq!(plan.initial.expected.group, None);
        assert_eq!(plan.resumed.expected.group, Some(29));
    }

    #[test]
    fn credential_flags_speak_of_the_credential_opened_last() {
        let plan = read(&[
            "-cert-file",
            "default.pem",
            "-new-x509-credential",
            "-cert-file",
            "first.pem",
            "-signing-prefs",
            "1027",
            "-on-resume-new-x509-credential",
            "-must-match-issuer",
        ])
        .unwrap();
        let files = |settings: &crate::settings::Settings| -> Vec<_> {
            let credentials = settings.credentials.iter();
            credentials.map(|one| one.chain_file.clone()).collect()
        };
        let (initial, resumed) = (&plan.initial, &plan.resumed);
        assert_eq!(
            initial.default_credential.chain_file.as_deref(),
            Some("default.pem")
        );
        assert!(initial.default_credential.schemes.is_empty());
        assert_eq!(files(initial), [Some("first.pem".to_owned())]);
        assert_eq!(initial.credentials[0].schemes, [0x0403]);
        assert!(initial.credentials[0].must_match_issuer);
        assert_eq!(files(resumed), [Some("first.pem".to_owned()), None]);
        assert!(!resumed.credentials[0].must_match_issuer);
        assert!(resumed.credentials[1].must_match_issuer);
    }

    #[test]
    fn what_is_unknown_is_unimplemented_and_what_is_malformed_is_not() {
        for unknown in [
            "-quic",
            "-on-resume-quic",
            "-on-retry-verify-peer",
            "port",
            "-on-resume",
        ] {
            assert!(
                matches!(read(&[unknown]), Err(Stop::Unimplemented(_))),
                "{unknown}"
            );
        }
        for malformed in [
            ["-port", "x"],
            ["-port", ""],
            ["-use-client-ca-list", "123"],
        ] {
            assert!(
                matches!(read(&malformed), Err(Stop::Unexpected(_))),
                "{malformed:?}"
            );
        }
    }

    #[test]
    fn no_flag_is_listed_twice() {
        for (index, (name, _)) in FLAGS.iter().enumerate() {
            assert!(name.starts_with('-'), "{name}");
            assert!(
                FLAGS[index + 1..].iter().all(|(other, _)| other != name),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_read_as_hexadecimal_numbers() {
        assert_eq!(bytes("30fF"), Some(vec![0x30, 0xff]));
        assert_eq!(bytes(""), Some(Vec::new()));
        assert_eq!(bytes("3"), None);
        assert_eq!(bytes("zz"), None);
    }
}
