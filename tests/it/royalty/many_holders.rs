//! Claims, transfers and sweeps cost the same for two holders and for a hundred thousand.

use anchor_lang::{Discriminator, prelude::Address};
use provena_arith::hash::sha256;
use provena_royalty::{
    DEFAULT_TOTAL_SHARES,
    client::{self, encode},
    pda,
    state::{Pool, Position},
};
use provena_tests::{
    Cost, World,
    royalty::{Scene, configure},
    tokens::Money,
};
use solana_account::{Account, ReadableAccount};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::QUARTER;

const HOLDERS: u64 = 100_000;
/// Shares of each of the mass.
const EACH: u64 = 1_000;

struct Crowd {
    world: World,
    alice: Keypair,
    bob: Keypair,
    scene: Scene,
    parent: Scene,
    both: [Money; 2],
}

impl Crowd {
    /// A pool held by Alice and a parent's pool; Bob gets a share by the first transfer.
    fn new() -> Self {
        let mut world = World::new();
        let token = Money::token(&mut world, "dollar");
        configure(&mut world, &[token]);
        let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
        token.give(&mut world, &alice.pubkey(), 0);
        let all = [(alice.pubkey(), DEFAULT_TOTAL_SHARES)];
        let parent = Scene::new(&mut world, "parent", &all, &[token]);
        let shares = [(alice.pubkey(), 2 * QUARTER), (parent.pool, 2 * QUARTER)];
        let scene = Scene::new(&mut world, "digits", &shares, &[token]);
        let give = client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &scene.pool, 10);
        world.accept(&[give], &[&alice]);
        Self { world, alice, bob, scene, parent, both: [Money::Sol, token] }
    }

    /// What a claim, a sweep and a transfer cost, with money owed in both mints.
    fn costs(&mut self) -> Vec<Cost> {
        let mut costs = Vec::new();
        for money in self.both {
            self.scene.deposit(&mut self.world, money, 1_000_000_000);
        }
        let give = client::transfer_shares(&self.alice.pubkey(), &self.bob.pubkey(), &self.scene.pool, 10);
        costs.push(self.world.measure(&[give], &[&self.alice]));
        for currency in self.both.map(Money::currency) {
            let claim = client::claim(&self.alice.pubkey(), &self.scene.pool, currency);
            costs.push(self.world.measure(&[claim], &[&self.alice]));
            let sweep = client::sweep(&self.scene.pool, &self.parent.pool, currency);
            costs.push(self.world.measure(&[sweep], &[]));
        }
        costs
    }

    /// Gives shares of Alice's to so many new holders, by writing their accounts as transfers would have left them.
    fn fill(&mut self, count: u64) -> Vec<Address> {
        let scene = &self.scene;
        let mut from = scene.position(&self.world, &self.alice.pubkey());
        let index = scene.index(&self.world);
        let mut fresh = from;
        fresh.shares = EACH;
        fresh.rent_payer = self.alice.pubkey();
        for (checkpoint, entry) in fresh.checkpoints.iter_mut().zip(&index.entries) {
            *checkpoint = Default::default();
            checkpoint.entry = entry.released;
        }
        // Alice was settled by her claims; her position must be up to date before shares leave it.
        assert!(
            from.checkpoints.iter().zip(&index.entries).all(|(checkpoint, entry)| checkpoint.entry == entry.released)
        );
        let lamports = self.world.svm.minimum_balance_for_rent_exemption(Position::SPACE);
        let mut holders = Vec::new();
        for n in 0..count {
            let holder = Address::new_from_array(sha256(&[b"holder", &n.to_le_bytes()]));
            let (address, bump) = pda::position(&scene.pool, &holder);
            (fresh.holder, fresh.bump) = (holder, bump);
            let data = encode(&fresh);
            let account =
                Account { lamports, data, owner: provena_royalty::ID, executable: false, rent_epoch: u64::MAX };
            self.world.svm.set_account(address, account).expect("the account is sound");
            from.shares -= EACH;
            holders.push(holder);
        }
        self.world.set_state(&pda::position(&scene.pool, &self.alice.pubkey()).0, &from);
        let mut pool: Pool = scene.state(&self.world);
        pool.holder_count = u16::MAX;
        self.world.set_state(&scene.pool, &pool);
        holders
    }

    fn positions(&self) -> usize {
        let accounts = self.world.svm.accounts_db().inner.values();
        let ours = accounts.filter(|account| {
            account.data().starts_with(Position::DISCRIMINATOR) && account.data()[8..40] == self.scene.pool.to_bytes()
        });
        ours.count()
    }
}

#[test]
fn everything_costs_the_same_for_few_and_for_a_hundred_thousand_holders() {
    let mut crowd = Crowd::new();
    // The first round opens what is opened once.
    crowd.costs();
    let few = crowd.costs();
    assert_eq!(crowd.positions(), 3);
    let holders = crowd.fill(HOLDERS - 3);
    assert_eq!(crowd.positions() as u64, HOLDERS);
    assert_eq!(crowd.costs(), few);

    // The mass is real: shares add up, money is owed to each, and any of them can be paid.
    let deposited = 1_000_000_000u64;
    let known = [crowd.alice.pubkey(), crowd.bob.pubkey(), crowd.parent.pool];
    let shares: u64 =
        holders.iter().chain(&known).map(|holder| crowd.scene.position(&crowd.world, holder).shares).sum();
    assert_eq!(shares, DEFAULT_TOTAL_SHARES);
    for holder in [holders[0], holders[50_000], holders[99_996]] {
        assert_eq!(crowd.scene.owed(&crowd.world, &holder, Money::Sol), deposited / 1_000_000);
        crowd.world.add_lamports(&holder, 1_000_000);
        crowd.world.accept(&[client::claim_for(&holder, &crowd.scene.pool, client::Currency::Sol)], &[]);
        assert_eq!(crowd.world.lamports(&holder), 1_000_000 + 1_000);
    }
    println!(
        "transfer {}, claim {}, sweep {}, in tokens {} and {}",
        few[0].total, few[1].total, few[2].total, few[3].total, few[4].total
    );
}
