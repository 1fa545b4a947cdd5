//! Offers: the holder of a model's NFT sells the use of a version of it.

mod error;

use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_market::{
    client::{self as market, OfferOf},
    constants::{FIRST_COME, pause},
    pda,
    state::{Admin, Offer, OfferTerms, TreasuryInbox},
};
use provena_registry::state::{AssetKind, per_unit_floor};
use provena_royalty::{
    client::{self as royalty, Evidence},
    state::Books,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    asset::{self, AssetError, Owner, Registered},
    batch,
    chain::{Chain, accounts, accounts::ProgramAccount as _, send_and_confirm},
    royalty::check_allowed,
    token::{self, PaymentMint},
};
use error::{unread, unsent};

pub use error::OfferError;

/// The inbox that offers open where there is none.
const SHARD: u8 = 0;

/// The terms that a caller chooses; the rest follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The payment mint; the zero address is SOL.
    pub mint: Pubkey,
    /// Base units for any answer at all.
    pub base_price: u64,
    /// Base units for one unit of input: a picture, a text, a token of a prompt.
    pub input_price: u64,
    /// Base units for one unit of output: a token of an answer.
    pub output_price: u64,
    /// Most units of input of one job.
    pub max_input: u32,
    /// Most units of output of one job; 0 for models that make none.
    pub max_output: u32,
    /// The holders' part of the fee.
    pub royalty_bps: u16,
    /// Nodes per job.
    pub nodes: u8,
    /// How many must agree.
    pub agree: u8,
    /// Lamports of stake that a node loses when it lets a job down.
    pub bond: u64,
    /// Slots for each step.
    pub window: u32,
}

impl Terms {
    /// Those of an offer on the chain; its longest window stands for all three.
    #[must_use]
    pub fn of(offer: &Offer) -> Self {
        Self {
            mint: offer.mint,
            base_price: offer.base_price,
            input_price: offer.input_price,
            output_price: offer.output_price,
            max_input: offer.max_input_units,
            max_output: offer.max_output_units,
            royalty_bps: offer.royalty_bps,
            nodes: offer.seats,
            agree: offer.quorum,
            bond: offer.bond_lamports,
            window: offer.open_window.max(offer.commit_window).max(offer.reveal_window),
        }
    }

    /// As the market takes them.
    #[must_use]
    pub fn on_chain(&self) -> OfferTerms {
        OfferTerms {
            base_price: self.base_price,
            input_price: self.input_price,
            output_price: self.output_price,
            bond_lamports: self.bond,
            open_window: self.window,
            commit_window: self.window,
            reveal_window: self.window,
            max_input_units: self.max_input,
            max_output_units: self.max_output,
            royalty_bps: self.royalty_bps,
            seats: self.nodes,
            quorum: self.agree,
            engine_class: ENGINE_CLASS_INT_V1,
            flags: FIRST_COME,
        }
    }
}

/// An offer that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its address.
    pub offer: Pubkey,
    /// The version that it sells.
    pub version: u32,
    /// Transactions, in order.
    pub signatures: Vec<Signature>,
}

/// Offers `version` of a model (the latest for `None`) under the next free number. What jobs are paid into is opened where
/// it is missing: the pool's books in the mint, an inbox of theirs, and one of the treasury's.
///
/// # Errors
/// [`OfferError`]; everything but a refusal by the chain is found out before anything is sent.
pub async fn create(
    chain: &dyn Chain,
    wallet: &Keypair,
    asset: &Pubkey,
    version: Option<u32>,
    terms: &Terms,
) -> Result<Created, OfferError> {
    let admin = accounts::fetch_optional::<Admin, _>(chain, &pda::admin().0).await.map_err(unread("the market"))?;
    let admin = admin.ok_or(OfferError::NotSetUp)?;
    if admin.control.paused & pause::OFFERS != 0 {
        return Err(OfferError::Paused);
    }
    let owner = Owner::of(chain, wallet, asset).await?;
    owner.check_kind(AssetKind::Model)?;
    owner.check_active()?;
    let mint = token::payment_mint(chain, &terms.mint).await?;
    check(&owner, terms, &mint)?;
    let version = version.unwrap_or(owner.registered().asset.latest);
    owner.registered().version(chain, version).await?;

    let mut groups = places(chain, &owner, wallet, &mint).await?;
    let offer_id = free_number(chain, asset).await?;
    let of = OfferOf { asset: *asset, version, mint: terms.mint, offer_id };
    groups.push(vec![market::create_offer(wallet.pubkey(), owner.nft(), of, terms.on_chain())]);
    let sent = batch::send_all(chain, &groups, &[wallet]).await.map_err(unsent("the offer was not created"))?;
    let mut signatures: Vec<Signature> = sent.iter().map(|sent| sent.signature).collect();
    signatures.dedup();
    Ok(Created { offer: pda::offer(asset, offer_id).0, version, signatures })
}

/// Checks the terms by themselves and against the asset's floors, with the market's own code.
fn check(owner: &Owner<'_>, terms: &Terms, mint: &PaymentMint) -> Result<(), OfferError> {
    let on_chain = terms.on_chain();
    on_chain.validate().map_err(OfferError::of_program)?;
    let registered = owner.registered();
    let floor = registered.asset.floor_bps;
    if terms.royalty_bps < floor {
        return Err(OfferError::RoyaltyBelowFloor { asset: registered.mint, floor });
    }
    let per_unit = per_unit_floor(&registered.floors, &terms.mint);
    let floors = on_chain.check_floor(floor, provena_common::amount::Amount(per_unit));
    floors.map_err(|_| OfferError::PriceBelowFloor { asset: registered.mint, floor: mint.currency().show(per_unit) })
}

