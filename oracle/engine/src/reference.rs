//! The authority for int-v1: executes a plan one operation at a time with the scalar functions of `provena_arith`.
//!
//! It is plain on purpose: one value at a time, rows spread over threads. [`crate::cpu`] is the quick way to the same bytes.

mod argmax;
mod attention;
mod bytes;
mod cached_attention;
mod dot;
mod embed;
mod flatten;
mod gate;
mod gather;
mod linear;
mod lookup;
mod max_pool;
mod norm;
mod patches;
mod rms_norm;
mod rotate_store;
mod sample;
mod sum_rows;
mod unit;

pub use unit::UNIT_BITS;

use provena_wire::{Request, Response};

use crate::{
    artifact::{Artifact, ModelRecipe},
    error::Error,
    generate, models,
    plan::{BufferId, Cache, LinearOutput, Op, Plan, TensorId},
    values::Values,
};

/// Answers a request on the CPU.
///
/// # Errors
/// [`Error::Request`] or [`Error::InputTooLong`] when the request does not fit the model, [`Error::Tensor`] when the
/// artifact's tensors do not fit its recipe.
pub fn run(artifact: &Artifact, request: &Request) -> Result<Response, Error> {
    if let ModelRecipe::Llama(_) = &artifact.recipe().model {
        return generate::reference(artifact, generate::asked(request)?);
    }
    let model = models::Prepared::new(artifact)?;
    models::answer(&model, &models::Plans::default(), &model.inputs(request)?, &mut |plan, input| {
        Ok(outputs(artifact, plan, std::slice::from_ref(input), &mut []))
    })
}

/// The outputs of a plan in their order; `state` is what the plan's state holds before and then after.
///
/// # Panics
/// As [`execute`] does.
pub fn outputs(artifact: &Artifact, plan: &Plan, inputs: &[Values], state: &mut [Values]) -> Vec<Values> {
    let mut buffers = execute(artifact, plan, inputs, state);
    plan.outputs.iter().map(|id| std::mem::replace(&mut buffers[id.0 as usize], Values::U32(vec![]))).collect()
}

/// All buffers of a plan after its execution, in the plan's order, but for the state, which is in `state`.
///
/// # Panics
/// When the plan is not one that this crate built for this artifact, or the inputs or the state do not fit the plan's
/// buffers.
pub fn execute(artifact: &Artifact, plan: &Plan, inputs: &[Values], state: &mut [Values]) -> Vec<Values> {
    let mut running = State { artifact, plan, buffers: plan.buffers.iter().map(Values::zeros).collect() };
    assert_eq!(inputs.len(), plan.inputs.len(), "another number of inputs than the plan has");
    for (id, input) in plan.inputs.iter().zip(inputs) {
        assert!(input.fits(plan.get(*id)), "the input does not fit the plan");
        running.buffers[id.0 as usize] = input.clone();
    }
    running.swap_state(state);
    for op in &plan.ops {
        running.step(op);
    }
    running.swap_state(state);
    running.buffers
}

/// The buffers while a plan is being executed.
struct State<'a> {
    artifact: &'a Artifact,
    plan: &'a Plan,
    buffers: Vec<Values>,
}

