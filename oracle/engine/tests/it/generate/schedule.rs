//! What is scheduled, against a decoder that only remembers which token of which text each slot holds.

use provena_arith::sampling::Params;
use provena_engine::generate::{
    kv_cache::{KvCache, PAGE},
    scheduler::{Batch, Limits, Scheduler, SequenceId},
};
use provena_wire::Sampling;

/// The token that follows these, by a rule that any slip in any of them changes.
fn follows(tokens: &[u32], params: Params) -> u32 {
    let mixed = tokens.iter().fold(params.random, |mixed, token| mixed.wrapping_mul(31).wrapping_add(*token + 1));
    (mixed >> 3) % 50
}

/// Remembers the token and the position that each slot was written for.
struct Memory(Vec<Option<(u32, u32)>>);

impl Memory {
    fn step(&mut self, batch: &Batch) -> Vec<u32> {
        for [token, position, slot, _] in &batch.rows {
            assert!(*slot as usize >= PAGE, "a row writes to page 0");
            self.0[*slot as usize] = Some((*token, *position));
        }
        let next = |(pick, params): (&u32, &Params)| {
            let [_, last, _, sequence] = batch.rows[*pick as usize];
            let pages = &batch.pages[sequence as usize];
            let tokens: Vec<u32> = (0..=last as usize)
                .map(|position| {
                    let slot = pages[position / PAGE] as usize * PAGE + position % PAGE;
                    let (token, found) = self.0[slot].expect("a slot that nobody wrote");
                    assert_eq!(found as usize, position);
                    token
                })
                .collect();
            follows(&tokens, *params)
        };
        batch.picks.iter().zip(&batch.params).map(next).collect()
    }
}

/// A text to be continued by so many tokens.
#[derive(Clone)]
struct Task {
    prompt: Vec<u32>,
    more: usize,
    sampling: Sampling,
}

/// What each task must give.
fn expected(task: &Task) -> Vec<u32> {
    let mut tokens = task.prompt.clone();
    for step in 0..task.more {
        let random = if task.sampling.temperature_milli == 0 {
            0
        } else {
            provena_arith::sampling::random_word(task.sampling.seed, step as u32)
        };
        tokens.push(follows(&tokens, Params { random, ..Params::GREEDY }));
    }
    tokens[task.prompt.len()..].to_vec()
}

struct Running {
    id: SequenceId,
    task: usize,
    tokens: Vec<u32>,
}

/// Gives every task to a scheduler, some late and some cancelled, and checks each answer.
fn run(random: &mut fastrand::Rng, tasks: &[Task], limits: Limits, pages: usize, sharing: bool, cancel: bool) {
    let mut scheduler = Scheduler::new(KvCache::new(pages, sharing), limits, 1 << 30);
    let mut memory = Memory(vec![None; pages * PAGE]);
    let (mut running, mut next, mut steps): (Vec<Running>, usize, usize) = (vec![], 0, 0);
    while next < tasks.len() || !running.is_empty() {
        while next < tasks.len() && (running.is_empty() || random.bool()) {
            let id = scheduler.add(tasks[next].prompt.clone(), tasks[next].sampling);
            running.push(Running { id, task: next, tokens: vec![] });
            next += 1;
        }
        let batch = scheduler.schedule().expect("something can always be computed");
        assert!(batch.pages.len() <= limits.sequences);
        assert!(batch.rows.len() <= limits.sequences + limits.chunk + 1, "{} rows", batch.rows.len());
        let drawn = memory.step(&batch);
        if cancel && random.u32(..8) == 0 && !running.is_empty() {
            // While the step is being computed.
            scheduler.finish(running.swap_remove(random.usize(..running.len())).id);
        }
        for (id, token) in scheduler.complete(&batch, &drawn) {
            let at = running.iter().position(|running| running.id == id).expect("a token for nobody");
            running[at].tokens.push(token);
            let task = &tasks[running[at].task];
            if running[at].tokens.len() == task.more {
                assert_eq!(running.swap_remove(at).tokens, expected(task));
                scheduler.finish(id);
            }
        }
        steps += 1;
        assert!(steps < 100_000, "no end");
    }
    assert!(scheduler.is_idle() && scheduler.schedule().is_none());
    assert_eq!(scheduler.cache().available(), pages - 1);
}

fn task(random: &mut fastrand::Rng, longest: usize) -> Task {
    let more = random.usize(1..20);
    let len = random.usize(1..longest - more);
    // Half of the texts begin with the same tokens.
    let shared = if random.bool() { random.usize(..len) } else { 0 };
    let prompt = (0..len as u32).map(|i| if (i as usize) < shared { i } else { random.u32(..50) }).collect();
    let temperature_milli = if random.bool() { 0 } else { 700 };
    let sampling = Sampling { temperature_milli, top_k: 0, top_p_milli: 1_000, seed: random.u64(..) };
    Task { prompt, more, sampling }
}