/// What opens the places that the offer's jobs pay into.
async fn places(
    chain: &dyn Chain,
    owner: &Owner<'_>,
    wallet: &Keypair,
    mint: &PaymentMint,
) -> Result<Vec<Vec<Instruction>>, OfferError> {
    let (payer, asset) = (wallet.pubkey(), owner.registered().mint);
    let books = provena_royalty::pda::books(&owner.registered().asset.pool, &mint.address).0;
    let treasury = pda::treasury_inbox(&mint.address, SHARD).0;
    let there = accounts::fetch_optional::<Books, _>(chain, &books).await.map_err(unread("the pool's books"))?;
    let mut groups = Vec::new();
    if there.is_none() {
        check_allowed(chain, &mint.address).await?;
        let open = royalty::open_books(&payer, &asset, mint.means(), Evidence::Nft(owner.nft()));
        groups.push(open.into_iter().collect());
    }
    if there.is_none_or(|books| books.inbox_count == 0) {
        groups.push(vec![royalty::open_inbox(&payer, &asset, mint.means(), SHARD)]);
    }
    let inbox = accounts::fetch_optional::<TreasuryInbox, _>(chain, &treasury).await;
    if inbox.map_err(unread("the treasury's inbox"))?.is_none() {
        groups.push(vec![market::open_treasury_inbox(payer, mint.means(), SHARD)]);
    }
    Ok(groups)
}

/// A number that no offer of the asset has or had: the present slot, or one of the next. An address that came back with other
/// terms would still have its old name in somebody's address book.
async fn free_number(chain: &dyn Chain, asset: &Pubkey) -> Result<u64, OfferError> {
    const TOGETHER: u64 = 8;
    let mut first = chain.slot().await.map_err(unread("the chain's slot"))?;
    loop {
        let addresses: Vec<Pubkey> = (first..first + TOGETHER).map(|id| pda::offer(asset, id).0).collect();
        let found = chain.accounts(&addresses).await.map_err(unread("the asset's offers"))?;
        let ours = |account: &solana_account::Account| account.owner == provena_market::ID;
        let free = (first..).zip(found).find(|(_, account)| !account.as_ref().is_some_and(ours));
        match free {
            Some((id, _)) => return Ok(id),
            None => first += TOGETHER,
        }
    }
}

/// Closes an offer; its rent goes to whoever paid it. Jobs that were posted go on.
///
/// # Errors
/// [`OfferError::NoOffer`], [`OfferError::Asset`] when the wallet does not hold the model, [`OfferError::Unsent`].
pub async fn close(chain: &dyn Chain, wallet: &Keypair, address: &Pubkey) -> Result<(Offer, Signature), OfferError> {
    let offer = get(chain, address).await?;
    let nft = token::nft_account(chain, &wallet.pubkey(), &offer.asset).await.map_err(AssetError::Token)?;
    let Some(nft) = nft else {
        let owner = token::owner_of(chain, &offer.asset).await.map_err(AssetError::Token)?;
        return Err(AssetError::NotOwner { wallet: wallet.pubkey(), mint: offer.asset, owner }.into());
    };
    let close = market::close_offer(wallet.pubkey(), nft, *address, &offer);
    let sent = send_and_confirm(chain, &[close], &[wallet]).await;
    Ok((offer, sent.map_err(unsent("the offer was not closed"))?.signature))
}

/// The offers that an address stands for: its own, or those of the model that it names which take jobs, cheapest first. Prices
/// in SOL come before those in tokens, which cannot be compared with them.
///
/// # Errors
/// [`OfferError::NoOffer`] for an address that is neither, [`OfferError::NotOffered`] for a model without such an offer.
pub async fn find(chain: &dyn Chain, address: &Pubkey) -> Result<Vec<(Pubkey, Offer)>, OfferError> {
    match get(chain, address).await {
        Ok(offer) => Ok(vec![(*address, offer)]),
        Err(OfferError::NoOffer(_)) => {
            let model = asset::find(chain, address).await?.ok_or(OfferError::NoOffer(*address))?;
            let mut open = of(chain, address).await?;
            open.retain(|(_, offer)| takes_jobs(offer, &model));
            open.sort_by_key(|(address, offer)| {
                let unit =
                    u128::from(offer.base_price) + u128::from(offer.input_price) + u128::from(offer.output_price);
                (!token::is_sol(&offer.mint), offer.mint, unit, *address)
            });
            if open.is_empty() { Err(OfferError::NotOffered(*address)) } else { Ok(open) }
        }
        Err(error) => Err(error),
    }
}

/// Every offer of a model, whether it takes jobs or not.
///
/// # Errors
/// [`OfferError::Unread`].
pub async fn of(chain: &dyn Chain, asset: &Pubkey) -> Result<Vec<(Pubkey, Offer)>, OfferError> {
    let filter = Offer::filter_field(std::mem::offset_of!(Offer, asset), asset.as_ref());
    accounts::list::<Offer, _>(chain, &filter).await.map_err(unread("the model's offers"))
}

/// Whether the market takes jobs on an offer: the model is active, and its floors are no higher than the offer's terms.
#[must_use]
pub fn takes_jobs(offer: &Offer, model: &Registered) -> bool {
    offer.check_asset(&model.address, &model.asset, &model.floors).is_ok()
}

/// The offer at an address.
///
/// # Errors
/// [`OfferError::NoOffer`] when there is none, or something else.
pub async fn get(chain: &dyn Chain, address: &Pubkey) -> Result<Offer, OfferError> {
    let account = chain.account(address).await.map_err(unread("the offer"))?;
    let offer = account.and_then(|account| accounts::decode::<Offer>(address, &account).ok());
    offer.ok_or(OfferError::NoOffer(*address))
}
