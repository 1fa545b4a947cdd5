//! What whole settlements write: those of different models, payers and nodes meet in no account.

use std::collections::BTreeSet;

use anchor_lang::prelude::Address;
use provena_common::slot::Slot;
use provena_market::{
    client::{self, JobRecord, OfferOf},
    pda,
    state::Party,
};
use provena_tests::{
    World,
    market::{ALL_MONEY, DONE, INSTANCE, MOST, Scene, configure, open_books, register, result_root, terms},
    registry,
    tokens::Money,
    transactions::{MAX_TRANSACTION_LEN, transaction_len},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const SETTLEMENTS: usize = 100;

/// A chain with a registered model and an offer for each name; payers and nodes come as they are needed.
struct Market {
    world: World,
    offers: Vec<(Address, Address)>,
}

/// What one settlement wrote, from taking a seat to closing.
struct Written {
    accounts: BTreeSet<Address>,
    payer: Address,
    node: Address,
}

impl Market {
    fn new(models: usize) -> Self {
        let mut world = World::new();
        // Thousands of signatures, and what they sign is not looked at here.
        world.svm = world.svm.clone().with_sigverify(false);
        provena_tests::royalty::configure(&mut world, &[]);
        registry::configure(&mut world);
        configure(&mut world);
        let mut offers = Vec::new();
        for index in 0..models {
            let model = registry::model(&mut world, &format!("model {index}"), &[]);
            open_books(&mut world, &model, Money::Sol);
            let mint = model.mint.pubkey();
            let of = OfferOf { asset: mint, version: 1, mint: Money::Sol.mint(), offer_id: 0 };
            let create = client::create_offer(model.creator.pubkey(), model.nft(), of, terms());
            world.accept(&[create], &[&model.creator]);
            offers.push((pda::offer(&mint, 0).0, mint));
        }
        let opener = world.wallet("opener");
        for shard in 0..100 {
            world.accept(&[client::open_treasury_inbox(opener.pubkey(), client::Currency::Sol, shard)], &[&opener]);
        }
        Self { world, offers }
    }

    /// Plays job number `index` on an offer with a payer and a node of its own; its collects go into `shard`.
    fn settle(&mut self, index: usize, offer: usize, royalty_shard: u8, treasury_shard: u8) -> Written {
        let (payer, node) =
            (self.world.wallet(&format!("payer {index}")), self.world.wallet(&format!("worker {index}")));
        register(&mut self.world, &node, 1_000_000_000);
        let (address, asset) = self.offers[offer];
        self.open_inbox(&asset, royalty_shard);
        let account = self.world.account(&address).expect("the offer exists");
        let offer: provena_market::state::Offer = client::decode(&account.data).expect("it is an offer");
        let nonce_slot = self.world.slot();
        let request = client::Request {
            nonce_slot,
            nonce_index: 0,
            input_root: [8; 32],
            most: MOST,
            deposit: client::price(&offer, MOST).expect("the price fits"),
            max_protocol_bps: 250,
        };
        let mut written = BTreeSet::new();
        let job = pda::job(&payer.pubkey(), nonce_slot, 0).0;
        let post = client::post_job(payer.pubkey(), address, &offer, request, None);
        self.send(&mut written, post, &[&payer]);
        let terms_hash = self.job(&job).job.terms_hash;
        self.send(&mut written, client::take_seat(node.pubkey(), job, 0, terms_hash, INSTANCE), &[&node]);
        self.send(&mut written, client::answer(node.pubkey(), job, result_root(1), DONE), &[&node]);
        self.send(&mut written, client::acknowledge(payer.pubkey(), job), &[&payer]);
        let record = self.job(&job);
        for collect in [
            client::collect_seat(&record, 0, None),
            client::collect_royalty(&record, royalty_shard, None),
            client::collect_protocol(&record, treasury_shard, true, None),
            client::collect_refund(&record, None),
        ] {
            self.send(&mut written, collect, &[]);
        }
        let record = self.job(&job);
        assert_eq!(record.job.collectable(&record.seats, Slot(self.world.slot())), Ok(None::<Party>));
        self.world.pass_slots(151);
        self.send(&mut written, client::close_job(payer.pubkey(), &record, None), &[&payer]);
        Written { accounts: written, payer: payer.pubkey(), node: node.pubkey() }
    }

    fn job(&self, job: &Address) -> JobRecord {
        let account = self.world.account(job).expect("the job exists");
        JobRecord::decode(*job, &account.data).expect("it is a job")
    }

    fn open_inbox(&mut self, asset: &Address, shard: u8) {
        let pool = provena_royalty::pda::pool(asset).0;
        let books = provena_royalty::pda::books(&pool, &Money::Sol.mint()).0;
        if self.world.account(&provena_royalty::pda::inbox(&books, shard).0).is_none() {
            let opener = self.world.wallet("opener");
            let open = provena_royalty::client::open_inbox(&opener.pubkey(), asset, Money::Sol.currency(), shard);
            self.world.accept(&[open], &[&opener]);
        }
    }

    fn send(&mut self, written: &mut BTreeSet<Address>, instruction: Instruction, signers: &[&Keypair]) {
        written.extend(instruction.accounts.iter().filter(|meta| meta.is_writable).map(|meta| meta.pubkey));
        self.world.accept(&[instruction], signers);
    }
}

/// The accounts that two or more settlements wrote.
fn shared(settlements: &[Written]) -> BTreeSet<Address> {
    let mut seen = BTreeSet::new();
    let all = settlements.iter().flat_map(|written| written.accounts.iter());
    all.filter(|account| !seen.insert(**account)).copied().collect()
}

#[test]
fn settlements_of_different_models_payers_and_nodes_write_nothing_in_common() {
    let mut market = Market::new(SETTLEMENTS);
    let shard = |index: usize| u8::try_from(index).expect("few shards");
    let settlements: Vec<_> = (0..SETTLEMENTS).map(|i| market.settle(i, i, 0, shard(i))).collect();
    assert_eq!(shared(&settlements), BTreeSet::new());
    for written in &settlements {
        // The job, the payer, the node, its wallet, and one inbox on each side.
        assert_eq!(written.accounts.len(), 6);
        assert!(written.accounts.contains(&written.payer) && written.accounts.contains(&written.node));
    }
}

#[test]
fn settlements_of_one_model_meet_in_an_inbox_at_most() {
    let mut market = Market::new(1);
    // The books have 64 inboxes; the treasury has one for each settlement here.
    let shard = |index: usize| u8::try_from(index).expect("few shards");
    let settlements: Vec<_> = (0..SETTLEMENTS).map(|i| market.settle(i, 0, shard(i % 64), shard(i))).collect();
    let pool = provena_royalty::pda::pool(&market.offers[0].1).0;
    let books = provena_royalty::pda::books(&pool, &Money::Sol.mint()).0;
    let inboxes: BTreeSet<_> = (0..64).map(|shard| provena_royalty::pda::inbox(&books, shard).0).collect();
    let shared = shared(&settlements);
    assert!(shared.is_subset(&inboxes), "{:?}", shared.difference(&inboxes));
    // 100 settlements over 64 inboxes: 36 of them are used twice.
    assert_eq!(shared.len(), 36);
}

/// The payer acknowledges, everybody is paid and the job is closed, in one transaction.
#[test]
fn a_whole_settlement_fits_into_one_transaction() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        scene.open_inboxes();
        let job = scene.post(0);
        scene.work(job, &[1]);
        scene.world.pass_slots(151);
        let record = scene.job(&job);
        let mut all = vec![client::acknowledge(scene.payer.pubkey(), job)];
        let parties = [Party::Seat(0), Party::Royalty, Party::Protocol, Party::Payer];
        all.extend(parties.map(|party| scene.collecting(&record, party)));
        all.push(scene.closing(&scene.payer, &job));
        let len = transaction_len(&all, &[&scene.payer]);
        // A limit and a price of compute units take 9 and 13 bytes and their program's address.
        assert!(len + 60 <= MAX_TRANSACTION_LEN, "{paid_in:?}: {len} bytes");
        scene.world.accept(&all, &[&scene.payer]);
        assert!(scene.is_closed(&job));
    }
}
