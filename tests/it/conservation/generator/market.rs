//! Instructions of the market program, but for work on jobs.

use super::Generator;
use crate::conservation::{
    model::{Holder, MINTS, Model, NODES, PEOPLE, POOLS, WALLETS, arriving},
    operation::{Market, Operation, Posting, Program},
};

const STAKE: u64 = 20_000_000_000;
/// No more jobs than this at a time.
const MOST_JOBS: usize = 5;

impl Generator {
    pub(super) fn market(&mut self, model: &Model) -> Operation {
        let instruction = match self.below(100) {
            0..8 if model.jobs.len() < MOST_JOBS => self.post(model),
            8..10 => self.stake(model),
            10 => self.node(model),
            11 => self.setting(model),
            12..14 => self.offer(model),
            14..16 => self.treasury_inbox(model),
            16..18 => self.residual(model),
            18 => self.left_answer(model),
            _ => match self.work(model) {
                Some(operation) => return operation,
                None => self.post(model),
            },
        };
        Operation::Market(instruction)
    }

    /// Mostly a wallet that has a node.
    pub(super) fn node_wallet(&mut self) -> usize {
        if self.once_in(40) { self.below(WALLETS) } else { PEOPLE + self.below(NODES) }
    }

    fn setting(&mut self, model: &Model) -> Market {
        let by = if self.once_in(3) { self.person() } else { model.controls[&Program::Market].authority };
        match self.below(6) {
            0..3 => Market::SetProtocolFee { by, bps: self.one_of([0, 1, 250, 499, 500, 501]) },
            3..5 => Market::SetMinStake { by, lamports: self.one_of([0, 1_000_000_000, 2_000_000_000]) },
            _ => {
                let wallet = self.below(WALLETS);
                let pool = self.below(POOLS);
                let to = if self.once_in(3) { Holder::Pool(pool) } else { Holder::Wallet(wallet) };
                Market::SetTreasury { by, to }
            }
        }
    }

    fn stake(&mut self, model: &Model) -> Market {
        let by = self.node_wallet();
        let lamports = self.one_of([1, 3_000_000_000, 19_000_000_001]);
        let rich = model.nodes.get(&by).is_some_and(|node| node.stake >= 3 * STAKE);
        if self.once_in(2) && !rich {
            Market::AddStake { by, lamports }
        } else {
            Market::WithdrawStake { by, lamports }
        }
    }

    fn node(&mut self, model: &Model) -> Market {
        let missing = (PEOPLE..PEOPLE + NODES).find(|wallet| !model.nodes.contains_key(wallet));
        let by = self.node_wallet();
        match self.below(8) {
            0..4 => {
                let stake = if self.once_in(5) { 999_999_999 } else { STAKE };
                Market::RegisterNode { by: missing.unwrap_or(by), stake }
            }
            4..6 => Market::UpdateNode { by, endpoint_len: self.one_of([0, 40, 96, 97]) },
            _ => Market::CloseNode { by },
        }
    }

    fn offer(&mut self, model: &Model) -> Market {
        let offers: Vec<_> = model.offers.keys().copied().collect();
        let stale: Vec<_> = offers.iter().copied().filter(|key| !is_current(model, *key)).collect();
        let closed = self.pick(&stale).filter(|_| !self.once_in(3)).or_else(|| self.pick(&offers));
        if let Some((asset, id)) = closed.filter(|_| self.once_in(3)) {
            return Market::CloseOffer { by: self.nft_holder(model, asset), asset, id };
        }
        let asset = self.asset(model);
        let id = self.next() % 4;
        let mint = if self.once_in(4) { self.below(MINTS) } else { self.mint(model, asset) };
        let known = model.assets[asset].as_ref();
        let latest = known.map_or(1, |asset| asset.latest);
        let version = if self.once_in(12) { latest + 1 } else { 1 + self.next() as u32 % latest };
        let (seats, quorum) = self.one_of([(1, 1), (3, 2), (2, 2), (5, 3), (4, 2), (6, 4)]);
        let mut terms = self.terms(seats, quorum);
        if !self.once_in(5) {
            // What the asset asks at least.
            terms.royalty_bps = terms.royalty_bps.max(known.map_or(0, |asset| asset.floor_bps));
            let floor = known.map_or(0, |asset| asset.floor(mint));
            terms.input_price = terms.input_price.max(floor);
            terms.output_price = terms.output_price.max(floor);
        }
        match self.below(40) {
            0 => terms.bond_lamports = 0,
            1 => terms.royalty_bps = 10_001,
            2 => terms.open_window = 149,
            3 => (terms.base_price, terms.input_price, terms.output_price) = (0, 0, 0),
            _ => {}
        }
        Market::CreateOffer { by: self.nft_holder(model, asset), asset, id, mint, version, terms }
    }

