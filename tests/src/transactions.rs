//! How long transactions are on the wire, which the test chain does not look at, and transactions that use a lookup
//! table.

use anchor_lang::prelude::Address;
use litesvm::types::TransactionMetadata;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, Hash, Message, VersionedMessage, v0};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use crate::world::World;

/// The program that keeps lookup tables.
const LOOKUP_TABLE_PROGRAM: Address = Address::from_str_const("AddressLookupTab1e1111111111111111111111111");
/// Where every lookup table here is.
const TABLE: Address = Address::new_from_array([1; 32]);

/// Bytes that a transaction may have: what a network packet is sure to hold.
pub const MAX_TRANSACTION_LEN: usize = 1_232;

const SIGNATURE_LEN: usize = 64;

const COMPUTE_BUDGET_PROGRAM: Address = Address::from_str_const("ComputeBudget111111111111111111111111111111");

/// The compute budget program's `SetComputeUnitLimit`.
pub fn compute_unit_limit(units: u32) -> Instruction {
    let data = [&[2][..], &units.to_le_bytes()].concat();
    Instruction::new_with_bytes(COMPUTE_BUDGET_PROGRAM, &data, Vec::new())
}

/// The compute budget program's `SetComputeUnitPrice`, in millionths of a lamport.
pub fn compute_unit_price(price: u64) -> Instruction {
    let data = [&[3][..], &price.to_le_bytes()].concat();
    Instruction::new_with_bytes(COMPUTE_BUDGET_PROGRAM, &data, Vec::new())
}

/// Bytes of a transaction of these instructions, with a message of the plain kind. The first signer pays the fee.
///
/// # Panics
///
/// When there is no signer, or more than 127.
pub fn transaction_len(instructions: &[Instruction], signers: &[&Keypair]) -> usize {
    let message = Message::new(instructions, Some(&payer(signers)));
    with_signatures(message.header.num_required_signatures, message.serialize().len())
}

/// Bytes of the same with a message of version 0 and one lookup table that holds `table`.
///
/// # Panics
///
/// When there is no signer, or more than 127, or too many accounts.
pub fn v0_transaction_len(instructions: &[Instruction], signers: &[&Keypair], table: &[Address]) -> usize {
    let message = v0_message(instructions, signers, table, Hash::default());
    with_signatures(message.header.num_required_signatures, message.serialize().len())
}

/// Sends such a transaction, which must fit and succeed.
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn accept_v0(
    world: &mut World,
    instructions: &[Instruction],
    signers: &[&Keypair],
    table: &[Address],
) -> TransactionMetadata {
    let len = v0_transaction_len(instructions, signers, table);
    assert!(len <= MAX_TRANSACTION_LEN, "{len} bytes");
    put_table(world, table);
    world.svm.expire_blockhash();
    let message = v0_message(instructions, signers, table, world.svm.latest_blockhash());
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), signers);
    let outcome = world.svm.send_transaction(transaction.expect("all signers are there"));
    outcome.unwrap_or_else(|failed| panic!("refused with {:?}\n{}", failed.err, failed.meta.logs.join("\n")))
}

/// Writes a lookup table that was filled long ago and stays.
fn put_table(world: &mut World, addresses: &[Address]) {
    let mut data = vec![0; 56];
    data[0] = 1;
    data[4..12].copy_from_slice(&u64::MAX.to_le_bytes());
    data.extend(addresses.iter().flat_map(|address| address.to_bytes()));
    let lamports = world.svm.minimum_balance_for_rent_exemption(data.len());
    let account = Account { lamports, data, owner: LOOKUP_TABLE_PROGRAM, executable: false, rent_epoch: u64::MAX };
    world.svm.set_account(TABLE, account).expect("the account is sound");
    // Entries can be used one slot after they were added.
    world.pass_slots(1);
}

fn v0_message(instructions: &[Instruction], signers: &[&Keypair], table: &[Address], block: Hash) -> v0::Message {
    let table = AddressLookupTableAccount { key: TABLE, addresses: table.to_vec() };
    let message = v0::Message::try_compile(&payer(signers), instructions, &[table], block);
    message.expect("the accounts are few enough")
}

fn payer(signers: &[&Keypair]) -> Address {
    signers.first().expect("somebody pays the fee").pubkey()
}

/// The number of signatures in one byte, the signatures, and the message.
fn with_signatures(count: u8, message_len: usize) -> usize {
    assert!(count < 128, "more signatures need more than one byte for their number");
    1 + usize::from(count) * SIGNATURE_LEN + message_len
}

#[cfg(test)]
mod tests {
    use solana_instruction::AccountMeta;

    use super::*;
    use crate::world::keypair;

    /// Counted by hand: 1 + 2*64 for signatures; 3 of header; 1 + 4*32 of accounts (two signers, one other, the
    /// program); 32 of a block's hash; 1 + (1 + 1+2 + 1+10) of the instruction.
    #[test]
    fn lengths_are_those_on_the_wire() {
        let (payer, other) = (keypair("payer"), keypair("other"));
        let metas = [AccountMeta::new(other.pubkey(), true), AccountMeta::new(keypair("read").pubkey(), false)];
        let program = keypair("program").pubkey();
        let instruction = Instruction::new_with_bytes(program, &[7; 10], metas.to_vec());
        let len = transaction_len(std::slice::from_ref(&instruction), &[&payer, &other]);
        assert_eq!(len, 129 + 3 + 129 + 32 + 16);
        // A version byte; one account less; the number of tables, a table's address, and its two lists of one and no
        // entries.
        let v0 = v0_transaction_len(&[instruction], &[&payer, &other], &[keypair("read").pubkey()]);
        assert_eq!(v0, len + 1 - 32 + 1 + 32 + 1 + 1 + 1);
    }
}
