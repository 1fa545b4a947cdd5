//! What to do next, for every state of a job.

use provena_client::view::View;
use provena_market::state::{Job, JobState, Slot, SlotState};
use provena_node::journal::{Computed, End, JobRecord};
use provena_node::tasks::decide::{Action, next};
use provena_wire::SignedReceipt;
use solana_pubkey::Pubkey;

const ME: Pubkey = Pubkey::new_from_array([1; 32]);
const OTHER: Pubkey = Pubkey::new_from_array([2; 32]);
const NOW: u64 = 100;

fn job(state: JobState) -> Job {
    let mut job: Job = bytemuck::Zeroable::zeroed();
    job.state = state as u8;
    job.slots = 2;
    job.quorum = 2;
    job.expires_at = NOW + 10;
    job.reveal_deadline = NOW + 10;
    job
}

fn slot(index: u8, authority: Pubkey, state: SlotState) -> Slot {
    let mut slot: Slot = bytemuck::Zeroable::zeroed();
    slot.index = index;
    slot.authority = authority;
    slot.state = state as u8;
    slot.commit_deadline = NOW + 5;
    slot.result_root = if state == SlotState::Revealed { [9; 32] } else { [0; 32] };
    slot
}

fn view(mut job: Job, slots: &[Slot]) -> View {
    let mut view = View { now: NOW, job: None, slots: [None; 5] };
    for slot in slots {
        view.slots[usize::from(slot.index)] = Some(*slot);
        job.nodes[usize::from(slot.index)] = slot.authority;
    }
    view.job = Some(job);
    view
}

fn computed() -> JobRecord {
    JobRecord { computed: Some(Computed { result_root: [9; 32], units: 1, salt: [0; 32] }), ..JobRecord::default() }
}

fn is_abandoned(action: &Action) -> bool {
    matches!(action, Action::End(End::Abandoned(_)))
}

#[test]
fn an_open_job_is_claimed_where_it_is_free_and_only_then() {
    let none = JobRecord::default();
    assert_eq!(next(&ME, &view(job(JobState::Open), &[]), &none), Action::Claim(0));
    let taken = slot(0, OTHER, SlotState::Claimed);
    assert_eq!(next(&ME, &view(job(JobState::Open), &[taken]), &none), Action::Claim(1));
    let both = [taken, slot(1, OTHER, SlotState::Claimed)];
    assert!(is_abandoned(&next(&ME, &view(job(JobState::Claimed), &both), &none)));
    let mut expired = job(JobState::Open);
    expired.expires_at = NOW - 1;
    assert!(is_abandoned(&next(&ME, &view(expired, &[]), &none)));
}

#[test]
fn a_claim_is_computed_and_committed_before_its_deadline() {
    let mine = slot(0, ME, SlotState::Claimed);
    let open = job(JobState::Open);
    assert_eq!(next(&ME, &view(open, &[mine]), &JobRecord::default()), Action::Compute);
    assert_eq!(next(&ME, &view(open, &[mine]), &computed()), Action::Commit(0));
    let mut late = mine;
    late.commit_deadline = NOW - 1;
    assert_eq!(next(&ME, &view(open, &[late]), &computed()), Action::TimeoutClaim(0));
    // The last slot of the window is still in time.
    late.commit_deadline = NOW;
    assert_eq!(next(&ME, &view(open, &[late]), &computed()), Action::Commit(0));
}

#[test]
fn nothing_is_revealed_before_all_have_committed() {
    let mine = slot(0, ME, SlotState::Committed);
    let mut other = slot(1, OTHER, SlotState::Claimed);
    other.commit_deadline = NOW + 3;
    assert_eq!(next(&ME, &view(job(JobState::Claimed), &[mine, other]), &computed()), Action::Wait(NOW + 3));
    other.commit_deadline = NOW - 1;
    assert_eq!(next(&ME, &view(job(JobState::Claimed), &[mine, other]), &computed()), Action::TimeoutClaim(1));
    other.state = SlotState::Committed as u8;
    assert_eq!(next(&ME, &view(job(JobState::Committed), &[mine, other]), &computed()), Action::Reveal(0));
    // Without a crash log the result is computed again first.
    let lost = JobRecord::default();
    assert_eq!(next(&ME, &view(job(JobState::Committed), &[mine, other]), &lost), Action::Compute);
}

