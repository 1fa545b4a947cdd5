//! What a transaction is worth: more, the nearer the deadline is that it must meet.

use provena_client::{
    chain::Budget,
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::{constants::ANSWER_WINDOW, state::job::flag};
use solana_pubkey::Pubkey;

use super::Worker;
use crate::journal::{JobKey, Step};

/// The slots that `me` has left at `now` to take `step`, and of how many; `None` where no deadline runs, or it has passed.
#[must_use]
pub fn window(me: &Pubkey, job: &JobView, step: Step, now: Slot) -> Option<(u64, u64)> {
    let header = &job.job;
    let (deadline, window) = match step {
        Step::Commit | Step::Answer => (job.seat_of(me)?.1.deadline, u64::from(header.commit_window)),
        Step::Reveal => (header.reveal_until, u64::from(header.reveal_window)),
        Step::PutAnswer if header.demanded_at != 0 && !header.has(flag::ANSWERED) => {
            (header.demanded_at.saturating_add(ANSWER_WINDOW), ANSWER_WINDOW)
        }
        _ => return None,
    };
    Some((deadline.checked_sub(now.0)?, window))
}

impl Worker {
    /// Limit and price of the transaction that takes `step` for these jobs. The price rises for one job at a time only:
    /// what is done for several together has no deadline.
    pub(super) async fn budget(&self, keys: &[JobKey], step: Step) -> Budget {
        let usual = self.parts.budget;
        let ([key], true) = (keys, usual.can_rise()) else { return usual };
        match View::read(self.parts.chain.as_ref(), &key.job).await {
            Ok(View { now, job: Some(job) }) => {
                window(&self.me, &job, step, now).map_or(usual, |(left, window)| usual.near(left, window))
            }
            Ok(View { job: None, .. }) => usual,
            Err(error) => {
                tracing::debug!(%error, job = %key.job, "how near the deadline is is unknown; the usual price is offered");
                usual
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use provena_market::{
        client::JobRecord,
        state::{Job, Seat, SeatState},
    };

    const ME: Pubkey = Pubkey::new_from_array([1; 32]);

    fn job() -> JobView {
        let mut job = Job::zeroed();
        (job.commit_window, job.reveal_window, job.reveal_until) = (200, 300, 1_900);
        let mut seat = Seat::zeroed();
        (seat.node, seat.state, seat.deadline) = (ME, SeatState::Taken as u8, 1_500);
        JobView(JobRecord { address: Pubkey::default(), job, seats: vec![Seat::zeroed(), seat] })
    }

    #[test]
    fn each_step_has_the_deadline_that_the_market_knows() {
        let mut job = job();
        let left = |job: &JobView, step, now| window(&ME, job, step, Slot(now));
        assert_eq!(left(&job, Step::Commit, 1_450), Some((50, 200)));
        assert_eq!(left(&job, Step::Answer, 1_500), Some((0, 200)));
        assert_eq!(left(&job, Step::Reveal, 1_600), Some((300, 300)));
        assert_eq!(left(&job, Step::PutAnswer, 1_600), None);
        job.0.job.demanded_at = 2_000;
        assert_eq!(left(&job, Step::PutAnswer, 2_100), Some((650, 750)));
        job.0.job.flags |= flag::ANSWERED;
        assert_eq!(left(&job, Step::PutAnswer, 2_100), None);
    }

    #[test]
    fn without_a_deadline_or_after_it_nothing_rises() {
        let job = job();
        assert_eq!(window(&ME, &job, Step::Commit, Slot(1_501)), None);
        assert_eq!(window(&Pubkey::new_from_array([2; 32]), &job, Step::Commit, Slot(1_450)), None);
        for step in [Step::Take, Step::Leave, Step::Finalize, Step::Expire, Step::Collect] {
            assert_eq!(window(&ME, &job, step, Slot(1_000)), None);
        }
    }
}
