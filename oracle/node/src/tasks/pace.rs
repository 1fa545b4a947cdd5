//! Whether an answer can be there in time, from what answers took before.
//!
//! A node that takes a job and is late loses the job's bond, so what is not sure is assumed to be slow. An effort is
//! turned into seconds by measured rates, and doubled. Jobs that run together may slow each other down as much as if
//! each step served one of them only: a job is delayed by another one by what the smaller of both takes. A job is taken
//! when it and all that were taken before can bear that.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use provena_client::store::Root;
use solana_pubkey::Pubkey;

use super::SLOT_TIME;
use crate::compute::{Effort, Spent};

/// How much longer work may take than was measured.
const MARGIN: f64 = 2.0;
/// How much longer a product takes for a token that is written than for one that is read, where none was ever written.
const UNSEEN: f64 = 20.0;
/// Slots of a window that go to the transactions of the claim and of the commitment.
const RESERVED: u32 = 10;
/// Measurements that count.
const KEPT: usize = 16;
/// A measurement that keeps an idle node from working is repeated after this time.
const RENEWED: Duration = Duration::from_secs(60);

/// Models whose speed is known; the one that was measured longest ago is forgotten for another.
const MOST_MODELS: usize = 256;

/// A job does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// Nobody knows.
    #[error("the model cannot be measured, so nobody knows how long the job takes")]
    Unmeasured,
    /// Into its own window.
    #[error("the job needs about {needs} s and its window leaves {leaves} s")]
    Itself {
        /// Seconds, with what else is in progress.
        needs: u64,
        /// Seconds.
        leaves: u64,
    },
    /// Beside a job that was taken before.
    #[error("beside this job, {job} would need about {needs} s and its window leaves {leaves} s")]
    Another {
        /// Which job.
        job: Pubkey,
        /// Seconds.
        needs: u64,
        /// Seconds.
        leaves: u64,
    },
}

/// A job in progress, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Running {
    /// Which job.
    pub job: Pubkey,
    /// What it would take alone.
    pub work: f64,
    /// What it takes with all the others that it met.
    pub needs: f64,
    /// What its window leaves.
    pub leaves: f64,
}

/// Decides whether one more job fits beside those in progress, and adds it if so.
///
/// # Errors
/// [`TooLong`]; nothing was changed.
pub fn admit(job: Pubkey, work: f64, leaves: f64, running: &mut Vec<Running>) -> Result<(), TooLong> {
    let delays = running.iter().map(|other| other.work.min(work));
    let needs = work + delays.sum::<f64>();
    if needs > leaves {
        return Err(TooLong::Itself { needs: seconds(needs.ceil()), leaves: seconds(leaves) });
    }
    for other in running.iter() {
        let needs = other.needs + other.work.min(work);
        if needs > other.leaves {
            let (needs, leaves) = (seconds(needs.ceil()), seconds(other.leaves));
            return Err(TooLong::Another { job: other.job, needs, leaves });
        }
    }
    enter(Running { job, work, needs, leaves }, running);
    Ok(())
}

/// Adds a job that delays the others.
fn enter(job: Running, running: &mut Vec<Running>) {
    for other in running.iter_mut() {
        other.needs += other.work.min(job.work);
    }
    running.push(job);
}

/// Whole seconds, for people.
fn seconds(value: f64) -> u64 {
    Duration::try_from_secs_f64(value).map_or(u64::MAX, |value| value.as_secs())
}

/// The seconds that a window leaves for the work.
#[must_use]
pub fn left(window_slots: u32) -> f64 {
    f64::from(window_slots.saturating_sub(RESERVED).max(window_slots / 2)) * SLOT_TIME.as_secs_f64()
}

/// Seconds for each unit of effort of one model.
#[derive(Debug, Default)]
pub struct Speed {
    /// Of a prompt of which nothing was known before.
    warm_up: f64,
    reading: VecDeque<f64>,
    writing: VecDeque<f64>,
}

