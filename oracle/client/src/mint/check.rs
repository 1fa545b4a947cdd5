//! Everything about a minting that can be found out before its first transaction.

use std::collections::HashSet;

use provena_registry::{
    Floors, MAX_FLOORS, MAX_INHERITED,
    client::NewAsset,
    constants::{pause, uses},
    state::{Admin, Asset, Content, Floor, Licence, Lineage, Version},
};
use provena_royalty::{
    Holder, PAUSE_POOLS,
    state::{Books, Index, Pool, Position},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Mint, MintError, Plan,
    error::unread,
    parents::{self, Parent},
    pending::Unfinished,
};
use crate::{
    asset, batch,
    chain::{Chain, accounts, accounts::ProgramAccount},
    royalty, share,
    token::{self, PaymentMint},
};

/// What a plan comes to on this chain.
pub(super) struct Checked<'a> {
    /// Whose work it builds on.
    pub parents: Vec<Parent<'a>>,
    /// Who shares the revenue, the parents' pools and the creator included.
    pub holders: Vec<Holder>,
    /// The least royalty on use: what the plan says, or more where a parent asks for more.
    pub floors: Floors,
    /// What it can be paid in, SOL apart.
    pub mints: Vec<PaymentMint>,
    /// Whether it is registered in one step.
    pub at_once: bool,
}

