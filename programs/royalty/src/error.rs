//! Everything this program refuses to do. Append only: the numbers are public.

/// Declares a program's error enum once: Anchor's `#[error_code]`, and for clients [`describe`], from one list of texts.
///
/// ```ignore
/// program_errors! {
///     /// Errors of some program, from 6000.
///     SomeError, offset = 6000;
///     NotAuthority = "Only the authority may do this",
/// }
/// ```
#[macro_export]
macro_rules! program_errors {
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
            pub fn code(self) -> u32 {
                (self as u32).saturating_add($offset)
            }
        }

        /// Name and text of an error number, for clients; `None` when the number is not one of this program's.
        #[cfg(not(target_os = "solana"))]
        pub fn describe(code: u32) -> Option<(&'static str, &'static str)> {
            match code {
                $(code if code == $name::$variant.code() => Some((stringify!($variant), $text)),)+
                _ => None,
            }
        }
    };
}

program_errors! {
    /// Errors of the royalty program, from 6000.
    RoyaltyError, offset = 6000;
    NotAuthority = "Only the authority of the configuration may do this",
    MintNotAllowed = "The mint is not on the allow list; the authority adds it with allow_mint",
    MintAlreadyAllowed = "The mint is on the allow list already",
    TooManyMints = "The list of mints is full: it has room for 8",
    UnsupportedMint = "Not a mint of the SPL Token program; Token-2022 mints are not accepted",
    TooManyShares = "Shares must be fewer than 2^32",
    ZeroShares = "Zero shares cannot be held or moved",
    SharesExceedTotal = "The holders' shares exceed the pool's total",
    TooManyHolders = "A pool has at most 16 initial holders; later ones receive shares by transfer_shares",
    DuplicateHolder = "The holder has a position in this pool already",
    WrongPositionAddress = "One position account per holder must follow, in the same order, each at its derived address",
    PoolNotSealed = "All shares must be assigned before the pool can be used; add_holders assigns the rest",
    PoolSealed = "All shares are assigned: the pool's initial holders are fixed",
    NotPoolCreator = "Only the creator of the pool may name its initial holders",
    WrongPool = "The account belongs to another pool",
    WrongHolder = "The position belongs to another holder",
    WrongMint = "The account belongs to another mint",
    WrongVault = "The vault is not the one of this pool and mint",
    MissingTokenAccount = "A payment in tokens needs the token accounts and the token program",
    WrongTokenProgram = "Not the SPL Token program",
    ZeroAmount = "Zero cannot be deposited",
    AmountOverflow = "The amount exceeds what 64 bits can count",
    NotEnoughShares = "The position holds fewer shares than that",
    WrongPoolMints = "The pool mints must all follow, in the order in which they were added",
    WrongMetadata = "Not the Token Metadata account of this pool's asset",
    BrokenInvariant = "An account has another version or breaks its invariant",
    NotUpgradeAuthority = "Only the program's upgrade authority may set it up; sign with the wallet that deployed it",
}
