//! Whether an instruction's data holds what its lengths promise.
//!
//! The programs' framework sets memory aside for a list as long as its length says before it reads the list, and a program
//! has 32 KiB: a length beyond the data ends the program before its own code begins. That is no error in order, but it is
//! the caller's own; with data that is all there it would be a finding.

use std::collections::HashMap;

use serde_json::Value;

/// The interface description of a program, as far as arguments go.
pub struct Arguments {
    instructions: HashMap<[u8; 8], Vec<Value>>,
    types: HashMap<String, Vec<Value>>,
}

impl Arguments {
    /// Reads a description.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn of(idl: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let types_of = |fields: &Value| list(fields).iter().map(|field| field["type"].clone()).collect::<Vec<_>>();
        let discriminator = |entry: &Value| {
            let bytes = list(&entry["discriminator"]).into_iter();
            let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            <[u8; 8]>::try_from(bytes).expect("eight bytes")
        };
        let instructions = list(&idl["instructions"]);
        let instructions = instructions.iter().map(|entry| (discriminator(entry), types_of(&entry["args"])));
        let types = list(&idl["types"]);
        let name = |entry: &Value| entry["name"].as_str().expect("types have names").to_owned();
        let types = types.iter().map(|entry| (name(entry), types_of(&entry["type"]["fields"])));
        Self { instructions: instructions.collect(), types: types.collect() }
    }

    /// Whether a list or a text in this data is longer, as its length says, than the data.
    #[must_use]
    pub fn promise_more(&self, data: &[u8]) -> bool {
        let Some((discriminator, mut rest)) = data.split_first_chunk::<8>() else { return false };
        let Some(arguments) = self.instructions.get(discriminator) else { return false };
        let mut listed = false;
        let read = arguments.iter().try_for_each(|kind| self.read(kind, &mut rest, &mut listed));
        read.is_none() && listed
    }

    /// Passes over a value; `None` where the data ends before it. Notes whether a length was read.
    fn read(&self, kind: &Value, data: &mut &[u8], listed: &mut bool) -> Option<()> {
        if let Some(name) = kind.as_str() {
            let len = match name {
                "bool" | "u8" | "i8" => 1,
                "u16" | "i16" => 2,
                "u32" | "i32" => 4,
                "u64" | "i64" => 8,
                "pubkey" => 32,
                "string" | "bytes" => length(data, listed)?,
                other => panic!("a description with {other}"),
            };
            *data = data.get(len..)?;
            return Some(());
        }
        if let Some(item) = kind.get("vec") {
            let count = length(data, listed)?;
            return (0..count).try_for_each(|_| self.read(item, data, listed));
        }
        if let Some(item) = kind.get("option") {
            let (some, rest) = data.split_first()?;
            *data = rest;
            return if *some == 0 { Some(()) } else { self.read(item, data, listed) };
        }
        if let Some(array) = kind.get("array") {
            let count = array[1].as_u64().expect("arrays have a length");
            return (0..count).try_for_each(|_| self.read(&array[0], data, listed));
        }
        let name = kind["defined"]["name"].as_str().expect("what is defined has a name");
        self.types.get(name).expect("it is described").iter().try_for_each(|field| self.read(field, data, listed))
    }
}

fn length(data: &mut &[u8], listed: &mut bool) -> Option<usize> {
    let (len, rest) = data.split_first_chunk::<4>()?;
    *data = rest;
    *listed = true;
    usize::try_from(u32::from_le_bytes(*len)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_data_are_seen() {
        let idl = serde_json::json!({
            "instructions": [{
                "discriminator": [1, 2, 3, 4, 5, 6, 7, 8],
                "args": [{ "type": "u16" }, { "type": { "vec": { "defined": { "name": "Pair" } } } }],
            }],
            "types": [{ "name": "Pair", "type": { "fields": [{ "type": "u8" }, { "type": { "option": "u8" } }] } }],
        });
        let arguments = Arguments::of(&idl);
        let data = |rest: &[u8]| [&[1, 2, 3, 4, 5, 6, 7, 8, 0, 0], rest].concat();
        assert!(!arguments.promise_more(&data(&[2, 0, 0, 0, 7, 0, 7, 1, 9])));
        assert!(arguments.promise_more(&data(&[2, 0, 0, 0, 7, 0, 7, 1])));
        assert!(arguments.promise_more(&data(&[0, 0, 0, 1])));
        // No length is there to promise anything.
        assert!(!arguments.promise_more(&data(&[2, 0])));
        assert!(!arguments.promise_more(&[9; 12]));
    }
}
