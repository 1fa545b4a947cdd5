//! Money is conserved to the last unit, whatever happens in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provena_royalty::{
    accumulator::earned,
    amount::{Amount, Shares},
    pda, view,
};
use provena_tests::{
    World,
    royalty::{Scene, claim, configure, deposit, sweep, sync, transfer_shares},
    tokens::{Money, donate_tokens},
    world::keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Shares of both pools; few, so that rounding matters, and prime, so that it never comes out even.
const TOTAL: u64 = 1_009;
const WALLETS: usize = 3;

/// How many cases to try; `PROPTEST_CASES` asks for more.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// Something that can happen to a child pool, held by wallets and by a parent's pool, which wallets hold in turn.
#[derive(Clone, Debug)]
enum Step {
    Deposit { to_parent: bool, amount: u64 },
    Donate { to_parent: bool, amount: u64 },
    Sync { parent: bool },
    Claim { parent: bool, wallet: usize },
    Transfer { parent: bool, from: usize, to: usize, shares: u64 },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![4 => 1u64..50, 2 => 1u64..5_000_000_000, 1 => Just(1u64 << 50)];
    prop_oneof![
        3 => (any::<bool>(), amount()).prop_map(|(to_parent, amount)| Step::Deposit { to_parent, amount }),
        1 => (any::<bool>(), amount()).prop_map(|(to_parent, amount)| Step::Donate { to_parent, amount }),
        1 => any::<bool>().prop_map(|parent| Step::Sync { parent }),
        3 => (any::<bool>(), 0..WALLETS).prop_map(|(parent, wallet)| Step::Claim { parent, wallet }),
        3 => (any::<bool>(), 0..WALLETS, 0..WALLETS, 1..TOTAL)
            .prop_map(|(parent, from, to, shares)| Step::Transfer { parent, from, to, shares }),
        2 => Just(Step::Sweep),
    ]
}

/// A pool as exact fractions: everything in units of 1/TOTAL of a base unit, so nothing is ever rounded.
#[derive(Default)]
struct ModelPool {
    shares: BTreeMap<usize, u64>,
    /// Earned and not claimed, times [`TOTAL`].
    earned: BTreeMap<usize, u128>,
    unbooked: u64,
}

impl ModelPool {
    fn new(shares: &[(usize, u64)]) -> Self {
        Self { shares: shares.iter().copied().collect(), ..Self::default() }
    }

    fn book(&mut self, amount: u64) {
        for (holder, shares) in &self.shares {
            *self.earned.entry(*holder).or_default() += u128::from(amount) * u128::from(*shares);
        }
    }

    /// Whole units owed.
    fn owed(&self, holder: usize) -> u64 {
        let whole = self.earned.get(&holder).copied().unwrap_or(0) / u128::from(TOTAL);
        u64::try_from(whole).expect("amounts are small")
    }

    fn take(&mut self, holder: usize) -> u64 {
        let whole = self.owed(holder);
        *self.earned.entry(holder).or_default() -= u128::from(whole) * u128::from(TOTAL);
        whole
    }
}

/// The model's name for the parent's pool as a holder of the child's.
const PARENT: usize = usize::MAX;

struct Bench {
    world: World,
    money: Money,
    wallets: Vec<Keypair>,
    /// The child and the parent.
    scenes: [Scene; 2],
    models: [ModelPool; 2],
    claimed: u64,
    put_in: u64,
}

impl Bench {
    fn new(token: bool) -> Self {
        let mut world = World::new();
        let money = if token { Money::token(&mut world, "dollar") } else { Money::Sol };
        configure(&mut world, &[money]);
        let wallets: Vec<Keypair> = (0..WALLETS).map(|n| world.wallet(&format!("wallet {n}"))).collect();
        for wallet in &wallets {
            money.give(&mut world, &wallet.pubkey(), 1 << 58);
        }
        let parent = pool(&mut world, "parent", &[(wallets[0].pubkey(), 700), (wallets[1].pubkey(), 309)], money);
        let child_holders = [(wallets[1].pubkey(), 500), (wallets[2].pubkey(), 400), (parent.pool, 109)];
        let child = pool(&mut world, "child", &child_holders, money);
        let models = [ModelPool::new(&[(1, 500), (2, 400), (PARENT, 109)]), ModelPool::new(&[(0, 700), (1, 309)])];
        Self { world, money, wallets, scenes: [child, parent], models, claimed: 0, put_in: 0 }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Deposit { to_parent, amount } => {
                let index = usize::from(to_parent);
                let payer = &self.wallets[0];
                let address = self.scenes[index].pool_mint_address(self.money);
                self.world.accept(&[deposit(&payer.pubkey(), &address, self.money, amount)], &[payer]);
                self.models[index].book(amount);
                self.put_in += amount;
            }
            Step::Donate { to_parent, amount } => {
                let index = usize::from(to_parent);
                let address = self.scenes[index].pool_mint_address(self.money);
                if self.money.is_token() {
                    donate_tokens(&mut self.world, &pda::vault(&address).0, amount);
                } else {
                    self.world.add_lamports(&address, amount);
                }
                self.models[index].unbooked += amount;
                self.put_in += amount;
            }
            Step::Sync { parent } => {
                let index = usize::from(parent);
                let address = self.scenes[index].pool_mint_address(self.money);
                self.world.accept(&[sync(&address, self.money)], &[]);
                let amount = std::mem::take(&mut self.models[index].unbooked);
                self.models[index].book(amount);
            }
            Step::Claim { parent, wallet } => self.claim(usize::from(parent), wallet),
            Step::Transfer { parent, from, to, shares } => self.transfer(usize::from(parent), from, to, shares),
            Step::Sweep => {
                let [child, parent] = &self.scenes;
                self.world.accept(&[sweep(&child.pool, &parent.pool, self.money)], &[]);
                let amount = self.models[0].take(PARENT);
                self.models[1].book(amount);
            }
        }
    }

    fn claim(&mut self, index: usize, wallet: usize) {
        if !self.models[index].shares.contains_key(&wallet) {
            return;
        }
        let holder = &self.wallets[wallet];
        let before = self.money.balance(&self.world, &holder.pubkey());
        self.world.accept(&[claim(&holder.pubkey(), &self.scenes[index].pool, self.money)], &[holder]);
        let paid = self.money.balance(&self.world, &holder.pubkey()) - before;
        assert_eq!(paid, self.models[index].take(wallet), "the program pays what exact fractions say");
        self.claimed += paid;
    }

    fn transfer(&mut self, index: usize, from: usize, to: usize, shares: u64) {
        let held = self.models[index].shares.get(&from).copied().unwrap_or(0);
        if held == 0 || from == to {
            return;
        }
        let shares = 1 + shares % held;
        let (holder, recipient) = (&self.wallets[from], self.wallets[to].pubkey());
        let pool = &self.scenes[index].pool;
        let instruction = transfer_shares(&holder.pubkey(), &recipient, pool, shares, &[self.money]);
        self.world.accept(&[instruction], &[holder]);
        *self.models[index].shares.entry(from).or_default() -= shares;
        *self.models[index].shares.entry(to).or_default() += shares;
    }

    /// Every unit that went in is out, owed, unbooked, or dust that is accounted for.
    fn check(&self) {
        let mut held = 0;
        for (scene, model) in self.scenes.iter().zip(&self.models) {
            let pool_mint = scene.pool_mint(&self.world, self.money);
            let holdings = scene.holdings(&self.world, self.money);
            held += holdings;
            assert_eq!(view::unbooked(&pool_mint, holdings), model.unbooked);
            let mut owed_in_parts = 0;
            for holder in model.shares.keys() {
                let address = if *holder == PARENT { self.scenes[1].pool } else { self.wallets[*holder].pubkey() };
                assert_eq!(scene.owed(&self.world, &address, self.money), model.owed(*holder));
                let mut position = scene.position(&self.world, &address);
                position.settle(&pool_mint).expect("the program's own numbers do not overflow");
                let standing = position.checkpoints[0];
                owed_in_parts += u128::from(standing.accrued) * u128::from(TOTAL) + u128::from(standing.remainder);
            }
            assert_eq!(
                owed_in_parts,
                u128::from(pool_mint.received - pool_mint.paid) * u128::from(TOTAL),
                "not one part is lost"
            );
        }
        assert_eq!(held + self.claimed, self.put_in, "the vaults and the claims add up to what came in");
    }
}

