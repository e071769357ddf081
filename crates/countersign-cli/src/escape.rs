//! Makes text that a peer chose safe to show.
//!
//! A certificate or an alert is written by the other side, and what it holds goes to a terminal, a log
//! or a web page. Control characters, escape sequences and characters that reorder text are replaced by
//! a visible notation, so what is read is what was sent.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replaces everything that could steer a terminal or deceive a reader.
///
/// The result holds no control character (C0, DEL, C1, line and paragraph separators), no character that
/// changes the direction of text, and none that takes no room. Text that is safe stays as it is, so
/// escaping twice is escaping once.
pub(crate) fn for_terminal(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| !needs_notation(character)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            other if needs_notation(other) => safe.extend(other.escape_unicode()),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

/// Like [`for_terminal`] for bytes that may not be UTF-8.
pub(crate) fn bytes_for_terminal(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        safe.push_str(&for_terminal(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    safe
}

/// Makes text fit for the body or a quoted attribute of an HTML page.
///
/// First everything that [`for_terminal`] replaces, then the five characters that mean something to HTML.
pub(crate) fn for_html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in for_terminal(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Whether a character must not reach the reader as it is.
fn needs_notation(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Characters that reorder text, take no room or break lines outside the control ranges.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{bytes_for_terminal, for_html, for_terminal};

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["CN=db.example", "Zürich, Ōsaka, Москва", ""] {
            assert_eq!(for_terminal(text), text);
        }
    }

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(for_terminal("\u{1b}[2Jgone"), r"\u{1b}[2Jgone");
        assert_eq!(for_terminal("\u{9b}31m"), r"\u{9b}31m");
        assert_eq!(for_terminal("bell\u{7}\u{7f}\0"), r"bell\u{7}\u{7f}\u{0}");
        assert_eq!(for_terminal("a\r\nb\tc"), r"a\u{d}\u{a}b\u{9}c");
    }

    #[test]
    fn text_cannot_be_reordered_or_hidden() {
        assert_eq!(for_terminal("evil\u{202e}txt.exe"), r"evil\u{202e}txt.exe");
        assert_eq!(for_terminal("a\u{2066}b\u{2069}"), r"a\u{2066}b\u{2069}");
        assert_eq!(
            for_terminal("zero\u{200b}width\u{feff}"),
            r"zero\u{200b}width\u{feff}"
        );
        assert_eq!(for_terminal("line\u{2028}break"), r"line\u{2028}break");
        assert_eq!(for_terminal("tag\u{e0041}"), r"tag\u{e0041}");
    }

    #[test]
    fn escaping_twice_is_escaping_once() {
        let once = for_terminal("CN=a\\2C b\u{1b}").into_owned();
        assert_eq!(once, r"CN=a\2C b\u{1b}");
        assert_eq!(for_terminal(&once), once);
    }

    #[test]
    fn no_character_of_the_dangerous_ranges_survives() {
        let dangerous = ('\0'..='\u{1f}')
            .chain('\u{7f}'..='\u{9f}')
            .chain('\u{202a}'..='\u{202e}');
        for character in dangerous {
            let text = String::from(character);
            assert!(
                !for_terminal(&text).contains(character),
                "{}",
                character.escape_unicode()
            );
            assert!(
                !for_html(&text).contains(character),
                "{}",
                character.escape_unicode()
            );
        }
    }

    #[test]
    fn bytes_outside_utf8_are_shown_in_hexadecimal() {
        assert_eq!(
            bytes_for_terminal(b"ok \xff\xfe \x1b[m"),
            r"ok \xff\xfe \u{1b}[m"
        );
    }

    #[test]
    fn html_cannot_be_injected() {
        assert_eq!(
            for_html(r#"<script>alert("x")</script>&'"#),
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"
        );
    }
}
