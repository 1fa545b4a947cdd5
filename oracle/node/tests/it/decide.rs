//! What to do next, for every state of a job. The states are made by the market's own functions.

use provena_client::view::{JobView, View};
use provena_common::slot::Slot;
use provena_market::client::JobRecord as MarketJob;
use provena_market::constants::{ANSWER_WINDOW, LEAVE_AFTER, SETTLE_AFTER};
use provena_market::fees::{Amount, Bps, Prices, Work};
use provena_market::state::{Job, JobTerms, Part, Party, Posting, Seat};
use provena_node::journal::{Computed, End, JobRecord};
use provena_node::tasks::decide::{Action, next};
use provena_wire::{SignedReceipt, Units};
use solana_pubkey::Pubkey;

const ME: Pubkey = Pubkey::new_from_array([1; 32]);
const OTHER: Pubkey = Pubkey::new_from_array([2; 32]);
const THIRD: Pubkey = Pubkey::new_from_array([3; 32]);
const POSTED: u64 = 1_000;
const WINDOW: u32 = 200;
/// The last slot in which seats are taken.
const OPEN_UNTIL: u64 = POSTED + WINDOW as u64;
const RESULT: [u8; 32] = [9; 32];
const WORK: Work = Work::new(3, 0);

/// A job in memory.
#[derive(Clone)]
struct Case(MarketJob);

impl Case {
    fn new(seats: usize, quorum: u8) -> Self {
        let mut job: Job = bytemuck::Zeroable::zeroed();
        let seats: Vec<Seat> = vec![bytemuck::Zeroable::zeroed(); seats];
        let zeros = Pubkey::default();
        let terms = JobTerms {
            offer: &zeros,
            offer_terms: &[0; 32],
            payer: &zeros,
            input_root: &[4; 32],
            most: Work::new(8, 0),
            protocol_bps: 0,
            cluster: &[0; 32],
        };
        let prices = Prices {
            base: Amount(10),
            input: Amount(5),
            output: Amount(5),
            royalty: Bps::ZERO,
            least_royalty: Amount::ZERO,
            protocol: Bps::ZERO,
        };
        let posting = Posting {
            terms,
            mint: zeros,
            books: zeros,
            prices,
            bond: Amount(1_000_000),
            min_stake: Amount(1),
            open_window: WINDOW,
            commit_window: WINDOW,
            reveal_window: WINDOW,
            quorum,
            first_come: true,
            nonce_slot: Slot(POSTED),
            nonce_index: 0,
        };
        job.post(&seats, &posting, Amount(50), Slot(POSTED)).unwrap();
        Self(MarketJob { address: Pubkey::new_from_array([7; 32]), job, seats })
    }

    fn take(mut self, index: u8, node: Pubkey, at: u64) -> Self {
        let hash = self.0.job.terms_hash;
        self.0.job.take_seat(&mut self.0.seats, index, node, &hash, Slot(at)).unwrap();
        self
    }

    fn commit(mut self, index: u8, at: u64) -> Self {
        let node = self.0.seats[usize::from(index)].node;
        self.0.job.commit(&mut self.0.seats, index, &node, [index; 32], Slot(at)).unwrap();
        self
    }

    fn reveal(mut self, index: u8, result: [u8; 32], at: u64) -> Self {
        let node = self.0.seats[usize::from(index)].node;
        self.0.job.reveal(&mut self.0.seats, index, &node, (&result, WORK), &[index; 32], Slot(at)).unwrap();
        self
    }

    fn answer(mut self, result: [u8; 32], at: u64) -> Self {
        let node = self.0.seats[0].node;
        self.0.job.answer(&mut self.0.seats, &node, &result, WORK, Slot(at)).unwrap();
        self
    }

    fn finalize(mut self, at: u64) -> Self {
        self.0.job.finalize(&mut self.0.seats, Slot(at)).unwrap();
        self
    }

    fn expire(mut self, index: u8, at: u64) -> Self {
        self.0.job.expire_seat(&mut self.0.seats, index, Slot(at)).unwrap();
        self
    }

    fn acknowledge(mut self) -> Self {
        self.0.job.acknowledge().unwrap();
        self
    }

    fn demand(mut self, at: u64) -> Self {
        self.0.job.demand_answer(Slot(at)).unwrap();
        self
    }

    fn collect_seat(mut self, index: u8) -> Self {
        let party = Party::Seat(index);
        let owed = self.0.job.owed(&self.0.seats, party).unwrap();
        for (part, there) in
            [(Part::Money, !owed.money.is_zero()), (Part::Lamports, !owed.lamports.is_zero()), (Part::Bond, owed.bond)]
        {
            if there {
                self.0.job.collect(&mut self.0.seats, party, part).unwrap();
            }
        }
        self
    }

