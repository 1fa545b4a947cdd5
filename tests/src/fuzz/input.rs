//! What the fuzzer's bytes mean: a world, and a short sequence of instructions and of slots that pass.
//!
//! Every string of bytes means something, and what cannot be read is left out, so that no mutation is lost. Numbers are
//! little endian; an index is taken modulo what it counts.

/// Instructions of one input; what follows is not looked at.
pub const MAX_INSTRUCTIONS: usize = 8;
/// Steps of one input, times of waiting included.
pub const MAX_STEPS: usize = 16;
/// Accounts of an instruction that is made from nothing.
pub const MAX_ACCOUNTS: usize = 40;
/// Changes of one valid call.
pub const MAX_EDITS: usize = 7;

/// Slots that mean something to one program or another, and one less or more of some.
pub const WAITS: [u64; 21] = [
    1, 8, 9, 100, 149, 150, 151, 160, 161, 200, 201, 361, 750, 751, 1_500, 1_501, 216_000, 216_001, 432_000, 1_000_000,
    1_512_001,
];

/// Words that amounts, counts and indices are set to.
pub const EXTREMES: [u64; 12] =
    [0, 1, 2, 7, 255, 10_001, 1 << 32, (1 << 32) - 1, 1 << 40, i64::MAX as u64, u64::MAX - 1, u64::MAX];

/// One input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which world: 0 is populated, 1 has wallets and mints alone.
    pub world: u8,
    /// What happens in it, one after the other.
    pub steps: Vec<Step>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A valid call, by its number in the world's table, with changes.
    Call { call: u16, edits: Vec<Edit> },
    /// An instruction made from nothing.
    Raw(Raw),
    /// That many slots pass: an entry of [`WAITS`], or from 128 on the number less 127.
    Wait(u8),
}

/// An instruction made from nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Which program.
    pub program: u8,
    /// Which of the program's discriminators comes first; 255 for none.
    pub instruction: u8,
    /// What follows it.
    pub data: Vec<u8>,
    /// Which accounts, by their number in the world's list.
    pub accounts: Vec<Meta>,
}

/// An account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its number in the world's list.
    pub account: u16,
    /// Bit 0: signs, if it is a wallet. Bit 1: writable.
    pub flags: u8,
}

/// A change of a valid call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Flips bits of a byte of the data.
    Flip { at: u8, bits: u8 },
    /// Overwrites eight bytes of the data, or as many as there are, by an entry of [`EXTREMES`].
    Word { at: u8, value: u8 },
    /// Cuts the data, or extends it by zeros, to this length.
    Resize { len: u8 },
    /// Puts another account in an account's place.
    Replace { at: u8, account: u16 },
    /// The same wherever that account occurs.
    ReplaceAll { at: u8, account: u16 },
    /// Sets an account's flags, see [`Meta::flags`].
    Flags { at: u8, flags: u8 },
    /// Exchanges two accounts.
    Swap { at: u8, with: u8 },
    /// Removes an account, or inserts one.
    Remove { at: u8 },
    /// Inserts an account.
    Insert { at: u8, account: u16, flags: u8 },
}

impl Input {
    /// What bytes mean.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let mut reader = Reader(bytes);
        let world = reader.byte().unwrap_or(0) % 2;
        let mut steps = Vec::new();
        let mut instructions = 0;
        while steps.len() < MAX_STEPS && instructions < MAX_INSTRUCTIONS {
            let Some(step) = reader.step() else { break };
            instructions += usize::from(!matches!(step, Step::Wait(_)));
            steps.push(step);
        }
        Self { world, steps }
    }

    /// Bytes that mean this.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.world];
        for step in &self.steps {
            match step {
                Step::Call { call, edits } => {
                    bytes.push(0);
                    bytes.extend(call.to_le_bytes());
                    bytes.push(short(edits.len()));
                    edits.iter().for_each(|edit| edit.encode(&mut bytes));
                }
                Step::Raw(raw) => {
                    bytes.extend([1, raw.program, raw.instruction, short(raw.data.len())]);
                    bytes.extend(&raw.data);
                    bytes.push(short(raw.accounts.len()));
                    for meta in &raw.accounts {
                        bytes.extend(meta.account.to_le_bytes());
                        bytes.push(meta.flags);
                    }
                }
                Step::Wait(code) => bytes.extend([2, *code]),
            }
        }
        bytes
    }
}