impl Speed {
    /// What was measured when nobody waited for the answer.
    #[must_use]
    pub fn new(warm_up: &[Spent]) -> Self {
        let mut speed = Self::default();
        warm_up.iter().for_each(|spent| speed.record(spent));
        speed.warm_up = least(&speed.reading);
        speed
    }

    /// Adds what an answer took.
    pub fn record(&mut self, spent: &Spent) {
        let measured = [
            (&mut self.reading, spent.reading, spent.effort.reading),
            (&mut self.writing, spent.writing, spent.effort.writing),
        ];
        for (rates, took, effort) in measured {
            if effort > 0.0 && !took.is_zero() {
                rates.push_back(took.as_secs_f64() / effort);
                if rates.len() > KEPT {
                    rates.pop_front();
                }
            }
        }
    }

    /// The seconds that an effort is assumed to take alone; `None` when nothing like it was measured.
    #[must_use]
    pub fn seconds(&self, effort: &Effort) -> Option<f64> {
        // The fastest answer is the one that others disturbed least. A prompt may have been known in part, which makes
        // it look fast: it counts only where it was slower than the one that nobody knew.
        let reading = least(&self.reading).max(self.warm_up);
        // A model that wrote nothing when it was measured is assumed to write slowly.
        let writing = if self.writing.is_empty() { reading * UNSEEN } else { least(&self.writing) };
        let parts = [(effort.reading, reading), (effort.writing, writing)];
        let known = parts.iter().all(|(effort, rate)| *effort == 0.0 || *rate > 0.0);
        known.then(|| parts.iter().map(|(effort, rate)| effort * rate).sum::<f64>() * MARGIN)
    }
}

/// The least of some rates, 0 of none.
fn least(rates: &VecDeque<f64>) -> f64 {
    rates.iter().copied().reduce(f64::min).unwrap_or(0.0)
}

/// What the node knows of its own speed, and what it has promised.
#[derive(Debug, Default)]
pub struct Pace {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    speeds: HashMap<Root, (Speed, Instant)>,
    running: Vec<Running>,
}

impl Inner {
    fn seconds(&self, model: &Root, effort: &Effort) -> Option<f64> {
        self.speeds.get(model).and_then(|(speed, _)| speed.seconds(effort))
    }
}

impl Pace {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a model's speed was measured.
    #[must_use]
    pub fn knows(&self, model: &Root) -> bool {
        self.inner().speeds.contains_key(model)
    }

    /// The seconds that an effort is assumed to take alone; `None` when nothing like it was measured.
    #[must_use]
    pub fn seconds(&self, model: &Root, effort: &Effort) -> Option<f64> {
        self.inner().seconds(model, effort)
    }

    /// Whether a job was promised.
    #[must_use]
    pub fn is_promised(&self, job: &Pubkey) -> bool {
        self.inner().running.iter().any(|running| running.job == *job)
    }

    /// Notes what a model took when nobody waited for it.
    pub fn warmed_up(&self, model: Root, spent: &[Spent]) {
        let mut inner = self.inner();
        inner.speeds.insert(model, (Speed::new(spent), Instant::now()));
        if inner.speeds.len() > MOST_MODELS {
            let oldest = inner.speeds.iter().filter(|(other, _)| **other != model).min_by_key(|(_, (_, since))| *since);
            let oldest = oldest.map(|(oldest, _)| *oldest);
            oldest.and_then(|oldest| inner.speeds.remove(&oldest));
        }
    }

