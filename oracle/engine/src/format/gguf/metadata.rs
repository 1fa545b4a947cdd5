//! The metadata of a GGUF file: names and their values.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::error::Error;

/// The most entries.
const MAX_ENTRIES: u64 = 65_536;
/// The longest name, in bytes.
const MAX_KEY: usize = 65_535;
/// How deep lists may lie in lists.
const MAX_DEPTH: usize = 4;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Any integer.
    Int(i128),
    /// A float of 32 or 64 bits.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of integers of 32 or 64 bits.
    Ints(Vec<i64>),
    /// A list of floats.
    Floats(Vec<f32>),
    /// A list of anything else, which nothing here needs.
    Other,
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a bool",
            Self::Text(_) => "a text",
            Self::Texts(_) => "a list of texts",
            Self::Ints(_) => "a list of integers",
            Self::Floats(_) => "a list of floats",
            Self::Other => "a list of something else",
        }
    }
}

/// All entries.
#[derive(Debug, Default)]
pub(crate) struct Metadata(BTreeMap<String, Value>);

impl Metadata {
    /// Reads so many entries.
    pub(crate) fn read(reader: &mut Reader<'_>, count: u64) -> Result<Self, Error> {
        if count > MAX_ENTRIES {
            return Err(reader.error(format_args!("{count} entries of metadata are more than {MAX_ENTRIES}")));
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let key = reader.text("the name of a metadata entry")?;
            if key.is_empty() || key.len() > MAX_KEY {
                return Err(reader.error(format_args!("a metadata entry's name has {} bytes", key.len())));
            }
            let kind = reader.u32(&key)?;
            let value = value(reader, &key, kind, 0)?;
            if entries.insert(key.clone(), value).is_some() {
                return Err(reader.error(format_args!("the metadata entry {key:?} is repeated")));
            }
        }
        Ok(Self(entries))
    }

    fn get<T>(&self, key: &str, wanted: &str, convert: impl FnOnce(&Value) -> Option<T>) -> Result<Option<T>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        convert(value).map(Some).ok_or_else(|| {
            let kind = value.kind();
            Error::Import(format!("the metadata entry {key:?} is {kind} or out of range, must be {wanted}"))
        })
    }

    /// An integer that fits u32.
    pub(crate) fn u32(&self, key: &str) -> Result<Option<u32>, Error> {
        self.get(key, "an integer of 32 bits", |value| match value {
            Value::Int(int) => u32::try_from(*int).ok(),
            _ => None,
        })
    }

    /// A finite number.
    pub(crate) fn float(&self, key: &str) -> Result<Option<f64>, Error> {
        self.get(key, "a finite number", |value| match value {
            Value::Float(float) => Some(*float).filter(|v| v.is_finite()),
            Value::Int(int) => Some(*int as f64),
            _ => None,
        })
    }

    /// Yes or no.
    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.get(key, "a bool", |value| if let Value::Bool(bool) = value { Some(*bool) } else { None })
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let Value::Text(text) = value else {
            return self.get(key, "a text", |_| None);
        };
        Ok(Some(text))
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<&[String]>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let Value::Texts(texts) = value else {
            return self.get(key, "a list of texts", |_| None);
        };
        Ok(Some(texts))
    }

    /// A list of integers.
    pub(crate) fn ints(&self, key: &str) -> Result<Option<&[i64]>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let Value::Ints(ints) = value else {
            return self.get(key, "a list of integers", |_| None);
        };
        Ok(Some(ints))
    }

    /// A list of floats.
    pub(crate) fn floats(&self, key: &str) -> Result<Option<&[f32]>, Error> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let Value::Floats(floats) = value else {
            return self.get(key, "a list of floats", |_| None);
        };
        Ok(Some(floats))
    }

    /// An integer, or a list of integers that are all the same, as some writers have it per layer.
    pub(crate) fn u32_or_same(&self, key: &str) -> Result<Option<u32>, Error> {
        self.get(key, "an integer, or the same integer for every layer", |value| match value {
            Value::Int(int) => u32::try_from(*int).ok(),
            Value::Ints(ints) => {
                let (first, rest) = ints.split_first()?;
                u32::try_from(*first).ok().filter(|_| rest.iter().all(|int| int == first))
            }
            _ => None,
        })
    }
}

const TEXT: u32 = 8;
const LIST: u32 = 9;

/// Bytes that an element of this type has at least; `None` for types that do not exist.
fn least_len(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        TEXT | 10..=12 => 8,
        LIST => 12,
        _ => return None,
    })
}

fn value(reader: &mut Reader<'_>, key: &str, kind: u32, depth: usize) -> Result<Value, Error> {
    let int = |v: i128| Ok(Value::Int(v));
    match kind {
        0 => int(u8::from_le_bytes(reader.array(key)?).into()),
        1 => int(i8::from_le_bytes(reader.array(key)?).into()),
        2 => int(u16::from_le_bytes(reader.array(key)?).into()),
        3 => int(i16::from_le_bytes(reader.array(key)?).into()),
        4 => int(reader.u32(key)?.into()),
        5 => int(i32::from_le_bytes(reader.array(key)?).into()),
        6 => Ok(Value::Float(f32::from_le_bytes(reader.array(key)?).into())),
        7 => match reader.array(key)? {
            [byte @ 0..=1] => Ok(Value::Bool(byte == 1)),
            [byte] => Err(reader.error(format_args!("the bool {key:?} is {byte}"))),
        },
        TEXT => reader.text(key).map(Value::Text),
        LIST => list(reader, key, depth),
        10 => int(reader.u64(key)?.into()),
        11 => int(i64::from_le_bytes(reader.array(key)?).into()),
        12 => Ok(Value::Float(f64::from_le_bytes(reader.array(key)?))),
        _ => Err(reader.error(format_args!("the metadata entry {key:?} has the unknown type {kind}"))),
    }
}

fn list(reader: &mut Reader<'_>, key: &str, depth: usize) -> Result<Value, Error> {
    let kind = reader.u32(key)?;
    let count = reader.u64(key)?;
    let Some(least) = least_len(kind) else {
        return Err(reader.error(format_args!("the list {key:?} has elements of the unknown type {kind}")));
    };
    if depth >= MAX_DEPTH {
        return Err(reader.error(format_args!("the list {key:?} lies too deep in other lists")));
    }
    // So the lists below hold no more elements than the file has bytes.
    reader.expect(count.saturating_mul(least), key)?;
    let mut texts = Vec::new();
    let mut ints = Vec::new();
    let mut floats = Vec::new();
    for _ in 0..count {
        match value(reader, key, kind, depth + 1)? {
            Value::Text(text) => texts.push(text),
            // A longer form of what is not needed would take more memory than the file has bytes.
            Value::Int(_) if least < 4 => (),
            Value::Int(int) => match i64::try_from(int) {
                Ok(int) => ints.push(int),
                Err(_) => return Err(reader.error(format_args!("the list {key:?} holds {int}, which is too large"))),
            },
            Value::Float(float) => floats.push(float as f32),
            _ => (),
        }
    }
    Ok(match kind {
        TEXT => Value::Texts(texts),
        6 | 12 => Value::Floats(floats),
        4 | 5 | 10 | 11 => Value::Ints(ints),
        _ => Value::Other,
    })
}
