//! Errors that every program can return, and the macro that declares a program's own.

/// Declares an error enum once: Anchor's `#[error_code]`, and for clients a function `describe`, from one list of texts.
/// A program's `describe` knows [`CommonError`] as well.
///
/// ```ignore
/// provena_common::program_errors! {
///     /// Errors of some program, from 6000.
///     SomeError, offset = 6000;
///     NotAsset = "The account is no asset",
/// }
/// ```
#[macro_export]
macro_rules! program_errors {
    ($(#[$meta:meta])* $name:ident, offset = $offset:literal; $($variant:ident = $text:literal),+ $(,)?) => {
        $crate::error_enum! { $(#[$meta])* $name, offset = $offset; $($variant = $text),+ }

        /// Name and text of an error number, for clients; `None` when the number is neither one of this program's nor
        /// one of [`CommonError`](provena_common::error::CommonError).
        #[cfg(not(target_os = "solana"))]
        pub fn describe(code: u32) -> Option<(&'static str, &'static str)> {
            $name::describe(code).or_else(|| $crate::error::describe(code))
        }
    };
}

/// The enum itself; use [`program_errors!`].
#[doc(hidden)]
#[macro_export]
macro_rules! error_enum {
    ($(#[$meta:meta])* $name:ident, offset = $offset:literal; $($variant:ident = $text:literal),+ $(,)?) => {
        $(#[$meta])*
        #[::anchor_lang::error_code(offset = $offset)]
        #[derive(Debug, PartialEq, Eq)]
        pub enum $name {
            $(
                #[doc = $text]
                #[msg($text)]
                $variant,
            )+
        }

        impl $name {
            /// The number that a failed transaction carries.
            #[must_use]
            pub fn code(self) -> u32 {
                (self as u32).saturating_add($offset)
            }

            /// Name and text of an error number of this enum; `None` for any other.
            #[cfg(not(target_os = "solana"))]
            #[must_use]
            pub fn describe(code: u32) -> Option<(&'static str, &'static str)> {
                match code {
                    $(code if code == Self::$variant.code() => Some((stringify!($variant), $text)),)+
                    _ => None,
                }
            }
        }
    };
}

error_enum! {
    /// Errors that every program can return, from 5500. Append only: the numbers are public.
    CommonError, offset = 5500;
    Overflow = "An amount does not fit into 64 bits, or a difference would be negative",
    BpsTooHigh = "A share in basis points is at most 10,000",
    MissingTokenAccount = "A payment in tokens needs its token accounts, the mint and the token program",
    WrongTokenProgram = "Not the token program that this mint belongs to",
    WrongTokenAccount = "The token account has another owner, another mint or another address, or is none",
    WrongMint = "The mint is not the one that is asked for",
    UnsupportedMint = "Not an initialised mint of SPL Token or Token-2022",
    MintHasPermanentDelegate = "The mint has a permanent delegate, who could take tokens out of any account",
    MintHasTransferHook = "The mint has a transfer hook: each transfer would run a foreign program",
    MintNotTransferable = "Tokens of this mint cannot be transferred",
    MintHasCloseAuthority = "The mint can be closed by its close authority",
    MintFreezesByDefault = "New token accounts of this mint are frozen",
    MintExtensionNotAllowed = "The mint has an extension that these programs do not know to be harmless",
    WrongPda = "The account is not at the address derived for it",
    NotAuthority = "Only the authority may do this",
    NoPendingAuthority = "No authority has been proposed, or the signer is not the proposed one",
    TimelockRunning = "The proposed authority may accept 432,000 slots after it was proposed",
    Paused = "The authority has paused this",
    NotUpgradeAuthority = "Only the program's upgrade authority may set it up; sign with the wallet that deployed it",
    NotNftHolder = "The signer does not show a token account that holds the asset's NFT",
    StateVersion = "The account was written by another version of the program",
    AccountLength = "The account has another length than its kind",
    WrongAccount = "The account is not the one that is asked for",
    BadAuthority = "The address cannot be an authority",
    TooManySeeds = "An address of more seeds than programs here use",
    TooManyAccounts = "A call with more accounts than programs here make",
}

/// Name and text of an error number of [`CommonError`]; `None` for any other.
#[cfg(not(target_os = "solana"))]
#[must_use]
pub fn describe(code: u32) -> Option<(&'static str, &'static str)> {
    CommonError::describe(code)
}

#[cfg(test)]
mod tests {
    use anchor_lang::prelude::ProgramError;

    use super::*;

    #[test]
    fn numbers_are_public_and_described() {
        assert_eq!(CommonError::Overflow.code(), 5500);
        assert_eq!(CommonError::NotAuthority.code(), 5514);
        assert_eq!(ProgramError::from(CommonError::AccountLength), ProgramError::Custom(5521));
        assert_eq!(describe(5517), Some(("Paused", "The authority has paused this")));
        assert_eq!(describe(5499), None);
        assert_eq!(describe(6000), None);
    }
}