    fn next(&self, record: &JobRecord, now: u64) -> Action {
        let view = View { now: Slot(now), job: Some(JobView(self.0.clone())) };
        next(&ME, &view, record)
    }
}

fn none() -> JobRecord {
    JobRecord::default()
}

fn computed() -> JobRecord {
    let computed = Computed { result_root: RESULT, units: Units::new(3, 0), salt: [0; 32] };
    JobRecord { computed: Some(computed), seated: true, ..none() }
}

fn signed() -> JobRecord {
    JobRecord { receipt: Some(receipt()), ..computed() }
}

#[track_caller]
fn assert_abandoned(action: &Action, words: &str) {
    assert!(matches!(action, Action::End(End::Abandoned(why)) if why.contains(words)), "{action:?}");
}

#[test]
fn a_seat_is_taken_where_one_is_free_and_only_then() {
    let open = Case::new(2, 2);
    assert_eq!(open.next(&none(), POSTED), Action::TakeSeat(0));
    assert_eq!(open.next(&none(), OPEN_UNTIL), Action::TakeSeat(0));
    assert_abandoned(&open.next(&none(), OPEN_UNTIL + 1), "no seat");
    let one = open.take(0, OTHER, POSTED);
    assert_eq!(one.next(&none(), POSTED), Action::TakeSeat(1));
    // Ending another's late seat is left to those who wait for it: this node waits for nothing.
    let late = POSTED + u64::from(WINDOW) + 1;
    assert_abandoned(&one.next(&none(), late), "no seat");
    assert_abandoned(&one.take(1, THIRD, POSTED).next(&none(), POSTED), "no seat");
    let over = Case::new(1, 1).take(0, OTHER, POSTED).answer(RESULT, POSTED);
    assert_abandoned(&over.next(&none(), POSTED), "ended without this node");
}

#[test]
fn a_seat_is_computed_and_committed_before_its_deadline() {
    let mine = Case::new(2, 2).take(0, ME, POSTED + 50);
    let deadline = POSTED + 50 + u64::from(WINDOW);
    assert_eq!(mine.next(&none(), POSTED + 50), Action::Compute);
    assert_eq!(mine.next(&computed(), POSTED + 50), Action::Commit(0));
    // The last slot of the window is still in time; nobody else can make up the quorum after it.
    let both = mine.take(1, OTHER, POSTED + 60);
    assert_eq!(both.next(&computed(), deadline), Action::Commit(0));
    assert_eq!(both.next(&computed(), deadline + 1), Action::Finalize);
}

#[test]
fn a_job_of_one_seat_is_answered_without_a_commitment() {
    let mine = Case::new(1, 1).take(0, ME, POSTED);
    assert_eq!(mine.next(&none(), POSTED), Action::Compute);
    assert_eq!(mine.next(&computed(), POSTED + u64::from(WINDOW)), Action::Answer);
}

#[test]
fn nothing_is_revealed_before_all_have_committed() {
    let waiting = Case::new(2, 2).take(0, ME, POSTED).take(1, OTHER, POSTED + 40).commit(0, POSTED + 41);
    let deadline = POSTED + 40 + u64::from(WINDOW);
    assert_eq!(waiting.next(&computed(), POSTED + 42), Action::Wait(Slot(OPEN_UNTIL + 1)));
    assert_eq!(waiting.next(&computed(), OPEN_UNTIL + 1), Action::Wait(Slot(deadline + 1)));
    let all = waiting.commit(1, POSTED + 45);
    assert_eq!(all.next(&computed(), POSTED + 46), Action::Reveal(0));
    // Without a crash log the result is computed again first.
    assert_eq!(all.next(&none(), POSTED + 46), Action::Compute);
}

#[test]
fn what_runs_against_the_nodes_own_deadline_comes_before_the_lateness_of_others() {
    // The window is longer than a seat's time here, so that a late seat is free again.
    let mut open = Case::new(2, 2);
    open.0.job.open_until += 1_000;
    let late = POSTED + u64::from(WINDOW) + 1;
    let both = open.take(0, OTHER, POSTED).take(1, ME, late);
    assert_eq!(both.next(&none(), late), Action::Compute);
    assert_eq!(both.next(&computed(), late), Action::Commit(1));
    let committed = both.commit(1, late);
    assert_eq!(committed.next(&computed(), late), Action::ExpireSeat(0));
}

