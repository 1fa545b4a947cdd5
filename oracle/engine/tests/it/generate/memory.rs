//! A device whose memory is full: the error says what did not fit, and the engine carries on.

use std::sync::Arc;

use provena_engine::{
    Error,
    artifact::{Artifact, LlamaRecipe, ModelRecipe},
    backend::Backend,
    generate::{Generator, Options},
    gpu::{self, Gpu, Selection},
    models::llama::Llama,
    reference,
};
use provena_wire::Request;

use super::support::{continued, quietly, words};
use crate::{equality, tiny_llama};

fn generator(artifact: &Arc<Artifact>, memory: u64, options: &Options) -> Result<Generator<Arc<Backend>>, Error> {
    let ModelRecipe::Llama(recipe) = &artifact.recipe().model else { panic!("not a decoder") };
    let limits = gpu::Options { memory: Some(memory), ..gpu::Options::default() };
    let gpu = Gpu::open_with(&Selection::Best, &limits).unwrap();
    let backend = Arc::new(Backend::new(artifact.clone(), Some(&gpu))?);
    Generator::new(artifact, Arc::new(Llama::new(artifact, recipe)?), backend, options)
}

#[test]
fn what_does_not_fit_the_device_is_named_and_the_next_request_is_answered() {
    if equality::gpu().is_none() {
        return;
    }
    // A step of a thousand rows needs more than 30 MB, one of a few rows little.
    let recipe = LlamaRecipe { inner: 4_000, positions: 2_000, ..tiny_llama::recipe() };
    let artifact = Arc::new(tiny_llama::random(&recipe, 41));
    let options = Options { chunk: 1_024, ..Options::default() };

    let error = generator(&artifact, 12 << 20, &Options { cache_tokens: Some(1 << 20), ..options.clone() });
    let error = error.map(drop).unwrap_err();
    assert!(
        matches!(&error, Error::Gpu(gpu::Error::OutOfMemory { label, bytes }) if label == "keys.000" && *bytes > 16 << 20),
        "{error}"
    );

    let generator = generator(&artifact, 12 << 20, &options).unwrap();
    let free = generator.available_pages();
    let small = continued(&words(1, 9), 8);
    let expected = reference::run(&artifact, &Request::Generate(small.clone())).unwrap();
    for _ in 0..2 {
        assert_eq!(generator.generate(&small, &mut quietly).unwrap(), expected);
        let error = generator.generate(&continued(&words(2, 1_000), 4), &mut quietly).unwrap_err();
        let named = matches!(error.root(), Error::Gpu(gpu::Error::OutOfMemory { bytes, .. }) if *bytes > 1 << 20);
        assert!(named, "{error}");
        assert_eq!(generator.available_pages(), free);
    }
    assert_eq!(generator.generate(&small, &mut quietly).unwrap(), expected);
}
