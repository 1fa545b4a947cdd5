//! Compares every account that the model knows with what it must hold.

use anchor_lang::prelude::Address;
use provena_common::slot::Slot;
use provena_market::state::{
    JobState, Node as NodeState, Offer as OfferState, Residual as ResidualState, Seat as SeatAccount, SeatState,
    TreasuryInbox as TreasuryInboxState,
};
use provena_registry::{client as registry, state as assets};
use provena_royalty::{
    client::decode,
    state::{Books as BooksState, Index, Pool as PoolState, Position as PositionState},
    view,
};
use solana_account::ReadableAccount;

use super::{
    Chain,
    market::result_root,
    places::{Place, position},
};
use crate::conservation::{
    model::{Asset, Job, MINTS, Model, Pool, SOL, Stage, Step, WALLETS, vault_rent},
    rents::{BOOKS_RENT, CLAIM_RENT, INBOX_RENT, POOL_RENT, rent_of},
};

impl Chain {
    /// An account's bytes; none where there is no account.
    pub(super) fn data(&self, address: &Address) -> &[u8] {
        self.world.svm.accounts_db().get_account_ref(address).map_or(&[], |account| account.data())
    }

    fn lamports(&self, address: &Address) -> u64 {
        self.world.svm.accounts_db().get_account_ref(address).map_or(0, |account| account.lamports())
    }

    /// Base units in a token account, or lamports above a rent.
    fn amount(&self, place: Place, mint: usize, rent: u64) -> u64 {
        let address = self.at(place);
        if mint == SOL {
            return self.lamports(&address) - rent;
        }
        let bytes = self.data(&address).get(64..72).unwrap_or_else(|| panic!("{place:?} is no token account"));
        u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
    }

    /// Compares every account that can change.
    pub(crate) fn check(&self, model: &Model) {
        assert_eq!(self.world.slot(), model.slot);
        for (wallet, balances) in model.balances.iter().enumerate() {
            let mut found = [0; MINTS];
            for (mint, found) in found.iter_mut().enumerate() {
                *found = self.amount(Place::Account(wallet, mint), mint, 0);
            }
            assert_eq!(found, *balances, "balances of wallet {wallet}");
        }
        for (number, pool) in model.pools.iter().enumerate() {
            for mint in 1..MINTS {
                let found = self.amount(Place::PoolAccount(number, mint), mint, 0);
                assert_eq!(found, model.resale[number][mint], "resale royalties of pool {number} in mint {mint}");
            }
            let rent = if pool.is_some() { POOL_RENT } else { 0 };
            let expected = rent + model.resale[number][SOL];
            assert_eq!(self.lamports(&self.at(Place::Pool(number))), expected, "lamports of pool {number}");
            match pool {
                Some(pool) => self.check_pool(number, pool, model.slot),
                None => assert_eq!(self.lamports(&self.at(Place::Index(number))), 0, "index of pool {number}"),
            }
        }
        for (number, asset) in model.assets.iter().enumerate() {
            match asset {
                Some(asset) => self.check_registered(number, asset, model),
                None if model.drafts[number].is_some() => {}
                None => assert_eq!(self.lamports(&self.at(Place::Asset(number))), 0, "asset {number}"),
            }
        }
        for (number, draft) in model.drafts.iter().enumerate() {
            let Some(draft) = draft else { continue };
            self.check_asset(number, &draft.asset, assets::AssetStatus::Draft);
        }
        for claim in model.claims.keys() {
            assert_eq!(self.lamports(&self.at(Place::claim(claim))), CLAIM_RENT, "{claim:?}");
        }
        self.check_market(model);
        model.jobs.values().for_each(|job| self.check_job(job));
    }

