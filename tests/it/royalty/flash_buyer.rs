//! AUDIT row L1: whoever buys shares, brings revenue in, claims and sells within one transaction gains nothing, wherever the
//! revenue waited.

use proptest::prelude::*;
use provena_royalty::{client, pda};
use provena_tests::{
    royalty::{Scene, donate},
    tokens::Money,
    world::WALLET_LAMPORTS,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{QUARTER, Stage};

/// Where revenue waits until anybody brings it into the books.
#[derive(Clone, Copy, Debug)]
enum Source {
    Beside,
    Inbox,
    Resale,
    Child,
}

struct Flash {
    stage: Stage,
    child: Scene,
    buyer: Keypair,
    inbox: anchor_lang::prelude::Address,
}

impl Flash {
    /// A pool with a window, and a child's pool without one, of which it holds half.
    fn new(mut stage: Stage) -> Self {
        let shares = [(stage.scene.pool, 2 * QUARTER), (stage.bob.pubkey(), 2 * QUARTER)];
        let child = Scene::new(&mut stage.world, "child", &shares, &[stage.money]);
        let buyer = stage.world.wallet("buyer");
        let (pool, money) = (stage.scene.pool, stage.money);
        money.give(&mut stage.world, &buyer.pubkey(), 0);
        money.give(&mut stage.world, &pool, 0);
        let inbox = stage.scene.open_inbox(&mut stage.world, money);
        Self { stage, child, buyer, inbox }
    }

    fn wait(&mut self, source: Source, amount: u64) {
        let (world, money, pool) = (&mut self.stage.world, self.stage.money, self.stage.scene.pool);
        match source {
            Source::Beside => self.stage.scene.donate(world, money, amount),
            Source::Inbox => donate(world, money, &self.inbox, amount),
            Source::Resale => money.give(world, &pool, amount),
            Source::Child => self.child.deposit(world, money, amount),
        }
    }

    /// Everything that brings waiting revenue into the books.
    fn cranks(&self) -> [Instruction; 3] {
        let (pool, currency) = (self.stage.scene.pool, self.stage.money.currency());
        [
            client::sync(&pool, currency, &[0]),
            client::collect(&pool, currency),
            client::sweep(&self.child.pool, &pool, currency),
        ]
    }

    /// Alice sells to the buyer and buys back, with the cranks and claims in between. Both sign.
    fn flash(&self, shares: u64) -> Vec<Instruction> {
        let (pool, currency) = (self.stage.scene.pool, self.stage.money.currency());
        let (alice, buyer) = (self.stage.alice.pubkey(), self.buyer.pubkey());
        let claim = || client::claim(&buyer, &pool, currency);
        let mut steps = vec![client::transfer_shares(&alice, &buyer, &pool, shares), claim()];
        for crank in self.cranks() {
            steps.extend([crank, claim()]);
        }
        steps.extend([client::transfer_shares(&buyer, &alice, &pool, shares), claim()]);
        steps
    }

    /// What the buyer has gained, its position's rent not counted as spent.
    fn gain(&self) -> i128 {
        let buyer = self.buyer.pubkey();
        let balance = i128::from(self.stage.money.balance(&self.stage.world, &buyer));
        let opened = self.stage.world.account(&pda::position(&self.stage.scene.pool, &buyer).0).is_some();
        let owed =
            if opened { i128::from(self.stage.scene.owed(&self.stage.world, &buyer, self.stage.money)) } else { 0 };
        match self.stage.money {
            // Alice pays for the position.
            Money::Sol => balance + owed - i128::from(WALLET_LAMPORTS),
            _ => balance + owed,
        }
    }
}

/// The attack of the audit, step by step, on each place where revenue can wait.
#[test]
fn l1_a_flash_buyer_gains_nothing_from_any_source() {
    for source in [Source::Beside, Source::Inbox, Source::Resale, Source::Child] {
        for stage in Stage::each_windowed(100) {
            let mut flash = Flash::new(stage);
            flash.stage.world.svm.warp_to_slot(1_050);
            flash.wait(source, 1_000_000_000);
            let steps = flash.flash(2 * QUARTER);
            let (alice, buyer) = (flash.stage.alice.insecure_clone(), flash.buyer.insecure_clone());
            flash.stage.world.accept(&steps, &[&alice, &buyer]);
            assert_eq!(flash.gain(), 0, "{source:?}");
            // The revenue is there, for those who hold shares later.
            let booked = if matches!(source, Source::Child) { 500_000_000 } else { 1_000_000_000 };
            assert_eq!(flash.stage.scene.unreleased(&flash.stage.world, flash.stage.money), booked);
            flash.stage.world.svm.warp_to_slot(1_200);
            assert_eq!(flash.stage.owed(&alice), booked / 4 * 3);
            assert_eq!(flash.gain(), 0);
        }
    }
}

/// Without a window the buyer needs the seller's signature for a pool whose shares cannot be wrapped, and the seller knows
/// that what waits goes with the shares: this is what a window is for.
#[test]
fn l1_without_a_window_a_buyer_takes_what_waits() {
    for stage in [Stage::sol(), Stage::token()] {
        let mut flash = Flash::new(stage);
        flash.wait(Source::Beside, 1_000);
        let steps = flash.flash(2 * QUARTER);
        let (alice, buyer) = (flash.stage.alice.insecure_clone(), flash.buyer.insecure_clone());
        flash.stage.world.accept(&steps, &[&alice, &buyer]);
        assert_eq!(flash.gain(), 500);
        // No stranger can do it: the shares move with the holder's or its delegate's signature alone.
        let take = &steps[0];
        let mut stolen = take.clone();
        stolen.accounts[0].pubkey = buyer.pubkey();
        stolen.accounts[1].pubkey = buyer.pubkey();
        let error = provena_royalty::error::RoyaltyError::NotDelegate;
        flash.stage.world.refuses(&[stolen], &[&buyer], error);
    }
}

fn sources() -> impl Strategy<Value = Vec<(Source, u64, u64)>> {
    let source = prop_oneof![Just(Source::Beside), Just(Source::Inbox), Just(Source::Resale), Just(Source::Child)];
    prop::collection::vec((source, 1u64..1 << 40, 0u64..300), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever waits where, at whatever moment of the window, and whatever was brought in before: the buyer gains nothing
    /// and Alice has the same as if it had not come, save the fractions that go with a last share.
    #[test]
    fn l1_a_flash_buyer_gains_nothing(
        token: bool,
        window in 32u32..500,
        before in sources(),
        waiting in sources(),
        part in 1u64..=3 * QUARTER,
        everything: bool,
        start in 0u64..10_000,
    ) {
        let [sol, other] = Stage::each_windowed(window);
        let mut flash = Flash::new(if token { other } else { sol });
        flash.stage.world.svm = flash.stage.world.svm.with_sigverify(false);
        flash.stage.world.pass_slots(start);
        for (source, amount, slots) in before {
            flash.wait(source, amount);
            let cranks = flash.cranks();
            flash.stage.world.accept(&cranks, &[]);
            flash.stage.world.pass_slots(slots);
        }
        for (source, amount, slots) in waiting {
            flash.wait(source, amount);
            flash.stage.world.pass_slots(slots);
        }
        let (alice, buyer) = (flash.stage.alice.insecure_clone(), flash.buyer.insecure_clone());
        // Without the buyer.
        let unchanged = flash.stage.world.svm.clone();
        let cranks = flash.cranks();
        flash.stage.world.accept(&cranks, &[]);
        let honest = flash.stage.owed(&alice);
        flash.stage.world.svm = unchanged;
        // With it.
        let shares = if everything { 3 * QUARTER } else { part };
        let steps = flash.flash(shares);
        flash.stage.world.accept(&steps, &[&alice, &buyer]);
        prop_assert_eq!(flash.gain(), 0);
        prop_assert_eq!(flash.stage.owed(&alice), honest);
        flash.stage.world.pass_slots(2 * u64::from(window));
        prop_assert_eq!(flash.gain(), 0);
    }
}
