//! One transaction with everything it saw and everything it did.
//!
//! The main workspace's tests include this file and write vectors; this workspace reads them. Only plain bytes cross the
//! border, because the two sides use different versions of every Solana crate.

use std::io::{self, Write};

use borsh::{BorshDeserialize, BorshSerialize};

/// An account as it was at one moment. One with no lamports does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    pub address: [u8; 32],
    pub owner: [u8; 32],
    pub lamports: u64,
    pub executable: bool,
    pub data: Vec<u8>,
}

/// How an instruction uses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Meta {
    pub address: [u8; 32],
    pub signer: bool,
    pub writable: bool,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Instruction {
    pub program: [u8; 32],
    pub accounts: Vec<Meta>,
    pub data: Vec<u8>,
}

/// One transaction, signed by everybody whom its instructions name as a signer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Vector {
    /// The test that sent it.
    pub test: String,
    /// The clock it saw: slot, and seconds since 1970.
    pub slot: u64,
    pub time: i64,
    /// Lamports that keep alive an account with no data, and one byte more.
    pub rent_base: u64,
    pub rent_per_byte: u64,
    /// Who paid the fee.
    pub payer: [u8; 32],
    pub instructions: Vec<Instruction>,
    /// Every account it names, before; programs and the chain's own accounts excepted.
    pub before: Vec<Account>,
    /// The runtime's error, as Rust's `Debug` prints it; nothing when it succeeded.
    pub error: Option<String>,
    /// The accounts of `before`, in the same order, after.
    pub after: Vec<Account>,
}

impl Vector {
    /// Appends the vector: length as u32, then Borsh.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let bytes = borsh::to_vec(self)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&bytes)
    }
}
