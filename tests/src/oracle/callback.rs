//! The verify callbacks and replacement verifiers that the rows name, as pure functions.

use core::fmt;

/// A verify callback (`SSL_set_verify`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Callback {
    /// None is set.
    Absent,
    /// Returns what it is told.
    Pass,
    /// Always 1.
    One,
    /// Always 0.
    Zero,
    /// Sets the error to OK and returns 1.
    Clear,
    /// On an error sets it to 50 and returns 0.
    SetApplicationError,
    /// Returns 0 when depth 0 is announced as good, else what it is told.
    LeafZero,
    /// The same, after setting the error to 50.
    LeafApplicationError,
    /// Sets the error to 50 when depth 0 is announced as good, and returns 1.
    LeafErrorGoOn,
    /// 1 for good news, -1 for bad news.
    Negative,
    /// Returns 1; the first calls at depth 0 ask to be called again later.
    Retry,
    /// Asks to be called again later and returns 0.
    RetryZero,
}

/// One call of a verify callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Good news (1) or an error (0).
    pub ok: bool,
    /// The depth of the certificate: 0 is the leaf.
    pub depth: u32,
    /// The code that is set at that moment.
    pub code: u32,
}

impl fmt::Display for Call {
    /// As in the traces of the matrix: depth, code, ok.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.depth, self.code, u8::from(self.ok))
    }
}

/// What the callback does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Whether the verification goes on.
    pub go_on: bool,
    /// The code that the callback sets, if it sets one.
    pub set_code: Option<u32>,
    /// Whether it called `SSL_set_retry_verify`.
    pub retry: bool,
}

/// `X509_V_ERR_APPLICATION_VERIFICATION`.
pub const APPLICATION_ERROR: u32 = 50;

impl Callback {
    /// Reads the name that a row uses.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::Absent,
            "pass" => Self::Pass,
            "one" => Self::One,
            "zero" => Self::Zero,
            "clear" => Self::Clear,
            "setapp" => Self::SetApplicationError,
            "leafzero" => Self::LeafZero,
            "leafapp" => Self::LeafApplicationError,
            "leaferr1" => Self::LeafErrorGoOn,
            "neg" => Self::Negative,
            "retry" => Self::Retry,
            "retry0" => Self::RetryZero,
            _ => return None,
        })
    }

    /// Whether the callback leaves every decision to the library.
    pub const fn changes_nothing(self) -> bool {
        matches!(self, Self::Absent | Self::Pass)
    }

    /// Answers one call. `retries` is how often the callback may still ask for another time.
    pub fn reply(self, call: Call, retries: &mut u32) -> Reply {
        let announced_leaf = call.ok && call.depth == 0;
        match self {
            Self::One => Reply::returns(true),
            Self::Zero => Reply::returns(false),
            Self::Clear => Reply::returns(true).setting(0),
            Self::SetApplicationError if call.ok => Reply::returns(true),
            Self::SetApplicationError => Reply::returns(false).setting(APPLICATION_ERROR),
            Self::LeafZero => Reply::returns(call.ok && !announced_leaf),
            Self::LeafApplicationError if announced_leaf => {
                Reply::returns(false).setting(APPLICATION_ERROR)
            }
            Self::LeafErrorGoOn if announced_leaf => {
                Reply::returns(true).setting(APPLICATION_ERROR)
            }
            Self::Absent | Self::Pass | Self::LeafApplicationError | Self::LeafErrorGoOn => {
                Reply::returns(call.ok)
            }
            // Most checks take any value but 0 as "go on"; the errors of chain building hand
            // the value back, so that a negative one stops there.
            Self::Negative => Reply::returns(call.ok || !matches!(call.code, 2 | 18 | 19 | 20)),
            Self::Retry => Reply {
                retry: call.depth == 0 && take_one(retries),
                ..Reply::returns(true)
            },
            Self::RetryZero => Reply {
                retry: take_one(retries),
                ..Reply::returns(false)
            },
        }
    }
}

impl Reply {
    const fn returns(go_on: bool) -> Self {
        Self {
            go_on,
            set_code: None,
            retry: false,
        }
    }

    const fn setting(self, code: u32) -> Self {
        Self {
            set_code: Some(code),
            ..self
        }
    }
}

fn take_one(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

/// A verifier that replaces the built-in one (`SSL_CTX_set_cert_verify_callback`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the matrix names exactly these")]
pub enum Replacement {
    /// Says yes or no and, if there is one, leaves this code behind.
    Answers {
        /// What it returns.
        accepted: bool,
        /// The code that it leaves behind; 0 for none.
        code: u32,
    },
    /// Runs the built-in verification.
    BuiltIn,
}

impl Replacement {
    /// Reads the name that a row uses.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ok0" | "neg" => Self::Answers {
                accepted: false,
                code: 0,
            },
            "ok1" => Self::Answers {
                accepted: true,
                code: 0,
            },
            "err0" => Self::Answers {
                accepted: false,
                code: APPLICATION_ERROR,
            },
            "err1" => Self::Answers {
                accepted: true,
                code: APPLICATION_ERROR,
            },
            "chain" => Self::BuiltIn,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Callback};

    const GOOD_LEAF: Call = Call {
        ok: true,
        depth: 0,
        code: 0,
    };
    const EXPIRED_LEAF: Call = Call {
        ok: false,
        depth: 0,
        code: 10,
    };
    const NO_ISSUER: Call = Call {
        ok: false,
        depth: 1,
        code: 20,
    };

    #[test]
    fn a_negative_answer_stops_only_chain_building() {
        assert!(Callback::Negative.reply(GOOD_LEAF, &mut 0).go_on);
        assert!(Callback::Negative.reply(EXPIRED_LEAF, &mut 0).go_on);
        assert!(!Callback::Negative.reply(NO_ISSUER, &mut 0).go_on);
    }

    #[test]
    fn leaf_callbacks_act_only_on_a_good_leaf() {
        assert!(!Callback::LeafZero.reply(GOOD_LEAF, &mut 0).go_on);
        assert_eq!(
            Callback::LeafApplicationError
                .reply(GOOD_LEAF, &mut 0)
                .set_code,
            Some(50)
        );
        assert_eq!(
            Callback::LeafErrorGoOn.reply(EXPIRED_LEAF, &mut 0).set_code,
            None
        );
        assert!(!Callback::LeafErrorGoOn.reply(EXPIRED_LEAF, &mut 0).go_on);
    }

    #[test]
    fn retries_run_out() {
        let mut left = 1;
        assert!(Callback::Retry.reply(GOOD_LEAF, &mut left).retry);
        assert!(!Callback::Retry.reply(GOOD_LEAF, &mut left).retry);
    }
}
