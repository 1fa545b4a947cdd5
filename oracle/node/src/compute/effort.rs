//! How much work a request is, and how long work took: what a node needs to know before it promises an answer in time.

use std::time::Duration;

use provena_engine::artifact::{LlamaRecipe, ModelRecipe};
use provena_wire::{Response, Units};

/// Work in products of numbers, roughly. Only efforts of one model are compared, so that what an operation costs
/// besides its products matters little.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effort {
    /// For what is given: pictures, or the tokens of sentences or of a prompt, which are read many at a time.
    pub reading: f64,
    /// For the tokens of an answer, which come one after the other.
    pub writing: f64,
}

/// Work that was done, and how long it took with whatever else was done at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// What was done. A prompt whose beginning was known already counts in full.
    pub effort: Effort,
    /// Up to the first token, or the whole of an answer that has none.
    pub reading: Duration,
    /// After the first token.
    pub writing: Duration,
}

impl Effort {
    /// The most work that a request can be, which gives a model `size` images or tokens to read; `units` are the most units of
    /// its answer.
    #[must_use]
    pub fn of_request(model: &ModelRecipe, size: usize, units: Units) -> Self {
        match model {
            ModelRecipe::Llama(recipe) => Self::of_text(recipe, units.input, units.output),
            _ => Self { reading: size as f64, writing: 0.0 },
        }
    }

    /// The work that an answer was to a request of `size` images or tokens. The first token of a text comes with the prompt.
    #[must_use]
    pub fn of_response(model: &ModelRecipe, size: usize, response: &Response) -> Self {
        match (model, response) {
            (ModelRecipe::Llama(recipe), Response::Generate { prompt_tokens, tokens, .. }) => {
                let written = u32::try_from(tokens.len()).unwrap_or(u32::MAX).saturating_sub(1);
                Self::of_text(recipe, *prompt_tokens, written)
            }
            _ => Self::of_request(model, size, response.units()),
        }
    }

    /// The products for a prompt and an answer of so many tokens.
    fn of_text(recipe: &LlamaRecipe, prompt: u32, answer: u32) -> Self {
        let [width, layers, inner, vocabulary, depth] =
            [recipe.width, recipe.layers, recipe.inner, recipe.vocabulary, recipe.depth].map(f64::from);
        let (heads, kv_heads) = (f64::from(recipe.heads), f64::from(recipe.kv_heads));
        let layer = width * depth * 2.0 * (heads + kv_heads) + 3.0 * width * inner;
        let (body, head) = (layers * layer, width * vocabulary);
        // Each head of each layer looks at what every token before left behind: two products for each number of it.
        let look = layers * heads * depth * 2.0;
        let [prompt, end] = [prompt, prompt.saturating_add(answer)].map(f64::from);
        let seen = |tokens: f64| {
            let window = if recipe.window == 0 { tokens } else { f64::from(recipe.window).min(tokens) };
            window * (window + 1.0) / 2.0 + (tokens - window) * window
        };
        Self {
            reading: prompt * body + head + look * seen(prompt),
            writing: (end - prompt) * (body + head) + look * (seen(end) - seen(prompt)),
        }
    }
}

#[cfg(test)]
mod tests {
    use provena_engine::artifact::{Activations, MlpLayer, MlpRecipe};
    use provena_wire::Finish;

    use super::*;

    fn recipe(window: u32) -> ModelRecipe {
        ModelRecipe::Llama(LlamaRecipe {
            vocabulary: 100,
            width: 8,
            layers: 2,
            heads: 2,
            kv_heads: 1,
            depth: 4,
            inner: 16,
            positions: 64,
            window,
            tied: true,
            activations: Activations::Bytes,
            stops: Vec::new(),
            chat_template: String::new(),
            bos: String::new(),
            eos: String::new(),
        })
    }

    #[test]
    fn the_products_of_a_text_are_counted() {
        // A layer has 8x8 queries, 2 x 8x4 keys and values, 8x8 outputs and 3 x 8x16; the head 8x100.
        let (body, head, look) = (2.0 * (64.0 + 64.0 + 64.0 + 384.0), 800.0, 2.0 * 2.0 * 4.0 * 2.0);
        let effort = Effort::of_request(&recipe(0), 3, Units::new(3, 2));
        assert_eq!(effort.reading, 3.0 * body + head + look * (1.0 + 2.0 + 3.0));
        assert_eq!(effort.writing, 2.0 * (body + head) + look * (4.0 + 5.0));
        // With a window of two tokens nothing looks further back.
        let narrow = Effort::of_request(&recipe(2), 3, Units::new(3, 2));
        assert_eq!(narrow.reading, 3.0 * body + head + look * (1.0 + 2.0 + 2.0));
        assert_eq!(narrow.writing, 2.0 * (body + head) + look * (2.0 + 2.0));
        // The first token of an answer came with the prompt.
        let response =
            Response::Generate { prompt_tokens: 3, tokens: vec![1, 2], text: String::new(), finish: Finish::Length };
        let done = Effort::of_response(&recipe(0), 3, &response);
        assert_eq!((done.reading, done.writing), (effort.reading, body + head + look * 4.0));
    }

    #[test]
    fn what_is_read_at_once_counts_by_its_size() {
        let model = ModelRecipe::Mlp(MlpRecipe { inputs: 4, max_value: 9, layers: vec![MlpLayer { outputs: 2 }] });
        let expected = Effort { reading: 36.0, writing: 0.0 };
        assert_eq!(Effort::of_request(&model, 36, Units::new(36, 0)), expected);
        let response = Response::Classify { labels: vec![1; 36], logits: vec![vec![0, 1]; 36] };
        assert_eq!(Effort::of_response(&model, 36, &response), expected);
    }
}
