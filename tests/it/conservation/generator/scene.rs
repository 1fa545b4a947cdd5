//! What a sequence begins with: datasets and models that were made of them, offers, nodes, and inboxes for their money.

use provena_market::state::OfferTerms;

use super::{Generator, registry::DATASETS};
use crate::conservation::{
    model::{Claim, Holder, Lock, MINTS, NODES, NewHolder, PEOPLE},
    operation::{LicenceOf, Market, Operation, Outside, Parent, Registering, Registry, Royalty, Shown},
};

/// What every node has at stake.
const STAKE: u64 = 20_000_000_000;
/// Seats and quorum of an offer.
const SIZES: [(u8, u8); 4] = [(1, 1), (3, 2), (2, 2), (5, 3)];

impl Generator {
    /// Assets 0 and 1 are datasets; asset 2 is a model of the first, asset 3 of the second and of asset 2, asset 4 of nobody's.
    /// Now and then the first dataset's licence binds every descendant: then asset 3 is put together in steps.
    pub(super) fn first_scene(&mut self) -> Vec<Operation> {
        let lineage: [&[usize]; 5] = [&[], &[], &[0], &[1, 2], &[]];
        let absolute = self.once_in(2);
        let mut scene = Vec::new();
        for (asset, parents) in lineage.into_iter().enumerate() {
            let creator = self.person();
            let holders: Vec<usize> = parents.iter().copied().chain((absolute && asset == 3).then_some(0)).collect();
            scene.push(self.pool_of(asset, creator, &holders));
            self.next_content += 1;
            let claim = Claim { by: creator, content: self.next_content, salt: 1 };
            scene.push(Operation::Registry(Registry::ClaimContent(claim)));
            scene.push(Operation::Outside(Outside::PassSlots(8)));
            let parents = parents.iter().map(|asset| Parent { asset: *asset, licence: 1, version: 1, consents: true });
            let new =
                Registering { asset, claim, name_len: 6, floor_bps: 0, floors: Vec::new(), parents: parents.collect() };
            if absolute && asset == 3 {
                scene.extend(in_steps(new).into_iter().map(Operation::Registry));
            } else {
                let dataset = asset < DATASETS;
                let register = if dataset { Registry::RegisterDataset(new) } else { Registry::RegisterModel(new) };
                scene.push(Operation::Registry(register));
            }
            let licence = Registry::PublishLicence {
                asset,
                by: creator,
                id: 1,
                terms: LicenceOf {
                    bps: 1_000,
                    floor_bps: 0,
                    floor: None,
                    consent: self.once_in(3),
                    absolute: absolute && asset == 0,
                    uses: u32::MAX,
                    price: None,
                    expires: 0,
                    most: 0,
                },
            };
            scene.push(Operation::Registry(licence));
            for mint in 0..MINTS {
                let books = Royalty::OpenBooks { pool: asset, payer: creator, mint, shown: Shown::Nft };
                let inbox = Royalty::OpenInbox { pool: asset, payer: self.person(), mint };
                scene.extend([books, inbox].map(Operation::Royalty).into_iter().skip(usize::from(mint == 0)));
                if asset >= DATASETS {
                    let (seats, quorum) = self.one_of(SIZES);
                    let terms = self.terms(seats, quorum);
                    let id = u64::try_from(mint).expect("few");
                    scene.push(Operation::Market(Market::CreateOffer {
                        by: creator,
                        asset,
                        id,
                        mint,
                        version: 1,
                        terms,
                    }));
                }
            }
        }
        scene
            .extend((0..NODES).map(|node| Operation::Market(Market::RegisterNode { by: PEOPLE + node, stake: STAKE })));
        for mint in 0..MINTS {
            let by = self.person();
            scene.push(Operation::Market(Market::OpenTreasuryInbox { by, mint, shard: 0 }));
        }
        scene
    }

    /// A pool of which the parents' pools hold shares, and two wallets the rest.
    fn pool_of(&mut self, pool: usize, creator: usize, parents: &[usize]) -> Operation {
        let total = self.one_of([10, 1_009, 1_000_000_000, 0xffff_ffff]);
        let window = self.one_of([0, 0, 57, 400]);
        let mut left = total;
        let mut holders = Vec::new();
        let mut give = |holder, shares: u64| {
            let shares = shares.min(left);
            left -= shares;
            if shares > 0 {
                holders.push(NewHolder { holder, shares, lock: Lock::default() });
            }
        };
        for parent in parents {
            give(Holder::Pool(*parent), total.div_ceil(10) + self.next() % total.div_ceil(5));
        }
        give(Holder::Wallet((creator + 1) % PEOPLE), self.next() % total);
        give(Holder::Wallet(creator), total);
        Operation::Royalty(Royalty::CreatePool { pool, creator, total, window, holders })
    }

    /// Mostly sound.
    pub(super) fn terms(&mut self, seats: u8, quorum: u8) -> OfferTerms {
        let prices = [0, 1, 7, 999_983, 1_000_003];
        let (base_price, input_price, output_price) =
            (self.one_of(prices), self.one_of(prices), 1 + self.one_of(prices));
        OfferTerms {
            base_price,
            input_price,
            output_price,
            bond_lamports: self.one_of([1, 29_999, 60_001, 400_000_000]),
            royalty_bps: self.one_of([0, 1, 2_000, 9_900, 10_000]),
            seats,
            quorum,
            max_input_units: 20,
            max_output_units: 20,
            ..provena_tests::market::terms()
        }
    }
}

/// The registration of asset 3, which inherits what asset 2 owes.
fn in_steps(new: Registering) -> Vec<Registry> {
    let Registering { asset, claim, name_len, floor_bps, floors, parents } = new;
    let by = claim.by;
    let add = |parent| Registry::AddParent { asset, by, holder: false, parent, pays: false };
    let begin = Registry::BeginAsset { asset, by, model: true, floor_bps, floors };
    let inherit = Registry::Inherit { asset, by, parent: 2, count: 5 };
    let seal = Registry::SealAsset { asset, claim, name_len };
    [begin].into_iter().chain(parents.into_iter().map(add)).chain([inherit, seal]).collect()
}
