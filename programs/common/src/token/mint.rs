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
