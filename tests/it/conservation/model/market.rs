//! The market's settings, treasury, nodes and offers.

use provena_market::{
    error::MarketError,
    state::{Node as NodeState, Offer as OfferState, OfferTerms, TreasuryInbox},
};

use super::{
    super::{
        operation::{Market, Program},
        rents::rent_of,
    },
    Answer, EXISTS, FROZEN, Holder, Model, Refusal, SOL, arrives, demand, vault_rent,
};

const CREATE_OFFERS: u32 = 2;
const REGISTER_NODES: u32 = 4;

/// Where protocol fees arrive.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    pub payer: usize,
    pub amount: u64,
}

/// A node's stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub stake: u64,
    pub locked: u64,
    pub agreed: u64,
    pub forfeited: u64,
    /// Which process took a seat last, and when.
    pub lease: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub mint: usize,
    pub terms: OfferTerms,
    /// Per unit, as the asset asked when the offer was made.
    pub least_royalty: u64,
    pub payer: usize,
}

/// An answer on chain: which result each part was taken from, if it was written at all.
#[derive(Clone, Debug)]
pub(crate) struct AnswerOnChain {
    /// The job, which may be gone.
    pub key: super::JobKey,
    pub parts: [Option<u8>; 3],
    pub sealed_at: Option<u64>,
}

/// What somebody was owed and could not be paid.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    pub payer: usize,
    pub amount: u64,
}

/// The least that must be sent so that so much arrives.
pub(crate) fn arriving(mint: usize, amount: u64) -> u64 {
    let mut sent = amount;
    while arrives(mint, sent) < amount {
        sent += amount - arrives(mint, sent);
    }
    sent
}

impl Model {
    pub(super) fn apply_market(&mut self, instruction: &Market) -> Answer {
        match *instruction {
            Market::SetProtocolFee { by, bps } => {
                self.controls[&Program::Market].check(by)?;
                demand(bps <= 500, MarketError::FeeTooHigh)?;
                self.protocol_bps = bps;
                Ok(())
            }
            Market::SetMinStake { by, lamports } => {
                self.controls[&Program::Market].check(by)?;
                self.min_stake = lamports;
                Ok(())
            }
            Market::SetTreasury { by, to } => {
                self.controls[&Program::Market].check(by)?;
                let Holder::Wallet(wallet) = to else { return Err(MarketError::BadTreasury.into()) };
                self.treasury = wallet;
                Ok(())
            }
            Market::OpenTreasuryInbox { by, mint, shard } => self.open_treasury_inbox(by, mint, shard),
            Market::CloseTreasuryInbox { by, mint, shard } => self.close_treasury_inbox(by, mint, shard),
            Market::SweepTreasury { mint, shard } => {
                let inbox = self.inboxes.get(&(mint, shard)).ok_or(Refusal::Missing)?;
                demand(inbox.amount == 0 || !self.is_frozen(self.treasury, mint), FROZEN)?;
                let inbox = self.inboxes.get_mut(&(mint, shard)).expect("found above");
                self.balances[self.treasury][mint] += arrives(mint, std::mem::take(&mut inbox.amount));
                Ok(())
            }
            Market::RegisterNode { by, stake } => self.register_node(by, stake),
            Market::UpdateNode { by, endpoint_len } => {
                demand(self.nodes.contains_key(&by), Refusal::Missing)?;
                demand(endpoint_len <= 96, MarketError::EndpointTooLong)
            }
            Market::AddStake { by, lamports } => {
                self.nodes.get_mut(&by).ok_or(Refusal::Missing)?.stake += lamports;
                self.spend(by, lamports);
                Ok(())
            }
            Market::WithdrawStake { by, lamports } => self.withdraw_stake(by, lamports),
            Market::CloseNode { by } => {
                let node = *self.nodes.get(&by).ok_or(Refusal::Missing)?;
                demand(node.locked == 0, MarketError::StakeLocked)?;
                self.nodes.remove(&by);
                self.refund(by, node.stake + rent_of::<NodeState, ()>(0));
                Ok(())
            }
            Market::CreateOffer { by, asset, id, mint, version, terms } => {
                self.create_offer(by, (asset, id), mint, version, terms)
            }
            Market::CloseOffer { by, asset, id } => {
                let payer = self.offers.get(&(asset, id)).ok_or(Refusal::Missing)?.payer;
                self.check_nft_holder(asset, by)?;
                self.offers.remove(&(asset, id));
                self.refund(payer, rent_of::<OfferState, ()>(0));
                Ok(())
            }
            _ => self.apply_to_job(instruction),
        }
    }

    fn open_treasury_inbox(&mut self, by: usize, mint: usize, shard: u8) -> Answer {
        demand(shard < 128, MarketError::ShardOutOfRange)?;
        demand(!self.inboxes.contains_key(&(mint, shard)), EXISTS)?;
        self.inboxes.insert((mint, shard), Inbox { payer: by, amount: 0 });
        self.spend(by, rent_of::<TreasuryInbox, ()>(0) + vault_rent(mint));
        Ok(())
    }