    /// Takes a job up if it fits.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn admit(&self, job: Pubkey, model: &Root, effort: &Effort, window_slots: u32) -> Result<(), TooLong> {
        let mut inner = self.inner();
        inner.running.retain(|running| running.job != job);
        let work = inner.seconds(model, effort).ok_or(TooLong::Unmeasured)?;
        admit(job, work, left(window_slots), &mut inner.running)
    }

    /// Forgets a measurement that is old, when nothing is in progress, so that one slow moment does not keep the node
    /// from working for good. Says whether it did.
    #[must_use]
    pub fn forget_old(&self, model: &Root) -> bool {
        let mut inner = self.inner();
        let old = inner.speeds.get(model).is_some_and(|(_, since)| since.elapsed() >= RENEWED);
        old && inner.running.is_empty() && inner.speeds.remove(model).is_some()
    }

    /// Adds a job that must be done, whether it fits or not.
    pub fn enter(&self, job: Pubkey, model: &Root, effort: &Effort, window_slots: u32) {
        let mut inner = self.inner();
        if inner.running.iter().any(|running| running.job == job) {
            return;
        }
        let work = inner.seconds(model, effort).unwrap_or(0.0);
        enter(Running { job, work, needs: work, leaves: left(window_slots) }, &mut inner.running);
    }

    /// Notes what a job took.
    pub fn record(&self, model: &Root, spent: &Spent) {
        if let Some((speed, since)) = self.inner().speeds.get_mut(model) {
            speed.record(spent);
            *since = Instant::now();
        }
    }

    /// A job is computed, or is no longer this node's.
    pub fn leave(&self, job: &Pubkey) {
        self.inner().running.retain(|running| running.job != *job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u8) -> Pubkey {
        Pubkey::new_from_array([n; 32])
    }

    #[test]
    fn strangers_cannot_have_more_and_more_models_remembered() {
        let pace = Pace::default();
        let model = |number: u16| {
            let mut root = [0; 32];
            root[..2].copy_from_slice(&number.to_le_bytes());
            root
        };
        for number in 0..300 {
            pace.warmed_up(model(number), &[spent(1.0, 1.0, 0.0, 0.0)]);
        }
        assert_eq!(pace.inner().speeds.len(), MOST_MODELS);
        assert!(pace.knows(&model(299)) && !pace.knows(&model(0)));
    }

    #[test]
    fn a_job_fits_when_its_work_does() {
        let mut running = Vec::new();
        assert_eq!(admit(job(1), 20.1, 20.0, &mut running), Err(TooLong::Itself { needs: 21, leaves: 20 }));
        assert!(running.is_empty());
        assert_eq!(admit(job(1), 20.0, 20.0, &mut running), Ok(()));
        assert_eq!(running, [Running { job: job(1), work: 20.0, needs: 20.0, leaves: 20.0 }]);
    }

    #[test]
    fn jobs_at_the_same_time_may_delay_each_other_by_the_smaller_one() {
        let mut running = Vec::new();
        admit(job(1), 4.0, 10.0, &mut running).unwrap();
        admit(job(2), 3.0, 10.0, &mut running).unwrap();
        assert_eq!((running[0].needs, running[1].needs), (7.0, 6.0));
        // A third one would itself have to wait for what is left of both.
        assert_eq!(admit(job(3), 5.0, 11.0, &mut running), Err(TooLong::Itself { needs: 12, leaves: 11 }));
        // It has time, but the first one, which has met the second, does not.
        let error = admit(job(3), 3.5, 60.0, &mut running).unwrap_err();
        assert_eq!(error, TooLong::Another { job: job(1), needs: 11, leaves: 10 });
        assert_eq!(
            error.to_string(),
            format!("beside this job, {} would need about 11 s and its window leaves 10 s", job(1))
        );
        // Nothing was changed by refusals; a small one still fits.
        assert_eq!((running[0].needs, running[1].needs, running.len()), (7.0, 6.0, 2));
        admit(job(3), 3.0, 60.0, &mut running).unwrap();
        assert_eq!((running[0].needs, running[1].needs, running[2].needs), (10.0, 9.0, 9.0));
        assert!(admit(job(4), 0.1, 60.0, &mut running).is_err());
    }

    #[test]
    fn a_delay_stays_when_the_job_that_caused_it_is_done() {
        let pace = Pace::default();
        let (model, spent) = ([1; 32], spent(1.0, 1.0, 0.0, 0.0));
        pace.warmed_up(model, &[spent]);
        let effort = |reading| Effort { reading, writing: 0.0 };
        // 30 slots are left of 40: 12 seconds. An effort of 1 takes 2 with the margin.
        pace.admit(job(1), &model, &effort(4.0), 40).unwrap();
        pace.admit(job(2), &model, &effort(2.0), 400).unwrap();
        pace.leave(&job(2));
        let refused = pace.admit(job(3), &model, &effort(1.0), 400).unwrap_err();
        assert_eq!(refused, TooLong::Another { job: job(1), needs: 14, leaves: 12 });
        pace.leave(&job(1));
        pace.admit(job(3), &model, &effort(1.0), 400).unwrap();
    }

    #[test]
    fn the_transactions_take_a_part_of_the_window() {
        let cases = [(60, 20.0), (20, 4.0), (12, 2.4), (0, 0.0), (2_500_000, 999_996.0)];
        for (window, expected) in cases {
            assert!((left(window) - expected).abs() < 1e-6, "{window}: {}", left(window));
        }
    }

    fn spent(reading: f64, reading_s: f64, writing: f64, writing_s: f64) -> Spent {
        let [reading_s, writing_s] = [reading_s, writing_s].map(Duration::from_secs_f64);
        Spent { effort: Effort { reading, writing }, reading: reading_s, writing: writing_s }
    }

    #[test]
    fn the_fastest_of_the_last_answers_counts_but_no_prompt_that_was_known() {
        let effort = Effort { reading: 10.0, writing: 100.0 };
        assert_eq!(Speed::default().seconds(&effort), None);
        let mut speed = Speed::new(&[spent(1.0, 0.5, 10.0, 5.0), spent(1.0, 0.4, 10.0, 4.0)]);
        assert_eq!(speed.seconds(&effort), Some(MARGIN * (10.0 * 0.4 + 100.0 * 0.4)));
        // A known prompt is read at once, and others made its answer slow.
        speed.record(&spent(100.0, 0.1, 10.0, 20.0));
        assert_eq!(speed.seconds(&effort), Some(MARGIN * (10.0 * 0.4 + 100.0 * 0.4)));
        // Everything has become slower: what was measured before is forgotten in the end.
        for _ in 0..KEPT {
            speed.record(&spent(1.0, 1.0, 10.0, 20.0));
        }
        assert_eq!(speed.seconds(&effort), Some(MARGIN * (10.0 * 1.0 + 100.0 * 2.0)));
        // Where nothing was written a token is assumed to take twenty times as long as one that is read.
        let pictures = Speed::new(&[spent(2.0, 1.0, 0.0, 0.0)]);
        assert_eq!(pictures.seconds(&Effort { reading: 3.0, writing: 0.0 }), Some(MARGIN * 1.5));
        assert_eq!(pictures.seconds(&effort), Some(2_010.0));
    }

    #[test]
    fn what_was_not_measured_is_left_alone_and_a_fresh_measurement_stays() {
        let (pace, model) = (Pace::default(), [1; 32]);
        let effort = Effort { reading: 1e9, writing: 1e9 };
        assert_eq!(pace.admit(job(1), &model, &effort, 50).unwrap_err(), TooLong::Unmeasured);
        assert!(!pace.knows(&model) && !pace.forget_old(&model));
        pace.warmed_up(model, &[spent(1.0, 1.0, 1.0, 1.0)]);
        // Taking a job up again replaces what was promised for it.
        let error = pace.admit(job(1), &model, &effort, 50).unwrap_err();
        assert_eq!(error, TooLong::Itself { needs: 4_000_000_000, leaves: 16 });
        assert_eq!(error.to_string(), "the job needs about 4000000000 s and its window leaves 16 s");
        assert!(pace.knows(&model) && !pace.forget_old(&model));
        // A job that was begun before a crash is done in any case, and others are delayed by it.
        pace.enter(job(2), &model, &Effort { reading: 6.0, writing: 0.0 }, 50);
        pace.enter(job(2), &model, &Effort { reading: 6.0, writing: 0.0 }, 50);
        let error = pace.admit(job(3), &model, &Effort { reading: 5.0, writing: 0.0 }, 50).unwrap_err();
        assert_eq!(error, TooLong::Itself { needs: 20, leaves: 16 });
    }
}
