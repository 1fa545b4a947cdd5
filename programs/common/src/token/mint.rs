//! Which mints are accepted as a means of payment.

use anchor_lang::prelude::*;

use super::{MULTISIG_LEN, TOKEN_ACCOUNT_LEN, TokenProgram};
use crate::error::CommonError;

/// Bytes of a mint without extensions.
const MINT_LEN: usize = 82;
const DECIMALS: usize = 44;
const IS_INITIALIZED: usize = 45;

/// An extended mint is padded to the length of a token account; a byte then says what it is, and the extensions follow.
const KIND: usize = TOKEN_ACCOUNT_LEN;
const EXTENSIONS: usize = KIND + 1;
const KIND_MINT: u8 = 1;

/// Bytes of an extension's type and length.
const HEAD: usize = 4;

/// Numbers of Token-2022's extensions of mints.
mod extension {
    pub(super) const END: u16 = 0;
    pub(super) const TRANSFER_FEE_CONFIG: u16 = 1;
    pub(super) const MINT_CLOSE_AUTHORITY: u16 = 3;
    pub(super) const CONFIDENTIAL_TRANSFER_MINT: u16 = 4;
    pub(super) const DEFAULT_ACCOUNT_STATE: u16 = 6;
    pub(super) const NON_TRANSFERABLE: u16 = 9;
    pub(super) const INTEREST_BEARING: u16 = 10;
    pub(super) const PERMANENT_DELEGATE: u16 = 12;
    pub(super) const TRANSFER_HOOK: u16 = 14;
    pub(super) const CONFIDENTIAL_TRANSFER_FEE: u16 = 16;
    pub(super) const METADATA_POINTER: u16 = 18;
    pub(super) const TOKEN_METADATA: u16 = 19;
    pub(super) const GROUP_POINTER: u16 = 20;
    pub(super) const TOKEN_GROUP: u16 = 21;
    pub(super) const GROUP_MEMBER_POINTER: u16 = 22;
    pub(super) const TOKEN_GROUP_MEMBER: u16 = 23;
    pub(super) const SCALED_UI_AMOUNT: u16 = 25;
}

/// Bytes that a mint's extension adds to each token account: the fee withheld, and a mark of the hook.
const FEE_AMOUNT_LEN: usize = 8;
const HOOK_ACCOUNT_LEN: usize = 1;

const STATE_INITIALIZED: u8 = 1;
const STATE_FROZEN: u8 = 2;

/// An accepted mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// The token program that it belongs to.
    pub program: TokenProgram,
    /// Decimals of its amounts.
    pub decimals: u8,
    /// Bytes of a token account for it.
    pub account_len: usize,
}

/// Checks that a mint can be accepted: an initialised mint of SPL Token, or of Token-2022 with harmless extensions alone.
///
/// Refused are a permanent delegate, a transfer hook with a program, tokens that cannot be transferred, a close authority,
/// accounts frozen from the start, and every extension that is not known here. An extension that names nobody is without
/// effect for ever and does not count. A hook without a program can get one later: check again where money comes in.
///
/// # Errors
/// [`CommonError::UnsupportedMint`], [`CommonError::MintHasPermanentDelegate`], [`CommonError::MintHasTransferHook`],
/// [`CommonError::MintNotTransferable`], [`CommonError::MintHasCloseAuthority`],
/// [`CommonError::MintFreezesByDefault`], [`CommonError::MintExtensionNotAllowed`].
pub fn check_mint(view: &AccountView) -> Result<Mint> {
    let program = TokenProgram::of(view.owner()).ok_or(CommonError::UnsupportedMint)?;
    let data = view.try_borrow()?;
    Ok(parse_mint(program, &data)?)
}

/// As [`check_mint`], from the bytes of an account of `program`.
///
/// # Errors
/// Those of [`check_mint`].
pub fn parse_mint(program: TokenProgram, data: &[u8]) -> core::result::Result<Mint, CommonError> {
    let decimals = decimals(program, data).ok_or(CommonError::UnsupportedMint)?;
    let account_len = match data.get(EXTENSIONS..) {
        None => TOKEN_ACCOUNT_LEN,
        Some(extensions) => account_len(extensions)?,
    };
    Ok(Mint { program, decimals, account_len })
}

/// Decimals of an initialised mint; `None` when the bytes are no mint of `program`.
pub(super) fn decimals(program: TokenProgram, data: &[u8]) -> Option<u8> {
    let extended = || {
        program == TokenProgram::Token2022
            && data.len() >= EXTENSIONS
            && data.len() != MULTISIG_LEN
            && data.get(KIND) == Some(&KIND_MINT)
            && data.get(MINT_LEN..KIND).is_some_and(|padding| padding.iter().all(|byte| *byte == 0))
    };
    let sound = (data.len() == MINT_LEN || extended()) && data.get(IS_INITIALIZED) == Some(&1);
    if sound { data.get(DECIMALS).copied() } else { None }
}

