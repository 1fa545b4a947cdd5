//! What holders of shares are called on this machine.

use solana_pubkey::Pubkey;
use solana_signer::Signer as _;

use crate::context::Context;

/// The wallet, which is "you", and the names of the address book.
pub(crate) struct Names<'a> {
    you: Option<Pubkey>,
    context: &'a Context<'a>,
}

impl<'a> Names<'a> {
    /// Whoever has no wallet is nobody here.
    pub(crate) fn of(context: &'a Context<'a>) -> Self {
        Self { you: context.wallet().ok().map(|wallet| wallet.pubkey()), context }
    }

    /// With its @, or "you".
    pub(crate) fn name(&self, address: &Pubkey) -> Option<String> {
        if self.you == Some(*address) {
            return Some("you".into());
        }
        self.context.book.of(address).ok().flatten().map(|entry| format!("@{}", entry.name))
    }
}
