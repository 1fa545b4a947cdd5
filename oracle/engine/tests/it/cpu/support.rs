//! Plans of one operation, and random numbers that nobody would choose.

use std::sync::{Arc, Once};

use provena_arith::fixed::Scale;
use provena_engine::{
    artifact::{Artifact, ArtifactBuilder, Dtype},
    cpu::{CpuModel, Level},
    plan::{Buffer, BufferId, Element, Plan, TensorId, i8_stride},
    reference,
    values::Values,
};

use crate::kernels::support::build;

/// Numbers of threads: alone, and more than the machine may have.
const THREADS: [usize; 2] = [1, 5];

/// An operation under construction: an artifact's tensors, a plan, its inputs and its state.
#[derive(Default)]
pub(super) struct Case {
    pub random: fastrand::Rng,
    pub builder: ArtifactBuilder,
    pub plan: Plan,
    pub inputs: Vec<Values>,
    pub state: Vec<Values>,
}

impl Case {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), ..Self::default() }
    }

    /// An input of any `i8`, padding zero; planes of a split one are independent.
    pub(super) fn bytes(&mut self, element: Element, rows: usize, cols: usize) -> BufferId {
        let planes = if element == Element::Split { 2 } else { 1 };
        let mut values = vec![0i8; rows * planes * i8_stride(cols)];
        for row in values.chunks_exact_mut(i8_stride(cols)) {
            row[..cols].iter_mut().for_each(|v| *v = extreme(&mut self.random));
        }
        self.input(element, rows, cols, Values::I8(values))
    }

    /// An input of words below 2^bits in magnitude; of any words for 32 bits.
    pub(super) fn words(&mut self, rows: usize, cols: usize, bits: u32) -> BufferId {
        let values = (0..rows * cols).map(|_| word(&mut self.random, bits)).collect();
        self.input(Element::I32, rows, cols, Values::I32(values))
    }

    /// An input of these numbers.
    pub(super) fn numbers(&mut self, cols: usize, values: Vec<u32>) -> BufferId {
        self.input(Element::U32, values.len() / cols, cols, Values::U32(values))
    }

    fn input(&mut self, element: Element, rows: usize, cols: usize, values: Values) -> BufferId {
        let id = self.plan.buffer(format!("input {}", self.inputs.len()), element, rows, cols);
        self.plan.inputs.push(id);
        self.inputs.push(values);
        id
    }

    /// State of any `i8`, padding zero.
    pub(super) fn cache(&mut self, rows: usize, cols: usize) -> BufferId {
        let id = self.plan.buffer(format!("state {}", self.state.len()), Element::I8, rows, cols);
        let mut values = vec![0i8; rows * i8_stride(cols)];
        for row in values.chunks_exact_mut(i8_stride(cols)) {
            row[..cols].iter_mut().for_each(|v| *v = extreme(&mut self.random));
        }
        self.plan.state.push(id);
        self.state.push(Values::I8(values));
        id
    }

    /// A buffer that the operation writes.
    pub(super) fn out(&mut self, element: Element, rows: usize, cols: usize) -> BufferId {
        self.plan.buffer(format!("buffer {}", self.plan.buffers.len()), element, rows, cols)
    }

    /// Scales of any bits, or ones that bring `down` bits less.
    pub(super) fn scales(&mut self, name: &str, count: usize, hostile: bool, down: u32) {
        let scales: Vec<Scale> = (0..count)
            .map(|_| match hostile {
                true => Scale(self.random.u32(..)),
                false => Scale::new(self.random.i16(0x4000..), down, self.random.u32(0..2)),
            })
            .collect();
        self.builder.scales(name, &scales);
    }

    /// Words below 2^bits in magnitude.
    pub(super) fn i32s(&mut self, name: &str, count: usize, bits: u32) {
        let values: Vec<i32> = (0..count).map(|_| word(&mut self.random, bits)).collect();
        self.builder.i32(name, &values);
    }

    /// Any signed bytes.
    pub(super) fn weight(&mut self, name: &str, rows: usize, cols: usize) {
        let values: Vec<i8> = (0..rows * cols).map(|_| extreme(&mut self.random)).collect();
        self.builder.i8(name, rows, cols, &values);
    }

    /// A table that falls from 16,383 to 0.
    pub(super) fn falling(&mut self, name: &str, count: usize) {
        let mut values: Vec<i32> = (0..count).map(|_| self.random.i32(0..=16_383)).collect();
        values.sort_unstable_by(|a, b| b.cmp(a));
        (values[0], values[count - 1]) = (16_383, 0);
        self.builder.i32(name, &values);
    }

    /// Finishes the artifact; the plan is completed with its tensors and then compared, see [`compare`].
    pub(super) fn check(mut self, complete: impl FnOnce(&Tensors<'_>, &mut Plan)) {
        let artifact = Arc::new(build(std::mem::take(&mut self.builder)));
        complete(&Tensors(&artifact), &mut self.plan);
        compare(&artifact, &self.plan, &self.inputs, &self.state);
    }
}