/// Walks the extensions of a mint; returns the bytes of its token accounts.
fn account_len(mut rest: &[u8]) -> core::result::Result<usize, CommonError> {
    let mut added = 0usize;
    while let Some((kind, value, behind)) = next(rest)? {
        let grows = match kind {
            extension::TRANSFER_FEE_CONFIG => FEE_AMOUNT_LEN.saturating_add(HEAD),
            extension::TRANSFER_HOOK => {
                let program = value.get(32..64).ok_or(CommonError::UnsupportedMint)?;
                if !is_zero(program) {
                    return Err(CommonError::MintHasTransferHook);
                }
                HOOK_ACCOUNT_LEN.saturating_add(HEAD)
            }
            _ => check_plain(kind, value).map(|()| 0)?,
        };
        added = added.saturating_add(grows);
        rest = behind;
    }
    Ok(if added == 0 { TOKEN_ACCOUNT_LEN } else { EXTENSIONS.saturating_add(added) })
}

/// Checks an extension that adds nothing to token accounts.
fn check_plain(kind: u16, value: &[u8]) -> core::result::Result<(), CommonError> {
    let named = |error| if is_zero(value) { Ok(()) } else { Err(error) };
    match kind {
        extension::PERMANENT_DELEGATE => named(CommonError::MintHasPermanentDelegate),
        extension::MINT_CLOSE_AUTHORITY => named(CommonError::MintHasCloseAuthority),
        extension::NON_TRANSFERABLE => Err(CommonError::MintNotTransferable),
        extension::DEFAULT_ACCOUNT_STATE => match value {
            [STATE_INITIALIZED] => Ok(()),
            [STATE_FROZEN] => Err(CommonError::MintFreezesByDefault),
            _ => Err(CommonError::UnsupportedMint),
        },
        extension::CONFIDENTIAL_TRANSFER_MINT
        | extension::CONFIDENTIAL_TRANSFER_FEE
        | extension::INTEREST_BEARING
        | extension::SCALED_UI_AMOUNT
        | extension::METADATA_POINTER
        | extension::TOKEN_METADATA
        | extension::GROUP_POINTER
        | extension::TOKEN_GROUP
        | extension::GROUP_MEMBER_POINTER
        | extension::TOKEN_GROUP_MEMBER => Ok(()),
        _ => Err(CommonError::MintExtensionNotAllowed),
    }
}