/// Slots that a code of waiting stands for.
#[must_use]
pub fn slots(code: u8) -> u64 {
    match code.checked_sub(127) {
        Some(slots) if slots > 0 => u64::from(slots),
        _ => WAITS[usize::from(code) % WAITS.len()],
    }
}

impl Edit {
    fn encode(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip { at, bits } => bytes.extend([0, at, bits]),
            Self::Word { at, value } => bytes.extend([1, at, value]),
            Self::Resize { len } => bytes.extend([2, len]),
            Self::Replace { at, account } => {
                bytes.extend([3, at]);
                bytes.extend(account.to_le_bytes());
            }
            Self::ReplaceAll { at, account } => {
                bytes.extend([4, at]);
                bytes.extend(account.to_le_bytes());
            }
            Self::Flags { at, flags } => bytes.extend([5, at, flags]),
            Self::Swap { at, with } => bytes.extend([6, at, with]),
            Self::Remove { at } => bytes.extend([7, at]),
            Self::Insert { at, account, flags } => {
                bytes.extend([8, at]);
                bytes.extend(account.to_le_bytes());
                bytes.push(flags);
            }
        }
    }
}

fn short(len: usize) -> u8 {
    u8::try_from(len).expect("inputs are made short")
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn step(&mut self) -> Option<Step> {
        Some(match self.byte()? % 4 {
            1 => Step::Raw(self.raw()?),
            2 => Step::Wait(self.byte()?),
            _ => {
                let call = self.word()?;
                let count = usize::from(self.byte()?) % (MAX_EDITS + 1);
                Step::Call { call, edits: (0..count).map_while(|_| self.edit()).collect() }
            }
        })
    }

    fn raw(&mut self) -> Option<Raw> {
        let (program, instruction) = (self.byte()?, self.byte()?);
        let len = usize::from(self.byte()?);
        let (data, rest) = self.0.split_at(len.min(self.0.len()));
        let data = data.to_vec();
        self.0 = rest;
        let count = usize::from(self.byte().unwrap_or(0)) % (MAX_ACCOUNTS + 1);
        let meta = |reader: &mut Self| Some(Meta { account: reader.word()?, flags: reader.byte()? });
        Some(Raw { program, instruction, data, accounts: (0..count).map_while(|_| meta(self)).collect() })
    }

    fn edit(&mut self) -> Option<Edit> {
        let (kind, at) = (self.byte()? % 9, self.byte()?);
        Some(match kind {
            0 => Edit::Flip { at, bits: self.byte()? },
            1 => Edit::Word { at, value: self.byte()? },
            2 => Edit::Resize { len: at },
            3 => Edit::Replace { at, account: self.word()? },
            4 => Edit::ReplaceAll { at, account: self.word()? },
            5 => Edit::Flags { at, flags: self.byte()? },
            6 => Edit::Swap { at, with: self.byte()? },
            7 => Edit::Remove { at },
            _ => Edit::Insert { at, account: self.word()?, flags: self.byte()? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let edits = vec![
            Edit::Flip { at: 1, bits: 2 },
            Edit::Word { at: 3, value: 4 },
            Edit::Resize { len: 5 },
            Edit::ReplaceAll { at: 6, account: 700 },
            Edit::Flags { at: 1, flags: 3 },
            Edit::Swap { at: 0, with: 2 },
            Edit::Remove { at: 2 },
        ];
        let raw =
            Raw { program: 1, instruction: 2, data: vec![1, 2, 3], accounts: vec![Meta { account: 9, flags: 3 }] };
        let insert = vec![Edit::Insert { at: 0, account: 300, flags: 1 }, Edit::Replace { at: 1, account: 2 }];
        let steps = vec![
            Step::Call { call: 513, edits },
            Step::Wait(130),
            Step::Raw(raw),
            Step::Call { call: 1, edits: insert },
        ];
        let input = Input { world: 1, steps };
        assert_eq!(Input::decode(&input.encode()), input);
    }

    #[test]
    fn any_bytes_are_read_and_cut_short_without_a_panic() {
        let bytes: Vec<u8> = (0..=255).cycle().step_by(7).take(2_000).collect();
        for len in 0..bytes.len() {
            let input = Input::decode(&bytes[..len]);
            assert!(input.steps.len() <= MAX_STEPS);
        }
    }

    #[test]
    fn waiting_is_from_a_list_or_by_number() {
        assert_eq!([0, 13, 19, 20, 21, 128, 255].map(slots), [1, 751, 1_000_000, 1_512_001, 1, 1, 128]);
    }
}
