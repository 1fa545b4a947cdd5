//! Who holds an NFT, a token of SPL Token with a supply of one.

use provena_common::{
    amount::Amount,
    pda::associated_token,
    token::{TOKEN_ACCOUNT_LEN, TOKEN_PROGRAM, TokenProgram, parse_account},
};
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{TokenError, error::unread};
use crate::chain::{AccountFilter, ChainReader};

/// Where a token account keeps its owner and its amount; the mint comes first.
const OWNER: usize = 32;
const AMOUNT: usize = 64;

/// The token account of `wallet` that holds the NFT of `mint`; `None` when the wallet does not hold it.
///
/// # Errors
/// The chain does not answer.
pub async fn nft_account<C: ChainReader + ?Sized>(
    chain: &C,
    wallet: &Pubkey,
    mint: &Pubkey,
) -> Result<Option<Pubkey>, TokenError> {
    let usual = associated_token(wallet, mint, &TOKEN_PROGRAM);
    let account = chain.account(&usual).await.map_err(unread("who holds an NFT"))?;
    if account.is_some_and(|account| holds(&account, wallet, mint)) {
        return Ok(Some(usual));
    }
    // An NFT may lie in another account of the wallet.
    let filter = filter(mint, Some(wallet));
    let found = chain.program_accounts(&TOKEN_PROGRAM, &filter).await.map_err(unread("who holds an NFT"))?;
    Ok(found.first().map(|(address, _)| *address))
}

/// The wallet that holds the NFT of `mint`; `None` when nobody does.
///
/// # Errors
/// The chain does not answer.
pub async fn owner_of<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<Option<Pubkey>, TokenError> {
    let found = chain.program_accounts(&TOKEN_PROGRAM, &filter(mint, None)).await;
    let found = found.map_err(unread("who holds an NFT"))?;
    let owner = found.first().and_then(|(_, account)| account.data.get(OWNER..AMOUNT)?.try_into().ok());
    Ok(owner.map(Pubkey::new_from_array))
}

/// Whether this is a token account of `wallet` with the NFT in it: an associated account can have got another owner.
fn holds(account: &Account, wallet: &Pubkey, mint: &Pubkey) -> bool {
    let ours = account.owner == TOKEN_PROGRAM;
    let parsed = parse_account(TokenProgram::Spl, &account.data).filter(|_| ours);
    parsed.is_some_and(|found| found.owner == *wallet && found.mint == *mint && found.amount == Amount(1))
}

/// Token accounts with one token of `mint`.
fn filter(mint: &Pubkey, owner: Option<&Pubkey>) -> AccountFilter {
    let mut bytes = vec![(0, mint.to_bytes().to_vec()), (AMOUNT, 1u64.to_le_bytes().to_vec())];
    bytes.extend(owner.map(|owner| (OWNER, owner.to_bytes().to_vec())));
    AccountFilter { len: Some(TOKEN_ACCOUNT_LEN as u64), bytes }
}
