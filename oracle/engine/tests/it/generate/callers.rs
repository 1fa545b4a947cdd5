//! Callers that share a scheduler: devices that fail, computations that panic, callers that leave.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use provena_engine::{
    Error,
    generate::{
        Language, Prompt,
        decoder::Compute,
        kv_cache::KvCache,
        scheduler::{Batch, Limits, Scheduler},
        shared::Shared,
    },
    gpu,
};
use provena_wire::{Finish, Sampling};

use super::support::{generated, quietly};
use crate::tiny_llama;

/// Gives token 2 for everything; fails or panics when told to.
#[derive(Default)]
struct Fragile {
    /// What the next steps do: 0 for success.
    plan: Arc<Mutex<Vec<Step>>>,
    resets: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Works,
    Fails,
    Panics,
}

impl Compute for Fragile {
    fn step(&mut self, batch: &Batch) -> Result<Vec<u32>, Error> {
        // Slow enough for several callers to meet.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let step = self.plan.lock().unwrap().pop();
        match step.unwrap_or(Step::Works) {
            Step::Works => Ok(vec![2; batch.picks.len()]),
            Step::Fails => Err(gpu::Error::OutOfMemory { label: "attention".into(), bytes: 77 }.into()),
            Step::Panics => panic!("on purpose"),
        }
    }

    fn reset(&mut self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }
}

fn language() -> Arc<Language> {
    let recipe = tiny_llama::recipe();
    Arc::new(Language::new(&tiny_llama::random(&recipe, 1), &recipe).unwrap())
}

fn prompt(tokens: usize) -> Prompt {
    Prompt { ids: vec![3; 5], most: (tokens, Finish::Length), sampling: Sampling::GREEDY, stop: vec![] }
}

fn shared(fragile: Fragile) -> Shared<Fragile> {
    let scheduler = Scheduler::new(KvCache::new(40, true), Limits { sequences: 8, chunk: 64 }, 1 << 30);
    Shared::new(scheduler, fragile)
}

#[test]
fn an_error_of_the_device_reaches_every_caller_and_the_next_step_works() {
    let fragile = Fragile::default();
    let (plan, resets) = (fragile.plan.clone(), fragile.resets.clone());
    let (shared, language) = (shared(fragile), language());
    let free = shared.available_pages();
    let meeting = Barrier::new(4);
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut seen = 0;
                let result = shared.answer(&language, prompt(60), &mut |_| {
                    seen += 1;
                    if seen == 5 && meeting.wait().is_leader() {
                        plan.lock().unwrap().push(Step::Fails);
                    }
                    ControlFlow::Continue(())
                });
                let error = result.expect_err("all four are in the step that fails");
                assert_eq!(error.to_string(), "attention does not fit the device's memory: 77 bytes");
                assert!(matches!(error.root(), Error::Gpu(gpu::Error::OutOfMemory { bytes: 77, .. })));
                failed.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!((failed.into_inner(), resets.load(Ordering::Relaxed)), (4, 1));
    assert_eq!((shared.available_pages(), shared.sequences()), (free, 0));
    let answer = generated(shared.answer(&language, prompt(9), &mut quietly).unwrap());
    assert_eq!(answer.tokens, [2; 9]);
}

#[test]
fn a_panic_takes_nobody_along_for_ever() {
    let fragile = Fragile::default();
    fragile.plan.lock().unwrap().extend([Step::Panics, Step::Works, Step::Works]);
    let (shared, language) = (shared(fragile), language());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..3).map(|_| scope.spawn(|| shared.answer(&language, prompt(30), &mut quietly))).collect();
        asking.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let panicked = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(panicked, 1);
    for outcome in outcomes.into_iter().flatten() {
        assert!(outcome.is_ok() || matches!(outcome.unwrap_err().root(), Error::Aborted));
    }
    assert_eq!(shared.sequences(), 0);
    assert!(shared.answer(&language, prompt(9), &mut quietly).is_ok());
}

#[test]
fn callers_that_leave_do_not_stop_the_others() {
    let (shared, language) = (shared(Fragile::default()), language());
    let free = shared.available_pages();
    std::thread::scope(|scope| {
        for caller in 0..12 {
            let (shared, language) = (&shared, &language);
            scope.spawn(move || {
                let mut seen = 0;
                let result = shared.answer(language, prompt(20), &mut |_| {
                    seen += 1;
                    if caller % 3 == 0 && seen == 1 + caller {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                match result {
                    Ok(response) => assert_eq!(generated(response).tokens, [2; 20]),
                    Err(error) => assert!(caller % 3 == 0 && matches!(error, Error::Cancelled), "{error}"),
                }
            });
        }
    });
    assert_eq!((shared.available_pages(), shared.sequences()), (free, 0));
}

#[test]
fn a_request_that_cannot_fit_even_alone_is_refused_at_once() {
    let scheduler = Scheduler::new(KvCache::new(3, true), Limits { sequences: 8, chunk: 64 }, 1 << 30);
    let (shared, language) = (Shared::new(scheduler, Fragile::default()), language());
    // Two pages hold 32 tokens, and the last token of an answer needs no room.
    assert!(shared.answer(&language, prompt(28), &mut quietly).is_ok());
    let error = shared.answer(&language, prompt(29), &mut quietly).unwrap_err();
    assert!(matches!(error, Error::CacheTooSmall { tokens: 33, room: 32 }));
    assert_eq!(
        error.to_string(),
        "the request may need 33 tokens, and the model was loaded with room for 32: ask for fewer tokens, or load it \
         with a larger cache"
    );
}
