//! Minting: the royalty pool first, then the asset with its NFT, in as many transactions as it takes.
//!
//! The NFT's fresh key is kept in a file until the end, so that a minting that was interrupted goes on where it
//! stopped: every step looks at the chain first and does only what is missing.

mod error;
mod metadata;
mod pending;
mod register;

use provena_registry::state::{Asset, AssetKind, Licence};
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder,
    state::{Pool, PoolMint, Position},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    chain::{Budget, Chain, accounts, send_and_confirm},
    royalty,
    share::{self, Share},
    store::Store,
};
use error::{unread, unsent, unstored};

pub use error::MintError;
pub use metadata::{Text, name_of};
pub use pending::Pending;

/// Initial holders that fit one transaction beside everything else.
const HOLDERS_PER_TRANSACTION: usize = 6;

/// What is minted, and on which terms.
pub struct Plan {
    /// Model or dataset.
    pub kind: AssetKind,
    /// What people read.
    pub text: Text,
    /// Hash of what turns the content into answers; zeros for datasets.
    pub recipe_root: [u8; 32],
    /// What derived assets owe, and whether they need consent.
    pub licence: Licence,
    /// Wallets that share the revenue.
    pub holders: Vec<Share>,
    /// Assets that this one builds on, by mint, with their share of the revenue.
    pub parents: Vec<Share>,
    /// Mint of the version before.
    pub previous: Option<Pubkey>,
    /// What the pool can be paid in.
    pub pay_in: Vec<Pubkey>,
}

/// What was minted.
pub struct Minted {
    /// The NFT's mint: the asset's name in every other command.
    pub mint: Pubkey,
    /// The royalty pool.
    pub pool: Pubkey,
    /// Merkle root of the content.
    pub content_root: [u8; 32],
    /// Where the metadata is.
    pub uri: String,
    /// Transactions, in order.
    pub signatures: Vec<Signature>,
}

/// Who mints, and with what.
pub struct Mint<'a> {
    /// The chain.
    pub chain: &'a dyn Chain,
    /// Where content and metadata go.
    pub store: &'a Store,
    /// Pays, and receives the NFT.
    pub creator: &'a Keypair,
    /// Keys of parents' owners whose consent is due.
    pub consents: &'a [Keypair],
    /// Where the NFT's key is kept until it exists.
    pub pending: Pending,
}

impl Mint<'_> {
    /// Stores `content`, creates the pool, registers the asset; `step` is told what comes next.
    ///
    /// # Errors
    /// [`MintError`]: a share, a parent or a transaction is refused; what was done stays, and minting again goes on from
    /// there.
    pub async fn mint(self, plan: &Plan, content: Vec<u8>, step: &dyn Fn(&'static str)) -> Result<Minted, MintError> {
        let Self { chain, store, creator, consents, pending } = self;
        let parents = register::parents(chain, &plan.parents).await?;
        let pools: Vec<Share> =
            parents.iter().map(|parent| Share { address: parent.asset.pool, bps: parent.bps }).collect();
        let holders = share::holders(&creator.pubkey(), &plan.holders, &pools)?;

        step("storing the content");
        let bytes = content.len();
        let content_root = store.put(content).await.map_err(unstored("content"))?;
        let uri = metadata::publish(store, plan, &content_root, bytes).await?;
        let key = pending.key(&content_root)?;

        step("creating the royalty pool");
        let mut signatures = create_pool(chain, creator, key, &holders).await?;
        let pool = provena_royalty::pda::pool(&key.pubkey()).0;
        for mint in &plan.pay_in {
            signatures.extend(add_mint(chain, creator, &pool, mint).await?);
        }

        step("minting the NFT");
        let address = provena_registry::pda::asset(&key.pubkey()).0;
        let there = accounts::fetch_optional::<Asset, _>(chain, &address).await;
        if there.map_err(unread("the asset"))?.is_none() {
            let new = register::New { creator, consents, key, parents: &parents, content_root, uri: &uri };
            signatures.push(register::register(chain, plan, &new).await?);
        }
        let mint = key.pubkey();
        pending.done()?;
        Ok(Minted { mint, pool, content_root, uri, signatures })
    }
}

async fn create_pool(
    chain: &dyn Chain,
    creator: &Keypair,
    key: &Keypair,
    holders: &[Holder],
) -> Result<Vec<Signature>, MintError> {
    let pool = provena_royalty::pda::pool(&key.pubkey()).0;
    let state = accounts::fetch_optional::<Pool, _>(chain, &pool).await.map_err(unread("the royalty pool"))?;
    let named = state.as_ref().map_or(0, |pool| usize::from(pool.holder_count));
    same_holders(chain, &pool, holders, named).await?;
    let mut signatures = Vec::new();
    let mut rest = holders.get(named..).unwrap_or_default().chunks(HOLDERS_PER_TRANSACTION);
    if state.is_none() {
        let first = rest.next().unwrap_or_default();
        let create = royalty::create_pool(&creator.pubkey(), &key.pubkey(), DEFAULT_TOTAL_SHARES, first);
        let sent = send_and_confirm(chain, &[create], &[creator, key], Budget::default()).await;
        signatures.push(sent.map_err(unsent("the royalty pool was not created"))?.signature);
    }
    for more in rest {
        let add = royalty::add_holders(&creator.pubkey(), &pool, more);
        let sent = send_and_confirm(chain, &[add], &[creator], Budget::default()).await;
        signatures.push(sent.map_err(unsent("the royalty pool did not take all holders"))?.signature);
    }
    Ok(signatures)
}

/// Checks that a pool which an interrupted minting left behind has the holders that are asked for now.
async fn same_holders(chain: &dyn Chain, pool: &Pubkey, holders: &[Holder], named: usize) -> Result<(), MintError> {
    let mut same = named <= holders.len();
    for holder in holders.iter().take(named) {
        let address = provena_royalty::pda::position(pool, &holder.holder).0;
        let position = accounts::fetch_optional::<Position, _>(chain, &address).await.map_err(unread("a position"))?;
        same &= position.is_some_and(|position| position.shares == holder.shares);
    }
    if same { Ok(()) } else { Err(MintError::OtherShares) }
}

/// Lets `pool` be paid in `mint`, if it cannot be yet.
///
/// # Errors
/// [`MintError::Unsent`], or a failure to read.
pub async fn add_mint(
    chain: &dyn Chain,
    payer: &Keypair,
    pool: &Pubkey,
    mint: &Pubkey,
) -> Result<Option<Signature>, MintError> {
    let address = provena_royalty::pda::pool_mint(pool, mint).0;
    let there = accounts::fetch_optional::<PoolMint, _>(chain, &address).await;
    if there.map_err(unread("the pool's account for a payment mint"))?.is_some() {
        return Ok(None);
    }
    let add = royalty::add_mint(&payer.pubkey(), pool, mint);
    let sent = send_and_confirm(chain, &[add], &[payer], Budget::default()).await;
    Ok(Some(sent.map_err(unsent("the royalty pool cannot be paid in this mint"))?.signature))
}
