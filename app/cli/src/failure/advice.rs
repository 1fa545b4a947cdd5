//! What a person can do about the client's own errors: their options' names are this program's, not the client's.

use anyhow::Error;
use provena_client::{
    ClientError, amount::show_bps, asset::AssetError, chain::ChainError, keys::KeyFileError, mint::MintError,
    offer::OfferError, royalty::RoyaltyError, share::ShareError, token::TokenError,
};

use super::Exit;
use crate::context::is_local;

/// An exit code, and what to do next.
type Advice = (Exit, Option<String>);

/// The exit code of an error of the client, and what to do next.
pub(super) fn advice(error: &Error) -> Option<Advice> {
    let of_cause = |cause: &(dyn std::error::Error + 'static)| {
        (cause.downcast_ref().map(mint))
            .or_else(|| cause.downcast_ref().map(asset))
            .or_else(|| cause.downcast_ref().map(offer))
            .or_else(|| cause.downcast_ref().map(royalty))
            .or_else(|| cause.downcast_ref().map(token))
            .or_else(|| cause.downcast_ref().map(key_file))
            .or_else(|| cause.downcast_ref().and_then(chain))
            .or_else(|| match cause.downcast_ref() {
                Some(ClientError::Chain(error)) => chain(error),
                _ => None,
            })
    };
    let mut advice: Option<Advice> = None;
    // The outermost error says how it ended; what lies deeper may know better what to do.
    for (exit, hint) in error.chain().filter_map(of_cause) {
        let (_, told) = advice.get_or_insert((exit, None));
        *told = told.take().or(hint);
    }
    advice
}

fn chain(error: &ChainError) -> Option<Advice> {
    let ChainError::Unreachable { url, .. } = error else { return None };
    let hint = match is_local(url) {
        true => "provena localnet   (a chain on this machine; or name another one with --url)",
        false => "check --url and the connection, and run it again",
    };
    Some((Exit::Unknown, Some(hint.to_owned())))
}

fn failed(hint: impl Into<String>) -> Advice {
    (Exit::Failed, Some(hint.into()))
}

fn usage(hint: impl Into<String>) -> Advice {
    (Exit::Usage, Some(hint.into()))
}

const SET_UP: &str = "provena deploy --init-only   (or check --url)";

