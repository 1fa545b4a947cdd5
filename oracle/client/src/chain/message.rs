//! Messages of version 0: compiled, measured, and refused before they are sent when a packet would not hold them.

use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_pubkey::Pubkey;

use super::ChainError;

/// Bytes that a transaction may have: what a network packet is sure to hold.
pub const MOST_BYTES: usize = 1_232;

/// Accounts that a transaction may name, those in lookup tables included.
pub const MOST_ACCOUNTS: usize = 64;

/// Bytes of a signature.
const SIGNATURE_LEN: usize = 64;

/// The message of `instructions` that `payer` pays for. Lookup tables are used only where the transaction would be too long
/// without: each costs 34 bytes, and reading it.
///
/// # Errors
/// [`ChainError::TooLong`] when the transaction would be too long all the same, [`ChainError::Build`] when it names too many
/// accounts.
pub fn compile(
    instructions: &[Instruction],
    payer: &Pubkey,
    tables: &[AddressLookupTableAccount],
    hash: Hash,
) -> Result<VersionedMessage, ChainError> {
    let plain = compile_with(instructions, payer, &[], hash)?;
    let message = if transaction_len(&plain) > MOST_BYTES && !tables.is_empty() {
        compile_with(instructions, payer, tables, hash)?
    } else {
        plain
    };
    let accounts = account_count(&message);
    if accounts > MOST_ACCOUNTS {
        return Err(ChainError::Build(format!("it names {accounts} accounts, more than {MOST_ACCOUNTS}")));
    }
    match transaction_len(&message) {
        bytes if bytes > MOST_BYTES => Err(ChainError::TooLong { bytes, most: MOST_BYTES, tables: tables.len() }),
        _ => Ok(message),
    }
}

fn compile_with(
    instructions: &[Instruction],
    payer: &Pubkey,
    tables: &[AddressLookupTableAccount],
    hash: Hash,
) -> Result<VersionedMessage, ChainError> {
    let message = v0::Message::try_compile(payer, instructions, tables, hash);
    message.map(VersionedMessage::V0).map_err(|error| ChainError::Build(error.to_string()))
}

/// Bytes of the transaction of this message on the wire, with all its signatures.
#[must_use]
pub fn transaction_len(message: &VersionedMessage) -> usize {
    // The number of signatures takes one byte: 128 of them would not fit into a packet.
    1 + usize::from(message.header().num_required_signatures) * SIGNATURE_LEN + message.serialize().len()
}

/// The accounts that a message names, those in lookup tables included.
fn account_count(message: &VersionedMessage) -> usize {
    let lookups = message.address_table_lookups().unwrap_or_default();
    let looked_up = lookups.iter().map(|lookup| lookup.writable_indexes.len() + lookup.readonly_indexes.len());
    message.static_account_keys().len() + looked_up.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_instruction::AccountMeta;

    const PAYER: Pubkey = Pubkey::new_from_array([1; 32]);

    fn account(n: usize) -> Pubkey {
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        Pubkey::new_from_array(bytes)
    }

    fn instruction(accounts: usize, data: usize) -> Instruction {
        let accounts = (0..accounts).map(|n| AccountMeta::new(account(n), false)).collect();
        Instruction { program_id: Pubkey::new_from_array([7; 32]), accounts, data: vec![0; data] }
    }

    fn table(count: usize) -> AddressLookupTableAccount {
        AddressLookupTableAccount { key: Pubkey::new_from_array([5; 32]), addresses: (0..count).map(account).collect() }
    }

    /// Counted by hand: 1 + 64 of a signature; 1 of a version; 3 of a header; 1 + 2 * 32 of accounts; 32 of a block's hash;
    /// 1 + (1 + 1 + 2 + data) of the instruction; 1 of no tables.
    #[test]
    fn a_transaction_of_1_232_bytes_passes_and_one_more_does_not() {
        let fits = compile(&[instruction(0, 1_232 - 172)], &PAYER, &[], Hash::default()).unwrap();
        assert_eq!(transaction_len(&fits), 1_232);
        let error = compile(&[instruction(0, 1_233 - 172)], &PAYER, &[], Hash::default()).unwrap_err();
        assert!(matches!(error, ChainError::TooLong { bytes: 1_233, most: 1_232, tables: 0 }), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("1233 bytes") && words.contains("1232"), "{words}");
    }

    #[test]
    fn tables_are_used_only_where_they_are_needed() {
        let short = compile(&[instruction(5, 0)], &PAYER, &[table(50)], Hash::default()).unwrap();
        assert_eq!(short.address_table_lookups(), Some(&[][..]));
        let long = compile(&[instruction(40, 0)], &PAYER, &[table(50)], Hash::default()).unwrap();
        // As above, with 40 indices twice, and a table's address and its two lists, the second empty.
        assert_eq!(transaction_len(&long), 1 + 64 + 1 + 3 + 65 + 32 + 1 + (1 + 1 + 40 + 1) + 1 + (32 + 1 + 40 + 1));
        assert_eq!(long.static_account_keys(), [PAYER, Pubkey::new_from_array([7; 32])]);
    }

    #[test]
    fn a_table_that_does_not_help_is_named_in_the_refusal() {
        let error = compile(&[instruction(40, 0)], &PAYER, &[table(1)], Hash::default()).unwrap_err();
        assert!(matches!(error, ChainError::TooLong { tables: 1, .. }), "{error:?}");
        let error = compile(&[instruction(70, 0)], &PAYER, &[table(70)], Hash::default()).unwrap_err();
        assert_eq!(error.to_string(), "the transaction cannot be built: it names 72 accounts, more than 64");
    }
}
