//! What a connection would not do, for the fuzzer.

use crate::connection::Connection;

impl Connection {
    /// Sends a record that this end would not send. Returns whether it was encrypted.
    pub(crate) fn forge(&mut self, content_type: u8, content: &[u8], output: &mut Vec<u8>) -> bool {
        self.outbound.forge(content_type, content, output)
    }
}
