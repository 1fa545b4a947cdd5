//! Substitutions that are accepted, each with the reason why nobody can gain by it.

use super::kinds::Kind;

/// Wrong accounts that an instruction accepts.
pub struct Allowed {
    /// The call; with `*` at its end every call that begins so.
    pub call: &'static str,
    pub account: &'static str,
    pub kinds: &'static [Kind],
    pub reason: &'static str,
}

impl Allowed {
    /// Whether this is about an account of a call.
    pub fn covers(&self, call: &str, account: &str) -> bool {
        let named = match self.call.strip_suffix('*') {
            Some(beginning) => call.starts_with(beginning),
            None => call == self.call,
        };
        named && account == self.account
    }
}

/// All of them.
pub const ALLOWED: &[Allowed] = &[];
