//! The programs' interface descriptions, as they are committed.

use std::fs;

use anchor_lang::prelude::Address;
use serde::Deserialize;
use serde_json::Value;

use crate::programs;

/// What a program says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Idl {
    address: String,
    /// Its instructions, by name.
    pub instructions: Vec<IdlInstruction>,
}

/// An instruction.
#[derive(Clone, Debug, Deserialize)]
pub struct IdlInstruction {
    pub name: String,
    /// What its data begins with.
    pub discriminator: Vec<u8>,
    /// The accounts that it names; more may follow.
    pub accounts: Vec<IdlAccount>,
}

/// An account of an instruction.
#[derive(Clone, Debug, Deserialize)]
pub struct IdlAccount {
    pub name: String,
    /// Whether the instruction may write it.
    #[serde(default)]
    pub writable: bool,
    /// Whether it must sign.
    #[serde(default)]
    pub signer: bool,
    /// Whether it may be absent: the program's own address stands in its place then.
    #[serde(default)]
    pub optional: bool,
    /// The only address that it may have.
    pub address: Option<String>,
}

/// The committed description of a program, with all that [`Idl`] leaves out; `market` and `provena_market` are the same.
///
/// # Panics
///
/// When it is missing or unreadable.
pub fn description(name: &str) -> Value {
    let name = name.trim_start_matches("provena_");
    let path = programs::repository().join("app/idl").join(format!("provena_{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Idl {
    /// As [`description`], what tests need of it.
    ///
    /// # Panics
    ///
    /// When it is missing or unreadable.
    pub fn of(name: &str) -> Self {
        serde_json::from_value(description(name)).unwrap_or_else(|error| panic!("the IDL of {name}: {error}"))
    }

    /// The program's address.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn address(&self) -> Address {
        self.address.parse().expect("a program's address")
    }
}
