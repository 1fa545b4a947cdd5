//! Payment mints: SOL, or a token of SPL Token or Token-2022, seen through one face; and who holds an NFT.

mod error;
mod nft;

use anchor_lang::prelude::ProgramError;
use provena_common::{
    NATIVE_MINT,
    currency::Currency as Means,
    error::describe,
    token::{TokenProgram, parse_account, parse_mint},
};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::{
    address::get_associated_token_address_with_program_id, instruction::create_associated_token_account_idempotent,
};

use crate::{amount::Currency, chain::ChainReader};
use error::unread;

pub use error::TokenError;
pub use nft::{nft_account, owner_of};

/// What something is paid in, with what is needed to pay and to write amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentMint {
    /// The mint's address; all zeros for SOL.
    pub address: Pubkey,
    /// The mint's token program; `None` for SOL.
    pub program: Option<TokenProgram>,
    /// Digits after the point.
    pub decimals: u8,
}

impl PaymentMint {
    /// Solana's own money.
    pub const SOL: Self = Self { address: NATIVE_MINT, program: None, decimals: crate::amount::SOL_DECIMALS };

    /// As the programs' instructions take it.
    #[must_use]
    pub fn means(&self) -> Means {
        match self.program {
            None => Means::Sol,
            Some(program) => Means::Token { mint: self.address, program: *program.address() },
        }
    }

    /// Decimals and symbol, for people.
    #[must_use]
    pub fn currency(&self) -> Currency {
        if self.program.is_none() { Currency::sol() } else { symbolic(&self.address, self.decimals) }
    }

    /// Where `owner` holds it: the wallet itself for SOL, else its associated token account.
    #[must_use]
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        self.means().account_of(owner)
    }

    /// Makes sure that `owner` can hold it; nothing is needed for SOL. `payer` pays the rent, which does not come back.
    #[must_use]
    pub fn open_account(&self, payer: &Pubkey, owner: &Pubkey) -> Option<Instruction> {
        let program = self.program?;
        Some(create_associated_token_account_idempotent(payer, owner, &self.address, program.address()))
    }
}

/// Whether `mint` stands for SOL.
#[must_use]
pub fn is_sol(mint: &Pubkey) -> bool {
    *mint == NATIVE_MINT
}

/// How people know `mint`: "SOL" or its address.
#[must_use]
pub fn name(mint: &Pubkey) -> String {
    if is_sol(mint) { "SOL".into() } else { mint.to_string() }
}

/// Reads "SOL" or an address, for clap.
///
/// # Errors
/// What was expected, in words.
pub fn parse(text: &str) -> Result<Pubkey, String> {
    if text.eq_ignore_ascii_case("sol") {
        return Ok(NATIVE_MINT);
    }
    text.parse().map_err(|_| format!("`{text}` is neither SOL nor the address of a token mint"))
}

/// A mint that payments may be made in, as far as the mint itself goes.
///
/// # Errors
/// [`TokenError::NotAMint`], [`TokenError::Unsupported`], or the chain does not answer.
pub async fn payment_mint<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<PaymentMint, TokenError> {
    if is_sol(mint) {
        return Ok(PaymentMint::SOL);
    }
    let (program, account) = read_mint(chain, mint).await?;
    let found = parse_mint(program, &account.data).map_err(|error| {
        let known = describe(code(error.into()));
        known.map_or(TokenError::NotAMint(*mint), |(_, reason)| TokenError::Unsupported { mint: *mint, reason })
    })?;
    Ok(PaymentMint { address: *mint, program: Some(program), decimals: found.decimals })
}

fn code(error: ProgramError) -> u32 {
    match error {
        ProgramError::Custom(code) => code,
        _ => 0,
    }
}

/// Decimals and symbol of any mint, also of one that payments are not made in.
///
/// # Errors
/// [`TokenError::NotAMint`], or the chain does not answer.
pub async fn currency<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<Currency, TokenError> {
    /// Where a mint account keeps its decimals and whether it is initialised, and its least length.
    const DECIMALS: usize = 44;
    const INITIALIZED: usize = 45;
    const LEN: usize = 82;
    if is_sol(mint) {
        return Ok(Currency::sol());
    }
    let (_, account) = read_mint(chain, mint).await?;
    let sound = account.data.len() >= LEN && account.data.get(INITIALIZED) == Some(&1);
    let decimals = account.data.get(DECIMALS).filter(|_| sound).copied().ok_or(TokenError::NotAMint(*mint))?;
    Ok(symbolic(mint, decimals))
}

fn symbolic(mint: &Pubkey, decimals: u8) -> Currency {
    let short: String = mint.to_string().chars().take(4).collect();
    Currency { decimals, symbol: format!("{short}…") }
}

async fn read_mint<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<(TokenProgram, Account), TokenError> {
    let account = chain.account(mint).await.map_err(unread("the payment mint"))?.ok_or(TokenError::NotAMint(*mint))?;
    let program = TokenProgram::of(&account.owner).ok_or(TokenError::NotAMint(*mint))?;
    Ok((program, account))
}

/// What `owner` holds of `mint`, in base units; nothing when there is no account.
///
/// # Errors
/// [`TokenError::NotAMint`], or the chain does not answer.
pub async fn balance<C: ChainReader + ?Sized>(chain: &C, owner: &Pubkey, mint: &Pubkey) -> Result<u64, TokenError> {
    let read = async |address: &Pubkey| chain.account(address).await.map_err(unread("a balance"));
    if is_sol(mint) {
        return Ok(read(owner).await?.map_or(0, |account| account.lamports));
    }
    let (program, _) = read_mint(chain, mint).await?;
    let account = get_associated_token_address_with_program_id(owner, mint, program.address());
    Ok(read(&account).await?.map_or(0, |account| amount_of(&account)))
}

/// The base units in a token account; nothing in any other account.
#[must_use]
pub fn amount_of(account: &Account) -> u64 {
    let parsed = TokenProgram::of(&account.owner).and_then(|program| parse_account(program, &account.data));
    parsed.map_or(0, |parsed| parsed.amount.0)
}