fn mint(error: &MintError) -> Advice {
    match error {
        MintError::TextTooLong { what, .. } => usage(format!("choose a shorter --{what}")),
        MintError::Untitled => usage("name it with --title"),
        MintError::Empty => usage("name a file with something in it"),
        MintError::LocalUri => usage(
            "--store https://... (an object storage), --host https://... (a node that serves your store), --uri https://... \
             (you put the document there), or --local on a private chain",
        ),
        MintError::NoPictureBeside(_) => usage("say where the picture is: --image https://..."),
        MintError::Share(error) => (Exit::Usage, share(error).map(Into::into)),
        MintError::Key(error) => key_file(error),
        MintError::Token(error) => token(error),
        MintError::Asset(error) => asset(error),
        MintError::Royalty(error) => royalty(error),
        MintError::NoLicence(parent) => {
            failed(format!("ask its owner for one: provena asset licence publish {parent} --share 10%"))
        }
        MintError::ParentAsksMore { parent, asked, .. } => failed(format!("--parent {parent}={}", show_bps(*asked))),
        MintError::PriceAsked(parent) => failed(format!(
            "see what it asks with `provena asset licence list {parent}` and choose with --under {parent}=NUMBER"
        )),
        MintError::GrantsNoMore { parent, .. } => {
            failed(format!("see what else it grants: provena asset licence list {parent}"))
        }
        MintError::MayNotLicense => usage("leave --derivative-share out, or build under other licences"),
        MintError::TooManyAncestors(_) => usage("build on fewer assets"),
        MintError::PassesOn(_) => failed("mint this version as an asset of its own"),
        MintError::ParentAlready(_) => usage("leave that --parent out"),
        MintError::FloorTooLow { asset, bps, .. } => {
            failed(format!("raise it first, for ever: provena asset floor {asset} --royalty {}", show_bps(*bps)))
        }
        MintError::NoDerivatives(_) => failed("build on another asset"),
        MintError::AncestorAsksMore { .. } => failed("give that --parent a larger share"),
        MintError::NoConsent(_) => failed("name the owner's key file with --consent FILE"),
        MintError::TooManyParents(_) | MintError::TooManyFloors(_) => usage("build on fewer assets"),
        MintError::TooLarge => usage("use fewer parents, a shorter --title, or a --store with a shorter path"),
        MintError::ContentTaken(asset) => failed(format!(
            "provena asset show {asset}   shows who registered it; a new version of your own goes to `version`"
        )),
        MintError::NotSetUp(_) => failed(SET_UP),
        MintError::Paused(_) => failed("try again later; nothing was spent"),
        MintError::TooPoor { wallet, needed, has } => {
            let missing = needed.saturating_sub(*has).div_ceil(1_000_000_000);
            failed(format!("send it to {wallet}; on a test chain: provena airdrop {missing}"))
        }
        MintError::OtherChain { file, .. } => {
            failed(format!("name that chain with --url; if it is gone for good, move {} away", file.display()))
        }
        MintError::OtherWallet { .. } => failed("name that wallet's key file with --keypair"),
        MintError::OtherShares(_) => failed(
            "repeat it with its own --holder and --parent, or take it back: provena asset pending, provena asset abandon",
        ),
        MintError::Unripe => failed("see that the chain at --url makes slots, then run the same command again"),
        MintError::Unstored { .. } => failed(
            "an object storage takes what is PUT there; a node gives out what lies in its own stores: run it on this --store",
        ),
        MintError::Unread { .. } | MintError::Unsent { .. } => (Exit::Failed, None),
    }
}

fn asset(error: &AssetError) -> Advice {
    match error {
        AssetError::NoAsset(_) => {
            failed("give the address that `provena model mint` or `provena dataset mint` printed, and check --url")
        }
        AssetError::WrongKind { mint, wanted: "model", .. } => failed(format!(
            "a model is sold, and a dataset built on: provena model mint model.pvna --title NAME --parent {mint}=10%"
        )),
        AssetError::WrongKind { mint, .. } => failed(format!("provena asset show {mint}   tells what it is")),
        AssetError::NotActive(asset) => failed(format!("provena asset show {asset}   tells its status")),
        AssetError::NoVersion { .. } => usage("name one of those that exist"),
        AssetError::NotOwner { .. } => failed("name the owner's wallet with --keypair"),
        AssetError::Token(error) => token(error),
        AssetError::NoLicence { mint, .. } | AssetError::Retired { mint, .. } => {
            failed(format!("provena asset licence list {mint}   shows those that grant"))
        }
        AssetError::LicenceExists { .. } => usage("leave --number out to take the next"),
        AssetError::FloorLowered { .. } | AssetError::UnitFloorLowered { .. } => usage("name as much or more"),
        AssetError::TooManyFloors(_) => usage("raise one of those that it asks for already"),
        AssetError::UriTooLong(_) => usage("choose a shorter address; a --store with a shorter path"),
        AssetError::BadUri { .. } => usage("write it like https://models.example/digits.json, ipfs://... or ar://..."),
        AssetError::Unread { .. } | AssetError::Unsent { .. } => (Exit::Failed, None),
    }
}

fn offer(error: &OfferError) -> Advice {
    match error {
        OfferError::Asset(error) => asset(error),
        OfferError::Royalty(error) => royalty(error),
        OfferError::Token(error) => token(error),
        OfferError::NotSetUp => failed(SET_UP),
        OfferError::Paused => failed("try again later; nothing was spent"),
        OfferError::NoOffer(_) => failed("provena offer list   shows what is on offer; check --url, too"),
        OfferError::NotOffered(model) => {
            failed(format!("its owner offers it: provena offer create {model} --price 0.001"))
        }
        OfferError::BadTerms(_) => usage("provena offer create --help   says what each option means"),
        OfferError::RoyaltyBelowFloor { floor, .. } => usage(format!("--royalty {}", show_bps(*floor))),
        OfferError::PriceBelowFloor { .. } => usage("raise --price, or --input-price and --output-price"),
        OfferError::Unread { .. } | OfferError::Unsent { .. } => (Exit::Failed, None),
    }
}

