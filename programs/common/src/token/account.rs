//! What a token account says.

use anchor_lang::{address_eq, prelude::*};

use super::{MULTISIG_LEN, TOKEN_ACCOUNT_LEN, TokenProgram};
use crate::{amount::Amount, error::CommonError};

/// Where the fields of a token account begin.
mod account_at {
    pub(super) const OWNER: usize = 32;
    pub(super) const AMOUNT: usize = 64;
    pub(super) const STATE: usize = 108;
    /// The kind of an extended account, behind the fixed part.
    pub(super) const KIND: usize = 165;
}

const STATE_INITIALIZED: u8 = 1;
const STATE_FROZEN: u8 = 2;
const KIND_ACCOUNT: u8 = 2;

/// What an initialised token account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// The program that owns the account.
    pub program: TokenProgram,
    /// Of which token.
    pub mint: Address,
    /// Who may move them.
    pub owner: Address,
    /// How many, in base units.
    pub amount: Amount,
    /// Whether the mint's freeze authority has stopped it.
    pub frozen: bool,
}

/// Reads a token account.
///
/// # Errors
/// [`CommonError::WrongTokenAccount`] when it is none, or not initialised.
#[inline(never)]
pub fn read(view: &AccountView) -> Result<TokenAccount> {
    let program = TokenProgram::of(view.owner()).ok_or(CommonError::WrongTokenAccount)?;
    let data = view.try_borrow()?;
    Ok(parse_account(program, &data).ok_or(CommonError::WrongTokenAccount)?)
}

/// Reads the bytes of a token account of `program`; `None` when they are none, or not initialised.
#[must_use]
pub fn parse_account(program: TokenProgram, data: &[u8]) -> Option<TokenAccount> {
    let extended = program == TokenProgram::Token2022
        && data.len() > TOKEN_ACCOUNT_LEN
        && data.len() != MULTISIG_LEN
        && data.get(account_at::KIND) == Some(&KIND_ACCOUNT);
    if data.len() != TOKEN_ACCOUNT_LEN && !extended {
        return None;
    }
    let state = *data.get(account_at::STATE)?;
    if state != STATE_INITIALIZED && state != STATE_FROZEN {
        return None;
    }
    let address = |at: usize| data.get(at..)?.first_chunk::<32>().map(|bytes| Address::new_from_array(*bytes));
    let amount = data.get(account_at::AMOUNT..)?.first_chunk::<8>()?;
    Some(TokenAccount {
        program,
        mint: address(0)?,
        owner: address(account_at::OWNER)?,
        amount: Amount(u64::from_le_bytes(*amount)),
        frozen: state == STATE_FROZEN,
    })
}

/// Reads a token account that must be one of `owner` for `mint`.
///
/// # Errors
/// [`CommonError::WrongTokenAccount`].
pub fn check_account(view: &AccountView, owner: &Address, mint: &Address) -> Result<TokenAccount> {
    let account = read(view)?;
    let right = address_eq(&account.owner, owner) && address_eq(&account.mint, mint);
    require!(right, CommonError::WrongTokenAccount);
    Ok(account)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn account(state: u8) -> [u8; TOKEN_ACCOUNT_LEN] {
        let mut data = [0u8; TOKEN_ACCOUNT_LEN];
        data[..32].fill(1);
        data[32..64].fill(2);
        data[64..72].copy_from_slice(&77u64.to_le_bytes());
        data[108] = state;
        data
    }

    #[test]
    fn a_token_account_says_what_it_holds() {
        let found = parse_account(TokenProgram::Spl, &account(1)).expect("initialised");
        assert_eq!(
            found,
            TokenAccount {
                program: TokenProgram::Spl,
                mint: Address::new_from_array([1; 32]),
                owner: Address::new_from_array([2; 32]),
                amount: Amount(77),
                frozen: false,
            }
        );
        assert!(parse_account(TokenProgram::Spl, &account(2)).expect("initialised").frozen);
        assert_eq!(parse_account(TokenProgram::Spl, &account(0)), None);
        assert_eq!(parse_account(TokenProgram::Spl, &account(3)), None);
    }

    #[test]
    fn lengths_are_those_of_token_accounts() {
        let extended = |len: usize, kind: u8| {
            let mut data = vec![0u8; len];
            data[..165].copy_from_slice(&account(1));
            data[165] = kind;
            data
        };
        assert!(parse_account(TokenProgram::Token2022, &account(1)).is_some());
        assert!(parse_account(TokenProgram::Token2022, &extended(170, 2)).is_some());
        // A mint with extensions, a multisig, an account of the older program with a tail, a mint.
        assert_eq!(parse_account(TokenProgram::Token2022, &extended(170, 1)), None);
        assert_eq!(parse_account(TokenProgram::Token2022, &extended(355, 2)), None);
        assert_eq!(parse_account(TokenProgram::Spl, &extended(170, 2)), None);
        assert_eq!(parse_account(TokenProgram::Spl, &[1; 82]), None);
    }
}