#[test]
fn waiting_ends_whoever_is_late() {
    let one = Case::new(2, 2).take(0, ME, POSTED).take(1, OTHER, POSTED).commit(0, POSTED).commit(1, POSTED);
    let over = POSTED + u64::from(WINDOW) + 1;
    // Ours.
    assert_eq!(one.clone().reveal(1, RESULT, POSTED).next(&computed(), over), Action::Finalize);
    // Another's.
    let theirs = one.reveal(0, RESULT, POSTED);
    assert_eq!(theirs.next(&computed(), over - 1), Action::Wait(Slot(over)));
    assert_eq!(theirs.next(&computed(), over), Action::Finalize);
    // It failed: the bond is free at once, and nothing is published.
    let failed = theirs.finalize(over);
    assert_eq!(failed.next(&computed(), over), Action::Collect(0));
    assert_abandoned(&failed.collect_seat(0).next(&computed(), over), "no quorum");
}

#[test]
fn h3_nothing_is_published_before_a_quorum_agreed() {
    let one = Case::new(2, 2).take(0, ME, POSTED).take(1, OTHER, POSTED).commit(0, POSTED).commit(1, POSTED);
    let revealed = one.reveal(0, RESULT, POSTED);
    for now in POSTED..=POSTED + u64::from(WINDOW) {
        assert_eq!(revealed.next(&computed(), now), Action::Wait(Slot(POSTED + u64::from(WINDOW) + 1)));
    }
    let agreed = revealed.clone().reveal(1, RESULT, POSTED);
    assert_eq!(agreed.next(&computed(), POSTED), Action::Publish);
    // Where the other one says something else nobody gets anything.
    let failed = revealed.reveal(1, [8; 32], POSTED);
    assert_eq!(failed.next(&computed(), POSTED), Action::Collect(0));
    assert_abandoned(&failed.collect_seat(0).next(&computed(), POSTED), "no quorum");
}

#[test]
fn pay_is_awaited_and_collected_once() {
    let agreed = Case::new(1, 1).take(0, ME, POSTED).answer(RESULT, POSTED + 9);
    assert_eq!(agreed.next(&computed(), POSTED + 9), Action::Publish);
    assert_eq!(agreed.next(&none(), POSTED + 9), Action::Compute, "without a crash log");
    let until = POSTED + 9 + SETTLE_AFTER + 1;
    assert_eq!(agreed.next(&signed(), POSTED + 9), Action::Wait(Slot(until)));
    assert_eq!(agreed.next(&signed(), until), Action::Collect(0));
    let acknowledged = agreed.acknowledge();
    assert_eq!(acknowledged.next(&signed(), POSTED + 10), Action::Collect(0));
    let collected = acknowledged.collect_seat(0);
    assert_eq!(collected.next(&signed(), POSTED + 10), Action::End(End::Settled));
    // Who was paid before it published still publishes.
    assert_eq!(collected.next(&computed(), POSTED + 10), Action::Publish);
}

#[test]
fn a_minority_keeps_its_bond_and_publishes_nothing() {
    let revealed = Case::new(3, 2).take(0, ME, POSTED).take(1, OTHER, POSTED).take(2, THIRD, POSTED);
    let revealed = revealed.commit(0, POSTED).commit(1, POSTED).commit(2, POSTED);
    let agreed = revealed.reveal(0, RESULT, POSTED).reveal(1, [8; 32], POSTED).reveal(2, [8; 32], POSTED);
    assert_eq!(agreed.next(&computed(), POSTED), Action::Collect(0), "it waits for no payer");
    assert_abandoned(&agreed.collect_seat(0).next(&computed(), POSTED), "another result");
}

#[test]
fn a_demanded_answer_comes_before_everything_else() {
    let agreed = Case::new(1, 1).take(0, ME, POSTED).answer(RESULT, POSTED);
    let demanded = agreed.demand(POSTED + 100);
    assert_eq!(demanded.next(&computed(), POSTED + 100), Action::PutAnswer, "even before it is published");
    assert_eq!(demanded.next(&signed(), POSTED + 100 + ANSWER_WINDOW), Action::PutAnswer);
    assert_eq!(demanded.next(&none(), POSTED + 100), Action::Compute, "without a crash log");
    // Too late; this node does not take its own bond away.
    let late = Slot(POSTED + 101 + ANSWER_WINDOW);
    assert_eq!(demanded.next(&signed(), late.0), Action::Wait(late));
    let mut answered = demanded.clone();
    answered.0.job.answered(Slot(POSTED + 300)).unwrap();
    assert_eq!(answered.next(&signed(), POSTED + 300), Action::Collect(0));
    let mut defaulted = demanded;
    defaulted.0.job.default_answer(&defaulted.0.seats, late).unwrap();
    assert_abandoned(&defaulted.next(&signed(), late.0), "demanded answer");
}

