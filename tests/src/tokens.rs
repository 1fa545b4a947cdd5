//! Mints and accounts of both token programs, written straight into the chain, and money that is either SOL or such a token.

use anchor_lang::prelude::Address;
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use provena_royalty::client::Currency;
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use crate::world::{World, keypair};

mod extension;

pub use extension::{Extension, TransferFee};

const MINT_LEN: usize = 82;
const TOKEN_ACCOUNT_LEN: usize = 165;
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;

/// Something to pay with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    Sol,
    /// The SPL token of this mint.
    Token(Address),
    /// The Token-2022 token of this mint.
    Token2022(Address),
}

impl Money {
    /// A fresh SPL token whose mint's address derives from `name`.
    pub fn token(world: &mut World, name: &str) -> Self {
        let mint = keypair(name).pubkey();
        put_mint(world, &mint, &TOKEN_PROGRAM, 6);
        Self::Token(mint)
    }

    /// A fresh Token-2022 token with these extensions.
    pub fn token_2022(world: &mut World, name: &str, extensions: &[Extension]) -> Self {
        let mint = keypair(name).pubkey();
        put_extended_mint(world, &mint, 6, extensions);
        Self::Token2022(mint)
    }

    /// As the royalty program's client names it.
    pub fn currency(self) -> Currency {
        match self {
            Self::Sol => Currency::Sol,
            Self::Token(mint) => Currency::Token { mint, program: TOKEN_PROGRAM },
            Self::Token2022(mint) => Currency::Token { mint, program: TOKEN_2022_PROGRAM },
        }
    }

    /// The mint, as the programs name it.
    pub fn mint(self) -> Address {
        self.currency().mint()
    }

    /// Whether this is a token.
    pub fn is_token(self) -> bool {
        self != Self::Sol
    }

    /// Where a wallet keeps this money: the wallet itself, or its associated token account.
    pub fn account_of(self, wallet: &Address) -> Address {
        self.currency().account_of(wallet)
    }

    /// What a wallet has of it.
    #[track_caller]
    pub fn balance(self, world: &World, wallet: &Address) -> u64 {
        match self {
            Self::Sol => world.lamports(wallet),
            _ => token_balance(world, &self.account_of(wallet)),
        }
    }

    /// Makes sure that a wallet can hold it, and adds `amount`.
    pub fn give(self, world: &mut World, wallet: &Address, amount: u64) {
        self.give_at(world, &self.account_of(wallet), wallet, amount);
    }

    /// As [`Money::give`], to an account of the wallet at another address; for SOL the address is all that counts.
    pub fn give_at(self, world: &mut World, address: &Address, wallet: &Address, amount: u64) {
        let Currency::Token { mint, program } = self.currency() else { return world.add_lamports(address, amount) };
        if world.account(address).is_none() {
            put_token_account_of(world, address, &mint, &program, wallet, 0);
        }
        donate_tokens(world, address, amount);
    }
}

/// Writes a mint with unlimited authority of nobody in particular.
pub fn put_mint(world: &mut World, mint: &Address, program: &Address, decimals: u8) {
    put(world, mint, program, mint_bytes(decimals));
}

/// Writes a Token-2022 mint with extensions.
pub fn put_extended_mint(world: &mut World, mint: &Address, decimals: u8, extensions: &[Extension]) {
    let mut data = mint_bytes(decimals);
    if !extensions.is_empty() {
        data.resize(TOKEN_ACCOUNT_LEN, 0);
        data.push(KIND_MINT);
        extensions.iter().for_each(|extension| extension.write(&mut data));
    }
    put(world, mint, &TOKEN_2022_PROGRAM, data);
}

fn mint_bytes(decimals: u8) -> Vec<u8> {
    let mut data = vec![0; MINT_LEN];
    data[36..44].copy_from_slice(&u64::MAX.to_le_bytes());
    data[44] = decimals;
    data[45] = 1;
    data
}

/// Writes a token account of the SPL Token program.
pub fn put_token_account(world: &mut World, address: &Address, mint: &Address, owner: &Address, amount: u64) {
    put_token_account_of(world, address, mint, &TOKEN_PROGRAM, owner, amount);
}

/// Writes a token account of either program, with the extensions that its mint asks for.
pub fn put_token_account_of(
    world: &mut World,
    address: &Address,
    mint: &Address,
    program: &Address,
    owner: &Address,
    amount: u64,
) {
    let mut data = vec![0; TOKEN_ACCOUNT_LEN];
    data[..32].copy_from_slice(mint.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[64..72].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1;
    let of_the_mint = world.account(mint).map(|mint| extension::of_accounts(&mint.data)).unwrap_or_default();
    if !of_the_mint.is_empty() {
        data.push(KIND_ACCOUNT);
        data.extend(of_the_mint);
    }
    put(world, address, program, data);
}

/// The amount in a token account.
#[track_caller]
pub fn token_balance(world: &World, address: &Address) -> u64 {
    let account = world.account(address).unwrap_or_else(|| panic!("token account {address} does not exist"));
    let bytes = account.data[64..72].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}

/// Moves tokens into an account from nowhere, as a donation would.
#[track_caller]
pub fn donate_tokens(world: &mut World, address: &Address, amount: u64) {
    let total = token_balance(world, address).checked_add(amount).expect("the balance fits 64 bits");
    change_token_account(world, address, |data| data[64..72].copy_from_slice(&total.to_le_bytes()));
}

/// Freezes a token account, as its mint's freeze authority would, or thaws it.
#[track_caller]
pub fn set_frozen(world: &mut World, address: &Address, frozen: bool) {
    change_token_account(world, address, |data| data[108] = if frozen { 2 } else { 1 });
}

/// Gives a token account to another owner, as its owner could.
#[track_caller]
pub fn set_token_owner(world: &mut World, address: &Address, owner: &Address) {
    change_token_account(world, address, |data| data[32..64].copy_from_slice(owner.as_ref()));
}

#[track_caller]
fn change_token_account(world: &mut World, address: &Address, change: impl FnOnce(&mut Vec<u8>)) {
    let mut account = world.account(address).unwrap_or_else(|| panic!("token account {address} does not exist"));
    change(&mut account.data);
    world.svm.set_account(*address, account).expect("the account is sound");
}

fn put(world: &mut World, address: &Address, owner: &Address, data: Vec<u8>) {
    let lamports = world.svm.minimum_balance_for_rent_exemption(data.len());
    let account = Account { lamports, data, owner: *owner, executable: false, rent_epoch: u64::MAX };
    world.svm.set_account(*address, account).expect("the account is sound");
}

/// The token programs' `TransferChecked`.
pub fn transfer_checked(
    program: &Address,
    from: &Address,
    mint: &Address,
    to: &Address,
    owner: &Address,
    amount: u64,
    decimals: u8,
) -> Instruction {
    let accounts = vec![
        AccountMeta::new(*from, false),
        AccountMeta::new_readonly(*mint, false),
        AccountMeta::new(*to, false),
        AccountMeta::new_readonly(*owner, true),
    ];
    let data = [&[12][..], &amount.to_le_bytes(), &[decimals]].concat();
    Instruction { program_id: *program, accounts, data }
}

/// Token-2022's `HarvestWithheldTokensToMint`, which anybody may call.
pub fn harvest_fees(mint: &Address, account: &Address) -> Instruction {
    let accounts = vec![AccountMeta::new(*mint, false), AccountMeta::new(*account, false)];
    Instruction { program_id: TOKEN_2022_PROGRAM, accounts, data: vec![26, 4] }
}
