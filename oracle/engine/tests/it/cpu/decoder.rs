//! Whole decoders: any number of rows at once, sequences side by side, the reference's bytes.

use std::sync::Arc;

use provena_engine::{
    artifact::{Activations, LlamaRecipe},
    cpu::{CpuModel, Level},
    models::llama::{Llama, PAGE, Shape},
    plan::{Plan, ROW_FIELDS},
    reference,
    values::Values,
};

use super::support::compare;
use crate::tiny_llama;

#[test]
fn a_decoders_plans_are_the_references_for_prompts_and_single_tokens() {
    for (activations, window, kv_heads) in [(Activations::Split, 0, 1), (Activations::Bytes, 9, 3)] {
        let recipe = LlamaRecipe { activations, window, kv_heads, ..tiny_llama::recipe() };
        let artifact = Arc::new(tiny_llama::random(&recipe, 21));
        let llama = Llama::new(&artifact, &recipe).unwrap();
        let (pages, slots) = (3, 7 * PAGE);
        let table: Vec<u32> = vec![4, 1, 6, 2, 5, 3];
        let mut random = fastrand::Rng::with_seed(5);
        for parts in [vec![(0, 0..1)], vec![(0, 0..37), (1, 0..20)], vec![(0, 36..37), (1, 17..40)]] {
            let mut rows = Vec::new();
            for (sequence, positions) in parts {
                for p in positions {
                    let slot = table[sequence * pages + p / PAGE] as usize * PAGE + p % PAGE;
                    rows.extend([random.u32(..tiny_llama::VOCABULARY), p as u32, slot as u32, sequence as u32]);
                }
            }
            let count = rows.len() / ROW_FIELDS;
            let picks = vec![count as u32 - 1, 0];
            let shape = Shape { rows: count, sequences: 2, pages, picks: picks.len(), slots, logits: true };
            let mut state: Vec<Values> = llama.state(slots).iter().map(Values::zeros).collect();
            for values in &mut state {
                if let Values::I8(values) = values {
                    // The columns of these recipes fill 8 or 24 bytes of a row; the rest must stay zero.
                    let cols = (recipe.kv_heads * recipe.depth) as usize;
                    let stride = cols.next_multiple_of(16);
                    values
                        .chunks_exact_mut(stride)
                        .for_each(|row| row[..cols].iter_mut().for_each(|v| *v = random.i8(..)));
                }
            }
            let params = [[0, 0, 1 << 16, 0], [0x0312_4000, 40, 60_000, 0x8000_0000]].concat();
            let inputs = [Values::U32(rows), Values::U32(table.clone()), Values::U32(picks), Values::U32(params)];
            compare(&artifact, &llama.plan(shape), &inputs, &state);
        }
    }
}

/// Executes a plan somewhere.
type Execute<'a> = dyn Fn(&Plan, &[Values], &mut [Values]) -> Vec<Values> + 'a;

#[test]
fn calls_from_several_threads_take_turns() {
    let recipe = tiny_llama::recipe();
    let artifact = Arc::new(tiny_llama::random(&recipe, 22));
    let llama = Llama::new(&artifact, &recipe).unwrap();
    let model = CpuModel::with(artifact.clone(), Level::best(), 3).unwrap();
    let run = |rows: usize, execute: &Execute<'_>| {
        let plan = llama.plan(Shape { rows, sequences: 1, pages: 2, picks: 1, slots: 3 * PAGE, logits: true });
        let row = |p: usize| [p as u32 % 7, p as u32, (PAGE + p) as u32, 0];
        let inputs = [
            Values::U32((0..rows).flat_map(row).collect()),
            Values::U32(vec![1, 2]),
            Values::U32(vec![rows as u32 - 1]),
            Values::U32(vec![0, 0, 1 << 16, 0]),
        ];
        execute(&plan, &inputs, &mut llama.state(3 * PAGE).iter().map(Values::zeros).collect::<Vec<_>>())
    };
    std::thread::scope(|scope| {
        for rows in 1..8 {
            let (artifact, model, run) = (&artifact, &model, &run);
            scope.spawn(move || {
                let expected = run(rows, &|plan, inputs, state| reference::outputs(artifact, plan, inputs, state));
                for _ in 0..20 {
                    let found = run(rows, &|plan, inputs, state| model.execute(plan, inputs, state).unwrap());
                    assert_eq!(found, expected);
                }
            });
        }
    });
}
