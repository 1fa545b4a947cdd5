//! The authority for int-v1: executes a plan one operation at a time with the scalar functions of `provena_arith`.
//!
//! It is also the CPU backend. Rows are spread over threads and the dot product is written so that compilers use wide
//! instructions; neither can change a bit, because every sum is of integers.

mod argmax;
mod attention;
mod dot;
mod embed;
mod linear;
mod norm;
mod sum_rows;
mod unit;

pub use unit::UNIT_BITS;

use crate::{
    artifact::Artifact,
    error::Error,
    io::{Request, Response},
    models,
    plan::{BufferId, LinearOutput, Op, Plan},
    values::Values,
};

/// Answers a request on the CPU.
///
/// # Errors
/// [`Error::Request`] or [`Error::InputTooLong`] when the request does not fit the model, [`Error::Tensor`] when the
/// artifact's tensors do not fit its recipe.
pub fn run(artifact: &Artifact, request: &Request) -> Result<Response, Error> {
    let model = models::Prepared::new(artifact)?;
    models::answer(&model, request, &mut |plan, input| Ok(outputs(artifact, plan, input)))
}

/// The outputs of a plan in their order.
///
/// # Panics
/// As [`execute`] does.
pub fn outputs(artifact: &Artifact, plan: &Plan, input: &Values) -> Vec<Values> {
    let mut buffers = execute(artifact, plan, input);
    plan.outputs.iter().map(|id| std::mem::replace(&mut buffers[id.0 as usize], Values::U32(vec![]))).collect()
}

/// All buffers of a plan after its execution, in the plan's order.
///
/// # Panics
/// When the plan is not one that this crate built for this artifact, or the input does not fit the plan's input buffer.
pub fn execute(artifact: &Artifact, plan: &Plan, input: &Values) -> Vec<Values> {
    let mut state = State { artifact, plan, buffers: plan.buffers.iter().map(Values::zeros).collect() };
    if let Some(id) = plan.input {
        assert!(input.fits(plan.get(id)), "the input does not fit the plan");
        state.buffers[id.0 as usize] = input.clone();
    }
    for op in &plan.ops {
        state.step(op);
    }
    state.buffers
}

/// The buffers while a plan is being executed.
struct State<'a> {
    artifact: &'a Artifact,
    plan: &'a Plan,
    buffers: Vec<Values>,
}

impl State<'_> {
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
                let values = linear.run(&finish);
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
            Op::Argmax { x, out } => {
                let values = argmax::argmax(self.get(x).as_i32(), self.cols(x));
                self.set(out, Values::U32(values));
            }
        }
    }

    fn finish(&self, output: LinearOutput) -> (BufferId, linear::Finish) {
        let scales = |id| self.artifact.tensor(id).scales();
        match output {
            LinearOutput::Raw { out } => (out, linear::Finish::Raw),
            LinearOutput::Int8 { scale, relu, out } => (out, linear::Finish::Int8 { scale: scales(scale), relu }),
            LinearOutput::Int16 { scale, out } => (out, linear::Finish::Int16 { scale: scales(scale) }),
            LinearOutput::Table { in_scale, table, out_scale, out } => {
                let table = self.artifact.tensor(table).i32s();
                let finish = linear::Finish::Table { in_scale: scales(in_scale), table, out_scale: scales(out_scale) };
                (out, finish)
            }
        }
    }
}