/// Tensors by name.
pub(super) struct Tensors<'a>(&'a Artifact);

impl Tensors<'_> {
    pub(super) fn vector(&self, name: &str) -> TensorId {
        [Dtype::I32, Dtype::Scale].into_iter().find_map(|dtype| self.0.find_table(name, dtype).ok()).unwrap().0
    }

    pub(super) fn matrix(&self, name: &str) -> TensorId {
        self.0.tensors().find(|(_, tensor)| tensor.name == name).unwrap().0
    }
}

/// Any `i8`, the extremes more often than the others.
fn extreme(random: &mut fastrand::Rng) -> i8 {
    match random.u8(..8) {
        0 => -128,
        1 => 127,
        _ => random.i8(..),
    }
}

fn word(random: &mut fastrand::Rng, bits: u32) -> i32 {
    let any = random.i32(..);
    if bits >= 32 { any } else { any % (1i32 << bits) }
}

/// Executes a plan at every level with several numbers of threads, twice each so that memory is used again, and compares
/// every buffer and the state with the reference's.
pub(super) fn compare(artifact: &Arc<Artifact>, plan: &Plan, inputs: &[Values], state: &[Values]) {
    static LACKING: Once = Once::new();
    LACKING.call_once(|| {
        let has: Vec<_> = Level::available().map(Level::name).collect();
        for name in Level::names().filter(|name| !has.contains(name)) {
            eprintln!("this processor lacks the level {name}, which is not tested");
        }
    });
    let mut all = plan.clone();
    let is_state = |id: &BufferId| plan.state.contains(id);
    all.outputs = (0..).map(BufferId).take(plan.buffers.len()).filter(|id| !is_state(id)).collect();
    let mut expected_state = state.to_vec();
    let expected = reference::execute(artifact, &all, inputs, &mut expected_state);
    for level in Level::available() {
        for threads in THREADS {
            let model = CpuModel::with(artifact.clone(), level, threads).unwrap();
            for round in 0..2 {
                // Only the plan's own outputs the second time, so that buffers share memory.
                let plan = if round == 0 { &all } else { plan };
                let mut found_state = state.to_vec();
                let found = model.execute(plan, inputs, &mut found_state).unwrap();
                let told = || format!("{} with {threads} threads, round {round}, {:?}", level.name(), plan.ops);
                for (id, found) in plan.outputs.iter().zip(found) {
                    same(&expected[id.0 as usize], &found, plan.get(*id), &told);
                }
                for ((id, expected), found) in plan.state.iter().zip(&expected_state).zip(&found_state) {
                    same(expected, found, plan.get(*id), &told);
                }
            }
        }
    }
}

fn same(expected: &Values, found: &Values, buffer: &Buffer, told: &dyn Fn() -> String) {
    if expected != found {
        let at = expected.bytes().iter().zip(found.bytes()).position(|(a, b)| a != b);
        let lengths = [expected.bytes().len(), found.bytes().len()];
        panic!("{buffer:?} differs at byte {at:?} of {lengths:?}: {}", told());
    }
}
