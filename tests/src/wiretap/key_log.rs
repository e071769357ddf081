//! The secrets of one connection, as an end logs them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Collects the secrets that one end of one connection logs. A clone is the same log.
#[derive(Clone, Debug, Default)]
pub struct KeyLog(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl KeyLog {
    /// Keeps a secret under its label, `CLIENT_TRAFFIC_SECRET_0` for example.
    pub fn record(&self, label: &str, secret: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(label.to_owned(), secret.to_vec());
    }

    /// Keeps the secret of a line of a key log file: label, random value, secret. Other
    /// lines are passed over.
    pub fn record_line(&self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        if let (Some(label), Some(_random), Some(secret)) =
            (words.next(), words.next(), words.next())
            && let Some(secret) = from_hexadecimal(secret)
        {
            self.record(label, &secret);
        }
    }

    /// The secret under this label.
    pub fn secret(&self, label: &str) -> Option<Vec<u8>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(label)
            .cloned()
    }
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::KeyLog;

    #[test]
    fn a_line_is_a_label_a_random_value_and_a_secret() {
        let log = KeyLog::default();
        log.record_line("# a comment");
        log.record_line("EXPORTER_SECRET 00ff 0aFF10");
        assert_eq!(log.secret("EXPORTER_SECRET"), Some(vec![0x0a, 0xff, 0x10]));
        assert_eq!(log.secret("#"), None);
    }
}