    fn check_pool(&self, number: usize, pool: &Pool, slot: u64) {
        let state: PoolState = decode(self.data(&self.at(Place::Pool(number)))).expect("it is a pool");
        let index: Index = decode(self.data(&self.at(Place::Index(number)))).expect("it is an index");
        assert_eq!((state.assigned_shares, state.mints().len()), (pool.assigned, pool.mints.len()));
        assert_eq!(index.is_sealed(), pool.sealed);
        for (place, mint) in pool.mints.iter().enumerate() {
            let known = pool.books[*mint].as_ref().expect("listed");
            let address = self.at(Place::Books(number, *mint));
            let books: BooksState = decode(self.data(&address)).expect("it is books");
            assert_eq!((books.held, usize::from(books.index)), (known.held, place), "books of pool {number}");
            let found = self.amount(Place::Vault(number, *mint), *mint, BOOKS_RENT);
            assert_eq!(found, known.held + known.surplus, "money of pool {number} in mint {mint}");
            let unreleased = view::unreleased(&index, &books, Slot(slot)).0;
            assert_eq!(u128::from(unreleased), known.unreleased(), "unreleased in pool {number}, mint {mint}");
            assert_eq!(usize::from(books.inbox_count), known.inboxes.len());
            if *mint != SOL {
                assert_eq!(self.lamports(&address), BOOKS_RENT);
            }
            for (shard, inbox) in known.inboxes.iter().enumerate() {
                let found = self.amount(Place::InboxVault(number, *mint, shard), *mint, INBOX_RENT);
                assert_eq!(found, inbox.amount, "inbox {shard} of pool {number} in mint {mint}");
            }
            let owed: u128 = pool.positions.values().map(|position| position.parts[*mint]).sum();
            let total = u128::from(pool.total);
            assert_eq!(owed + known.unreleased() * total, u128::from(known.held) * total, "not one part is lost");
        }
        for (holder, known) in &pool.positions {
            let address = position(self, number, *holder);
            let mut found: PositionState = decode(self.data(&address)).expect("it is a position");
            assert_eq!((found.shares, found.rent_payer), (known.shares, self.wallets[known.rent_payer]));
            let delegate = known.delegate.map_or((Address::default(), 0), |(who, most)| (self.wallets[who], most));
            assert_eq!((found.delegate, found.delegated), delegate);
            for (place, mint) in pool.mints.iter().enumerate() {
                let place = u8::try_from(place).expect("few mints");
                let settled = found.settle_one(&index, place, Slot(slot)).expect("the program's own numbers");
                let parts = u128::from(settled.accrued) * u128::from(pool.total) + u128::from(settled.remainder);
                assert_eq!(parts, known.parts[*mint], "{holder:?} in mint {mint} of pool {number}");
            }
        }
    }

    fn check_asset(&self, number: usize, known: &Asset, status: assets::AssetStatus) {
        let address = self.at(Place::Asset(number));
        let (asset, floors) = registry::decode_asset(self.data(&address)).expect("it is an asset");
        let kind = if known.model { assets::AssetKind::Model } else { assets::AssetKind::Dataset };
        assert_eq!((asset.latest, asset.floor_bps, asset.kind()), (known.latest, known.floor_bps, Ok(kind)));
        assert_eq!((asset.pool, asset.status), (self.at(Place::Pool(number)), status as u8));
        assert_eq!((asset.uses, usize::from(asset.pending)), (known.uses, known.pending()), "asset {number}");
        let found: Vec<_> = floors.iter().map(|floor| (floor.mint, floor.per_unit)).collect();
        let expected: Vec<_> = known.floors.iter().map(|(mint, amount)| (self.money[*mint].mint(), *amount)).collect();
        assert_eq!(found, expected, "floors of asset {number}");
        let rent = rent_of::<assets::Asset, assets::Floor>(floors.len());
        assert_eq!(self.lamports(&address), rent, "lamports of asset {number}");
        if known.has_lineage() {
            let lineage = registry::decode_lineage(self.data(&self.at(Place::Lineage(number))));
            let (_, edges) = lineage.expect("it is a lineage");
            assert_eq!(edges, self.edges(known), "lineage of asset {number}");
        }
    }

    fn check_registered(&self, number: usize, known: &Asset, model: &Model) {
        self.check_asset(number, known, assets::AssetStatus::Active);
        for (id, known) in &known.licences {
            let found = registry::decode(self.data(&self.at(Place::Licence(number, *id))));
            let found: assets::Licence = found.expect("it is a licence");
            let floor =
                known.terms.floor.map_or((Address::default(), 0), |(mint, amount)| (self.money[mint].mint(), amount));
            assert_eq!((found.floor_mint, found.floor_per_unit), floor);
            let terms = (found.bps, found.floor_bps, found.needs_consent(), found.is_active());
            let asked = known.terms;
            assert_eq!(terms, (asked.bps, asked.floor_bps, asked.consent, known.active), "licence {id} of {number}");
            assert_eq!((found.children, found.uses), (known.children, asked.uses), "licence {id} of {number}");
        }
        let holder = model.nft_holder(number).expect("a registered asset has an NFT");
        for wallet in 0..WALLETS {
            let account = self.at(Place::Nft(number, wallet));
            let held = self.data(&account).get(64).copied().unwrap_or(0);
            assert_eq!(held == 1, wallet == holder, "the NFT of asset {number}");
        }
    }