#[test]
fn answers_do_not_depend_on_batches_chunks_room_or_what_was_kept() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let longest = random.usize(25..200);
        let tasks: Vec<Task> = (0..random.usize(1..12)).map(|_| task(&mut random, longest)).collect();
        let limits = Limits { sequences: random.usize(1..7), chunk: random.usize(1..70) };
        // From a cache that holds only the longest text to one that holds them all.
        let least = 1 + longest.div_ceil(PAGE);
        let pages = random.usize(least..least * 6);
        run(&mut random, &tasks, limits, pages, seed % 3 != 0, seed % 5 == 0);
    }
}

#[test]
fn a_long_prompt_does_not_hold_up_short_texts() {
    let mut scheduler = Scheduler::new(KvCache::new(200, true), Limits { sequences: 4, chunk: 32 }, 1 << 30);
    let mut memory = Memory(vec![None; 200 * PAGE]);
    let generating = scheduler.add(vec![1, 2, 3], Sampling::GREEDY);
    let batch = scheduler.schedule().unwrap();
    scheduler.complete(&batch, &memory.step(&batch));
    let long = scheduler.add((0..1_000).collect(), Sampling::GREEDY);
    let short = scheduler.add((0..10).map(|i| 70 + i).collect(), Sampling::GREEDY);
    let mut order = vec![];
    for _ in 0..40 {
        let batch = scheduler.schedule().unwrap();
        assert!(batch.rows.len() <= 3 + 32);
        let drawn = scheduler.complete(&batch, &memory.step(&batch));
        // The one that generates gets a token at every step.
        assert_eq!(drawn[0].0, generating);
        order.extend(drawn[1..].iter().map(|(id, _)| *id));
    }
    assert_eq!(order[0], short);
    assert!(order.contains(&long));
}

#[test]
fn a_sequence_that_gave_way_is_computed_again_and_the_first_always_goes_on() {
    // Room for three pages, and two texts that need two and a half each.
    let mut scheduler = Scheduler::new(KvCache::new(4, false), Limits { sequences: 2, chunk: 64 }, 1 << 30);
    let mut memory = Memory(vec![None; 4 * PAGE]);
    let tasks: Vec<Task> = (0..2).map(|i| Task { prompt: vec![i; 10], more: 30, sampling: Sampling::GREEDY }).collect();
    let ids: Vec<_> = tasks.iter().map(|task| scheduler.add(task.prompt.clone(), task.sampling)).collect();
    let mut answers = [vec![], vec![]];
    let mut together = 0;
    while !scheduler.is_idle() {
        let batch = scheduler.schedule().unwrap();
        together += usize::from(batch.pages.len() == 2);
        for (id, token) in scheduler.complete(&batch, &memory.step(&batch)) {
            let at = ids.iter().position(|other| *other == id).unwrap();
            answers[at].push(token);
            assert!(at == 0 || answers[1].len() <= answers[0].len(), "the second overtook the first");
            if answers[at].len() == 30 {
                scheduler.finish(id);
            }
        }
    }
    assert!((1..30).contains(&together), "{together} steps together");
    assert_eq!(answers, [expected(&tasks[0]), expected(&tasks[1])]);
}

#[test]
fn a_prefix_that_is_kept_is_not_computed_again() {
    let mut scheduler = Scheduler::new(KvCache::new(20, true), Limits { sequences: 2, chunk: 100 }, 1 << 30);
    let mut memory = Memory(vec![None; 20 * PAGE]);
    let mut rows = vec![];
    for _ in 0..2 {
        let id = scheduler.add((0..50).collect(), Sampling::GREEDY);
        let batch = scheduler.schedule().unwrap();
        rows.push(batch.rows.len());
        let drawn = memory.step(&batch);
        scheduler.complete(&batch, &drawn);
        scheduler.finish(id);
    }
    assert_eq!(rows, [50, 2]);
}

#[test]
fn a_step_that_failed_takes_only_those_with_it_that_took_part() {
    let mut scheduler = Scheduler::new(KvCache::new(20, true), Limits { sequences: 1, chunk: 100 }, 1 << 30);
    let mut memory = Memory(vec![None; 20 * PAGE]);
    let first = scheduler.add(vec![1; 40], Sampling::GREEDY);
    let second = scheduler.add(vec![1; 40], Sampling::GREEDY);
    scheduler.schedule().unwrap();
    assert_eq!(scheduler.fail(), [first]);
    assert_eq!((scheduler.cache().available(), scheduler.cache().remembered()), (19, 0));
    let batch = scheduler.schedule().unwrap();
    assert_eq!(batch.rows.len(), 40);
    assert_eq!(scheduler.complete(&batch, &memory.step(&batch))[0].0, second);
}
