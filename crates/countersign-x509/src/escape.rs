//! Showing text that a peer controls without letting it act on the terminal or the reader.

use core::fmt;

/// Bytes that ought to be UTF-8, shown with everything that could deceive escaped.
///
/// Control characters, characters that change the direction of text, invisible ones and bytes
/// that are not UTF-8 are shown as `\XX`, byte by byte, as RFC 4514 §2.4 does it. Text
/// that is too long ends in `…`.
///
/// ```
/// use countersign_x509::Escaped;
/// assert_eq!(Escaped::new(b"a\x1b[2J", 64).to_string(), r"a\1B[2J");
/// ```
#[derive(Clone, Copy)]
pub struct Escaped<'a> {
    bytes: &'a [u8],
    limit: usize,
    special: &'static [char],
}

impl<'a> Escaped<'a> {
    /// Shows at most `limit` characters.
    pub const fn new(bytes: &'a [u8], limit: usize) -> Self {
        Self {
            bytes,
            limit,
            special: &['\\'],
        }
    }

    /// As a value in a distinguished name, where some punctuation has a meaning
    /// (RFC 4514 §2.4).
    pub(crate) const fn attribute_value(bytes: &'a [u8], limit: usize) -> Self {
        Self {
            bytes,
            limit,
            special: &['\\', '"', '+', ',', ';', '<', '>'],
        }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.limit;
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                if left == 0 {
                    return f.write_str("…");
                }
                left = left.saturating_sub(1);
                self.show(character, f)?;
            }
            for byte in chunk.invalid() {
                if left == 0 {
                    return f.write_str("…");
                }
                left = left.saturating_sub(1);
                write!(f, "\\{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl Escaped<'_> {
    fn show(&self, character: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.special.contains(&character) {
            return write!(f, "\\{character}");
        }
        if !deceives(character) {
            return write!(f, "{character}");
        }
        let mut encoded = [0; 4];
        for byte in character.encode_utf8(&mut encoded).bytes() {
            write!(f, "\\{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Escaped({self})")
    }
}

/// Controls, format characters (among them all that change direction), separators of lines
/// and paragraphs, and letters that look like nothing.
pub(crate) fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn harmless_text_is_shown_as_it_is() {
        assert_eq!(
            Escaped::new("Zoë 张 db.example".as_bytes(), 64).to_string(),
            "Zoë 张 db.example"
        );
    }

    #[test]
    fn what_could_deceive_is_shown_as_bytes() {
        for (text, shown) in [
            (&b"a\r\nb\0"[..], r"a\0D\0Ab\00"),
            ("a\u{202e}b".as_bytes(), r"a\E2\80\AEb"),
            ("\u{2066}\u{feff}".as_bytes(), r"\E2\81\A6\EF\BB\BF"),
            ("\u{9b}31m".as_bytes(), r"\C2\9B31m"),
            (b"\xff\xc3", r"\FF\C3"),
            (br"a\b", r"a\\b"),
        ] {
            assert_eq!(Escaped::new(text, 64).to_string(), shown);
        }
        assert_eq!(
            Escaped::attribute_value(b"a,b+c", 64).to_string(),
            r"a\,b\+c"
        );
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(Escaped::new(b"abcd", 4).to_string(), "abcd");
        assert_eq!(Escaped::new(b"abcde", 4).to_string(), "abcd…");
        assert_eq!(Escaped::new(b"abc\xff\xff", 4).to_string(), r"abc\FF…");
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_briefly_and_without_controls(bytes in any::<Vec<u8>>()) {
            let shown = Escaped::new(&bytes, 20).to_string();
            prop_assert!(!shown.contains(char::is_control));
            prop_assert!(shown.chars().count() <= 20 * 12 + 1);
        }
    }
}
