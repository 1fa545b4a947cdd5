//! Two buckets: what is booked in one window is released evenly over the next.

use provena_royalty::client;
use solana_signer::Signer;

use super::{QUARTER, Stage};

#[test]
fn revenue_is_released_evenly_over_the_next_window() {
    for mut stage in Stage::each_windowed(100) {
        stage.world.svm.warp_to_slot(1_000);
        stage.deposit(600);
        stage.world.svm.warp_to_slot(1_099);
        stage.deposit(400);
        let books = stage.scene.books(&stage.world, stage.money);
        assert_eq!((books.held, books.received.lo), (1_000, 1_000));
        for (slot, alice, bob, later) in [
            (1_099, 0, 0, 1_000),
            (1_100, 0, 0, 1_000),
            (1_101, 7, 2, 990),
            (1_150, 375, 125, 500),
            (1_199, 742, 247, 10),
            (1_200, 750, 250, 0),
            (5_000, 750, 250, 0),
        ] {
            stage.world.svm.warp_to_slot(slot);
            assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (alice, bob), "slot {slot}");
            assert_eq!(stage.scene.unreleased(&stage.world, stage.money), later, "slot {slot}");
        }
    }
}

#[test]
fn three_windows_overlap_as_a_pipeline() {
    for mut stage in Stage::each_windowed(100) {
        // One deposit in each window.
        for (slot, amount) in [(1_010, 400), (1_110, 800), (1_210, 1_200)] {
            stage.world.svm.warp_to_slot(slot);
            stage.deposit(amount);
        }
        // Of the first everything, of the second a tenth.
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (360, 120));
        let bob = stage.bob.insecure_clone();
        assert_eq!(stage.claim(&bob), 120);
        stage.world.svm.warp_to_slot(1_325);
        // Of the third a quarter.
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (1_125, 255));
        stage.world.svm.warp_to_slot(1_400);
        let alice = stage.alice.insecure_clone();
        assert_eq!((stage.claim(&alice), stage.claim(&bob)), (1_800, 480));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 0);
    }
}

/// The grid is fixed: a unit sent in every slot neither stretches nor shortens what was booked before.
#[test]
fn dust_cannot_stretch_a_window() {
    for mut stage in Stage::each_windowed(32) {
        stage.world.svm.warp_to_slot(3_200);
        stage.deposit(32_000);
        for slot in 3_201..3_264 {
            stage.world.svm.warp_to_slot(slot);
            stage.deposit(1);
        }
        // The 31 units of the first window came with the 32,000; those of the second are still to come.
        stage.world.svm.warp_to_slot(3_264);
        assert_eq!(stage.scene.unreleased(&stage.world, stage.money), 32);
        assert_eq!(stage.owed(&stage.alice), (32_000 + 31) * 3 / 4);
    }
}

#[test]
fn shares_that_change_hands_within_a_window_divide_it() {
    for mut stage in Stage::each_windowed(100) {
        stage.world.svm.warp_to_slot(1_000);
        stage.deposit(1_000);
        stage.world.svm.warp_to_slot(1_140);
        let give = client::transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 3 * QUARTER);
        stage.world.accept(&[give], &[&stage.alice]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
        stage.world.svm.warp_to_slot(1_200);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 700));
    }
}

/// Reading instructions take the index read-only and see the same as if somebody had written it.
#[test]
fn claims_do_not_write_the_index() {
    for mut stage in Stage::each_windowed(100) {
        stage.world.svm.warp_to_slot(1_000);
        stage.deposit(1_000);
        stage.world.svm.warp_to_slot(1_777);
        let before = stage.scene.index(&stage.world);
        let alice = stage.alice.insecure_clone();
        assert_eq!(stage.claim(&alice), 750);
        let after = stage.scene.index(&stage.world);
        assert_eq!(before.entries, after.entries);
        assert_eq!(after.entries[usize::from(stage.money.is_token())].arriving, 1_000);
        let claim = stage.claiming(&stage.bob);
        let index = claim.accounts.iter().find(|meta| meta.pubkey == stage.index()).expect("it is named");
        assert!(!index.is_writable);
    }
}

mod arithmetic {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use provena_common::{amount::Amount, slot::Slot, wide::Wide};
    use provena_royalty::state::Entry;

    fn number(wide: Wide) -> u128 {
        u128::from(wide.hi) << 64 | u128::from(wide.lo)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// The entry against sums over all windows since the beginning.
        #[test]
        fn an_entry_is_the_sum_of_its_windows(
            window in 32u64..=432_000,
            start in 0u64..1 << 40,
            steps in prop::collection::vec((0u64..1 << 20, 1u64..1 << 58), 1..24),
            scale in 0u32..20,
        ) {
            let mut entry = Entry::default();
            let mut windows: BTreeMap<u64, u128> = BTreeMap::new();
            let (mut now, mut last) = (start, 0);
            let length = u32::try_from(window).expect("short");
            for (slots, amount) in steps {
                now += slots >> scale;
                let exact = |windows: &BTreeMap<u64, u128>| -> u128 {
                    windows.iter().map(|(booked, amount)| match now / window - booked {
                        0 => 0,
                        1 => amount * u128::from(now % window) / u128::from(window),
                        _ => *amount,
                    }).sum()
                };
                let released = number(entry.released_at(Slot(now), length).expect("it fits"));
                prop_assert_eq!(released, exact(&windows));
                prop_assert!(released >= last, "nothing that was released comes back");
                last = released;
                let before = windows.values().sum::<u128>() - released;
                let unreleased = |entry: &Entry| u128::from(entry.unreleased_at(Slot(now), length).expect("it fits").0);
                prop_assert_eq!(unreleased(&entry), before);
                // All that can be unreleased at one time is what books hold, which has 64 bits.
                if before + u128::from(amount) < 1 << 64 {
                    entry.book(Amount(amount), Slot(now), length).expect("it fits");
                    *windows.entry(now / window).or_default() += u128::from(amount);
                    prop_assert_eq!(number(entry.released_at(Slot(now), length).expect("it fits")), released);
                    prop_assert_eq!(unreleased(&entry), before + u128::from(amount));
                }
            }
        }
    }
}