impl<'a> Mint<'a> {
    /// Checks `plan`. The content has this root; `unfinished` is an interrupted minting of it.
    pub(super) async fn check(
        &self,
        plan: &Plan,
        content_root: &[u8; 32],
        unfinished: Option<&Unfinished>,
    ) -> Result<Checked<'a>, MintError> {
        let chain = self.chain;
        plan.text.check()?;
        super::document::check_hosting(self.store, &plan.metadata)?;
        self.check_running(plan).await?;
        check_free(chain, content_root, unfinished).await?;
        let keys: Vec<&'a Keypair> = self.consents.iter().chain([self.creator]).collect();
        let begun = match unfinished {
            Some(unfinished) => asset::begun(chain, &unfinished.key.pubkey()).await?,
            None => None,
        };
        let granted = match &begun {
            Some(begun) => begun.parents(chain).await?,
            None => Vec::new(),
        };
        let parents = parents::find(chain, &plan.parents, &keys, &granted).await?;
        check_uses(plan, &parents)?;
        let pools = pools(&parents)?;
        let holders = share::holders(&self.creator.pubkey(), &plan.holders, &pools)?;
        let addresses: Vec<Pubkey> = holders.iter().map(|holder| holder.holder).collect();
        royalty::check_holders(chain, &addresses).await?;
        let floors = floors(&plan.floors, &parents)?;
        let mut mints = Vec::new();
        for mint in plan.pay_in.iter().filter(|mint| !token::is_sol(mint)) {
            let mint = token::payment_mint(chain, mint).await?;
            royalty::check_allowed(chain, &mint.address).await?;
            if !mints.contains(&mint) {
                mints.push(mint);
            }
        }
        let mut checked = Checked { parents, holders, floors, mints, at_once: false };
        let fits = self.fits_at_once(plan, content_root, &checked)?;
        checked.at_once = fits && checked.parents.iter().all(Parent::at_once);
        match unfinished {
            // Its holders may have sold since; only the licence can be missing.
            Some(unfinished) if asset::find(chain, &unfinished.key.pubkey()).await?.is_some() => {}
            Some(unfinished) => self.check_same(unfinished, &checked).await?,
            None => self.check_money(plan, &checked).await?,
        }
        Ok(checked)
    }

    async fn check_running(&self, plan: &Plan) -> Result<(), MintError> {
        let admin = accounts::fetch_optional::<Admin, _>(self.chain, &provena_registry::pda::admin().0).await;
        let admin = admin.map_err(unread("the registry's settings"))?.ok_or(MintError::NotSetUp("registry"))?;
        let pools = royalty::admin(self.chain).await?.ok_or(MintError::NotSetUp("royalty program"))?;
        let stopped = |paused: u32, bit: u32| paused & bit != 0;
        if stopped(admin.control.paused, pause::REGISTER) || stopped(pools.control.paused, PAUSE_POOLS) {
            return Err(MintError::Paused("minting"));
        }
        if plan.licence.is_some() && stopped(admin.control.paused, pause::PUBLISH_LICENCE) {
            return Err(MintError::Paused("publishing licences"));
        }
        Ok(())
    }

    /// Whether one transaction holds the registration: its parents, texts and floors; and else whether its last step fits one.
    fn fits_at_once(&self, plan: &Plan, content_root: &[u8; 32], checked: &Checked<'_>) -> Result<bool, MintError> {
        let uri = "u".repeat(super::document::check_hosting(self.store, &plan.metadata)?);
        // The key and the salt are as long as any others.
        let new = self.new_asset(plan, checked, &Pubkey::new_from_array([1; 32]), content_root, [0; 32], 1, &uri);
        let (payer, tables) = (self.creator.pubkey(), self.chain.lookup_tables());
        let fits = |instruction| batch::fits_with(&[instruction], &payer, tables);
        if !fits(new.sealing()) {
            return Err(MintError::TooLarge);
        }
        Ok(fits(new.instruction()))
    }

    /// Checks that the pool which an interrupted minting left behind has the holders that are asked for now.
    async fn check_same(&self, unfinished: &Unfinished, checked: &Checked<'_>) -> Result<(), MintError> {
        let pool = provena_royalty::pda::pool(&unfinished.key.pubkey()).0;
        let state = accounts::fetch_optional::<Pool, _>(self.chain, &pool).await;
        let Some(state) = state.map_err(unread("the royalty pool"))? else { return Ok(()) };
        let named = checked.holders.get(..usize::from(state.holder_count)).unwrap_or_default();
        let addresses: Vec<Pubkey> =
            named.iter().map(|holder| provena_royalty::pda::position(&pool, &holder.holder).0).collect();
        let found = self.chain.accounts(&addresses).await.map_err(unread("a position"))?;
        let same = named.iter().zip(&addresses).zip(found).all(|((holder, address), account)| {
            let position = account.and_then(|account| accounts::decode::<Position>(address, &account).ok());
            position.is_some_and(|position| position.shares == holder.shares)
        });
        let whole = named.len() == usize::from(state.holder_count);
        if same && whole { Ok(()) } else { Err(MintError::OtherShares(unfinished.file().to_owned())) }
    }

    async fn check_money(&self, plan: &Plan, checked: &Checked<'_>) -> Result<(), MintError> {
        let needed = cost(self.chain, plan, checked).await?;
        let wallet = self.creator.pubkey();
        let account = self.chain.account(&wallet).await.map_err(unread("the wallet"))?;
        let has = account.map_or(0, |account| account.lamports);
        if has < needed { Err(MintError::TooPoor { wallet, needed, has }) } else { Ok(()) }
    }

    /// The registration as the registry takes it.
    #[expect(clippy::too_many_arguments, reason = "two callers in this module; each is a part of a registration")]
    pub(super) fn new_asset(
        &self,
        plan: &Plan,
        checked: &Checked<'_>,
        mint: &Pubkey,
        content_root: &[u8; 32],
        salt: [u8; 32],
        len: u64,
        uri: &str,
    ) -> NewAsset {
        NewAsset {
            creator: self.creator.pubkey(),
            mint: *mint,
            nft: plan.text.nft(uri),
            content: provena_registry::ContentReveal { root: *content_root, salt, len },
            recipe: plan.recipe,
            floors: checked.floors.clone(),
            parents: checked.parents.iter().map(Parent::named).collect(),
        }
    }
}

/// Checks that nobody registered the content, or that the interrupted minting itself did.
pub(super) async fn check_free(
    chain: &dyn Chain,
    content_root: &[u8; 32],
    unfinished: Option<&Unfinished>,
) -> Result<(), MintError> {
    let address = provena_registry::pda::content(content_root).0;
    let content = accounts::fetch_optional::<Content, _>(chain, &address).await.map_err(unread("the content"))?;
    let Some(content) = content else { return Ok(()) };
    let ours = unfinished.map(|unfinished| provena_registry::pda::asset(&unfinished.key.pubkey()).0);
    if ours == Some(content.asset) {
        return Ok(());
    }
    Err(MintError::ContentTaken(asset::at(chain, &content.asset).await?.mint))
}

