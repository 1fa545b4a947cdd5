//! Tiny decoders with random weights, for whole plans over awkward shapes.

use provena_arith::fixed::{EXP_ONE, Scale};
use provena_engine::artifact::{Activations, Artifact, ArtifactBuilder, LlamaRecipe, ModelRecipe, Recipe, Source};

/// Words of the tiny vocabulary: `w0` .. `w96`, of which `w0` begins and `w1` ends a sequence.
pub(crate) const VOCABULARY: u32 = 97;

/// Three query heads over one key head, odd widths, a window, an own head.
pub(crate) fn recipe() -> LlamaRecipe {
    LlamaRecipe {
        vocabulary: VOCABULARY,
        width: 20,
        layers: 2,
        heads: 3,
        kv_heads: 1,
        depth: 8,
        inner: 27,
        positions: 100,
        window: 0,
        tied: false,
        activations: Activations::Split,
        stops: vec![1],
        chat_template: "{% for m in messages %}w2 {{ m.content }} w3 {% endfor %}w4".into(),
        bos: "w0".into(),
        eos: "w1".into(),
    }
}

/// A tokenizer whose words are `w0` .. `w96`, between spaces.
pub(crate) fn tokenizer() -> String {
    let words: Vec<String> = (0..VOCABULARY).map(|i| format!("\"w{i}\": {i}")).collect();
    let special = |i: u32| {
        format!(
            r#"{{"id": {i}, "content": "w{i}", "single_word": true, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}}"#
        )
    };
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [{}, {}],
        "normalizer": null, "pre_tokenizer": {{"type": "WhitespaceSplit"}}, "post_processor": null, "decoder": null,
        "model": {{"type": "WordLevel", "unk_token": "w5", "vocab": {{{}}}}}}}"#,
        special(0),
        special(1),
        words.join(", ")
    )
}

/// The packed scale nearest to a factor below one.
fn scale(factor: f64) -> Scale {
    let exponent = factor.abs().log2().floor() as i32 + 1;
    let multiplier = (factor * 2f64.powi(15 - exponent)).clamp(-32_767.0, 32_767.0);
    let right = -1 - exponent;
    Scale::new(multiplier as i16, right.max(1) as u32, (1 - right).max(0) as u32)
}