#[test]
fn a_late_reveal_is_ended_whoever_is_late() {
    let mut over = job(JobState::Revealed);
    over.reveal_deadline = NOW - 1;
    let mine = slot(0, ME, SlotState::Committed);
    let other = slot(1, OTHER, SlotState::Revealed);
    assert_eq!(next(&ME, &view(over, &[mine, other]), &computed()), Action::TimeoutClaim(0));
    let signed = JobRecord { receipt: Some(receipt()), ..computed() };
    let (mine, other) = (slot(0, ME, SlotState::Revealed), slot(1, OTHER, SlotState::Committed));
    assert_eq!(next(&ME, &view(over, &[mine, other]), &signed), Action::TimeoutClaim(1));
}

#[test]
fn the_receipt_comes_after_the_reveal_and_before_the_settlement() {
    let slots = [slot(0, ME, SlotState::Revealed), slot(1, OTHER, SlotState::Revealed)];
    let done = job(JobState::Final);
    assert_eq!(next(&ME, &view(done, &slots), &computed()), Action::Publish);
    let signed = JobRecord { receipt: Some(receipt()), ..computed() };
    assert_eq!(next(&ME, &view(done, &slots), &signed), Action::Settle);
    let mut disagreeing = slots;
    disagreeing[1].result_root = [8; 32];
    assert_eq!(next(&ME, &view(done, &disagreeing), &signed), Action::TimeoutJob);
}

#[test]
fn a_settled_job_still_gets_its_receipt() {
    let mut settled = job(JobState::Settled);
    settled.nodes[0] = ME;
    settled.result_root = [9; 32];
    assert_eq!(next(&ME, &view(settled, &[]), &computed()), Action::Publish);
    let signed = JobRecord { receipt: Some(receipt()), ..computed() };
    assert_eq!(next(&ME, &view(settled, &[]), &signed), Action::End(End::Settled));
    settled.result_root = [8; 32];
    assert!(is_abandoned(&next(&ME, &view(settled, &[]), &computed())), "another result won");
}

#[test]
fn dead_ends_are_refunded_and_ended_jobs_left() {
    let mine = slot(0, ME, SlotState::Committed);
    assert_eq!(next(&ME, &view(job(JobState::TimedOut), &[mine]), &computed()), Action::TimeoutJob);
    let mut unfilled = job(JobState::Open);
    unfilled.expires_at = NOW - 1;
    assert_eq!(next(&ME, &view(unfilled, &[mine]), &computed()), Action::TimeoutJob);
    for state in [JobState::Cancelled, JobState::Refunded] {
        assert!(is_abandoned(&next(&ME, &view(job(state), &[]), &computed())), "{state:?}");
    }
    let closed = View { now: NOW, job: None, slots: [None; 5] };
    assert!(is_abandoned(&next(&ME, &closed, &computed())));
    let signed = JobRecord { receipt: Some(receipt()), ..computed() };
    assert_eq!(next(&ME, &closed, &signed), Action::End(End::Settled));
    let mut unknown = job(JobState::Open);
    unknown.state = 77;
    assert!(is_abandoned(&next(&ME, &view(unknown, &[]), &computed())));
}

fn receipt() -> SignedReceipt {
    let receipt = provena_arith::receipt::Receipt {
        version: 1,
        cluster: [0; 32],
        market_program: [0; 32],
        job: [0; 32],
        node: [0; 32],
        asset: [0; 32],
        content_root: [0; 32],
        recipe_root: [0; 32],
        input_root: [0; 32],
        result_root: [9; 32],
        engine_class: 1,
        units: 1,
        slot: 1,
    };
    SignedReceipt::from_parts(&receipt, &[0; 64])
}