/// What the new asset's parents allow to be done with it.
pub(super) fn uses(parents: &[Parent<'_>]) -> u32 {
    let passing = parents.iter().flat_map(|parent| &parent.passing).map(|edge| edge.uses);
    parents.iter().map(Parent::uses).chain(passing).fold(uses::ALL, |all, granted| all & granted)
}

/// Whether others may build on it, if that is planned.
fn check_uses(plan: &Plan, parents: &[Parent<'_>]) -> Result<(), MintError> {
    if plan.licence.is_some() && uses(parents) & uses::DERIVE == 0 {
        return Err(MintError::MayNotLicense);
    }
    Ok(())
}

/// The shares of the parents' pools, and of ancestors' that they pass on.
pub(super) fn pools(parents: &[Parent<'_>]) -> Result<Vec<share::Share>, MintError> {
    let mut pools: Vec<share::Share> = parents.iter().map(|parent| parent.share).collect();
    let inherited = parents.iter().flat_map(|parent| &parent.passing).map(|edge| edge.parent);
    let inherited: HashSet<Pubkey> = inherited.collect();
    if inherited.len() > MAX_INHERITED {
        return Err(MintError::TooManyAncestors(inherited.len()));
    }
    let direct = |address: &Pubkey| parents.iter().find(|parent| parent.registered.address == *address);
    for edge in parents.iter().flat_map(|parent| &parent.passing) {
        if direct(&edge.parent).is_some_and(|parent| !parent.share.reaches(edge.bps)) {
            return Err(MintError::AncestorAsksMore { ancestor: edge.parent, asked: edge.bps });
        }
    }
    let inherited = parents::inherited(parents).into_iter();
    pools.extend(inherited.map(|(pool, bps)| share::Share::from_bps(pool, bps)));
    // Whose licence asks for nothing holds nothing.
    pools.retain(|pool| pool.shares > 0);
    Ok(pools)
}

/// The plan's floors, or higher ones where a parent or its licence asks for more.
fn floors(own: &Floors, parents: &[Parent<'_>]) -> Result<Floors, MintError> {
    let mut floors = own.clone();
    for (bps, per_unit) in parents.iter().map(Parent::floors) {
        floors.bps = floors.bps.max(bps);
        for asked in per_unit {
            raise(&mut floors.per_unit, asked);
        }
    }
    let count = floors.per_unit.len();
    if count > MAX_FLOORS { Err(MintError::TooManyFloors(count)) } else { Ok(floors) }
}

fn raise(floors: &mut Vec<Floor>, asked: Floor) {
    match floors.iter_mut().find(|floor| floor.mint == asked.mint) {
        Some(floor) => floor.per_unit = floor.per_unit.max(asked.per_unit),
        None => floors.push(asked),
    }
}

/// About what minting costs from the beginning, in lamports: rent, Token Metadata's fee and the transactions' fees.
async fn cost(chain: &dyn Chain, plan: &Plan, checked: &Checked<'_>) -> Result<u64, MintError> {
    /// An NFT's mint, token account, metadata and master edition as Token Metadata makes them, and its fee.
    const NFT: u64 = 1_461_600 + 2_039_280 + 5_115_600 + 1_030_080 + 10_000_000;
    /// A transaction with two signatures.
    const TRANSACTION: u64 = 10_000;
    const TOKEN_ACCOUNT: usize = provena_common::token::TOKEN_ACCOUNT_LEN;
    // A slab keeps the number of its items before them.
    let items = |count: usize, len: usize| if count == 0 { 4 } else { 8 + count * len };
    let parents = checked.parents.len() + parents::inherited(&checked.parents).len();
    let books = 1 + checked.mints.len();
    let mut lens = vec![
        (Pool::account_len(), 1),
        (Index::account_len(), 1),
        (Books::account_len(), books),
        (TOKEN_ACCOUNT, checked.mints.len()),
        (Position::account_len(), checked.holders.len()),
        (Asset::account_len() + items(checked.floors.per_unit.len(), size_of::<Floor>()), 1),
        (Version::account_len(), 1),
        (Content::account_len(), 1),
    ];
    if parents > 0 || !checked.at_once {
        lens.push((Lineage::account_len() + items(parents, size_of::<provena_registry::state::Edge>()), 1));
    }
    if plan.licence.is_some() {
        lens.push((Licence::account_len(), 1));
    }
    let prices = checked.parents.iter().filter(|parent| parent.price.is_some_and(|price| price.program.is_none()));
    let prices: u64 = prices.map(|parent| parent.licence.price).sum();
    let mut needed =
        prices + NFT + TRANSACTION * (5 + parents + checked.mints.len() + checked.holders.len() / 8) as u64;
    for (len, count) in lens {
        let rent = chain.rent_exempt(len).await.map_err(unread("the rent"))?;
        needed += rent * count as u64;
    }
    Ok(needed)
}
