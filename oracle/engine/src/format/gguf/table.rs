//! The tensor table of a GGUF file: what lies where, checked against the file's length.

use std::collections::BTreeMap;

use super::{super::encoding::Encoding, reader::Reader};
use crate::error::Error;

/// The most tensors.
const MAX_TENSORS: u64 = 65_536;
/// The longest name, in bytes.
const MAX_NAME: usize = 256;
/// The most dimensions.
const MAX_DIMS: u32 = 4;

/// One tensor as the file has it.
#[derive(Debug)]
pub(super) struct Line {
    /// Outermost first, which is the opposite of the file's order.
    pub shape: Vec<usize>,
    pub encoding: Encoding,
    /// From the beginning of the file, in bytes.
    pub offset: u64,
    /// In bytes.
    pub len: u64,
}

/// Reads so many lines; offsets count from the beginning of the data, whose place is not known yet.
pub(super) fn read(reader: &mut Reader<'_>, count: u64) -> Result<BTreeMap<String, Line>, Error> {
    if count > MAX_TENSORS {
        return Err(reader.error(format_args!("{count} tensors are more than {MAX_TENSORS}")));
    }
    let mut lines = BTreeMap::new();
    for _ in 0..count {
        let name = reader.text("the name of a tensor")?;
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(reader.error(format_args!("a tensor's name has {} bytes", name.len())));
        }
        let line = line(reader, &name)?;
        if lines.insert(name.clone(), line).is_some() {
            return Err(Error::import_tensor(name, "is in the file twice"));
        }
    }
    Ok(lines)
}

fn line(reader: &mut Reader<'_>, name: &str) -> Result<Line, Error> {
    let dims = reader.u32(name)?;
    if dims == 0 || dims > MAX_DIMS {
        return Err(Error::import_tensor(name, format!("has {dims} dimensions, allowed are 1 to {MAX_DIMS}")));
    }
    let mut shape = Vec::new();
    let mut elements = 1u64;
    for _ in 0..dims {
        let dim = reader.u64(name)?;
        let product = elements.checked_mul(dim).filter(|product| *product != 0);
        let (Some(product), Ok(dim)) = (product, usize::try_from(dim)) else {
            return Err(Error::import_tensor(name, format!("has a dimension of {dim}, which no file can hold")));
        };
        elements = product;
        shape.insert(0, dim);
    }
    let kind = reader.u32(name)?;
    let encoding = encoding(kind).map_err(|reason| Error::import_tensor(name, reason))?;
    let (row, block) = (shape[shape.len() - 1], encoding.elements());
    // Rows are read on their own; vectors are rows of one element.
    if !row.is_multiple_of(block) || (dims == 1 && block > 1) {
        let reason = format!("has rows of {row} elements of type {encoding:?}, which come in blocks of {block}");
        return Err(Error::import_tensor(name, reason));
    }
    let len = encoding.len(elements).ok_or_else(|| Error::import_tensor(name, "is too large"))?;
    Ok(Line { shape, encoding, offset: reader.u64(name)?, len })
}

/// Moves the tensors to where the data begins, and checks that they lie within the file and apart from each other.
pub(super) fn settle(lines: &mut BTreeMap<String, Line>, data: u64, align: u64, file_len: u64) -> Result<(), Error> {
    let mut spans = Vec::with_capacity(lines.len());
    for (name, line) in lines.iter_mut() {
        if !line.offset.is_multiple_of(align) {
            let reason = format!("starts at byte {} of the data, no multiple of {align}", line.offset);
            return Err(Error::import_tensor(name, reason));
        }
        let start = line.offset.checked_add(data);
        let end = start.and_then(|start| start.checked_add(line.len));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= file_len)) else {
            return Err(Error::import_tensor(name, "ends past the end of the file (truncated?)"));
        };
        line.offset = start;
        spans.push((start, end, name));
    }
    spans.sort_unstable();
    for pair in spans.windows(2) {
        if pair[1].0 < pair[0].1 {
            return Err(Error::import_tensor(pair[1].2, format!("overlaps the tensor {:?}", pair[0].2)));
        }
    }
    Ok(())
}

/// The encoding of ggml's number for it.
fn encoding(kind: u32) -> Result<Encoding, String> {
    let name = match kind {
        0 => return Ok(Encoding::F32),
        1 => return Ok(Encoding::F16),
        2 => return Ok(Encoding::Q4_0),
        3 => return Ok(Encoding::Q4_1),
        6 => return Ok(Encoding::Q5_0),
        7 => return Ok(Encoding::Q5_1),
        8 => return Ok(Encoding::Q8_0),
        12 => return Ok(Encoding::Q4K),
        13 => return Ok(Encoding::Q5K),
        14 => return Ok(Encoding::Q6K),
        30 => return Ok(Encoding::BF16),
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24..=28 => "of integers or F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => "unknown",
    };
    let known = "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K";
    Err(format!("has elements of type {kind} ({name}), which is not supported: supported are {known}"))
}