fn share(error: &ShareError) -> Option<&'static str> {
    match error {
        ShareError::Twice(_) => None,
        ShareError::TooMuch(_) => Some("lower some; what remains below 100% goes to the minting wallet"),
        ShareError::Unowned(_) => Some("make the shares add up to 100%"),
        ShareError::TooMany(_) => Some("name fewer; shares can be given to others later: provena royalty transfer"),
    }
}

fn royalty(error: &RoyaltyError) -> Advice {
    match error {
        RoyaltyError::NoPool(_) => {
            failed("give the address of a minted model or dataset (`provena model mint` printed it), and check --url")
        }
        RoyaltyError::NoShares(_) => {
            failed("name the holder's wallet with --keypair; `provena royalty show` lists the holders")
        }
        RoyaltyError::NotSetUp => failed(SET_UP),
        RoyaltyError::MintNotAllowed(mint) => failed(format!(
            "pay in SOL, or let the programs' authority allow it: provena deploy --init-only --allow {mint}"
        )),
        RoyaltyError::NotEnough { .. } => usage("name a smaller --share, or `--share all`"),
        RoyaltyError::Locked { .. } => usage("name a smaller --share, or wait"),
        RoyaltyError::NotApproved { wallet, .. } => {
            failed(format!("let the holder say so: provena royalty approve ASSET --to {wallet} --share SHARE%"))
        }
        RoyaltyError::NobodyApproved(_) => failed("there is nothing to take back"),
        RoyaltyError::OwnShares(_) => usage("name somebody else with --to"),
        RoyaltyError::NoWallet { pool: Some(pool), .. } => {
            usage(format!("it is an asset; its royalty pool, which can hold shares, is {pool}"))
        }
        RoyaltyError::NoWallet { pool: None, .. } => usage("name a wallet's address, or an asset's royalty pool"),
        RoyaltyError::InUse(_) => failed("give its shares away and claim what they earned first"),
        RoyaltyError::NotCloser { .. } => failed("name one of these wallets with --keypair"),
        RoyaltyError::SelfHolding => usage("name a wallet, or another asset's pool"),
        RoyaltyError::NotHolder(_) => usage("leave --to out, or name the holder's wallet with --keypair"),
        RoyaltyError::Token(error) => token(error),
        RoyaltyError::TooManyPools(_) | RoyaltyError::Unread { .. } | RoyaltyError::Unsent { .. } => {
            (Exit::Failed, None)
        }
    }
}

fn token(error: &TokenError) -> Advice {
    match error {
        TokenError::NotAMint(_) => failed("name a mint of SPL Token or Token-2022, or leave it out to use SOL"),
        TokenError::Unsupported { .. } => failed("use another token, or SOL"),
        TokenError::Unread { .. } => (Exit::Failed, None),
    }
}

fn key_file(error: &KeyFileError) -> Advice {
    match error {
        KeyFileError::Missing(path) => {
            failed(format!("provena keygen --out {}   (or name another file with --keypair)", path.display()))
        }
        KeyFileError::Malformed(_) => {
            failed("a key file is a JSON array of 64 numbers, as `provena keygen` and `solana-keygen` write it")
        }
        KeyFileError::Exists(_) => {
            failed("choose another --out, or pass --force to replace it (what the old key owns is lost then)")
        }
        KeyFileError::NoFile(_) | KeyFileError::File { .. } => {
            failed("name another file with --keypair, or with --out where one is written")
        }
        KeyFileError::Writable { .. } => (Exit::Failed, None),
    }
}
