//! What would happen: transactions tried on a copy of a chain, on which nothing stays and nobody's signature is checked.

use anchor_lang::prelude::Address;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_message::{Message, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

use crate::world::World;

/// The copy. Who is named as a signer counts as one.
pub struct Trial {
    svm: LiteSVM,
    fee_payer: Address,
}

impl Trial {
    /// A copy of the world as it is.
    pub fn of(world: &World) -> Self {
        Self { svm: world.svm.clone().with_sigverify(false), fee_payer: world.fee_payer() }
    }

    /// The account at an address, if it holds anything.
    pub fn account(&self, address: &Address) -> Option<Account> {
        self.svm.get_account(address).filter(|account| account.lamports > 0)
    }

    /// Whether there is anything at an address.
    pub fn holds(&self, address: &Address) -> bool {
        self.svm.get_balance(address).is_some_and(|lamports| lamports > 0)
    }

    /// Puts an account to an address, or nothing at all.
    ///
    /// # Panics
    ///
    /// When it is a program that does not load, or a broken account of the chain's own.
    pub fn put(&mut self, address: &Address, account: Option<Account>) {
        self.svm.set_account(*address, account.unwrap_or_default()).expect("the account is sound");
    }

    /// What the chain is sent.
    pub fn message(&self, instructions: &[Instruction]) -> Message {
        Message::new_with_blockhash(instructions, Some(&self.fee_payer), &self.svm.latest_blockhash())
    }

    /// How a transaction would end.
    ///
    /// # Errors
    ///
    /// The chain's, when it would be refused.
    pub fn outcome(&self, message: Message) -> Result<(), TransactionError> {
        let signatures = vec![Default::default(); usize::from(message.header.num_required_signatures)];
        let transaction = VersionedTransaction { signatures, message: VersionedMessage::Legacy(message) };
        self.svm.simulate_transaction(transaction).map(|_| ()).map_err(|failed| failed.err)
    }
}
