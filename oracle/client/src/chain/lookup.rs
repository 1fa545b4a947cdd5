//! Address lookup tables: accounts that hold addresses, so that a transaction names each in one byte instead of 32.

use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;

use super::{AccountFilter, ChainError, ChainReader};

/// The program that owns lookup tables.
pub const LOOKUP_TABLE_PROGRAM: Pubkey = solana_pubkey::pubkey!("AddressLookupTab1e1111111111111111111111111");

/// Bytes before the addresses.
const HEADER_LEN: usize = 56;
/// The kind of account that holds addresses, in its first four bytes.
const LOOKUP_TABLE: u32 = 1;
/// The slot in which a table in use was deactivated.
const NEVER: u64 = u64::MAX;
/// Where a table says who may extend and close it.
const AUTHORITY: usize = 21;
/// Addresses that one instruction adds to a table within a packet.
const EXTEND_BY: usize = 20;

/// Reads a table.
///
/// # Errors
/// [`ChainError::Missing`], [`ChainError::Malformed`] for another kind of account or a table that was deactivated, or a
/// failure to read.
pub async fn fetch<C: ChainReader + ?Sized>(
    chain: &C,
    address: &Pubkey,
) -> Result<AddressLookupTableAccount, ChainError> {
    let account = chain.account(address).await?;
    decode(address, &account.ok_or(ChainError::Missing { what: "lookup table", address: *address })?)
}

/// The tables in use that `authority` made, for example a deployment's common one; tables of others are not asked for.
///
/// # Errors
/// A failure to read: not every server lists accounts of this program.
pub async fn made_by<C: ChainReader + ?Sized>(
    chain: &C,
    authority: &Pubkey,
) -> Result<Vec<AddressLookupTableAccount>, ChainError> {
    // One byte says that there is an authority.
    let filter = AccountFilter { len: None, bytes: vec![(AUTHORITY, [&[1], authority.as_ref()].concat())] };
    let listed = chain.program_accounts(&LOOKUP_TABLE_PROGRAM, &filter).await?;
    Ok(listed.iter().filter_map(|(address, account)| decode(address, account).ok()).collect())
}

fn decode(address: &Pubkey, account: &Account) -> Result<AddressLookupTableAccount, ChainError> {
    let malformed =
        |reason: &str| ChainError::Malformed { what: "lookup table", address: *address, reason: reason.to_owned() };
    if account.owner != LOOKUP_TABLE_PROGRAM {
        return Err(malformed("another program owns it"));
    }
    let data = account.data.as_slice();
    let kind = data.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    let deactivated = data.get(4..).and_then(<[u8]>::first_chunk::<8>).map(|bytes| u64::from_le_bytes(*bytes));
    let (addresses, rest) = data.get(HEADER_LEN..).ok_or_else(|| malformed("it is too short"))?.as_chunks::<32>();
    match (kind, deactivated) {
        (Some(LOOKUP_TABLE), Some(NEVER)) if rest.is_empty() => {
            let addresses = addresses.iter().copied().map(Pubkey::new_from_array).collect();
            Ok(AddressLookupTableAccount { key: *address, addresses })
        }
        (Some(LOOKUP_TABLE), Some(NEVER)) => Err(malformed("its addresses are cut off")),
        (Some(LOOKUP_TABLE), _) => Err(malformed("it was deactivated")),
        _ => Err(malformed("it holds no table")),
    }
}

/// What a deployment's common table holds: the addresses that are the same for all users of the programs, and the `mints`
/// that are allowed.
#[must_use]
pub fn common(mints: &[Pubkey]) -> Vec<Pubkey> {
    let fixed = [
        Pubkey::default(),
        provena_royalty::ID,
        provena_registry::ID,
        provena_market::ID,
        provena_royalty::pda::admin().0,
        provena_registry::pda::admin().0,
        provena_market::pda::admin().0,
        provena_royalty::TOKEN_METADATA_PROGRAM,
        provena_royalty::INSTRUCTIONS_SYSVAR,
        provena_registry::ASSOCIATED_TOKEN_PROGRAM,
        provena_common::token::TOKEN_PROGRAM,
        provena_common::token::TOKEN_2022_PROGRAM,
    ];
    fixed.into_iter().chain(mints.iter().copied()).collect()
}

/// The instructions, one transaction each, that make a table of `addresses` which nobody but `authority` can extend or close,
/// and its address. `authority` signs and pays; `slot` is a slot of the last 150. A table serves from the slot after the last
/// of them on.
#[must_use]
pub fn create(authority: &Pubkey, slot: u64, addresses: &[Pubkey]) -> (Vec<Instruction>, Pubkey) {
    let seeds = [authority.as_ref(), &slot.to_le_bytes()];
    let (table, bump) = Pubkey::find_program_address(&seeds, &LOOKUP_TABLE_PROGRAM);
    let accounts = vec![
        AccountMeta::new(table, false),
        AccountMeta::new_readonly(*authority, true),
        AccountMeta::new(*authority, true),
        AccountMeta::new_readonly(Pubkey::default(), false),
    ];
    let instruction = |data| Instruction { program_id: LOOKUP_TABLE_PROGRAM, accounts: accounts.clone(), data };
    let create = [&0u32.to_le_bytes()[..], &slot.to_le_bytes(), &[bump]].concat();
    let extend = addresses.chunks(EXTEND_BY).map(|part| {
        let count = u64::try_from(part.len()).unwrap_or_default();
        let bytes: Vec<u8> = part.iter().flat_map(|address| address.to_bytes()).collect();
        [&2u32.to_le_bytes()[..], &count.to_le_bytes(), &bytes].concat()
    });
    (std::iter::once(create).chain(extend).map(instruction).collect(), table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Pubkey = Pubkey::new_from_array([3; 32]);

    fn table(addresses: &[u8]) -> Account {
        let mut data = vec![0; HEADER_LEN];
        data[..4].copy_from_slice(&1u32.to_le_bytes());
        data[4..12].copy_from_slice(&[0xff; 8]);
        data.extend(addresses.iter().flat_map(|byte| [*byte; 32]));
        Account { lamports: 1, data, owner: LOOKUP_TABLE_PROGRAM, executable: false, rent_epoch: 0 }
    }

    #[test]
    fn a_table_holds_addresses_behind_56_bytes() {
        let read = decode(&ADDRESS, &table(&[4, 5])).unwrap();
        assert_eq!(read.addresses, [4, 5].map(|byte| Pubkey::new_from_array([byte; 32])));
        assert_eq!(read.key, ADDRESS);
        assert!(decode(&ADDRESS, &table(&[])).unwrap().addresses.is_empty());
    }

    #[test]
    fn what_is_no_table_in_use_is_refused() {
        let refused = |spoil: &dyn Fn(&mut Account)| {
            let mut account = table(&[4]);
            spoil(&mut account);
            decode(&ADDRESS, &account).unwrap_err().to_string()
        };
        assert!(refused(&|account| account.owner = Pubkey::default()).ends_with("another program owns it"));
        assert!(refused(&|account| account.data[0] = 0).ends_with("it holds no table"));
        assert!(refused(&|account| account.data[4] = 0).ends_with("it was deactivated"));
        assert!(refused(&|account| account.data.truncate(87)).ends_with("its addresses are cut off"));
        assert!(refused(&|account| account.data.truncate(55)).ends_with("it is too short"));
    }

    #[test]
    fn the_common_table_names_nothing_twice() {
        let mut common = common(&[ADDRESS]);
        let count = common.len();
        common.sort_unstable();
        common.dedup();
        assert_eq!(common.len(), count);
    }
}
