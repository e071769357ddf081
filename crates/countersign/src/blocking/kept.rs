//! [`Kept`]: what came in while a write waited, until somebody reads it.

use std::collections::VecDeque;

use crate::connection::event::Completed;

/// Data, and what was completed between it, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Kept {
    items: VecDeque<Item>,
    /// How many bytes there are in all.
    length: usize,
}

#[derive(Debug)]
enum Item {
    Data {
        bytes: Vec<u8>,
        /// How many of them are done with.
        read: usize,
    },
    Completed(Completed),
}

impl Kept {
    /// How many bytes of data are kept.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Keeps more data.
    pub(super) fn push_data(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.length = self.length.saturating_add(data.len());
        // A peer that sends a byte at a time must not cost an item for each.
        if let Some(Item::Data { bytes, .. }) = self.items.back_mut() {
            bytes.extend_from_slice(data);
        } else {
            let bytes = data.to_vec();
            self.items.push_back(Item::Data { bytes, read: 0 });
        }
    }

    /// Keeps the news of something that was completed after all data so far.
    pub(super) fn push_completed(&mut self, what: Completed) {
        self.items.push_back(Item::Completed(what));
    }

    /// The data that comes next, if anything was kept and data is first.
    pub(super) fn data(&self) -> &[u8] {
        match self.items.front() {
            Some(Item::Data { bytes, read }) => bytes.get(*read..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Takes the news that comes next, if it is first.
    pub(super) fn take_completed(&mut self) -> Option<Completed> {
        let Some(Item::Completed(what)) = self.items.front() else {
            return None;
        };
        let what = *what;
        self.items.pop_front();
        Some(what)
    }

    /// Notes that so many bytes of [`data`](Self::data) are done with.
    pub(super) fn consume(&mut self, amount: usize) {
        let Some(Item::Data { bytes, read }) = self.items.front_mut() else {
            return;
        };
        let amount = amount.min(bytes.len().saturating_sub(*read));
        *read = read.saturating_add(amount);
        self.length = self.length.saturating_sub(amount);
        if *read >= bytes.len() {
            self.items.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::connection::event::Completed;

    #[test]
    fn data_and_news_come_out_in_their_order() {
        let mut kept = Kept::default();
        kept.push_data(b"before");
        kept.push_data(b", too");
        kept.push_completed(Completed::Renegotiation);
        kept.push_data(b"after");
        assert_eq!(kept.len(), 16);
        assert_eq!(kept.take_completed(), None);
        assert_eq!(kept.data(), b"before, too");
        kept.consume(7);
        assert_eq!((kept.data(), kept.len()), (&b" too"[..], 9));
        kept.consume(100);
        assert_eq!(kept.data(), b"");
        assert_eq!(kept.take_completed(), Some(Completed::Renegotiation));
        assert_eq!((kept.data(), kept.len()), (&b"after"[..], 5));
        kept.consume(5);
        assert_eq!((kept.data(), kept.len()), (&b""[..], 0));
        assert_eq!(kept.take_completed(), None);
    }
}
