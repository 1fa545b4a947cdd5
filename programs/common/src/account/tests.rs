//! Accounts as the runtime passes them, built by hand.

use std::vec::Vec;

use anchor_lang::pinocchio::account::{NOT_BORROWED, RuntimeAccount};

use super::*;

anchor_lang::declare_id!("5gKboBXosoqHHjNaukp6kWPxXiR4W9B4PgR3e7JvfjUQ");

const HEAD: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
struct Thing {
    number: u64,
    version: u8,
    padding: [u8; 7],
}

impl Owner for Thing {
    const OWNER: Address = ID;
}

impl Discriminator for Thing {
    const DISCRIMINATOR: &'static [u8] = &HEAD;
}

crate::layout!(Thing, 3);

/// An account in memory: the runtime's header, then the data, at an address divisible by eight.
struct Memory(Vec<u64>);

impl Memory {
    fn new(owner: Address, data: &[u8]) -> Self {
        let mut words = std::vec![0u64; size_of::<RuntimeAccount>() / 8 + data.len().div_ceil(8)];
        let header = RuntimeAccount {
            borrow_state: NOT_BORROWED,
            is_writable: 1,
            owner,
            lamports: 5,
            data_len: data.len() as u64,
            ..Default::default()
        };
        // SAFETY: the vector has room for a header and the data, and is aligned for both.
        unsafe {
            let start = words.as_mut_ptr().cast::<RuntimeAccount>();
            start.write(header);
            start.add(1).cast::<u8>().copy_from_nonoverlapping(data.as_ptr(), data.len());
        }
        Self(words)
    }

    fn view(&mut self) -> AccountView {
        // SAFETY: the memory holds an account and outlives every use in a test.
        unsafe { AccountView::new_unchecked(self.0.as_mut_ptr().cast()) }
    }
}

fn thing(version: u8) -> Thing {
    Thing { number: 77, version, padding: [0; 7] }
}

fn items(count: u32, values: &[u64]) -> Vec<u8> {
    let mut data = encode(&thing(3));
    data.extend(count.to_le_bytes());
    data.extend([0; 4]);
    data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    data
}

fn plain(owner: Address, data: &[u8]) -> Result<u64> {
    let mut memory = Memory::new(owner, data);
    let view = memory.view();
    let read = State::<Thing>::load(view)?.number;
    // SAFETY: nothing else refers to the account.
    let written = unsafe { State::<Thing>::load_mut(view) }?.number;
    assert_eq!(read, written);
    Ok(read)
}

fn with_items(data: &[u8]) -> Result<Vec<u64>> {
    let mut memory = Memory::new(ID, data);
    let state = State::<Thing, u64>::load(memory.view())?;
    Ok(state.as_slice().to_vec())
}

fn code<T>(error: CommonError) -> Result<T> {
    Err(error.into())
}

#[test]
fn a_sound_account_loads() {
    let data = encode(&thing(3));
    assert_eq!((data.len(), <State<Thing>>::space(0)), (24, 24));
    assert_eq!(plain(ID, &data), Ok(77));
    assert_eq!(decode::<Thing>(&data), Ok(thing(3)));
}

#[test]
fn l4_another_version_or_length_is_refused_on_loading() {
    let sound = encode(&thing(3));
    for version in [0, 2, 4] {
        let data = encode(&thing(version));
        assert_eq!(plain(ID, &data), code(CommonError::StateVersion));
        assert_eq!(decode::<Thing>(&data), code(CommonError::StateVersion));
    }
    let longer = [&sound[..], &[0]].concat();
    assert_eq!(plain(ID, &longer), code(CommonError::AccountLength));
    assert_eq!(decode::<Thing>(&longer), code(CommonError::AccountLength));
    assert_eq!(plain(ID, &sound[..23]), Err(ProgramError::AccountDataTooSmall));
    assert_eq!(decode::<Thing>(&sound[..23]), code(CommonError::AccountLength));
}

#[test]
fn another_owner_or_kind_is_refused() {
    let mut data = encode(&thing(3));
    assert_eq!(plain(Address::new_from_array([9; 32]), &data), Err(ProgramError::IllegalOwner));
    data[0] = 0;
    assert_eq!(plain(ID, &data), Err(ProgramError::InvalidAccountData));
    assert_eq!(decode::<Thing>(&data), Err(ProgramError::InvalidAccountData));
}

#[test]
fn an_account_has_room_for_exactly_its_items() {
    assert_eq!(State::<Thing, u64>::space(2), 48);
    assert_eq!(with_items(&items(2, &[5, 6])), Ok(std::vec![5, 6]));
    assert_eq!(with_items(&items(0, &[])), Ok(Vec::new()));
    assert_eq!(decode_with_items(&items(2, &[5, 6])), Ok((thing(3), std::vec![5u64, 6])));
    // Room for one more than it has, for less, and a count that could not be multiplied.
    assert_eq!(with_items(&items(1, &[5, 6])), code(CommonError::AccountLength));
    assert_eq!(with_items(&items(3, &[5, 6])), Err(ProgramError::InvalidAccountData));
    assert_eq!(decode_with_items::<Thing, u64>(&items(1, &[5, 6])), code(CommonError::AccountLength));
    assert_eq!(decode_with_items::<Thing, u64>(&items(u32::MAX, &[5])), code(CommonError::AccountLength));
}

#[test]
fn closing_moves_every_lamport_and_leaves_nothing_to_load() {
    let (mut memory, mut other) = (Memory::new(ID, &encode(&thing(3))), Memory::new(ID, &[]));
    let (account, to) = (memory.view(), other.view());
    assert_eq!(close(&account, &account), code(CommonError::WrongAccount));
    // Two accounts of the same address are one; these get different addresses.
    other.0[1] = 1;
    assert_eq!(close(&account, &to).map(|amount| amount.0), Ok(5));
    assert_eq!((account.lamports(), to.lamports(), account.data_len()), (0, 10, 0));
    assert!(account.owned_by(&System::id()));
    assert!(State::<Thing>::load(account).is_err());
}
