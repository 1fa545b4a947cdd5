//! A program that calls another one, as the wallets of groups and marketplaces do: what a call says is passed on, and
//! one address of the relay's own signs besides.

use anchor_lang::prelude::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_instruction_error::InstructionError;
use solana_program_runtime::declare_process_instruction;

use crate::world::{World, keypair};

/// Seed of the relay's address that signs.
const VAULT: &[u8] = b"vault";

/// The relay's own address.
pub fn id() -> Address {
    use solana_signer::Signer;
    keypair("relay").pubkey()
}

/// The address that the relay signs for.
pub fn vault() -> Address {
    Address::find_program_address(&[VAULT], &id()).0
}

/// Makes the relay known to a chain.
pub fn add_to(world: &mut World) {
    world.svm.add_builtin(id(), Entrypoint::vm);
}

/// The call of the relay that has it make this call. Where it names the [`vault`] as a signer, the relay signs for it.
pub fn through(inner: &Instruction) -> Instruction {
    let vault = vault();
    let unsigned =
        |meta: &AccountMeta| AccountMeta { is_signer: meta.is_signer && meta.pubkey != vault, ..meta.clone() };
    let mut accounts: Vec<_> = inner.accounts.iter().map(unsigned).collect();
    accounts.push(AccountMeta::new_readonly(inner.program_id, false));
    // Which of the accounts is the vault's signature, so that the callee sees what it would see without the relay.
    let signs = |meta: &AccountMeta| u8::from(meta.is_signer && meta.pubkey == vault);
    let mut data = vec![u8::try_from(inner.accounts.len()).expect("few accounts")];
    data.extend(inner.accounts.iter().map(signs));
    data.extend_from_slice(&inner.data);
    Instruction { program_id: id(), accounts, data }
}

declare_process_instruction!(Entrypoint, 100, |invoke_context| {
    let context = invoke_context.transaction_context.get_current_instruction_context()?;
    let data = context.get_instruction_data();
    let (count, rest) = data.split_first().ok_or(InstructionError::InvalidInstructionData)?;
    let (signs, data) = rest.split_at_checked(usize::from(*count)).ok_or(InstructionError::InvalidInstructionData)?;
    let mut accounts = Vec::new();
    for (index, sign) in (0u16..).zip(signs) {
        accounts.push(AccountMeta {
            pubkey: *context.get_key_of_instruction_account(index)?,
            is_signer: context.is_instruction_account_signer(index)? || *sign == 1,
            is_writable: context.is_instruction_account_writable(index)?,
        });
    }
    let program_id = *context.get_key_of_instruction_account(u16::from(*count))?;
    let inner = Instruction { program_id, accounts, data: data.to_vec() };
    invoke_context.native_invoke(inner, &[vault()])
});
