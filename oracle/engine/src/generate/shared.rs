//! One scheduler for all callers: whoever finds nobody computing computes the next step for everybody.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use provena_wire::Response;

use super::{
    Answer, Language, Prompt, Token,
    decoder::Compute,
    scheduler::{Scheduler, SequenceId},
};
use crate::error::Error;

/// The answers that are being made, and what makes them.
pub struct Shared<C> {
    work: Mutex<Work>,
    /// Told after each step.
    stepped: Condvar,
    /// Locked by the one caller that computes.
    compute: Mutex<C>,
}

struct Work {
    scheduler: Scheduler,
    desks: HashMap<SequenceId, Desk>,
    /// Whether somebody computes a step.
    stepping: bool,
}

/// What lies ready for one caller.
struct Desk {
    answer: Answer,
    /// Tokens that the caller has not seen.
    tokens: Vec<Token>,
    error: Option<Error>,
}

impl<C: Compute> Shared<C> {
    /// No answers yet.
    pub fn new(scheduler: Scheduler, compute: C) -> Self {
        let work = Work { scheduler, desks: HashMap::new(), stepping: false };
        Self { work: Mutex::new(work), stepped: Condvar::new(), compute: Mutex::new(compute) }
    }

    /// Answers one prompt and shows each token as soon as it is there. Callers on several threads take part in the same
    /// steps.
    ///
    /// # Errors
    /// [`Error::CacheTooSmall`] when the longest answer would not fit the cache even alone; [`Error::Cancelled`] after
    /// `show` broke off: the sequence's pages are free again then; errors of the device, which reach each caller that
    /// took part in the step that failed.
    pub fn answer(
        &self,
        language: &Arc<Language>,
        prompt: Prompt,
        show: &mut dyn FnMut(Token) -> ControlFlow<()>,
    ) -> Result<Response, Error> {
        let mut seat = self.sit(Answer::new(language.clone(), &prompt), prompt)?;
        let mut work = self.lock();
        loop {
            let desk = work.desks.get_mut(&seat.id).expect("a seat has a desk");
            if !desk.tokens.is_empty() {
                let tokens = std::mem::take(&mut desk.tokens);
                drop(work);
                for token in tokens {
                    if show(token).is_break() {
                        return Err(Error::Cancelled);
                    }
                }
                work = self.lock();
                continue;
            }
            if let Some(error) = desk.error.take() {
                return Err(error);
            }
            if desk.answer.is_complete() {
                let desk = work.desks.remove(&seat.id).expect("a seat has a desk");
                seat.left = true;
                return Ok(desk.answer.response());
            }
            if work.stepping {
                work = self.stepped.wait(work).unwrap_or_else(PoisonError::into_inner);
            } else {
                work = self.step(work);
            }
        }
    }

    /// Whether the longest answer to a prompt fits the cache when it is alone.
    ///
    /// # Errors
    /// [`Error::CacheTooSmall`] when it does not.
    pub fn check(&self, prompt: &Prompt) -> Result<(), Error> {
        let (tokens, room) = (prompt.room(), self.lock().scheduler.cache().room());
        if tokens > room { Err(Error::CacheTooSmall { tokens, room }) } else { Ok(()) }
    }

    /// Pages of the cache that could be given to somebody now.
    pub fn available_pages(&self) -> usize {
        self.lock().scheduler.cache().available()
    }

    /// Sequences that are neither complete nor cancelled.
    pub fn sequences(&self) -> usize {
        self.lock().desks.len()
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        // What a panic leaves behind is put in order by `Stepping`.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sit(&self, answer: Answer, prompt: Prompt) -> Result<Seat<'_, C>, Error> {
        self.check(&prompt)?;
        let mut work = self.lock();
        let id = work.scheduler.add(prompt.ids, prompt.sampling);
        work.desks.insert(id, Desk { answer, tokens: Vec::new(), error: None });
        Ok(Seat { shared: self, id, left: false })
    }

    /// Computes one step for everybody.
    fn step<'a>(&'a self, mut work: MutexGuard<'a, Work>) -> MutexGuard<'a, Work> {
        let Some(batch) = work.scheduler.schedule() else {
            // Never seen: whoever came first can always go on.
            work.fail(Error::Aborted);
            return work;
        };
        work.stepping = true;
        drop(work);
        let mut stepping = Stepping { shared: self, over: false };
        let result = self.compute().step(&batch);
        stepping.over = true;
        let mut work = self.lock();
        match result {
            Ok(tokens) => {
                for (id, token) in work.scheduler.complete(&batch, &tokens) {
                    work.take(id, token);
                }
            }
            Err(error) => {
                self.compute().reset();
                work.fail(error);
            }
        }
        work.stepping = false;
        self.stepped.notify_all();
        work
    }

    fn compute(&self) -> MutexGuard<'_, C> {
        self.compute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// Hands a token to its answer.
    fn take(&mut self, id: SequenceId, token: u32) {
        let Some(desk) = self.desks.get_mut(&id) else { return };
        match desk.answer.push(token) {
            Ok(token) => desk.tokens.push(token),
            Err(error) => desk.error = Some(error),
        }
        if desk.error.is_some() || desk.answer.is_complete() {
            self.scheduler.finish(id);
        }
    }

    /// Hands an error to everybody whose sequence took part in the step that failed.
    fn fail(&mut self, error: Error) {
        let error = Arc::new(error);
        for id in self.scheduler.fail() {
            if let Some(desk) = self.desks.get_mut(&id) {
                desk.error = Some(Error::Shared(error.clone()));
            }
        }
    }
}

/// The place of one caller, who leaves nothing behind.
struct Seat<'a, C: Compute> {
    shared: &'a Shared<C>,
    id: SequenceId,
    left: bool,
}

impl<C: Compute> Drop for Seat<'_, C> {
    fn drop(&mut self) {
        if !self.left {
            let mut work = self.shared.lock();
            work.desks.remove(&self.id);
            work.scheduler.finish(self.id);
        }
    }
}

/// A step that is being computed. If that ends in a panic, the others go on.
struct Stepping<'a, C: Compute> {
    shared: &'a Shared<C>,
    over: bool,
}

impl<C: Compute> Drop for Stepping<'_, C> {
    fn drop(&mut self) {
        if !self.over {
            self.shared.compute().reset();
            let mut work = self.shared.lock();
            work.fail(Error::Aborted);
            work.stepping = false;
            self.shared.stepped.notify_all();
        }
    }
}
