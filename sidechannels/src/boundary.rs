//! `boundary.c`, from Rust.

use std::ffi::{CStr, c_char, c_int};
use std::slice;
use std::sync::OnceLock;

unsafe extern "C" {
    fn sidechannels_hide(secret: *const u8, len: usize);
    fn sidechannels_reveal(public: *const u8, len: usize);
    fn sidechannels_is_hidden(bytes: *const u8, len: usize) -> c_int;
    fn sidechannels_under_valgrind() -> c_int;
}

/// Marks bytes as secret: memcheck reports what depends on them.
pub fn hide(secret: &[u8]) {
    // SAFETY: the bytes are there, and are not read or changed.
    unsafe { sidechannels_hide(secret.as_ptr(), secret.len()) }
}

/// Marks bytes as public.
pub fn reveal(public: &[u8]) {
    // SAFETY: the bytes are there, and are not read or changed.
    unsafe { sidechannels_reveal(public.as_ptr(), public.len()) }
}

/// Whether every bit is marked as secret.
pub fn is_hidden(bytes: &[u8]) -> bool {
    // SAFETY: the bytes are there, and are not read or changed.
    unsafe { sidechannels_is_hidden(bytes.as_ptr(), bytes.len()) != 0 }
}

/// Whether the marks mean anything.
pub fn is_under_valgrind() -> bool {
    // SAFETY: it takes nothing and changes nothing.
    unsafe { sidechannels_under_valgrind() != 0 }
}

/// Called with each secret that passes, and what it is.
pub type Learn = fn(&str, &[u8]);

static LEARN: OnceLock<Learn> = OnceLock::new();

/// Calls `learn` from now on.
pub fn learn_with(learn: Learn) {
    LEARN.get_or_init(|| learn);
}

#[unsafe(no_mangle)]
extern "C" fn sidechannels_learn(what: *const c_char, secret: *const u8, len: usize) {
    let Some(learn) = LEARN.get() else { return };
    if secret.is_null() || len == 0 {
        return;
    }
    // SAFETY: boundary.c passes on what aws-lc was given, and a literal.
    let (what, secret) = unsafe { (CStr::from_ptr(what), slice::from_raw_parts(secret, len)) };
    learn(what.to_str().unwrap_or("?"), secret);
}
