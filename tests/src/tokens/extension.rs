//! Extensions of Token-2022's mints as bytes.

use anchor_lang::prelude::Address;

const TYPE_TRANSFER_FEE_CONFIG: u16 = 1;
const TYPE_TRANSFER_FEE_AMOUNT: u16 = 2;
const TYPE_TRANSFER_HOOK: u16 = 14;
const TYPE_TRANSFER_HOOK_ACCOUNT: u16 = 15;

/// Somebody who may do something.
const SOMEBODY: [u8; 32] = [7; 32];

/// A fee of each transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferFee {
    /// Basis points of the amount, rounded up.
    pub bps: u16,
    /// The most base units of one fee.
    pub most: u64,
}

/// What a Token-2022 mint can have beyond an SPL mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    TransferFee(TransferFee),
    /// Whether somebody may close the mint.
    CloseAuthority(bool),
    ConfidentialTransfer,
    /// Fees of confidential transfers.
    ConfidentialTransferFee,
    /// Whether new accounts are frozen.
    DefaultFrozen(bool),
    NonTransferable,
    InterestBearing,
    /// Whether somebody may take tokens out of any account.
    PermanentDelegate(bool),
    /// The program to be called at each transfer, if there is one.
    TransferHook(Option<Address>),
    MetadataPointer,
    Metadata,
    GroupPointer,
    Group,
    GroupMemberPointer,
    GroupMember,
    ScaledUiAmount,
    Pausable,
    /// A type that nobody knows, with so many bytes.
    Unknown(u16, usize),
}

impl Extension {
    /// Appends type, length and value.
    pub(super) fn write(&self, data: &mut Vec<u8>) {
        let (kind, value) = self.entry();
        data.extend(kind.to_le_bytes());
        data.extend(u16::try_from(value.len()).expect("extensions are short").to_le_bytes());
        data.extend(value);
    }

    fn entry(&self) -> (u16, Vec<u8>) {
        let named = |yes: bool| if yes { SOMEBODY.to_vec() } else { vec![0; 32] };
        match self {
            Self::TransferFee(fee) => (TYPE_TRANSFER_FEE_CONFIG, fee.config()),
            Self::CloseAuthority(yes) => (3, named(*yes)),
            Self::ConfidentialTransfer => (4, zeros_after(&SOMEBODY, 65)),
            Self::DefaultFrozen(yes) => (6, vec![if *yes { 2 } else { 1 }]),
            Self::NonTransferable => (9, Vec::new()),
            Self::InterestBearing => (10, zeros_after(&SOMEBODY, 52)),
            Self::PermanentDelegate(yes) => (12, named(*yes)),
            Self::TransferHook(program) => {
                let program = program.unwrap_or_default();
                (TYPE_TRANSFER_HOOK, [SOMEBODY, program.to_bytes()].concat())
            }
            Self::ConfidentialTransferFee => (16, zeros_after(&SOMEBODY, 129)),
            Self::MetadataPointer => (18, [SOMEBODY, SOMEBODY].concat()),
            // Update authority, mint, then name, symbol, address and further fields, all empty.
            Self::Metadata => (19, zeros_after(&[SOMEBODY, SOMEBODY].concat(), 64 + 4 * 4)),
            Self::GroupPointer => (20, [SOMEBODY, SOMEBODY].concat()),
            Self::Group => (21, zeros_after(&[SOMEBODY, SOMEBODY].concat(), 80)),
            Self::GroupMemberPointer => (22, [SOMEBODY, SOMEBODY].concat()),
            Self::GroupMember => (23, zeros_after(&[SOMEBODY, SOMEBODY].concat(), 72)),
            Self::ScaledUiAmount => (25, scaled()),
            Self::Pausable => (26, zeros_after(&SOMEBODY, 33)),
            Self::Unknown(kind, len) => (*kind, vec![1; *len]),
        }
    }
}

impl TransferFee {
    /// What a transfer of `amount` costs.
    pub fn of(self, amount: u64) -> u64 {
        let fee = (u128::from(amount) * u128::from(self.bps)).div_ceil(10_000);
        u64::try_from(fee).expect("a fee is at most the amount").min(self.most)
    }

    /// Two authorities, nothing withheld, and the same fee for the older and the newer epoch.
    fn config(self) -> Vec<u8> {
        let mut value = [SOMEBODY, SOMEBODY].concat();
        value.extend([0; 8]);
        for _ in 0..2 {
            value.extend([0; 8]);
            value.extend(self.most.to_le_bytes());
            value.extend(self.bps.to_le_bytes());
        }
        value
    }
}

fn zeros_after(start: &[u8], len: usize) -> Vec<u8> {
    let mut value = start.to_vec();
    value.resize(len, 0);
    value
}

/// An authority, a multiplier of one, when the next one is valid, and that one.
fn scaled() -> Vec<u8> {
    let one = 1f64.to_le_bytes();
    [&SOMEBODY[..], &one, &[0; 8], &one].concat()
}

/// The extensions that a token account needs because of its mint's.
pub(super) fn of_accounts(mint: &[u8]) -> Vec<u8> {
    let mut added = Vec::new();
    let mut rest = mint.get(166..).unwrap_or(&[]);
    while let [a, b, c, d, behind @ ..] = rest {
        let (kind, len) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        let head = |kind: u16, len: u16| [kind.to_le_bytes(), len.to_le_bytes()].concat();
        match kind {
            TYPE_TRANSFER_FEE_CONFIG => {
                added.extend(head(TYPE_TRANSFER_FEE_AMOUNT, 8));
                added.extend([0; 8]);
            }
            TYPE_TRANSFER_HOOK => {
                added.extend(head(TYPE_TRANSFER_HOOK_ACCOUNT, 1));
                added.push(0);
            }
            _ => {}
        }
        rest = &behind[len..];
    }
    added
}
