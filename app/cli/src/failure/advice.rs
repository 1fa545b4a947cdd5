//! What a person can do about the client's own errors: their options' names are this program's, not the client's.

use anyhow::Error;
use provena_client::{
    amount::show_bps, keys::KeyFileError, mint::MintError, royalty::RoyaltyError, share::ShareError, token::TokenError,
};

use super::Exit;

/// The exit code of an error of the client, and what to do next.
pub fn advice(error: &Error) -> Option<(Exit, Option<String>)> {
    error.chain().find_map(|cause| {
        (cause.downcast_ref().map(mint))
            .or_else(|| cause.downcast_ref().map(royalty))
            .or_else(|| cause.downcast_ref().map(token))
            .or_else(|| cause.downcast_ref().map(key_file))
    })
}

fn mint(error: &MintError) -> (Exit, Option<String>) {
    let hint = match error {
        MintError::TextTooLong { what, .. } => return (Exit::Usage, Some(format!("choose a shorter --{what}"))),
        MintError::Untitled => return (Exit::Usage, None),
        MintError::UriTooLong => return (Exit::Usage, Some("choose a --store with a shorter path".into())),
        MintError::Share(error) => return (Exit::Usage, share(error).map(Into::into)),
        MintError::Key(error) => return key_file(error),
        MintError::Holder(error) => return token(error),
        MintError::NoParent(_) => {
            "give the address that `provena model mint` or `provena dataset mint` printed, and check --url".into()
        }
        MintError::ParentAsksMore { parent, asked, .. } => format!("--parent {parent}={}", show_bps(*asked)),
        MintError::NoConsent(_) => "name the owner's key file with --consent FILE".into(),
        MintError::OtherShares => {
            "repeat it with its own --holder and --parent, or remove its key from `pending` beside the wallet".into()
        }
        MintError::Unstored { .. } | MintError::Unread { .. } | MintError::Unsent { .. } => {
            return (Exit::Failed, None);
        }
    };
    (Exit::Failed, Some(hint))
}

fn share(error: &ShareError) -> Option<&'static str> {
    match error {
        ShareError::Twice(_) => None,
        ShareError::TooMuch(_) => Some("lower some; what remains below 100% goes to the minting wallet"),
        ShareError::Unowned(_) => Some("make the shares add up to 100%"),
    }
}

fn royalty(error: &RoyaltyError) -> (Exit, Option<String>) {
    let hint = match error {
        RoyaltyError::NoPool(_) => {
            "give the address of a minted model or dataset (`provena model mint` printed it), and check --url"
        }
        RoyaltyError::NoShares(_) => {
            "name the holder's wallet with --keypair; `provena royalty show` lists the holders"
        }
        RoyaltyError::Unread { .. } | RoyaltyError::NotSwept(_) | RoyaltyError::NotClaimed(_) => {
            return (Exit::Failed, None);
        }
    };
    (Exit::Failed, Some(hint.into()))
}

fn token(error: &TokenError) -> (Exit, Option<String>) {
    let hint = match error {
        TokenError::NotAMint(_) => Some("name a mint of the SPL Token program, or leave it out to use SOL".into()),
        TokenError::Unread { .. } => None,
    };
    (Exit::Failed, hint)
}

fn key_file(error: &KeyFileError) -> (Exit, Option<String>) {
    let hint = match error {
        KeyFileError::Missing(path) => {
            Some(format!("provena keygen --out {}   (or name another file with --keypair)", path.display()))
        }
        KeyFileError::Malformed(_) => {
            Some("a key file is a JSON array of 64 numbers, as `provena keygen` and `solana-keygen` write it".into())
        }
        KeyFileError::Exists(_) => {
            Some("choose another --out, or pass --force to replace it (what the old key owns is then lost)".into())
        }
        KeyFileError::File { .. } => None,
    };
    (Exit::Failed, hint)
}