    fn check_market(&self, model: &Model) {
        for ((mint, shard), inbox) in &model.inboxes {
            let rent = rent_of::<TreasuryInboxState, ()>(0);
            let found = self.amount(Place::TreasuryVault(*mint, *shard), *mint, rent);
            assert_eq!(found, inbox.amount, "inbox {shard} of the treasury in mint {mint}");
            if *mint != SOL {
                assert_eq!(self.lamports(&self.at(Place::TreasuryInbox(*mint, *shard))), rent);
            }
        }
        for wallet in 0..WALLETS {
            let address = self.at(Place::Node(wallet));
            let Some(known) = model.nodes.get(&wallet) else {
                assert_eq!(self.lamports(&address), 0, "node of wallet {wallet}");
                continue;
            };
            let node: NodeState = provena_market::client::decode(self.data(&address)).expect("it is a node");
            let found = (node.stake, node.locked, node.agreed, node.forfeited);
            assert_eq!(found, (known.stake, known.locked, known.agreed, known.forfeited), "node of wallet {wallet}");
            assert_eq!((node.instance, node.leased_at), known.lease.unwrap_or_default(), "node of wallet {wallet}");
            assert_eq!(self.lamports(&address), rent_of::<NodeState, ()>(0) + known.stake, "node of wallet {wallet}");
        }
        for ((asset, id), known) in &model.offers {
            let address = self.at(Place::Offer(*asset, *id));
            let offer: OfferState = provena_market::client::decode(self.data(&address)).expect("it is an offer");
            let found = (offer.mint, offer.terms(), offer.least_royalty, offer.rent_payer);
            let mint = self.money[known.mint].mint();
            assert_eq!(found, (mint, known.terms, known.least_royalty, self.wallets[known.payer]), "offer {id}");
            assert_eq!(self.lamports(&address), rent_of::<OfferState, ()>(0));
        }
        for ((wallet, mint), residual) in &model.residuals {
            let rent = rent_of::<ResidualState, ()>(0);
            let found = self.amount(Place::ResidualVault(*wallet, *mint), *mint, rent);
            assert_eq!(found, residual.amount, "residual of wallet {wallet} in mint {mint}");
        }
        for ((job, poster), answer) in &model.answers {
            let address = self.at(Place::Answer(self.at(Place::job(&answer.key)), *poster));
            assert_eq!(self.lamports(&address), crate::conservation::model::answer_rent(), "answer to job {job}");
        }
    }

    fn check_job(&self, known: &Job) {
        let found = self.record(known);
        let state = match known.stage {
            Stage::Open => JobState::Open,
            Stage::Revealing { .. } => JobState::Revealing,
            Stage::Agreed { .. } => JobState::Agreed,
            Stage::Failed => JobState::Failed,
            Stage::Cancelled => JobState::Cancelled,
            Stage::Defaulted { .. } => JobState::Defaulted,
        };
        assert_eq!((found.job.state(), found.job.deposit), (Ok(state), known.deposit), "{known:?}");
        assert_eq!((found.job.decided_at, found.job.bond), (known.ended_at, known.bond), "{known:?}");
        for (seat, expected) in found.seats.iter().zip(&known.seats) {
            let step = match expected.step {
                Step::Free => SeatState::Free,
                Step::Taken => SeatState::Taken,
                Step::Committed => SeatState::Committed,
                Step::Revealed => SeatState::Revealed,
                Step::Missed => SeatState::Missed,
            };
            let node = expected.node.map_or_else(Address::default, |node| self.wallets[node]);
            assert_eq!((seat.state(), seat.node), (Ok(step), node), "{known:?}");
            if expected.step == Step::Revealed {
                assert_eq!(seat.value, result_root(expected.outcome.0), "{known:?}");
            }
        }
        let rent = rent_of::<provena_market::state::Job, SeatAccount>(known.seats.len());
        assert_eq!(self.lamports(&found.address), rent + known.lamports + known.gifts.0, "lamports of {known:?}");
        if known.mint != SOL {
            let escrow = Place::Escrow(found.address);
            assert_eq!(self.amount(escrow, known.mint, 0), known.tokens + known.gifts.1, "tokens of {known:?}");
            assert_eq!(self.lamports(&self.at(escrow)), vault_rent(known.mint), "lamports of the escrow of {known:?}");
        }
    }

    /// Compares also what never changes once it is there.
    pub(crate) fn check_all(&self, model: &Model) {
        self.check(model);
        for (content, (asset, n)) in &model.contents {
            let found: assets::Content =
                registry::decode(self.data(&self.at(Place::Content(*content)))).expect("it is content");
            assert_eq!((found.asset, found.n), (self.at(Place::Asset(*asset)), *n), "content {content}");
            let version = registry::decode(self.data(&self.at(Place::Version(*asset, *n))));
            let version: assets::Version = version.expect("it is a version");
            assert_eq!(version.content_root, super::places::content_root(*content), "version {n} of asset {asset}");
        }
    }
}
