//! A plan while it is executed.

use super::{
    arena::Arena,
    attention::Attention,
    cached_attention::CachedAttention,
    context::Context,
    gate::Gate,
    images::{Squares, flatten},
    linear::{Finish, Linear},
    norm::{Norm, RmsNorm},
    rotate_store::RotateStore,
    rows::{Argmax, SumRows, draw, embed, gather, lookup, unit},
    tensors::Tensors,
};
use crate::{
    plan::{Buffer, BufferId, Element, LinearOutput, Op, Plan, TensorId},
    values::Values,
};

/// The buffers of a plan, and where they are.
pub(super) struct Running<'a> {
    tensors: &'a Tensors,
    plan: &'a Plan,
    inputs: &'a [Values],
    state: &'a mut [Values],
    arena: &'a mut Arena,
    places: Vec<Place>,
}

enum Place {
    Input(usize),
    State(usize),
    Own(Values),
}

impl<'a> Running<'a> {
    /// The plan before its first operation.
    ///
    /// # Panics
    /// When the inputs or the state do not fit the plan.
    pub(super) fn new(
        tensors: &'a Tensors,
        plan: &'a Plan,
        inputs: &'a [Values],
        state: &'a mut [Values],
        arena: &'a mut Arena,
    ) -> Self {
        assert_eq!(inputs.len(), plan.inputs.len(), "another number of inputs than the plan has");
        assert_eq!(state.len(), plan.state.len(), "another state than the plan has");
        let mut places: Vec<Place> = plan.buffers.iter().map(|_| Place::Own(Values::U32(Vec::new()))).collect();
        for (i, id) in plan.inputs.iter().enumerate() {
            assert!(inputs[i].fits(plan.get(*id)), "the input does not fit the plan");
            places[id.0 as usize] = Place::Input(i);
        }
        for (i, id) in plan.state.iter().enumerate() {
            assert!(state[i].fits(plan.get(*id)), "the state does not fit the plan");
            places[id.0 as usize] = Place::State(i);
        }
        Self { tensors, plan, inputs, state, arena, places }
    }

    /// Gives up buffers that nothing needs any more.
    pub(super) fn free(&mut self, ids: &[BufferId]) {
        for id in ids {
            let values = self.take(*id);
            self.arena.put(values);
        }
    }

    /// The outputs. What else there is goes back to the arena.
    pub(super) fn outputs(mut self) -> Vec<Values> {
        let outputs = self.plan.outputs.iter();
        let outputs = outputs
            .map(|id| match &mut self.places[id.0 as usize] {
                Place::Input(i) => self.inputs[*i].clone(),
                Place::State(i) => self.state[*i].clone(),
                Place::Own(values) => std::mem::replace(values, Values::U32(Vec::new())),
            })
            .collect();
        for place in self.places {
            if let Place::Own(values) = place {
                self.arena.put(values);
            }
        }
        outputs
    }

