//! The fuzz target of the programs on the stable compiler: over the committed corpus, and over seeded mutations of it.
//!
//! `PROVENA_SOAK=1000000` runs that many mutations instead of the usual number; `PROVENA_SEED` chooses others.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::Instant,
};

use provena_tests::{
    fuzz::{self, Input, Outcomes, corpus, mutation::mutate, running::Runner},
    random::Random,
};

/// Mutations of a normal run.
const EXECUTIONS: u64 = 2_000;
/// Threads that run them, each from a seed of its own.
const THREADS: u64 = 2;
/// Inputs that did something new and are kept.
const MOST_KEPT: usize = 4_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// How often an instruction ended how.
type Seen = BTreeMap<(String, String), u64>;

/// Runs an input; a failure is told with the bytes that caused it.
fn run(runner: &Runner, what: &str, bytes: &[u8]) -> Outcomes {
    let done = catch_unwind(AssertUnwindSafe(|| runner.run(&Input::decode(bytes))));
    done.unwrap_or_else(|_| panic!("{what}: {:?}\n{bytes:?}", Input::decode(bytes)))
}

#[test]
fn the_committed_corpus_is_what_the_module_makes() {
    let made = fuzz::with_runner(corpus::made);
    let folder = corpus::folder();
    if env::var_os("PROVENA_WRITE_CORPUS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, bytes) in &made {
            fs::write(folder.join(name), bytes).expect("the file can be written");
        }
    }
    let committed = corpus::committed();
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&made), names(&committed), "write it with PROVENA_WRITE_CORPUS=1");
    for (name, bytes) in &made {
        assert!(committed[name] == *bytes, "{name} is another; write the corpus with PROVENA_WRITE_CORPUS=1");
    }
    assert!(committed.len() <= 200 && committed.values().map(Vec::len).sum::<usize>() <= 200_000);
}

#[test]
fn the_corpus_has_every_instruction_accepted() {
    let mut accepted = BTreeSet::new();
    for (name, bytes) in corpus::committed() {
        let outcomes = fuzz::with_runner(|runner| run(runner, &name, &bytes));
        let of_file = outcomes.into_iter().filter(|(_, ended)| ended == "accepted");
        let of_file: BTreeSet<String> = of_file.map(|(instruction, _)| instruction).collect();
        assert!(!of_file.is_empty(), "nothing of {name} is accepted");
        accepted.extend(of_file);
    }
    let all: BTreeSet<String> = fuzz::with_runner(|runner| runner.names().map(str::to_owned).collect());
    assert_eq!(all.len(), 84, "the interface descriptions have another number of instructions");
    let missing: Vec<_> = all.difference(&accepted).collect();
    assert!(missing.is_empty(), "no file of the corpus has these accepted: {missing:?}");
}

#[test]
fn what_was_found_ends_as_the_corpus_says() {
    let files = corpus::committed();
    for (name, ended) in [
        ("finding-length-beyond-the-data", "ProgramFailedToComplete"),
        ("finding-named-twice", "AccountBorrowFailed"),
        ("finding-readonly-position", "ReadonlyLamportChange"),
    ] {
        let outcomes = fuzz::with_runner(|runner| run(runner, name, &files[name]));
        let ends: Vec<&str> = outcomes.iter().map(|(_, ended)| ended.as_str()).collect();
        assert_eq!(ends, [ended, "accepted"], "{name}");
    }
}

#[test]
fn no_instructions_break_what_must_hold() {
    let executions = number("PROVENA_SOAK").unwrap_or(EXECUTIONS);
    let seed = number("PROVENA_SEED").unwrap_or(0x66_757a_7a21);
    println!("PROVENA_SEED={seed} PROVENA_SOAK={executions}");
    let corpus: Vec<Input> = corpus::committed().values().map(|bytes| Input::decode(bytes)).collect();
    let began = Instant::now();
    let each = executions.div_ceil(THREADS);
    let seen = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                scope.spawn({
                    let corpus = &corpus;
                    move || mutations(seed + n, each, corpus)
                })
            })
            .collect();
        let mut all = Seen::new();
        for thread in threads {
            for (end, count) in thread.join().unwrap_or_else(|reason| resume_unwind(reason)) {
                *all.entry(end).or_default() += count;
            }
        }
        all
    });
    let instructions: u64 = seen.values().sum();
    let accepted: u64 = seen.iter().filter(|((_, ended), _)| ended == "accepted").map(|(_, count)| count).sum();
    println!("{executions} inputs, {instructions} instructions, {accepted} accepted, in {:?}", began.elapsed());
    println!("{} different ends of instructions", seen.len());
    if env::var_os("PROVENA_FUZZ_TELL").is_some() {
        seen.iter().for_each(|((name, ended), count)| println!("{count:>8} {name} {ended}"));
    }
    // The mutations reach what they should: both what is valid and what is not.
    assert!(accepted * 10 >= instructions && accepted * 10 <= instructions * 9, "{accepted} of {instructions}");
}

/// Runs mutations of the corpus, and of what did something that was not seen before.
fn mutations(seed: u64, executions: u64, corpus: &[Input]) -> Seen {
    let runner = Runner::default();
    let mut random = Random(seed);
    let mut inputs = corpus.to_vec();
    let mut seen = Seen::new();
    for execution in 0..executions {
        let mut input = inputs[random.below(inputs.len())].clone();
        let other = &inputs[random.below(inputs.len())];
        mutate(&mut random, runner.stage(input.world), &mut input, other);
        let mut new = false;
        for end in run(&runner, &format!("seed {seed}, execution {execution}"), &input.encode()) {
            let count = seen.entry(end).or_default();
            new |= *count == 0;
            *count += 1;
        }
        if new && inputs.len() < MOST_KEPT {
            inputs.push(input);
        }
    }
    seen
}
