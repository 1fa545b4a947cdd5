//! Payment mints: SOL or SPL Token, seen through one face.

use provena_royalty::{NATIVE_MINT, TOKEN_PROGRAM};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};

use crate::{
    amount::Currency,
    chain::{ChainError, ChainReader},
};

/// Where an SPL mint account keeps its decimals, and how long the account is.
const MINT_DECIMALS: usize = 44;
const MINT_LEN: usize = 82;
/// Where an SPL token account keeps its amount.
const ACCOUNT_AMOUNT: std::ops::Range<usize> = 64..72;

/// Why nothing can be said about money.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The chain does not show it.
    #[error("cannot read {what}")]
    Unread {
        /// What was asked for.
        what: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
    /// It is no mint of the SPL Token program.
    #[error("{0} is not a token mint on this chain")]
    NotAMint(Pubkey),
}

fn unread(what: &'static str) -> impl FnOnce(ChainError) -> TokenError {
    move |source| TokenError::Unread { what, source }
}

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
/// [`TokenError::NotAMint`], or the chain does not answer.
pub async fn currency<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<Currency, TokenError> {
    if is_sol(mint) {
        return Ok(Currency::sol());
    }
    let account = chain.account(mint).await.map_err(unread("the payment mint"))?;
    let decimals = account
        .filter(|account| account.owner == TOKEN_PROGRAM && account.data.len() == MINT_LEN)
        .and_then(|account| account.data.get(MINT_DECIMALS).copied());
    let decimals = decimals.ok_or(TokenError::NotAMint(*mint))?;
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
pub async fn balance<C: ChainReader + ?Sized>(chain: &C, owner: &Pubkey, mint: &Pubkey) -> Result<u64, TokenError> {
    let account = chain.account(&wallet_account(owner, mint)).await.map_err(unread("a balance"))?;
    Ok(account.map_or(0, |account| if is_sol(mint) { account.lamports } else { amount_of(&account.data) }))
}

/// The amount in an SPL token account's bytes.
pub fn amount_of(data: &[u8]) -> u64 {
    data.get(ACCOUNT_AMOUNT).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