    fn buffer(&self, id: BufferId) -> &'a Buffer {
        self.plan.get(id)
    }

    fn cols(&self, id: BufferId) -> usize {
        self.plan.get(id).cols
    }

    fn get(&self, id: BufferId) -> &Values {
        match &self.places[id.0 as usize] {
            Place::Input(i) => &self.inputs[*i],
            Place::State(i) => &self.state[*i],
            Place::Own(values) => values,
        }
    }

    fn i8s(&self, id: BufferId) -> &[i8] {
        self.get(id).as_i8()
    }

    fn i32s(&self, id: BufferId) -> &[i32] {
        self.get(id).as_i32()
    }

    fn u32s(&self, id: BufferId) -> &[u32] {
        self.get(id).as_u32()
    }

    /// A buffer's contents, which [`Running::put`] brings back.
    fn take(&mut self, id: BufferId) -> Values {
        let empty = Values::U32(Vec::new());
        match &mut self.places[id.0 as usize] {
            Place::Input(_) => unreachable!("no operation writes an input"),
            Place::State(i) => std::mem::replace(&mut self.state[*i], empty),
            Place::Own(values) => std::mem::replace(values, empty),
        }
    }

    fn put(&mut self, id: BufferId, values: Values) {
        debug_assert!(values.fits(self.plan.get(id)), "an operation gave another shape than its plan says");
        match &mut self.places[id.0 as usize] {
            Place::Input(_) => unreachable!("no operation writes an input"),
            Place::State(i) => self.state[*i] = values,
            Place::Own(place) => *place = values,
        }
    }

    /// Memory for a buffer that is written as a whole.
    fn fresh(&mut self, id: BufferId) -> Values {
        self.arena.take(self.plan.get(id))
    }

    /// Executes the next operation.
    pub(super) fn step(&mut self, op: &Op, context: &mut Context, words: &mut Vec<i32>) {
        match *op {
            Op::Embed { ids, words, positions, out } => {
                let mut to = self.fresh(out);
                let (words, positions) = (self.tensors.raw(words), self.tensors.raw(positions));
                embed(context, self.u32s(ids), words, positions, i32s_mut(&mut to));
                self.put(out, to);
            }
            Op::Norm { x, residual, gain, bias, out, quantised } => {
                let mut to = self.fresh(out);
                let mut bytes = quantised.map(|q| (q.out, self.fresh(q.out)));
                let norm = Norm {
                    x: self.i32s(x),
                    residual: residual.map(|r| self.i32s(r)),
                    gain: self.tensors.scales(gain),
                    bias: self.tensors.i32s(bias),
                    scale: quantised.map_or(&[], |q| self.tensors.scales(q.scale)),
                };
                let to_bytes: &mut [i8] = bytes.as_mut().map_or(&mut [], |(_, values)| i8s_mut(values));
                norm.run(context, i32s_mut(&mut to), to_bytes);
                self.put(out, to);
                if let Some((id, values)) = bytes {
                    self.put(id, values);
                }
            }
            Op::Linear { x, weight, bias, output } => self.linear(context, x, weight, bias, output),
            Op::Attention { qkv, heads, score_scale, exp_table, context_scale, out } => {
                let mut to = self.fresh(out);
                let attention = Attention {
                    qkv: self.i8s(qkv),
                    tokens: self.buffer(out).rows,
                    width: self.cols(out),
                    heads,
                    score_scale: self.tensors.scales(score_scale),
                    exp_table: self.tensors.i32s(exp_table),
                    context_scale: self.tensors.scales(context_scale),
                };
                attention.run(context, i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::SumRows { x, out } => {
                let mut to = self.fresh(out);
                context.level().run(SumRows { x: self.i32s(x), out: i32s_mut(&mut to) });
                self.put(out, to);
            }
            Op::Unit { x, out } => {
                let mut to = self.fresh(out);
                unit(context, self.i32s(x), self.cols(x), i32s_mut(&mut to));
                self.put(out, to);
            }
            Op::Lookup { rows, weight, scale, out } => {
                let mut to = self.fresh(out);
                let (weight, scale) = (self.tensors.raw(weight), self.tensors.scales(scale));
                lookup(context, self.u32s(rows), weight, scale, i32s_mut(&mut to));
                self.put(out, to);
            }
            Op::RmsNorm { x, residual, gain, epsilon, sum, out } => {
                let mut to = self.fresh(out);
                let mut kept = sum.map(|sum| (sum, self.fresh(sum)));
                let epsilon = self.tensors.i32s(epsilon);
                let norm = RmsNorm {
                    x: self.i32s(x),
                    residual: residual.map(|r| self.i32s(r)),
                    gain: self.tensors.scales(gain),
                    epsilon: [epsilon[0] as u32, epsilon[1] as u32],
                    keep: sum.is_some(),
                    element: self.buffer(out).element,
                };
                let to_sum: &mut [i32] = kept.as_mut().map_or(&mut [], |(_, values)| i32s_mut(values));
                norm.run(context, to_sum, i8s_mut(&mut to));
                self.put(out, to);
                if let Some((id, values)) = kept {
                    self.put(id, values);
                }
            }
            Op::RotateStore { qkv, rows, table, cache, queries } => {
                let (mut to, mut keys, mut values) =
                    (self.fresh(queries), self.take(cache.keys), self.take(cache.values));
                let (qkv, cols) = (self.i32s(qkv), self.cols(qkv));
                let rotate = RotateStore { qkv, cols, rows: self.u32s(rows), table: self.tensors.raw(table), cache };
                rotate.run(context, i8s_mut(&mut to), i8s_mut(&mut keys), i8s_mut(&mut values));
                self.put(queries, to);
                self.put(cache.keys, keys);
                self.put(cache.values, values);
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
                let mut to = self.fresh(out);
                let attention = CachedAttention {
                    queries: self.i8s(queries),
                    rows: self.u32s(rows),
                    pages: self.u32s(pages),
                    columns: self.cols(pages),
                    cache,
                    keys: self.i8s(cache.keys),
                    values: self.i8s(cache.values),
                    heads,
                    window,
                    score_scale: self.tensors.scales(score_scale),
                    exp_table: self.tensors.i32s(exp_table),
                    context_scale: self.tensors.scales(context_scale),
                    element: self.buffer(out).element,
                };
                attention.run(context, words, i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::Gate { x, table, out_scale, out } => {
                let mut to = self.fresh(out);
                let (table, scale) = (self.tensors.i32s(table), self.tensors.scales(out_scale));
                let gate = Gate { x: self.i32s(x), table, scale, element: self.buffer(out).element };
                gate.run(context, i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::Gather { x, picks, out } => {
                let mut to = self.fresh(out);
                gather(self.i32s(x), self.cols(x), self.u32s(picks), i32s_mut(&mut to));
                self.put(out, to);
            }
            Op::Sample { logits, params, exp_table, out } => {
                let mut to = self.fresh(out);
                let (width, table) = (self.cols(logits), self.tensors.i32s(exp_table));
                draw(context, self.i32s(logits), width, self.u32s(params), table, u32s_mut(&mut to));
                self.put(out, to);
            }
            Op::Patches { x, size, kernel, stride, pad, out } => {
                let mut to = self.fresh(out);
                let squares = Squares { size, channels: self.cols(x), kernel, stride, pad };
                squares.patches(context, self.i8s(x), i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::MaxPool { x, size, kernel, out } => {
                let mut to = self.fresh(out);
                let squares = Squares { size, channels: self.cols(x), kernel, stride: kernel, pad: 0 };
                squares.largest(context, self.i8s(x), i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::Flatten { x, out } => {
                let mut to = self.fresh(out);
                let pixels = self.buffer(x).rows / self.buffer(out).rows.max(1);
                flatten(self.i8s(x), pixels, self.cols(x), i8s_mut(&mut to));
                self.put(out, to);
            }
            Op::Argmax { x, out } => {
                let mut to = self.fresh(out);
                let rows = self.i32s(x).chunks_exact(self.cols(x));
                for (to, x) in u32s_mut(&mut to).iter_mut().zip(rows) {
                    *to = context.level().run(Argmax { x });
                }
                self.put(out, to);
            }
        }
    }

    fn linear(&mut self, context: &mut Context, x: BufferId, weight: TensorId, bias: TensorId, output: LinearOutput) {
        let out = output.out();
        let mut to = self.fresh(out);
        let tensor = self.tensors.raw(weight);
        let linear = Linear {
            x: self.i8s(x),
            planes: if self.buffer(x).element == Element::Split { 2 } else { 1 },
            weight: bytemuck::cast_slice(tensor.bytes),
            stride: tensor.stride(),
            offsets: self.tensors.offsets(weight),
            bias: self.tensors.i32s(bias),
            finish: self.finish(output),
        };
        linear.run(context, &mut to);
        self.put(out, to);
    }

    fn finish(&self, output: LinearOutput) -> Finish<'a> {
        let scales = |id| self.tensors.scales(id);
        match output {
            LinearOutput::Raw { .. } => Finish::Raw,
            LinearOutput::Int8 { scale, relu, .. } => Finish::Int8 { scale: scales(scale), relu },
            LinearOutput::Int16 { scale, .. } => Finish::Int16 { scale: scales(scale) },
            LinearOutput::Wide { scale, .. } => Finish::Wide { scale: scales(scale) },
            LinearOutput::Table { in_scale, table, out_scale, .. } => {
                let table = self.tensors.i32s(table);
                Finish::Table { in_scale: scales(in_scale), table, out_scale: scales(out_scale) }
            }
        }
    }
}

/// The signed bytes; empty for other types.
fn i8s_mut(values: &mut Values) -> &mut [i8] {
    if let Values::I8(v) = values { v } else { &mut [] }
}

/// The signed words; empty for other types.
fn i32s_mut(values: &mut Values) -> &mut [i32] {
    if let Values::I32(v) = values { v } else { &mut [] }
}

/// The unsigned words; empty for other types.
fn u32s_mut(values: &mut Values) -> &mut [u32] {
    if let Values::U32(v) = values { v } else { &mut [] }
}
