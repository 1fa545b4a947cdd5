//! Decoders: the tables' limits, plans, how prompts may be split, and how published ones are imported.

pub(crate) mod published;
mod rejected;
mod variants;

use provena_engine::{
    Error,
    artifact::{Activations, Artifact, LlamaRecipe, ModelRecipe},
    models::llama::{Llama, PAGE, Shape},
    plan::{Buffer, Plan},
    reference,
    values::Values,
};

use crate::{tiny_encoder::rebuilt, tiny_llama};

pub(crate) fn model(artifact: &Artifact) -> Llama {
    let ModelRecipe::Llama(recipe) = &artifact.recipe().model else { panic!("not a decoder") };
    Llama::new(artifact, recipe).unwrap()
}

/// The logits and the greedy choice after each token, computed in parts of these lengths.
pub(crate) fn logits(artifact: &Artifact, tokens: &[u32], parts: &[usize]) -> (Vec<u32>, Vec<i32>) {
    let mut state: Vec<Values> = state(artifact, tokens.len()).iter().map(Values::zeros).collect();
    logits_by(artifact, tokens, parts, |plan, inputs| reference::outputs(artifact, plan, inputs, &mut state))
}

/// Pages of a sequence of so many tokens, and the slots that the cache has then.
fn pages(tokens: usize) -> (usize, usize) {
    (tokens.div_ceil(PAGE), (tokens.div_ceil(PAGE) + 2) * PAGE)
}

/// What the plans of [`logits_by`] keep.
pub(crate) fn state(artifact: &Artifact, tokens: usize) -> Vec<Buffer> {
    model(artifact).state(pages(tokens).1)
}

/// The same as `execute` computes them, over shuffled pages.
pub(crate) fn logits_by(
    artifact: &Artifact,
    tokens: &[u32],
    parts: &[usize],
    mut execute: impl FnMut(&Plan, &[Values]) -> Vec<Values>,
) -> (Vec<u32>, Vec<i32>) {
    let llama = model(artifact);
    let (pages, slots) = pages(tokens.len());
    let table: Vec<u32> = (0..pages as u32).map(|page| pages as u32 - page).collect();
    let (mut chosen, mut all, mut at) = (vec![], vec![], 0);
    for rows in parts.iter().copied() {
        let plan = llama.plan(Shape { rows, sequences: 1, pages, picks: rows, slots, logits: true });
        let row = |p: usize| [tokens[p], p as u32, table[p / PAGE] * PAGE as u32 + (p % PAGE) as u32, 0];
        let inputs = [
            Values::U32((at..at + rows).flat_map(row).collect()),
            Values::U32(table.clone()),
            Values::U32((0..rows as u32).collect()),
            Values::U32([0, 0, 1 << 16, 0].repeat(rows)),
        ];
        let outputs = execute(&plan, &inputs);
        chosen.extend(outputs[0].as_u32());
        all.extend(outputs[1].as_i32());
        at += rows;
    }
    assert_eq!(at, tokens.len());
    (chosen, all)
}

/// Random words, as many as this says.
pub(crate) fn tokens(len: usize) -> Vec<u32> {
    let mut random = fastrand::Rng::with_seed(len as u64);
    (0..len).map(|_| random.u32(..tiny_llama::VOCABULARY)).collect()
}

#[test]
fn a_prompt_may_be_split_anywhere_without_changing_a_bit() {
    for (activations, window, tied) in
        [(Activations::Split, 0, false), (Activations::Bytes, 7, true), (Activations::Split, 5, true)]
    {
        let recipe = LlamaRecipe { activations, window, tied, ..tiny_llama::recipe() };
        let artifact = tiny_llama::random(&recipe, 11);
        let tokens = tokens(37);
        let whole = logits(&artifact, &tokens, &[37]);
        assert!(whole.1.iter().any(|l| *l != whole.1[0]));
        for parts in [vec![1; 37], vec![16, 16, 5], vec![1, 35, 1], vec![17, 20]] {
            assert!(logits(&artifact, &tokens, &parts) == whole, "{parts:?}");
        }
    }
}

#[test]
fn load_rejects_a_decoder_without_one_of_its_tensors() {
    for tied in [false, true] {
        let recipe = LlamaRecipe { tied, ..tiny_llama::recipe() };
        let artifact = tiny_llama::random(&recipe, 12);
        for (_, tensor) in artifact.tensors() {
            let error = Llama::new(&rebuilt(&artifact, tensor.name, None), &recipe).map(drop).unwrap_err();
            let missing =
                matches!(&error, Error::Tensor { name, reason } if name == tensor.name && reason == "missing");
            assert!(missing, "{}: {error}", tensor.name);
            let error = Llama::new(&rebuilt(&artifact, tensor.name, Some(&[7; 6])), &recipe).map(drop).unwrap_err();
            assert!(matches!(&error, Error::Tensor { name, .. } if name == tensor.name), "{}: {error}", tensor.name);
        }
    }
}

#[test]
fn load_rejects_tables_beyond_their_ranges() {
    let recipe = tiny_llama::recipe();
    let artifact = tiny_llama::random(&recipe, 13);
    for (tensor, words, expected) in [
        ("attention.exp.table", vec![16_383, 5, 1], "has 3 entries, not a power of two"),
        ("attention.exp.table", vec![16_384, 9, 4, 0], "has the entry 16384, not 0 to 16383"),
        ("sampling.exp.table", vec![16_383, -1, 4, 0], "has the entry -1, not 0 to 16383"),
        ("sampling.exp.table", vec![16_383, 9, 4, 1], "ends with 1, not with 0"),
        ("layer.001.gate.table", vec![0; 4], "has 4 entries, not a power of two and one"),
        ("layer.001.gate.table", vec![1, 2, 3], "has 3 entries, not a power of two and one"),
        ("layer.001.gate.table", vec![0, 1, -32_768, 3, 4], "has the entry -32768, beyond 32767"),
        ("norm.epsilon", vec![0, 1 << 16], "is 281474976710656, not below 2^48"),
    ] {
        let error = Llama::new(&rebuilt(&artifact, tensor, Some(&words)), &recipe).map(drop).unwrap_err();
        assert_eq!(error.to_string(), format!("the artifact's tensor {tensor:?}: {expected}"));
    }
}