impl State<'_> {
    /// Exchanges the plan's state with the caller's.
    fn swap_state(&mut self, state: &mut [Values]) {
        assert_eq!(state.len(), self.plan.state.len(), "another state than the plan has");
        for (id, values) in self.plan.state.iter().zip(state) {
            assert!(values.fits(self.plan.get(*id)), "the state does not fit the plan");
            std::mem::swap(&mut self.buffers[id.0 as usize], values);
        }
    }

    fn cols(&self, id: BufferId) -> usize {
        self.plan.get(id).cols
    }

    fn get(&self, id: BufferId) -> &Values {
        &self.buffers[id.0 as usize]
    }

    fn set(&mut self, id: BufferId, values: Values) {
        assert!(values.fits(self.plan.get(id)), "an operation gave another shape than its plan says");
        self.buffers[id.0 as usize] = values;
    }

    fn step(&mut self, op: &Op) {
        let artifact = self.artifact;
        match *op {
            Op::Embed { ids, words, positions, out } => {
                let values = embed::embed(self.get(ids).as_u32(), &artifact.tensor(words), &artifact.tensor(positions));
                self.set(out, Values::I32(values));
            }
            Op::Norm { x, residual, gain, bias, out, quantised } => {
                let cols = self.cols(x);
                let values = norm::norm(
                    self.get(x).as_i32(),
                    residual.map(|r| self.get(r).as_i32()),
                    cols,
                    &artifact.tensor(gain).scales(),
                    &artifact.tensor(bias).i32s(),
                );
                if let Some(quantise) = quantised {
                    let bytes = norm::quantise(&values, cols, &artifact.tensor(quantise.scale).scales());
                    self.set(quantise.out, Values::I8(bytes));
                }
                self.set(out, Values::I32(values));
            }
            Op::Linear { x, weight, bias, output } => {
                let (out, finish) = self.finish(output);
                let linear = linear::Linear {
                    x: self.get(x).as_i8(),
                    weight: artifact.tensor(weight),
                    bias: artifact.tensor(bias).i32s(),
                };
                let values = linear.run(self.plan.get(x).element, &finish);
                self.set(out, values);
            }
            Op::Attention { qkv, heads, score_scale, exp_table, context_scale, out } => {
                let attention = attention::Attention {
                    qkv: self.get(qkv).as_i8(),
                    stride: self.plan.get(qkv).stride(),
                    width: self.cols(out),
                    heads,
                    score_scale: artifact.tensor(score_scale).scales(),
                    exp_table: artifact.tensor(exp_table).i32s(),
                    context_scale: artifact.tensor(context_scale).scales(),
                };
                let values = attention.run(self.plan.get(out).rows);
                self.set(out, Values::I8(values));
            }
            Op::SumRows { x, out } => {
                let values = sum_rows::sum_rows(self.get(x).as_i32(), self.cols(x));
                self.set(out, Values::I32(values));
            }
            Op::Unit { x, out } => {
                let values = unit::unit(self.get(x).as_i32(), self.cols(x));
                self.set(out, Values::I32(values));
            }
            Op::Lookup { rows, weight, scale, out } => {
                let scale = artifact.tensor(scale).scales();
                let values = lookup::lookup(self.get(rows).as_u32(), &artifact.tensor(weight), &scale);
                self.set(out, Values::I32(values));
            }
            Op::RmsNorm { x, residual, gain, epsilon, sum, out } => {
                let x = self.get(x).as_i32();
                let v = residual.map_or_else(|| x.to_vec(), |r| rms_norm::add(x, self.get(r).as_i32()));
                let (gain, epsilon) = (artifact.tensor(gain).scales(), artifact.tensor(epsilon).i32s());
                self.set_bytes(out, &rms_norm::rms_norm(&v, &gain, &epsilon));
                if let Some(sum) = sum {
                    self.set(sum, Values::I32(v));
                }
            }
            Op::RotateStore { qkv, rows, table, cache, queries } => {
                self.rotate_store(qkv, rows, table, &cache, queries);
            }
            Op::CachedAttention {
                queries,
                rows,
                pages,
                cache,
                heads,
                window,
                score_scale,
                exp_table,
                context_scale,
                out,
            } => {
                let attention = cached_attention::CachedAttention {
                    queries: self.get(queries).as_i8(),
                    rows: self.get(rows).as_u32(),
                    pages: self.get(pages).as_u32(),
                    longest: self.cols(pages),
                    cache,
                    keys: self.get(cache.keys).as_i8(),
                    values: self.get(cache.values).as_i8(),
                    heads,
                    window,
                    score_scale: artifact.tensor(score_scale).scales(),
                    exp_table: artifact.tensor(exp_table).i32s(),
                    context_scale: artifact.tensor(context_scale).scales(),
                };
                let values = attention.run();
                self.set_bytes(out, &values);
            }
            Op::Gate { x, table, out_scale, out } => {
                let (table, scale) = (artifact.tensor(table).i32s(), artifact.tensor(out_scale).scales());
                let values = gate::gate(self.get(x).as_i32(), &table, &scale);
                self.set_bytes(out, &values);
            }
            Op::Gather { x, picks, out } => {
                let values = gather::gather(self.get(x).as_i32(), self.cols(x), self.get(picks).as_u32());
                self.set(out, Values::I32(values));
            }
            Op::Sample { logits, params, exp_table, out } => {
                let table = artifact.tensor(exp_table).i32s();
                let (logits, cols) = (self.get(logits).as_i32(), self.cols(logits));
                let values = sample::sample(logits, cols, self.get(params).as_u32(), &table);
                self.set(out, Values::U32(values));
            }
            Op::Patches { x, size, kernel, stride, pad, out } => {
                let patches = patches::Patches { size, channels: self.cols(x), kernel, stride, pad };
                let values = patches.run(self.get(x).as_i8());
                self.set(out, Values::I8(values));
            }
            Op::MaxPool { x, size, kernel, out } => {
                let values = max_pool::max_pool(self.get(x).as_i8(), size, self.cols(x), kernel);
                self.set(out, Values::I8(values));
            }
            Op::Flatten { x, out } => {
                let (images, rows) = (self.plan.get(out).rows, self.plan.get(x).rows);
                let values = flatten::flatten(self.get(x).as_i8(), rows / images.max(1), self.cols(x));
                self.set(out, Values::I8(values));
            }
            Op::Argmax { x, out } => {
                let values = argmax::argmax(self.get(x).as_i32(), self.cols(x));
                self.set(out, Values::U32(values));
            }
        }
    }

    /// Sets a buffer of bytes from values that are not yet clamped.
    fn set_bytes(&mut self, id: BufferId, values: &[i32]) {
        let buffer = self.plan.get(id);
        self.set(id, Values::I8(bytes::pack(buffer.element, values, buffer.cols)));
    }

    fn rotate_store(&mut self, qkv: BufferId, rows: BufferId, table: TensorId, cache: &Cache, queries: BufferId) {
        let take = |values: &mut Values| std::mem::replace(values, Values::I8(vec![]));
        let mut keys = take(&mut self.buffers[cache.keys.0 as usize]);
        let mut values = take(&mut self.buffers[cache.values.0 as usize]);
        if let (Values::I8(keys), Values::I8(values)) = (&mut keys, &mut values) {
            let table = self.artifact.tensor(table);
            let (qkv, rows) = (self.get(qkv).as_i32(), self.get(rows).as_u32());
            let turned = rotate_store::rotate_store(qkv, rows, &table, cache, keys, values);
            self.set_bytes(queries, &turned);
        }
        self.set(cache.keys, keys);
        self.set(cache.values, values);
    }

    fn finish(&self, output: LinearOutput) -> (BufferId, linear::Finish) {
        let scales = |id| self.artifact.tensor(id).scales();
        match output {
            LinearOutput::Raw { out } => (out, linear::Finish::Raw),
            LinearOutput::Int8 { scale, relu, out } => (out, linear::Finish::Int8 { scale: scales(scale), relu }),
            LinearOutput::Wide { scale, out } => (out, linear::Finish::Wide { scale: scales(scale) }),
            LinearOutput::Int16 { scale, out } => (out, linear::Finish::Int16 { scale: scales(scale) }),
            LinearOutput::Table { in_scale, table, out_scale, out } => {
                let table = self.artifact.tensor(table).i32s();
                let finish = linear::Finish::Table { in_scale: scales(in_scale), table, out_scale: scales(out_scale) };
                (out, finish)
            }
        }
    }
}
