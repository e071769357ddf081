//! `countersign ca`: an authority, a server's and a client's certificate, in files.

use std::fs;
use std::path::Path;

use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKeyChain};
use pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::arguments::CaArguments;
use crate::authority::{Authority, AuthorityError, Identity, Request, Role, Validity};
use crate::failure::{Exit, Failure};
use crate::files::{self, Access, NewFile};
use crate::terminal;

/// Makes everything, writes it, and says what to do with it.
pub(crate) fn run(arguments: &CaArguments) -> Result<Exit, Failure> {
    let validity = Validity::days(OffsetDateTime::now_utc(), arguments.days);
    let authority = Authority::new(
        "countersign throwaway",
        arguments.algorithm.into(),
        validity,
    )?;
    let issue = |role, names| {
        authority.issue(&Request {
            role,
            names,
            validity,
        })
    };
    let server = issue(Role::Server, arguments.name.clone())?;
    let client = issue(Role::Client, vec![arguments.client.clone()])?;
    let files = files_of(arguments, &authority, &server, &client)?;
    fs::create_dir_all(&arguments.out).map_err(|error| {
        Failure::file(Exit::Other, "create the directory", &arguments.out, &error)
    })?;
    files::write_all(&files, arguments.force)?;
    terminal::print(&story(arguments, validity))?;
    Ok(Exit::Success)
}

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Failed(_) => Self::new(Exit::Other, error.to_string()),
            AuthorityError::NoName | AuthorityError::BadName(_) => Self::usage(error.to_string())
                .advise("Examples: --name db.example, --name 192.0.2.7, --client ada@lab"),
        }
    }
}

fn files_of(
    arguments: &CaArguments,
    authority: &Authority,
    server: &Identity,
    client: &Identity,
) -> Result<Vec<NewFile>, Failure> {
    let root = authority.root();
    let public = |name: &str, chain: &[CertificateDer<'_>]| NewFile {
        path: arguments.out.join(name),
        content: chain
            .iter()
            .map(|der| files::pem("CERTIFICATE", der))
            .collect::<String>()
            .into_bytes(),
        access: Access::Public,
    };
    let private = |name: &str, content: Vec<u8>| NewFile {
        path: arguments.out.join(name),
        content,
        access: Access::Private,
    };
    let key_of =
        |identity: &Identity| files::pem("PRIVATE KEY", identity.key.secret_der()).into_bytes();
    let mut files = vec![
        public("ca.pem", std::slice::from_ref(root)),
        public(
            "intermediate.pem",
            std::slice::from_ref(authority.intermediate()),
        ),
        public("server.pem", &server.chain),
        private("server.key", key_of(server)),
        public("client.pem", &client.chain),
        private("client.key", key_of(client)),
        private("client.p12", pkcs12(client, root, &arguments.password)?),
    ];
    if arguments.keep_ca_keys {
        let (root_key, intermediate_key) = authority.keys_pem();
        files.push(private("ca.key", root_key.into_bytes()));
        files.push(private("intermediate.key", intermediate_key.into_bytes()));
    }
    Ok(files)
}

/// The client's certificate, key, intermediate and root in one file that browsers import.
fn pkcs12(
    client: &Identity,
    root: &CertificateDer<'_>,
    password: &str,
) -> Result<Vec<u8>, Failure> {
    let failed = |error: p12_keystore::error::Error| {
        Failure::new(
            Exit::Other,
            format!("The PKCS#12 file could not be made: {error}."),
        )
    };
    let mut certificates = Vec::new();
    for der in client.chain.iter().chain([root]) {
        certificates.push(p12_keystore::Certificate::from_der(der).map_err(failed)?);
    }
    let key = p12_keystore::PrivateKey::from_der(client.key.secret_der()).map_err(failed)?;
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("client", key, certificates);
    store.add_entry("client", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().map_err(failed)
}

/// What was made, and what to type next.
fn story(arguments: &CaArguments, validity: Validity) -> String {
    let directory = arguments.out.display();
    let until = validity.until.date();
    let title = format!("A throwaway authority in {directory}, valid until {until}:");
    let keys = if arguments.keep_ca_keys {
        ""
    } else {
        "\nThe authority's own keys were thrown away: nobody can issue more in its name.\n"
    };
    format!(
        "{}\n\n{}{keys}\n{}",
        terminal::heading(&title),
        listing(arguments),
        next_steps(arguments)
    )
}

fn listing(arguments: &CaArguments) -> String {
    let mut rows = vec![
        ("ca.pem", "the root: what the other side trusts".to_owned()),
        (
            "intermediate.pem",
            "issued by the root; issued the two below".to_owned(),
        ),
        (
            "server.pem",
            format!("server {}, and the intermediate", arguments.name.join(", ")),
        ),
        ("server.key", "its private key".to_owned()),
        (
            "client.pem",
            format!("client {}, and the intermediate", arguments.client),
        ),
        ("client.key", "its private key".to_owned()),
        (
            "client.p12",
            format!(
                "the client's, for browsers; password: {}",
                arguments.password
            ),
        ),
    ];
    if arguments.keep_ca_keys {
        rows.push(("ca.key", "the root's private key".to_owned()));
        rows.push((
            "intermediate.key",
            "the intermediate's private key".to_owned(),
        ));
    }
    rows.iter().fold(String::new(), |text, (file, meaning)| {
        format!("{text}  {file:<18}{meaning}\n")
    })
}

fn next_steps(arguments: &CaArguments) -> String {
    let file = |name: &str| shell_word(&arguments.out.join(name));
    let (ca, heading) = (file("ca.pem"), terminal::heading("Next, in two terminals:"));
    let expected = match arguments.name.first() {
        Some(host) if host != "localhost" => format!(" --name {host}"),
        _ => String::new(),
    };
    format!(
        "{heading}\n  countersign serve --verify require --ca {ca} \\\n      --cert {} --key {}\n  \
         countersign connect localhost:4433{expected} --ca {ca} \\\n      --cert {} --key {}",
        file("server.pem"),
        file("server.key"),
        file("client.pem"),
        file("client.key"),
    )
}

/// A path as a shell takes it for one word.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,@:".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::shell_word;

    #[test]
    fn paths_become_one_word() {
        assert_eq!(shell_word(Path::new("a/b.pem")), "a/b.pem");
        assert_eq!(shell_word(Path::new("my files/b")), "'my files/b'");
        assert_eq!(shell_word(Path::new("it's")), r"'it'\''s'");
        assert_eq!(shell_word(Path::new("$(rm)")), "'$(rm)'");
    }
}
