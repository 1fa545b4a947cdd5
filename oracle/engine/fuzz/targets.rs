//! What is done with any bytes, by the fuzz targets and by the tests: reading them must give a model or an error that
//! says what is wrong with it, and never take more memory than the bytes justify.

use provena_engine::{
    Error,
    format::{Checkpoint, Weights},
};

/// The bytes as a GGUF file.
pub(super) fn gguf(bytes: &[u8]) {
    match Checkpoint::from_gguf_bytes(bytes.to_vec()) {
        Ok(checkpoint) => {
            assert!(checkpoint.config.is_object());
            assert!(checkpoint.stops.is_sorted());
            read(&checkpoint.weights, bytes.len());
        }
        Err(error) => expect(&error),
    }
}

/// The bytes as a safetensors file.
pub(super) fn safetensors(bytes: &[u8]) {
    match Weights::from_safetensors(bytes.to_vec()) {
        Ok(weights) => read(&weights, bytes.len()),
        Err(error) => expect(&error),
    }
}

/// Reads every tensor of a file of so many bytes, whole and in rows.
fn read(weights: &Weights, len: usize) {
    for name in weights.names() {
        let shape = weights.shape(name).expect("a name that is listed is there");
        let (rows, width) = shape.split_first().map_or((1, 1), |(rows, rest)| (*rows, rest.iter().product()));
        // No type has more than two elements per byte.
        assert!(rows * width <= 2 * len, "{name} has {rows} rows of {width} in {len} bytes");
        match weights.read(name, shape) {
            Ok(whole) => {
                assert_eq!(whole.len(), rows * width);
                assert!(whole.iter().all(|v| v.is_finite()));
                let middle = rows / 3..rows - rows / 3;
                let part = weights.read_rows(name, middle.clone()).expect("all rows can be read");
                assert!(part == whole[middle.start * width..middle.end * width]);
            }
            Err(error) => expect(&error),
        }
        assert!(weights.read_rows(name, 0..rows + 1).is_err());
    }
}

/// Whether an error says what is wrong with the file.
fn expect(error: &Error) {
    assert!(matches!(error, Error::Import(_) | Error::ImportTensor { .. }), "{error:?}");
}
