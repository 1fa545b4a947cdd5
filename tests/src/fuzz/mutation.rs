//! Mutations of inputs, for runs without libFuzzer.

use super::{
    input::{EXTREMES, Edit, Input, MAX_EDITS, MAX_STEPS, Meta, Raw, Step, WAITS},
    stage::Stage,
};
use crate::random::Random;

/// Changes an input a little, or puts part of another one into it.
pub fn mutate(random: &mut Random, stage: &Stage, input: &mut Input, other: &Input) {
    for _ in 0..=random.below(3) {
        mutate_once(random, stage, input, other);
    }
    input.steps.truncate(MAX_STEPS);
}

fn mutate_once(random: &mut Random, stage: &Stage, input: &mut Input, other: &Input) {
    let len = input.steps.len();
    let at = random.below(len + 1);
    match random.below(16) {
        0 => input.steps.insert(at, call(random, stage)),
        1 => input.steps.insert(at, Step::Raw(raw(random, stage))),
        2 => input.steps.insert(at, Step::Wait(wait(random))),
        3 if len > 1 => drop(input.steps.remove(at % len)),
        4 if len > 1 => input.steps.swap(at % len, random.below(len)),
        5 if len > 0 => {
            let again = input.steps[at % len].clone();
            input.steps.insert(at, again);
        }
        6 if !other.steps.is_empty() && other.world == input.world => {
            let from = random.below(other.steps.len());
            let to = from + 1 + random.below(other.steps.len() - from);
            input.steps.splice(at..at, other.steps[from..to].iter().cloned());
        }
        _ if len > 0 => change(random, stage, &mut input.steps[at % len]),
        _ => input.steps.push(call(random, stage)),
    }
}

/// A call of a random instruction, so that instructions with many calls are not more likely than others.
fn call(random: &mut Random, stage: &Stage) -> Step {
    let mut call = index(random, stage.calls.len());
    for _ in 0..4 {
        // Jobs have by far the most calls.
        if !stage.calls[usize::from(call)].label.starts_with("market") {
            break;
        }
        call = index(random, stage.calls.len());
    }
    Step::Call { call, edits: Vec::new() }
}

fn wait(random: &mut Random) -> u8 {
    if random.below(4) == 0 { 128 | any_byte(random) } else { u8::try_from(random.below(WAITS.len())).expect("few") }
}

fn raw(random: &mut Random, stage: &Stage) -> Raw {
    let accounts = (0..random.below(14))
        .map(|_| Meta { account: index(random, stage.accounts.len()), flags: any_byte(random) % 4 });
    let accounts = accounts.collect();
    let data = (0..random.below(40)).map(|_| any_byte(random)).collect();
    Raw { program: any_byte(random), instruction: any_byte(random), data, accounts }
}

fn change(random: &mut Random, stage: &Stage, step: &mut Step) {
    match step {
        Step::Wait(code) => *code = wait(random),
        Step::Raw(raw) if raw.accounts.is_empty() || random.below(2) == 0 => {
            raw.data.push(any_byte(random));
            raw.data.truncate(200);
            raw.instruction = any_byte(random);
        }
        Step::Raw(raw) => {
            let at = random.below(raw.accounts.len());
            raw.accounts[at] = Meta { account: index(random, stage.accounts.len()), flags: any_byte(random) % 4 };
        }
        Step::Call { edits, .. } if edits.len() == MAX_EDITS => drop(edits.remove(random.below(MAX_EDITS))),
        Step::Call { call, edits } => {
            let edit = edit(random, stage, usize::from(*call));
            edits.push(edit);
        }
    }
}

/// A change that suits the call: places that are there, accounts of the same kind more often than any.
fn edit(random: &mut Random, stage: &Stage, call: usize) -> Edit {
    let instruction = &stage.calls[call % stage.calls.len()].instruction;
    let (accounts, data) = (instruction.accounts.len().clamp(1, 250), instruction.data.len().clamp(1, 250));
    let place = |random: &mut Random, len: usize| u8::try_from(random.below(len)).expect("it is below 250");
    let at = place(random, accounts);
    // Behind the discriminator, where there is something.
    let byte = u8::try_from(8 + random.below(data.saturating_sub(8).max(1))).unwrap_or(8);
    match random.below(12) {
        0 => Edit::Flip { at: byte, bits: 1 << random.below(8) },
        1 => Edit::Flip { at: byte, bits: any_byte(random) },
        2 => Edit::Word { at: byte, value: place(random, EXTREMES.len()) },
        3 => Edit::Resize { len: any_byte(random) },
        4 => Edit::ReplaceAll { at, account: alike(random, stage, instruction.accounts.get(usize::from(at))) },
        5 => Edit::Flags { at, flags: any_byte(random) % 4 },
        6 => Edit::Swap { at, with: place(random, accounts) },
        7 => Edit::Remove { at },
        8 => Edit::Insert { at, account: index(random, stage.accounts.len()), flags: any_byte(random) % 4 },
        9 => Edit::Replace { at, account: index(random, stage.accounts.len()) },
        _ => Edit::Replace { at, account: alike(random, stage, instruction.accounts.get(usize::from(at))) },
    }
}

/// An account with the same owner and as many bytes, or one of the instruction's own kind of signers.
fn alike(random: &mut Random, stage: &Stage, meta: Option<&solana_instruction::AccountMeta>) -> u16 {
    let shape = |address: &anchor_lang::prelude::Address| {
        stage.svm.get_account(address).map(|account| (account.owner, account.data.len()))
    };
    let wanted = meta.and_then(|meta| shape(&meta.pubkey));
    let mut account = index(random, stage.accounts.len());
    for _ in 0..60 {
        if shape(&stage.accounts[usize::from(account)]) == wanted {
            break;
        }
        account = index(random, stage.accounts.len());
    }
    account
}

fn any_byte(random: &mut Random) -> u8 {
    random.word().to_le_bytes()[0]
}

fn index(random: &mut Random, end: usize) -> u16 {
    u16::try_from(random.below(end)).expect("lists are short")
}
