//! Every type of blocks against candle, bit for bit.

use std::io::Cursor;

use candle_core::{Device, quantized::gguf_file};
use provena_engine::format::Checkpoint;

use super::gguf_files::{File, decoder};

/// Per type: ggml's number, elements and bytes of a block, and where the block has its factors as F16.
const TYPES: [(&str, u32, usize, usize, &[usize]); 11] = [
    ("F32", 0, 1, 4, &[]),
    ("F16", 1, 1, 2, &[0]),
    ("Q4_0", 2, 32, 18, &[0]),
    ("Q4_1", 3, 32, 20, &[0, 2]),
    ("Q5_0", 6, 32, 22, &[0]),
    ("Q5_1", 7, 32, 24, &[0, 2]),
    ("Q8_0", 8, 32, 34, &[0]),
    ("Q4_K", 12, 256, 144, &[0, 2]),
    ("Q5_K", 13, 256, 176, &[0, 2]),
    ("Q6_K", 14, 256, 210, &[208]),
    ("BF16", 30, 1, 2, &[]),
];

/// Blocks of any bits whose values are finite.
fn blocks(random: &mut fastrand::Rng, count: usize, kind: &(&str, u32, usize, usize, &[usize])) -> Vec<u8> {
    let mut bytes = vec![];
    for _ in 0..count {
        let mut block: Vec<u8> = (0..kind.3).map(|_| random.u8(..)).collect();
        for at in kind.4 {
            // Subnormals and zeros too, but no infinity.
            block[at + 1] &= 0xbf;
        }
        if kind.4.is_empty() {
            let last = block.len() - 1;
            block[last] &= 0xbf;
        }
        bytes.extend(block);
    }
    bytes
}

/// A file with one tensor of each type, of 3 rows, and their names.
fn file(seed: u64) -> (File, Vec<(String, String)>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut file, mut names) = (decoder("llama"), vec![]);
    for (layer, kind) in TYPES.iter().enumerate() {
        let name = format!("blk.{}.ffn_down.weight", layer + 1);
        let blocks = blocks(&mut random, 3 * 768 / kind.2, kind);
        file.tensor(&name, &[3, 768], kind.1, blocks);
        names.push((name, format!("model.layers.{}.mlp.down_proj.weight", layer + 1)));
    }
    (file, names)
}

#[test]
fn every_type_of_blocks_has_the_values_that_candle_gives() {
    for seed in 0..20 {
        let (file, names) = file(seed);
        let bytes = file.bytes();
        let weights = Checkpoint::from_gguf_bytes(bytes.clone()).unwrap().weights;
        let mut reader = Cursor::new(bytes);
        let content = gguf_file::Content::read(&mut reader).unwrap();
        for ((theirs, ours), kind) in names.iter().zip(&TYPES) {
            let expected = content.tensor(&mut reader, theirs, &Device::Cpu).unwrap();
            let expected = expected.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let found = weights.read(ours, &[3, 768]).unwrap();
            let differs = found.iter().zip(&expected).position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!((differs, found.len()), (None, expected.len()), "{} with seed {seed}", kind.0);
            assert!(found.iter().any(|v| *v != 0.0), "{}", kind.0);
            // Rows are the same alone.
            for rows in [0..0, 0..1, 1..3, 2..3, 3..3] {
                let part = weights.read_rows(ours, rows.clone()).unwrap();
                assert!(part.iter().eq(&found[rows.start * 768..rows.end * 768]), "{} {rows:?}", kind.0);
            }
        }
    }
}

#[test]
fn blocks_of_infinity_or_nan_are_refused_by_the_tensors_name() {
    for (_, kind, _, block, halves) in TYPES.iter().filter(|kind| !kind.4.is_empty()) {
        for at in *halves {
            for bad in [0x7c00u16, 0xfc00, 0x7e00] {
                let (mut file, _) = file(1);
                let tensor = file.tensors.iter_mut().rfind(|tensor| tensor.kind == *kind).unwrap();
                // The last block, with integers of which not all are zero.
                let start = tensor.bytes.len() - block;
                tensor.bytes[start + at..start + at + 2].copy_from_slice(&bad.to_le_bytes());
                let name = tensor.name.replace("blk", "model.layers").replace("ffn_down", "mlp.down_proj");
                let weights = Checkpoint::from_gguf_bytes(file.bytes()).unwrap().weights;
                let error = weights.read(&name, &[3, 768]).unwrap_err().to_string();
                assert!(error.contains(&name) && error.contains("not a finite number"), "{error}");
                // What lies before it is good.
                weights.read_rows(&name, 0..2).unwrap();
            }
        }
    }
}