    fn close_treasury_inbox(&mut self, by: usize, mint: usize, shard: u8) -> Answer {
        let inbox = self.inboxes.get(&(mint, shard)).ok_or(Refusal::Missing)?;
        demand(inbox.payer == by, MarketError::NotRentPayer)?;
        demand(inbox.amount == 0, MarketError::NotEmpty)?;
        self.inboxes.remove(&(mint, shard));
        self.refund(by, rent_of::<TreasuryInbox, ()>(0) + vault_rent(mint));
        Ok(())
    }

    fn register_node(&mut self, by: usize, stake: u64) -> Answer {
        self.controls[&Program::Market].check_running(REGISTER_NODES)?;
        demand(stake >= self.min_stake, MarketError::StakeTooLow)?;
        demand(!self.nodes.contains_key(&by), EXISTS)?;
        self.nodes.insert(by, Node { stake, ..Node::default() });
        self.spend(by, stake + rent_of::<NodeState, ()>(0));
        Ok(())
    }

    fn withdraw_stake(&mut self, by: usize, lamports: u64) -> Answer {
        let least = self.min_stake;
        let node = self.nodes.get_mut(&by).ok_or(Refusal::Missing)?;
        demand(lamports <= node.stake - node.locked, MarketError::StakeLocked)?;
        let left = node.stake - lamports;
        demand(left == 0 || left >= least, MarketError::StakeTooLow)?;
        node.stake = left;
        self.refund(by, lamports);
        Ok(())
    }

    fn create_offer(&mut self, by: usize, key: (usize, u64), mint: usize, version: u32, terms: OfferTerms) -> Answer {
        let asset = self.assets[key.0].as_ref().ok_or(Refusal::Missing)?;
        demand((1..=asset.latest).contains(&version), Refusal::Missing)?;
        let books = self.pools[key.0].as_ref().and_then(|pool| pool.books[mint].as_ref());
        demand(books.is_some(), Refusal::Missing)?;
        self.controls[&Program::Market].check_running(CREATE_OFFERS)?;
        demand(asset.model, MarketError::NotModel)?;
        demand(asset.uses & 1 != 0, MarketError::UseNotAllowed)?;
        self.check_nft_holder(key.0, by)?;
        check_terms(&terms)?;
        check_floor(&terms, asset.floor_bps, asset.floor(mint))?;
        demand(!self.offers.contains_key(&key), EXISTS)?;
        let offer = Offer { mint, terms, least_royalty: asset.floor(mint), payer: by };
        self.offers.insert(key, offer);
        self.spend(by, rent_of::<OfferState, ()>(0));
        Ok(())
    }

    /// Money goes from a wallet.
    pub(super) fn take_from(&mut self, wallet: usize, mint: usize, amount: u64) {
        self.balances[wallet][mint] -= amount;
    }

    /// Money that was sent goes to a wallet.
    pub(super) fn give_to(&mut self, wallet: usize, mint: usize, amount: u64) {
        self.balances[wallet][mint] += arrives(mint, amount);
    }

    /// Money that was sent goes to an inbox of the treasury.
    pub(super) fn fill_inbox(&mut self, mint: usize, shard: u8, amount: u64) -> Answer {
        let inbox = self.inboxes.get_mut(&(mint, shard)).ok_or(Refusal::Missing)?;
        inbox.amount += arrives(mint, amount);
        Ok(())
    }
}

/// Whether terms are sound, as far as generators draw unsound ones.
fn check_terms(terms: &OfferTerms) -> Answer {
    demand(terms.base_price > 0 || terms.input_price > 0 || terms.output_price > 0, MarketError::ZeroPrice)?;
    demand(terms.bond_lamports > 0, MarketError::ZeroBond)?;
    demand(terms.royalty_bps <= 10_000, provena_common::error::CommonError::BpsTooHigh)?;
    let sound = (1..=5).contains(&terms.seats) && terms.quorum <= terms.seats && 2 * terms.quorum > terms.seats;
    demand(sound, MarketError::BadQuorum)?;
    demand(terms.open_window >= 150, MarketError::BadWindow)
}

/// Whether terms ask at least what an asset does.
pub(super) fn check_floor(terms: &OfferTerms, bps: u16, per_unit: u64) -> Answer {
    demand(terms.royalty_bps >= bps, MarketError::RoyaltyBelowFloor)?;
    let input = terms.max_input_units == 0 || terms.input_price >= per_unit;
    let output = terms.max_output_units == 0 || terms.output_price >= per_unit;
    demand(input && output, MarketError::PriceBelowFloor)
}

/// What a job owes in lamports: of one in SOL the money, too.
pub(super) fn in_lamports(mint: usize, money: u64, lamports: u64) -> u64 {
    if mint == SOL { money + lamports } else { lamports }
}
