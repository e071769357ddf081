//! Elements of one type one after the other.

use core::fmt;
use core::marker::PhantomData;

use super::{Reader, Result};

/// A type that can stand one after the other in a [`List`].
pub(crate) trait Item<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Result<Self>;

    /// Reads what was read before, so that what takes time need not be checked again.
    fn read_again(reader: &mut Reader<'a>) -> Result<Self> {
        Self::read(reader)
    }
}

/// Elements of one type one after the other, as in SEQUENCE OF, read as they are asked for.
///
/// Everything was checked when the certificate was parsed, so iterating cannot fail.
pub struct List<'a, T> {
    content: Reader<'a>,
    item: PhantomData<T>,
}

impl<'a, T> List<'a, T> {
    pub(crate) const EMPTY: Self = Self::known(Reader::new(&[]));

    /// Takes all of `content` as a list and checks every item.
    pub(crate) fn new(content: Reader<'a>) -> Result<Self>
    where
        T: Item<'a>,
    {
        let mut items = content;
        while !items.is_empty() {
            T::read(&mut items)?;
        }
        Ok(Self {
            content,
            item: PhantomData,
        })
    }

    /// Takes all of `content` as a list of items that were checked before.
    pub(crate) const fn known(content: Reader<'a>) -> Self {
        Self {
            content,
            item: PhantomData,
        }
    }

    /// Reads a SEQUENCE OF.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self>
    where
        T: Item<'a>,
    {
        Self::new(reader.sequence()?)
    }

    /// Reads a SEQUENCE OF whose items were checked before.
    pub(crate) fn read_known(reader: &mut Reader<'a>) -> Result<Self> {
        reader.sequence().map(Self::known)
    }

    /// Whether there are no items.
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The encoding of the items.
    pub(crate) const fn content(&self) -> &'a [u8] {
        self.content.rest()
    }

    /// The items in the order of the encoding.
    #[allow(
        clippy::iter_not_returning_iterator,
        reason = "it is one for every type that occurs; the bound would show a private trait"
    )]
    pub const fn iter(&self) -> ListIter<'a, T> {
        ListIter {
            rest: self.content,
            item: PhantomData,
        }
    }
}

// Derived, these would demand the same of T.
impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<'a, T: Item<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Item<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = ListIter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: Item<'a>> IntoIterator for &List<'a, T> {
    type Item = T;
    type IntoIter = ListIter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator over a [`List`].
pub struct ListIter<'a, T> {
    rest: Reader<'a>,
    item: PhantomData<T>,
}

impl<T> ListIter<'_, T> {
    /// Whether no items are left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a, T: Item<'a>> Iterator for ListIter<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.rest.is_empty() {
            None
        } else {
            T::read_again(&mut self.rest).ok()
        }
    }
}

impl<T> Clone for ListIter<'_, T> {
    fn clone(&self) -> Self {
        Self {
            rest: self.rest,
            item: PhantomData,
        }
    }
}

impl<T> fmt::Debug for ListIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListIter")
            .field("remaining_bytes", &self.rest.rest().len())
            .finish()
    }
}