fn pool(world: &mut World, asset: &str, holders: &[(anchor_lang::prelude::Address, u64)], money: Money) -> Scene {
    let (creator, asset) = (world.wallet("pool creator"), keypair(asset));
    let create = provena_tests::royalty::create_pool(&creator.pubkey(), &asset.pubkey(), TOTAL, holders);
    world.accept(&[create], &[&creator, &asset]);
    let pool = pda::pool(&asset.pubkey()).0;
    world.accept(&[provena_tests::royalty::add_mint(&creator.pubkey(), &pool, money)], &[&creator]);
    Scene { pool, asset, creator, money: vec![money] }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_conserves_every_unit(token in any::<bool>(), steps in prop::collection::vec(step(), 1..30)) {
        let mut bench = Bench::new(token);
        for step in &steps {
            bench.run(step);
            bench.check();
        }
    }

    /// Nobody gains by splitting: moving shares away and back changes what nobody is owed.
    #[test]
    fn splitting_a_transfer_gains_nothing(amounts in prop::collection::vec(1u64..1_000, 1..6), shares in 1u64..400) {
        let mut plain = Bench::new(true);
        let mut split = Bench::new(true);
        for amount in &amounts {
            let paid_in = Step::Deposit { to_parent: false, amount: *amount };
            plain.run(&paid_in);
            split.run(&paid_in);
            split.transfer(0, 2, 0, shares);
            let back = split.models[0].shares[&0];
            split.transfer(0, 0, 2, back - 1);
        }
        let owed = |bench: &Bench, wallet: usize| bench.models[0].owed(wallet);
        prop_assert!(owed(&split, 2) + owed(&split, 0) <= owed(&plain, 2));
        split.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(20_000), failure_persistence: None, ..ProptestConfig::default() })]

    /// The limb arithmetic against the compiler's own 128-bit integers, over all that accounts can hold.
    #[test]
    fn earnings_are_exact(received: u64, entry: u64, total in 1u64..=0xffff_ffff, shares: u32, rest: u32) {
        let (entry, received) = (entry.min(received), entry.max(received));
        let (shares, rest) = (u64::from(shares) % (total + 1), u64::from(rest) % total);
        let checked = |shares| Shares::new(shares).expect("below 2^32");
        let result = earned(Amount(received), Amount(entry), checked(shares), checked(total), rest);
        let parts = u128::from(shares) * u128::from(received - entry) + u128::from(rest);
        let small = |number: u128| u64::try_from(number).expect("shares do not exceed the total");
        let expected = (Amount(small(parts / u128::from(total))), small(parts % u128::from(total)));
        prop_assert_eq!(result, Some(expected));
    }

    #[test]
    fn an_entry_ahead_of_the_revenue_is_refused(received in 0u64..u64::MAX, ahead in 1u64..1_000) {
        prop_assume!(received.checked_add(ahead).is_some());
        let one = Shares::new(1).expect("below 2^32");
        prop_assert_eq!(earned(Amount(received), Amount(received + ahead), one, one, 0), None);
    }
}
