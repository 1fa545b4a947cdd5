//! A whole decoder with normalisations, products and what reads them in one kernel, and without.

use std::sync::Arc;

use provena_engine::artifact::{Activations, LlamaRecipe};
use provena_engine::gpu::Switch;
use provena_engine::kernels::{Method, Tuning, lower};
use provena_engine::models::llama::Shape;
use provena_engine::plan::Plan;
use provena_engine::recording::GpuModel;
use provena_engine::reference;
use provena_engine::values::Values;

use super::normed::all;
use super::support::gpu;
use crate::{llama, tiny_llama};

#[test]
fn a_decoders_logits_are_the_same_with_norms_in_the_products_kernels() {
    let Some(gpu) = gpu() else { return };
    let of_device = Tuning::of(gpu.caps());
    let mut tunings = vec![Tuning { fused_rows: 2, ..of_device }, Tuning::HARDWARE];
    if gpu.caps().uses(Switch::Subgroup) {
        tunings.push(Tuning { few_rows: Some(Method::AcrossSubgroups), ..Tuning::HARDWARE });
    }
    for activations in [Activations::Split, Activations::Bytes] {
        let recipe = LlamaRecipe { activations, layers: 3, ..tiny_llama::recipe() };
        let artifact = Arc::new(tiny_llama::random(&recipe, 21));
        let tokens = llama::tokens(24);
        // A prompt in two parts, then tokens alone and two by two.
        let parts = [9, 5, 1, 1, 2, 1, 2, 2, 1];
        let buffers = llama::state(&artifact, tokens.len());
        let mut state: Vec<Values> = buffers.iter().map(Values::zeros).collect();
        let of_reference = |plan: &Plan, inputs: &[Values]| reference::outputs(&artifact, plan, inputs, &mut state);
        let expected = llama::logits_by(&artifact, &tokens, &parts, of_reference);
        for tuning in &tunings {
            let tuning = Tuning { fused_rows: 2, normed_rows: 2, ..all(gpu, *tuning) };
            let model = GpuModel::load_tuned(gpu, artifact.clone(), tuning).unwrap();
            let mut state = model.state(&buffers).unwrap();
            let mut norms = Vec::new();
            let on_device = |plan: &Plan, inputs: &[Values]| {
                let recorded = model.recorded(plan).unwrap();
                let recorded = recorded.lock().unwrap();
                let apart = |label: &&str| label.starts_with("provena.rms_norm.");
                norms.push(recorded.labels().into_iter().filter(apart).count());
                recorded.run(plan, inputs, &mut state).unwrap()
            };
            let (chosen, logits) = llama::logits_by(&artifact, &tokens, &parts, on_device);
            let differ = logits.iter().zip(&expected.1).filter(|(found, expected)| found != expected).count();
            assert_eq!((differ, logits.len()), (0, expected.1.len()), "{tuning:?}");
            assert_eq!(chosen, expected.0);
            // Two in each layer and one before the head, unless it is in a product's kernel.
            assert_eq!(norms, [7, 7, 0, 0, 0, 0, 0, 0, 0]);
        }
    }
}

#[test]
fn a_layer_takes_five_kernels_for_one_token() {
    let Some(gpu) = gpu() else { return };
    for (activations, rows) in [(Activations::Split, 1), (Activations::Bytes, 1), (Activations::Split, 2)] {
        let kernels = |layers, tuning: Tuning| {
            let artifact = tiny_llama::random(&LlamaRecipe { activations, layers, ..tiny_llama::recipe() }, 22);
            let shape = Shape { rows, sequences: 1, pages: 1, picks: 1, slots: 32, logits: false };
            lower(&llama::model(&artifact).plan(shape), &artifact, tuning).unwrap().dispatches.len()
        };
        let layer = |tuning| kernels(5, tuning) - kernels(4, tuning);
        let most = Tuning { fused_rows: 2, normed_rows: 2, ..all(gpu, Tuning::HARDWARE) };
        assert_eq!(layer(most), 5);
        assert_eq!(layer(Tuning { normed_rows: 0, ..most }), 7);
        assert_eq!(layer(Tuning { fused_rows: 0, normed_rows: 0, ..most }), 9);
        // What every device binds is not enough for rows with a residual, but for the head.
        let least = Tuning { storage_buffers: 10, ..most };
        assert_eq!(layer(least), 7);
        assert_eq!(kernels(4, least), kernels(4, Tuning { normed_rows: 0, ..most }) - 1);
    }
}