    fn treasury_inbox(&mut self, model: &Model) -> Market {
        let mint = self.below(MINTS);
        let shard = if self.once_in(3) { self.one_of([1, 127, 128]) } else { 0 };
        match self.below(7) {
            0..2 => Market::OpenTreasuryInbox { by: self.person(), mint, shard },
            2 => {
                let payer = model.inboxes.get(&(mint, shard)).map_or(0, |inbox| inbox.payer);
                let by = if self.once_in(5) { self.person() } else { payer };
                Market::CloseTreasuryInbox { by, mint, shard }
            }
            _ => Market::SweepTreasury { mint, shard },
        }
    }

    fn residual(&mut self, model: &Model) -> Market {
        let known: Vec<_> = model.residuals.keys().copied().collect();
        let any = (self.below(WALLETS), self.below(MINTS));
        let (wallet, mint) = self.pick(&known).filter(|_| !self.once_in(10)).unwrap_or(any);
        Market::CollectResidual { wallet, mint }
    }

    /// An answer is closed that may have outlived its job.
    fn left_answer(&mut self, model: &Model) -> Market {
        let known: Vec<_> = model.answers.keys().copied().collect();
        let left: Vec<_> = known.iter().copied().filter(|(job, _)| !model.jobs.contains_key(job)).collect();
        let any = (self.job, self.node_wallet());
        let (job, poster) = self.pick(&left).or_else(|| self.pick(&known)).unwrap_or(any);
        Market::CloseAnswer { job, poster, signed: self.once_in(2) }
    }

    /// A payer posts a job, mostly a sound one.
    fn post(&mut self, model: &Model) -> Market {
        let offers: Vec<_> = model.offers.keys().copied().collect();
        let current: Vec<_> = offers.iter().copied().filter(|key| is_current(model, *key)).collect();
        let any = (self.below(POOLS), self.next() % 4);
        let chosen = self.pick(&current).filter(|_| !self.once_in(8)).or_else(|| self.pick(&offers));
        let (asset, offer) = chosen.filter(|_| !self.once_in(15)).unwrap_or(any);
        let known = model.offers.get(&(asset, offer));
        let most = (self.next() % 21, self.next() % 21);
        let most = if self.once_in(30) { (21, most.1) } else { most };
        let price = known.map_or(0, |offer| {
            let terms = &offer.terms;
            terms.base_price + terms.input_price * most.0 + terms.output_price * most.1
        });
        // What a mint takes comes on top.
        let mut deposit = arriving(known.map_or(0, |offer| offer.mint), price);
        deposit += if self.once_in(5) { 12_345 } else { 0 };
        if self.once_in(30) {
            deposit = price.saturating_sub(1);
        }
        let age = if self.once_in(10) { self.next() % 170 } else { 0 };
        let stale = self.once_in(30);
        self.next_job += 1;
        Market::PostJob(Posting {
            job: self.next_job,
            by: self.person(),
            asset,
            offer,
            most,
            deposit,
            age: age.min(model.slot),
            index: u16::try_from(self.below(40)).expect("few"),
            max_protocol_bps: if stale { model.protocol_bps.saturating_sub(1) } else { model.protocol_bps },
            wrong_terms: self.once_in(30),
        })
    }
}

/// Whether an offer keeps what its asset asks now.
fn is_current(model: &Model, (asset, id): (usize, u64)) -> bool {
    let (Some(offer), Some(asset)) = (model.offers.get(&(asset, id)), &model.assets[asset]) else { return false };
    let floor = asset.floor(offer.mint);
    let prices = offer.terms.input_price >= floor && offer.terms.output_price >= floor;
    prices && offer.terms.royalty_bps >= asset.floor_bps && offer.least_royalty >= floor
}
