//! Payment mints: SOL or SPL Token, seen through one face.

use anyhow::{Context as _, Result};
use provena_node::chain::{Chain, ChainReader};
use provena_royalty::{NATIVE_MINT, TOKEN_PROGRAM};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};

use crate::{failure::Failure, output::amount::Currency};

/// Where an SPL mint account keeps its decimals, and how long the account is.
const MINT_DECIMALS: usize = 44;
const MINT_LEN: usize = 82;
/// Where an SPL token account keeps its amount.
const ACCOUNT_AMOUNT: std::ops::Range<usize> = 64..72;

/// Whether `mint` stands for SOL.
pub fn is_sol(mint: &Pubkey) -> bool {
    *mint == NATIVE_MINT
}

/// How people know `mint`: "SOL" or its address.
pub fn name(mint: &Pubkey) -> String {
    if is_sol(mint) { "SOL".into() } else { mint.to_string() }
}

/// Reads "SOL" or an address, for clap.
pub fn parse(text: &str) -> Result<Pubkey, String> {
    if text.eq_ignore_ascii_case("sol") {
        return Ok(NATIVE_MINT);
    }
    text.parse().map_err(|_| format!("`{text}` is neither SOL nor the address of a token mint"))
}

/// Decimals and symbol of a payment mint.
///
/// # Errors
/// There is no SPL Token mint at the address.
pub async fn currency(chain: &dyn Chain, mint: &Pubkey) -> Result<Currency> {
    if is_sol(mint) {
        return Ok(Currency::sol());
    }
    let account = chain.account(mint).await.context("cannot read the payment mint")?;
    let decimals = account
        .filter(|account| account.owner == TOKEN_PROGRAM && account.data.len() == MINT_LEN)
        .and_then(|account| account.data.get(MINT_DECIMALS).copied());
    let decimals = decimals.ok_or_else(|| {
        Failure::failed(format!("{mint} is not a token mint on this chain"))
            .hint("name a mint of the SPL Token program, or leave it out to use SOL")
    })?;
    let short: String = mint.to_string().chars().take(4).collect();
    Ok(Currency { decimals, symbol: format!("{short}…") })
}

/// Where `owner` holds `mint`: the wallet itself for SOL, else its associated token account.
pub fn wallet_account(owner: &Pubkey, mint: &Pubkey) -> Pubkey {
    if is_sol(mint) { *owner } else { get_associated_token_address(owner, mint) }
}

/// Makes sure that `owner` can hold `mint`; nothing is needed for SOL.
pub fn open_account(payer: &Pubkey, owner: &Pubkey, mint: &Pubkey) -> Option<Instruction> {
    let open = || create_associated_token_account_idempotent(payer, owner, mint, &TOKEN_PROGRAM);
    (!is_sol(mint)).then(open)
}

/// What `owner` holds of `mint`, in base units; nothing when there is no account.
///
/// # Errors
/// The chain does not answer.
pub async fn balance<C: ChainReader + ?Sized>(chain: &C, owner: &Pubkey, mint: &Pubkey) -> Result<u64> {
    let account = chain.account(&wallet_account(owner, mint)).await.context("cannot read a balance")?;
    Ok(account.map_or(0, |account| if is_sol(mint) { account.lamports } else { amount_of(&account.data) }))
}

/// The amount in an SPL token account's bytes.
pub fn amount_of(data: &[u8]) -> u64 {
    data.get(ACCOUNT_AMOUNT).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
