//! Answers that payers demand on chain.

use super::Generator;
use crate::conservation::{
    model::{Job, JobId, LONG, LONG_LEN, Model},
    operation::Market,
};

impl Generator {
    /// The result that the quorum agreed on, if there is one.
    fn agreed(job: &Job) -> Option<(u8, usize)> {
        let seat = *job.agreeing().first()?;
        Some((job.seats[seat].outcome.0, job.seats[seat].node?))
    }

    /// Some node puts a part of an answer on chain, mostly of the agreed one and mostly a part that is missing.
    pub(super) fn put_answer(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let (right, node) = Self::agreed(job).unwrap_or((1, 5));
        let by = if self.chance(85) { node } else { self.node_wallet() };
        let right = if right == 2 { 2 } else { 1 };
        let result = if self.chance(90) { right } else { 3 - right };
        let written = model.answers.get(&(id, by)).map_or([None; 3], |answer| answer.parts);
        let missing = written.iter().position(|part| *part != Some(right));
        let part = missing.filter(|_| self.chance(90)).unwrap_or_else(|| self.below(3));
        Market::PutAnswer { job: id, by, result, part }
    }

    pub(super) fn seal_answer(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let posters: Vec<usize> = model.answers.range((id, 0)..=(id, usize::MAX)).map(|((_, by), _)| *by).collect();
        let right = Self::agreed(job).map_or(1, |(result, _)| result);
        let complete = |by: &usize| model.answers[&(id, *by)].parts == [Some(right); 3];
        let done: Vec<usize> = posters.iter().copied().filter(complete).collect();
        if done.is_empty() && right != LONG && self.chance(80) {
            return self.put_answer(model, id, job);
        }
        let by = self.pick(&done).or_else(|| self.pick(&posters));
        let by = by.unwrap_or_else(|| Self::agreed(job).map_or(5, |(_, node)| node));
        Market::SealAnswer { job: id, by }
    }

    pub(super) fn prove_length(&mut self, id: JobId, job: &Job) -> Market {
        let by = Self::agreed(job).map_or(5, |(_, node)| node);
        let len = if self.chance(70) { LONG_LEN } else { self.one_of([8_192, LONG_LEN + 1]) };
        Market::ProveLength { job: id, by, len }
    }

    pub(super) fn close_answer(&mut self, model: &Model, id: JobId) -> Market {
        let posters: Vec<usize> = model.answers.range((id, 0)..=(id, usize::MAX)).map(|((_, by), _)| *by).collect();
        let poster = self.pick(&posters).unwrap_or_else(|| self.node_wallet());
        Market::CloseAnswer { job: id, poster, signed: self.once_in(2) }
    }
}