#[test]
fn a_seat_is_left_when_nobody_takes_the_others_and_taken_again_when_somebody_does() {
    let mine = Case::new(2, 2).take(0, ME, POSTED).commit(0, POSTED);
    assert_eq!(mine.next(&computed(), POSTED + LEAVE_AFTER - 1), Action::Wait(Slot(OPEN_UNTIL + 1)));
    assert_eq!(mine.next(&computed(), POSTED + LEAVE_AFTER), Action::LeaveSeat(0));
    // Not while the other one is there.
    let both = mine.clone().take(1, OTHER, POSTED + 20);
    assert_eq!(both.next(&computed(), POSTED + LEAVE_AFTER), Action::Wait(Slot(OPEN_UNTIL + 1)));
    let mut left = mine;
    left.0.job.leave_seat(&mut left.0.seats, 0, &ME, Slot(POSTED + LEAVE_AFTER)).unwrap();
    let record = JobRecord { left: true, ..computed() };
    assert_abandoned(&left.next(&record, POSTED + LEAVE_AFTER), "no other node");
    let back = left.take(0, OTHER, POSTED + LEAVE_AFTER);
    assert_eq!(back.next(&record, POSTED + LEAVE_AFTER), Action::TakeSeat(1));
}

/// Another node sits in a job of three, which may be the payer's own: beside it a seat would be left once more.
#[test]
fn a_seat_that_was_left_is_taken_again_where_it_is_the_last_one() {
    let now = POSTED + LEAVE_AFTER;
    let mut left = Case::new(3, 2).take(0, OTHER, POSTED).take(1, ME, POSTED).commit(1, POSTED);
    assert_eq!(left.next(&computed(), now), Action::LeaveSeat(1));
    left.0.job.leave_seat(&mut left.0.seats, 1, &ME, Slot(now)).unwrap();
    let record = JobRecord { left: true, ..computed() };
    assert_abandoned(&left.next(&record, now), "no other node");
    assert_eq!(left.take(1, THIRD, now).next(&record, now), Action::TakeSeat(2));
}

#[test]
fn a_seat_that_was_lost_is_not_taken_again() {
    let mut open = Case::new(1, 1);
    open.0.job.open_until += 1_000;
    let late = POSTED + u64::from(WINDOW) + 1;
    let mine = open.take(0, ME, POSTED);
    assert_eq!(mine.next(&computed(), late), Action::ExpireSeat(0));
    let free = mine.expire(0, late);
    assert_abandoned(&free.next(&computed(), late), "bond is lost");
    assert_eq!(free.next(&none(), late), Action::TakeSeat(0), "the chain alone does not say that it was ours");
    // After the window it stays named, and there is nothing to do either.
    let missed = Case::new(2, 2).take(0, ME, POSTED).take(1, OTHER, POSTED + 40).commit(1, POSTED + 40);
    let missed = missed.finalize(late);
    assert_abandoned(&missed.next(&computed(), late), "bond is lost");
}

#[test]
fn closed_and_unknown_jobs_are_left() {
    let closed = View { now: Slot(POSTED), job: None };
    assert_abandoned(&next(&ME, &closed, &computed()), "closed");
    assert_eq!(next(&ME, &closed, &signed()), Action::End(End::Settled));
    let mut cancelled = Case::new(1, 1);
    cancelled.0.job.cancel(&cancelled.0.seats, Slot(POSTED)).unwrap();
    assert_abandoned(&cancelled.next(&none(), POSTED), "ended without this node");
    let mut unknown = Case::new(1, 1);
    unknown.0.job.state = 77;
    assert_abandoned(&unknown.next(&none(), POSTED), "does not know");
}

fn receipt() -> SignedReceipt {
    let receipt = provena_arith::receipt::Receipt {
        version: 2,
        kind: 1,
        cluster: [0; 32],
        program: [0; 32],
        place: [0; 32],
        number: 0,
        node: [0; 32],
        payer: [0; 32],
        asset: [0; 32],
        asset_version: 1,
        content_root: [0; 32],
        recipe_root: [0; 32],
        input_root: [0; 32],
        result_root: RESULT,
        terms_hash: [0; 32],
        mint: [0; 32],
        amount: 25,
        engine_class: 1,
        units_in: 3,
        units_out: 0,
        slot: POSTED,
    };
    SignedReceipt::from_parts(&receipt, &[0; 64])
}
