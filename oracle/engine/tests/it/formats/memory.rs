//! How much memory reading and writing take: a tensor at a time, whatever the size of the file.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use provena_engine::{
    artifact::{ArtifactWriter, Dtype, Entry, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source},
    format::{Checkpoint, PIECE},
};
use safetensors::Dtype as Published;

use super::gguf_files::decoder;
use crate::checkpoint_files::{Raw, Raws, dealt, file, write_shards};

/// Counts what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(by: isize) {
    // A thread that ends has nothing left to count with.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + by);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that this thread held at once during a step, beyond what it held before.
fn peak<T>(step: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = step();
    (result, (PEAK.get() - before) as usize)
}

/// Rows and columns of every tensor.
const SHAPE: [usize; 2] = [1_024, 768];
/// Number of tensors.
const COUNT: usize = 40;
/// What headers, names and buffers may take.
const SMALL: usize = 1 << 17;

#[test]
fn reading_holds_one_tensor_and_a_piece_of_the_file() {
    let len = SHAPE[0] * SHAPE[1];
    let folder = tempfile::tempdir().unwrap();
    let raw = || Raw { dtype: Published::BF16, shape: SHAPE.to_vec(), bytes: vec![0x3f; 2 * len] };
    let raws: Raws = (0..COUNT).map(|i| (format!("tensor.{i}"), raw())).collect();
    let [one, shards, gguf] = ["one", "shards", "gguf"].map(|name| folder.path().join(name));
    for path in [&one, &shards, &gguf] {
        std::fs::create_dir(path).unwrap();
        std::fs::write(path.join("config.json"), "{}").unwrap();
    }
    std::fs::write(one.join("model.safetensors"), file(&raws)).unwrap();
    write_shards(&shards, &dealt(&raws, 3));
    drop(raws);
    let mut decoder = decoder("llama");
    for layer in 1..=COUNT {
        decoder.tensor(&format!("blk.{layer}.attn_q.weight"), &SHAPE, 8, vec![0x11; len / 32 * 34]);
    }
    std::fs::write(gguf.join("model.gguf"), decoder.bytes()).unwrap();
    for path in [one, shards, gguf] {
        let (checkpoint, opening) = peak(|| Checkpoint::open(&path).unwrap());
        assert!(opening <= PIECE + SMALL, "{opening} bytes to open {}", path.display());
        for name in checkpoint.weights.names() {
            let shape = checkpoint.weights.shape(name).unwrap();
            let floats = 4 * shape.iter().product::<usize>();
            let (_, reading) = peak(|| checkpoint.weights.read(name, shape).unwrap());
            assert!(reading <= floats + PIECE + SMALL, "{reading} bytes to read {floats} of {}", path.display());
            let (_, rows) = peak(|| checkpoint.weights.read_rows(name, 2..4).unwrap());
            assert!(rows <= SMALL, "{rows} bytes to read two rows of {}", path.display());
        }
    }
}

#[test]
fn a_model_can_become_an_artifact_in_a_fifth_of_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("model.gguf");
    let mut decoder = decoder("llama");
    for layer in 1..=COUNT {
        decoder.tensor(&format!("blk.{layer}.ffn_up.weight"), &SHAPE, 8, vec![0x11; SHAPE[0] * SHAPE[1] / 32 * 34]);
    }
    std::fs::write(&source, decoder.bytes()).unwrap();
    drop(decoder);
    let out = folder.path().join("model.pvna");
    let convert = || {
        let weights = Checkpoint::open(&source).unwrap().weights;
        let shape = |name: &str| weights.shape(name).unwrap().to_vec();
        let size = |name: &str| shape(name).split_first().map(|(rows, rest)| (*rows, rest.iter().product())).unwrap();
        let entry = |name: &str| Entry::new(name, Dtype::I8, size(name).0, size(name).1);
        let recipe = Recipe {
            name: "streamed".into(),
            engine_class: provena_arith::receipt::ENGINE_CLASS_INT_V1,
            model: ModelRecipe::Mlp(MlpRecipe { inputs: 4, max_value: 16, layers: vec![MlpLayer { outputs: 2 }] }),
            tokenizer_sha256: None,
            source: Source::default(),
        };
        let entries = weights.names().map(entry).collect();
        let mut writer = ArtifactWriter::create(&out, recipe, vec![], entries).unwrap();
        for name in weights.names() {
            let ints: Vec<i8> = weights.read(name, &shape(name)).unwrap().iter().map(|v| *v as i8).collect();
            writer.i8(name, &ints).unwrap();
        }
        writer.finish().unwrap()
    };
    let (_, held) = peak(convert);
    let artifact = std::fs::metadata(&out).unwrap().len() as usize;
    assert!(artifact > COUNT * SHAPE[0] * SHAPE[1]);
    println!("an artifact of {artifact} bytes was written with {held} bytes of memory");
    assert!(held * 5 <= artifact, "{held} bytes for an artifact of {artifact}");
}
