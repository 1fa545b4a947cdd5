//! SPL Token mints and accounts, written straight into the chain, and money that is either SOL or such a token.

use anchor_lang::prelude::Address;
use provena_registry::{TOKEN_PROGRAM, pda};
use provena_royalty::NATIVE_MINT;
use solana_account::Account;
use solana_signer::Signer;

use crate::world::{World, keypair};

const MINT_LEN: usize = 82;
const TOKEN_ACCOUNT_LEN: usize = 165;

/// Something to pay with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    Sol,
    /// The token of this mint.
    Token(Address),
}

impl Money {
    /// A fresh token whose mint's address derives from `name`.
    pub fn token(world: &mut World, name: &str) -> Self {
        let mint = keypair(name).pubkey();
        put_mint(world, &mint, &TOKEN_PROGRAM, 6);
        Self::Token(mint)
    }

    /// The mint, as the programs name it.
    pub fn mint(self) -> Address {
        match self {
            Self::Sol => NATIVE_MINT,
            Self::Token(mint) => mint,
        }
    }

    /// Whether this is a token.
    pub fn is_token(self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Where a wallet keeps this money: the wallet itself, or its associated token account.
    pub fn account_of(self, wallet: &Address) -> Address {
        match self {
            Self::Sol => *wallet,
            Self::Token(mint) => pda::token_account(wallet, &mint).0,
        }
    }

    /// What a wallet has of it.
    pub fn balance(self, world: &World, wallet: &Address) -> u64 {
        match self {
            Self::Sol => world.lamports(wallet),
            Self::Token(_) => token_balance(world, &self.account_of(wallet)),
        }
    }

    /// Makes sure that a wallet can hold it, and adds `amount`.
    pub fn give(self, world: &mut World, wallet: &Address, amount: u64) {
        match self {
            Self::Sol => world.add_lamports(wallet, amount),
            Self::Token(mint) => {
                let address = self.account_of(wallet);
                let balance = world.account(&address).map_or(0, |_| token_balance(world, &address));
                let total = balance.checked_add(amount).expect("the balance fits 64 bits");
                put_token_account(world, &address, &mint, wallet, total);
            }
        }
    }
}

/// Writes a mint with unlimited authority of nobody in particular.
pub fn put_mint(world: &mut World, mint: &Address, program: &Address, decimals: u8) {
    let mut data = vec![0; MINT_LEN];
    data[36..44].copy_from_slice(&u64::MAX.to_le_bytes());
    data[44] = decimals;
    data[45] = 1;
    put(world, mint, program, data);
}

/// Writes a token account of the SPL Token program.
pub fn put_token_account(world: &mut World, address: &Address, mint: &Address, owner: &Address, amount: u64) {
    let mut data = vec![0; TOKEN_ACCOUNT_LEN];
    data[..32].copy_from_slice(mint.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[64..72].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1;
    put(world, address, &TOKEN_PROGRAM, data);
}

/// The amount in a token account.
#[track_caller]
pub fn token_balance(world: &World, address: &Address) -> u64 {
    let account = world.account(address).unwrap_or_else(|| panic!("token account {address} does not exist"));
    let bytes = account.data[64..72].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}

/// Moves tokens into an account from nowhere, as a donation would.
pub fn donate_tokens(world: &mut World, address: &Address, amount: u64) {
    let mut account = world.account(address).unwrap_or_else(|| panic!("token account {address} does not exist"));
    let total = token_balance(world, address).checked_add(amount).expect("the balance fits 64 bits");
    account.data[64..72].copy_from_slice(&total.to_le_bytes());
    world.svm.set_account(*address, account).expect("the account is sound");
}

fn put(world: &mut World, address: &Address, owner: &Address, data: Vec<u8>) {
    let lamports = world.svm.minimum_balance_for_rent_exemption(data.len());
    let account = Account { lamports, data, owner: *owner, executable: false, rent_epoch: u64::MAX };
    world.svm.set_account(*address, account).expect("the account is sound");
}