/// An artifact whose integers are random and of sensible magnitudes: no float model stands behind them.
pub(crate) fn random(recipe: &LlamaRecipe, seed: u64) -> Artifact {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut builder = ArtifactBuilder::new();
    builder.tokenizer(tokenizer().into_bytes());
    let [width, inner, vocabulary] = [recipe.width, recipe.inner, recipe.vocabulary].map(|n| n as usize);
    let [heads, kv_heads, depth] = [recipe.heads, recipe.kv_heads, recipe.depth].map(|n| n as usize);
    // Values of the three activations that matrix products read, about 2^12 where they are split.
    let unit = if recipe.activations == Activations::Split { 4_096.0 } else { 40.0 };
    // Accumulators of split activations count 256 of them.
    let acc = |inputs: usize| {
        60.0 * (inputs as f64).sqrt() * if recipe.activations == Activations::Split { unit / 256.0 } else { unit }
    };
    let scales = |random: &mut fastrand::Rng, len: usize, factor: f64| -> Vec<Scale> {
        (0..len).map(|_| scale(factor * (0.7 + 0.6 * random.f64()))).collect()
    };
    let matrix = |builder: &mut ArtifactBuilder, random: &mut fastrand::Rng, name: &str, rows: usize, cols: usize| {
        let weight: Vec<i8> = (0..rows * cols).map(|_| random.i8(-127..=127)).collect();
        builder.i8(format!("{name}.weight"), rows, cols, &weight);
    };
    let linear = |builder: &mut ArtifactBuilder, random: &mut fastrand::Rng, name: &str, shape: [usize; 2], to: f64| {
        let [rows, cols] = shape;
        matrix(builder, random, name, rows, cols);
        let spread = acc(cols) as i32 / 4;
        builder.i32(format!("{name}.bias"), &(0..rows).map(|_| random.i32(-spread..=spread)).collect::<Vec<_>>());
        builder.scales(format!("{name}.scale"), &scales(random, rows, to / acc(cols)));
    };
    // The stream's values are about 2^16.
    let stream = 65_536.0;
    let gains = |random: &mut fastrand::Rng| scales(random, width, unit * (width as f64).sqrt() / f64::from(1 << 20));
    for i in 0..recipe.layers {
        let at = format!("layer.{i:03}");
        builder.scales(format!("{at}.norm1.gain"), &gains(&mut random));
        linear(&mut builder, &mut random, &format!("{at}.qkv"), [(heads + 2 * kv_heads) * depth, width], 8_000.0);
        let score = 8_000.0 * 8_000.0 / 256.0 * (depth as f64).sqrt();
        builder.scales(format!("{at}.score.scale"), &scales(&mut random, heads, 2.0 * 48.0 / score));
        builder.scales(format!("{at}.context.scale"), &scales(&mut random, heads * depth, unit / 8_000.0));
        linear(&mut builder, &mut random, &format!("{at}.output"), [width, heads * depth], stream / 2.0);
        builder.scales(format!("{at}.norm2.gain"), &gains(&mut random));
        linear(&mut builder, &mut random, &format!("{at}.up"), [2 * inner, width], 8_000.0);
        let silu = |x: f64| x / (1.0 + (-x).exp());
        let gate = |j: i32| (silu(f64::from(j - 64) / 8.0) * 4_000.0).round() as i32;
        builder.i32(format!("{at}.gate.table"), &(0..=128).map(gate).collect::<Vec<_>>());
        builder.scales(format!("{at}.gate.scale"), &scales(&mut random, inner, unit / 4_000.0 / 8_000.0));
        linear(&mut builder, &mut random, &format!("{at}.down"), [width, inner], stream / 2.0);
    }
    matrix(&mut builder, &mut random, "embed", vocabulary, width);
    builder.scales("embed.scale", &scales(&mut random, vocabulary, stream / 60.0 / f64::from(1 << 14)));
    let angle = |p: usize, c: usize| p as f64 * 10_000f64.powf(-((c % (depth / 2)) as f64) / (depth / 2) as f64);
    let turn = |p: usize, c: usize| if c < depth / 2 { angle(p, c).cos() } else { angle(p, c).sin() };
    let entry = |i: usize| (turn(i / depth, i % depth) * 32_768.0).round().clamp(-32_767.0, 32_767.0) as i16;
    let positions = recipe.positions as usize;
    builder.i16("rotation.table", positions, depth, &(0..positions * depth).map(entry).collect::<Vec<_>>());
    let exp = |i: i32| (f64::from(EXP_ONE) * (-f64::from(i) / 48.0).exp()).round() as i32;
    let table: Vec<i32> = (0..512).map(exp).collect();
    builder.i32("attention.exp.table", &table);
    builder.i32("sampling.exp.table", &table);
    builder.i32("norm.epsilon", &[12_345, 0]);
    builder.scales("final.gain", &gains(&mut random));
    if !recipe.tied {
        matrix(&mut builder, &mut random, "head", vocabulary, width);
    }
    let logit = 1_000_000.0;
    let biases: Vec<i32> = (0..vocabulary).map(|_| random.i32(-300..=300)).collect();
    builder.i32("head.bias", &biases);
    builder.scales("head.scale", &scales(&mut random, vocabulary, logit / acc(width)));
    let words = ((48.0 / logit) * 2f64.powi(40)).round() as u64;
    builder.i32("head.unit", &[words as i32, (words >> 32) as i32]);
    let build = builder.build(Recipe {
        name: "tiny".into(),
        engine_class: 1,
        model: ModelRecipe::Llama(recipe.clone()),
        tokenizer_sha256: None,
        source: Source::default(),
    });
    build.unwrap()
}
