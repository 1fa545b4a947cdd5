//! How much one transaction holds, and many instructions in as few transactions as it takes.

use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::chain::{Budget, Chain, ChainError, Confirmed, message::compile, send_and_confirm};

/// Whether one transaction paid by `payer` holds all of `instructions`, a priority fee included, without lookup tables.
#[must_use]
pub fn fits(instructions: &[Instruction], payer: &Pubkey) -> bool {
    fits_with(instructions, payer, &[])
}

/// As [`fits`], with lookup tables that may help.
pub(crate) fn fits_with(instructions: &[Instruction], payer: &Pubkey, tables: &[AddressLookupTableAccount]) -> bool {
    let budget = Budget { micro_lamports_per_unit: 1, ..Budget::default() };
    compile(&budget.around(instructions), payer, tables, Hash::default()).is_ok()
}

/// The most of `items` that one transaction holds, taken from the front, as the instruction `build` makes of them; at least
/// one when there are any.
pub(crate) fn prefix<'a, T>(items: &'a [T], payer: &Pubkey, build: impl Fn(&[T]) -> Instruction) -> &'a [T] {
    let most = (1..=items.len()).take_while(|count| fits(&[build(&items[..*count])], payer)).last();
    &items[..most.unwrap_or(items.len().min(1))]
}

/// Sends `groups` in order, as many in one transaction as it holds; the instructions of a group stay together. The first
/// signer pays. Returns one transaction for each group, and whoever shares one has the same.
///
/// # Errors
/// The first failure. What was sent before stays done.
pub(crate) async fn send_all(
    chain: &dyn Chain,
    groups: &[Vec<Instruction>],
    signers: &[&Keypair],
) -> Result<Vec<Confirmed>, ChainError> {
    let payer = signers.first().map(|payer| payer.pubkey()).unwrap_or_default();
    let mut sent = Vec::new();
    let mut rest = groups;
    while !rest.is_empty() {
        let together = |count: usize| rest[..count].concat();
        let count = (1..=rest.len()).take_while(|count| fits(&together(*count), &payer)).last().unwrap_or(1);
        let confirmed = send_and_confirm(chain, &together(count), signers).await?;
        sent.extend(std::iter::repeat_n(confirmed, count));
        rest = &rest[count..];
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_instruction::AccountMeta;

    fn instruction(accounts: usize, data: usize) -> Instruction {
        let accounts = (0..accounts).map(|_| AccountMeta::new(Pubkey::new_unique(), false)).collect();
        Instruction { program_id: Pubkey::new_from_array([7; 32]), accounts, data: vec![0; data] }
    }

    #[test]
    fn a_transaction_holds_1_232_bytes() {
        let payer = Pubkey::new_from_array([1; 32]);
        // 1 + 64 signature, 1 version, 3 header, 1 + 3 * 32 keys, 32 blockhash, 1 for the number of instructions, 8 and 12 for
        // limit and price, 1 + 1 + 2 + data, 1 for no tables.
        assert!(fits(&[instruction(0, 1_232 - 224)], &payer));
        assert!(!fits(&[instruction(0, 1_232 - 223)], &payer));
        assert!(!fits(&[instruction(40, 0)], &payer));
    }

    #[test]
    fn a_prefix_is_as_long_as_fits_and_never_empty() {
        let payer = Pubkey::new_from_array([1; 32]);
        let build = |items: &[usize]| instruction(items.len(), 0);
        let items: Vec<usize> = (0..100).collect();
        let prefix = prefix(&items, &payer, build);
        assert!(fits(&[build(prefix)], &payer) && !fits(&[build(&items[..=prefix.len()])], &payer));
        assert_eq!(super::prefix(&items[..2], &payer, |_| instruction(0, 9_999)).len(), 1);
        assert!(super::prefix(&items[..0], &payer, build).is_empty());
    }
}