/// Type, value and what follows of the first extension; `None` at the end.
#[allow(clippy::type_complexity, reason = "three parts of one slice")]
fn next(rest: &[u8]) -> core::result::Result<Option<(u16, &[u8], &[u8])>, CommonError> {
    // Token-2022, too, takes a rest too short for a type, or a type of zero, for the end.
    let Some((kind, behind)) = rest.split_first_chunk::<2>() else { return Ok(None) };
    let kind = u16::from_le_bytes(*kind);
    if kind == extension::END {
        return Ok(None);
    }
    let (len, behind) = behind.split_first_chunk::<2>().ok_or(CommonError::UnsupportedMint)?;
    let len = usize::from(u16::from_le_bytes(*len));
    let (value, behind) = behind.split_at_checked(len).ok_or(CommonError::UnsupportedMint)?;
    Ok(Some((kind, value, behind)))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::token::TokenProgram::{Spl, Token2022};

    /// A mint without extensions: no authorities, six decimals, initialised.
    fn base() -> Vec<u8> {
        let mut data = std::vec![0u8; 82];
        data[44] = 6;
        data[45] = 1;
        data
    }

    /// A mint of Token-2022 with these extensions: the fixed part padded to 165 bytes, the kind, then type, length and
    /// value of each, the first two as little-endian 16-bit numbers.
    fn extended(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut data = base();
        data.resize(165, 0);
        data.push(1);
        for (kind, value) in extensions {
            data.extend(kind.to_le_bytes());
            data.extend((value.len() as u16).to_le_bytes());
            data.extend(value);
        }
        data
    }

    fn outcome(extensions: &[(u16, Vec<u8>)]) -> core::result::Result<usize, CommonError> {
        parse_mint(Token2022, &extended(extensions)).map(|mint| mint.account_len)
    }

    fn hook(program: u8) -> (u16, Vec<u8>) {
        (14, [[7u8; 32], [program; 32]].concat())
    }

    #[test]
    fn plain_mints_of_both_programs_are_accepted() {
        for program in [Spl, Token2022] {
            assert_eq!(parse_mint(program, &base()), Ok(Mint { program, decimals: 6, account_len: 165 }));
        }
    }

    #[test]
    fn what_is_no_mint_is_refused() {
        let mut uninitialised = base();
        uninitialised[45] = 0;
        let mut padded = extended(&[]);
        padded[100] = 1;
        let mut account = extended(&[]);
        account[165] = 2;
        let mut multisig = extended(&[(19, std::vec![0; 355 - 170])]);
        assert_eq!(multisig.len(), 355);
        for (program, data) in [
            (Spl, uninitialised.clone()),
            (Token2022, uninitialised),
            (Token2022, padded),
            (Token2022, account),
            (Token2022, multisig.clone()),
            (Spl, extended(&[])),
            (Spl, base()[..81].to_vec()),
            (Token2022, std::vec![1; 165]),
            (Token2022, Vec::new()),
        ] {
            assert_eq!(parse_mint(program, &data), Err(CommonError::UnsupportedMint), "{} bytes", data.len());
        }
        multisig.push(0);
        assert!(parse_mint(Token2022, &multisig).is_ok());
    }

    #[test]
    fn what_could_take_or_stop_money_is_refused_by_name() {
        for (extension, error) in [
            ((12, std::vec![1; 32]), CommonError::MintHasPermanentDelegate),
            (hook(9), CommonError::MintHasTransferHook),
            ((9, Vec::new()), CommonError::MintNotTransferable),
            ((3, std::vec![1; 32]), CommonError::MintHasCloseAuthority),
            ((6, std::vec![2]), CommonError::MintFreezesByDefault),
            // Confidential mint and burn, pausable, and numbers that do not exist yet.
            ((24, std::vec![0; 196]), CommonError::MintExtensionNotAllowed),
            ((26, std::vec![0; 33]), CommonError::MintExtensionNotAllowed),
            ((28, Vec::new()), CommonError::MintExtensionNotAllowed),
            ((u16::MAX, Vec::new()), CommonError::MintExtensionNotAllowed),
            // Extensions of token accounts.
            ((2, std::vec![0; 8]), CommonError::MintExtensionNotAllowed),
            ((7, Vec::new()), CommonError::MintExtensionNotAllowed),
        ] {
            assert_eq!(outcome(core::slice::from_ref(&extension)), Err(error));
            // Wherever it stands.
            assert_eq!(outcome(&[(18, std::vec![5; 64]), (1, std::vec![3; 108]), extension]), Err(error));
        }
    }

    #[test]
    fn what_names_nobody_is_without_effect() {
        let harmless = [(12, std::vec![0; 32]), (3, std::vec![0; 32]), (6, std::vec![1])];
        assert_eq!(outcome(&harmless), Ok(165));
    }

    #[test]
    fn harmless_extensions_are_accepted() {
        let harmless = [4, 10, 16, 18, 19, 20, 21, 22, 23, 25].map(|kind| (kind, std::vec![9u8; 40]));
        assert_eq!(outcome(&harmless), Ok(165));
    }

    #[test]
    fn token_accounts_have_room_for_what_the_mint_adds() {
        let fee = (1, std::vec![3; 108]);
        assert_eq!(outcome(&[]), Ok(165));
        assert_eq!(outcome(core::slice::from_ref(&fee)), Ok(178));
        assert_eq!(outcome(&[hook(0)]), Ok(171));
        assert_eq!(outcome(&[fee, hook(0)]), Ok(183));
    }

    #[test]
    fn the_walk_ends_where_token_2022_ends_it() {
        let mut data = extended(&[(18, std::vec![5; 64])]);
        // A type of zero, then anything; or one byte, too short for a type.
        data.extend([0, 0, 12, 0, 99]);
        assert!(parse_mint(Token2022, &data).is_ok());
        let mut data = extended(&[(18, std::vec![5; 64])]);
        data.push(12);
        assert!(parse_mint(Token2022, &data).is_ok());
        // A type without a length, a length beyond the end, a hook too short to name its program.
        for tail in [&[12u8, 0][..], &[12, 0, 1], &[12, 0, 33, 0, 1], &[14, 0, 32, 0]] {
            let mut data = extended(&[]);
            data.extend(tail);
            assert_eq!(parse_mint(Token2022, &data), Err(CommonError::UnsupportedMint), "{tail:?}");
        }
        let short = (14, std::vec![0; 40]);
        assert_eq!(outcome(&[short]), Err(CommonError::UnsupportedMint));
    }
}
