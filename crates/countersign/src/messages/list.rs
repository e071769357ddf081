//! Vectors of items: a view of the wire when they were read, a slice of ours when they are written.

use core::fmt;

use super::{Reader, Writer};
use crate::error::Result;

/// What can stand in a [`List`].
pub(crate) trait Item<'a>: Copy {
    fn read(reader: &mut Reader<'a>) -> Result<Self>;
    fn write(&self, writer: &mut Writer<'_>);
}

impl<'a> Item<'a> for u16 {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.u16()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(*self);
    }
}

/// A vector of items. One that was read is decoded again at each iteration, and owns nothing.
#[derive(Clone, Copy)]
pub(crate) struct List<'a, T>(Items<'a, T>);

#[derive(Clone, Copy)]
enum Items<'a, T> {
    /// Every item was read once without error.
    Wire(&'a [u8]),
    Ours(&'a [T]),
}

impl<'a, T: Item<'a>> List<'a, T> {
    /// Reads items until nothing is left; none at all is fine.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Self::read_counted(reader).map(|(list, _)| list)
    }

    /// Reads items until nothing is left; there must be one.
    pub(crate) fn read_some(reader: &mut Reader<'a>) -> Result<Self> {
        let (list, count) = Self::read_counted(reader)?;
        if count == 0 {
            return Err(reader.malformed().into());
        }
        Ok(list)
    }

    /// Reads items until nothing is left, and counts them.
    pub(crate) fn read_counted(reader: &mut Reader<'a>) -> Result<(Self, usize)> {
        let whole = reader.rest();
        let mut items = reader.beside(whole);
        let mut count: usize = 0;
        while !items.is_empty() {
            T::read(&mut items)?;
            count = count.saturating_add(1);
        }
        Ok((Self(Items::Wire(whole)), count))
    }

    /// Writes the items one after the other, without a length before them.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        match self.0 {
            Items::Wire(bytes) => writer.bytes(bytes),
            Items::Ours(items) => items.iter().for_each(|item| item.write(writer)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self.0 {
            Items::Wire(bytes) => bytes.is_empty(),
            Items::Ours(items) => items.is_empty(),
        }
    }

    /// The items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (wire, ours) = match self.0 {
            Items::Wire(bytes) => (bytes, &[][..]),
            Items::Ours(items) => (&[][..], items),
        };
        let mut reader = Reader::new(wire);
        let read = core::iter::from_fn(move || {
            if reader.is_empty() {
                return None;
            }
            T::read(&mut reader).ok()
        });
        read.chain(ours.iter().copied())
    }

    /// Whether `wanted` is among the items.
    pub(crate) fn contains(&self, wanted: &T) -> bool
    where
        T: PartialEq,
    {
        self.iter().any(|item| item == *wanted)
    }
}

impl<'a, T> From<&'a [T]> for List<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self(Items::Ours(items))
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for List<'a, T> {
    fn from(items: &'a [T; N]) -> Self {
        Self(Items::Ours(items))
    }
}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self(Items::Wire(&[]))
    }
}

impl<'a, T: Item<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Item<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::List;
    use crate::messages::{Reader, Writer};
    use crate::violation::Violation;

    #[test]
    fn a_list_from_the_wire_equals_ours() {
        let list = List::<u16>::read(&mut Reader::new(&[0, 1, 2, 3])).unwrap();
        assert_eq!(list, List::from(&[1, 0x0203]));
        assert_ne!(list, List::from(&[1]));
        assert!(list.contains(&0x0203));
        assert!(!list.contains(&3));
    }

    #[test]
    fn both_kinds_write_the_same() {
        let ours = List::from(&[1, 0x0203]);
        let wire = List::<u16>::read(&mut Reader::new(&[0, 1, 2, 3])).unwrap();
        for list in [ours, wire] {
            let mut output = Vec::new();
            list.write(&mut Writer::new(&mut output));
            assert_eq!(output, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn half_an_item_is_malformed() {
        let error = List::<u16>::read(&mut Reader::of_extension(&[0, 1, 2])).unwrap_err();
        assert_eq!(error.alert(), Some(Violation::MalformedExtension.alert()));
    }

    #[test]
    fn some_means_at_least_one() {
        assert!(List::<u16>::read(&mut Reader::new(&[])).unwrap().is_empty());
        assert!(List::<u16>::read_some(&mut Reader::new(&[])).is_err());
    }
}
