//! What the entries for one posting of a job add up to.

use provena_arith::receipt::Receipt;
use provena_wire::{SignedReceipt, Units};
use serde::{Deserialize, Serialize};

use super::entry::{End, Event, JobKey, Step, Terms};

/// What a node has computed for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Computed {
    /// Content root of the response.
    #[serde(with = "hex::serde")]
    pub result_root: [u8; 32],
    /// Units of work.
    #[serde(with = "units")]
    pub units: Units,
    /// The commitment's salt.
    #[serde(with = "hex::serde")]
    pub salt: [u8; 32],
}

/// How long the log keeps a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Keep {
    /// As long as something is to be done; such records are in memory as well.
    Open,
    /// A result was computed and the job given up: another result must stay forbidden while the job may live.
    Bound,
    /// It was settled, so the chain lets nobody work on it again, or nothing was ever computed for it.
    Over,
}

/// What the log says of one posting of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRecord {
    /// What a seat was asked for, and which one it was.
    pub taking: Option<(u8, Terms)>,
    /// Whether the chain has shown this node in a seat.
    pub seated: bool,
    /// Whether the node gave its seat up, because others did not come.
    pub left: bool,
    /// The result, once known.
    pub computed: Option<Computed>,
    /// Whether the node began to put a demanded answer on chain, whose rent must come back.
    pub answering: bool,
    /// The last transaction that was sent.
    pub sent: Option<(Step, String, u64)>,
    /// The receipt, once signed.
    pub receipt: Option<SignedReceipt>,
    /// Whether the quorum agreed with this node, once the job was decided; pay or bond are then awaited.
    pub decided: Option<bool>,
    /// How it ended.
    pub end: Option<End>,
}

impl JobRecord {
    /// Whether work on it goes on: it was begun, is not decided and has not ended.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.end.is_none() && self.decided.is_none()
    }

    /// Whether it is decided and pay or bond are awaited.
    #[must_use]
    pub fn is_awaiting_pay(&self) -> bool {
        self.end.is_none() && self.decided.is_some()
    }

    /// Whether `event` may follow; the reason when not.
    pub(super) fn check(&self, key: &JobKey, event: &Event) -> Result<(), &'static str> {
        match event {
            Event::Computed { result_root, units_in, units_out, .. } => match &self.computed {
                Some(known)
                    if known.result_root != *result_root || known.units != Units::new(*units_in, *units_out) =>
                {
                    Err("another result was computed before; this node signs one result per job")
                }
                _ => Ok(()),
            },
            Event::Signing(receipt) => {
                let signed: Receipt = receipt.receipt().map_err(|_| "the receipt is malformed")?;
                let posting = (signed.place, signed.slot, signed.input_root);
                if posting != (key.job.to_bytes(), key.posted_at, key.input_root) {
                    return Err("the receipt is for another posting");
                }
                let units = Units::new(signed.units_in, signed.units_out);
                match (&self.receipt, &self.computed) {
                    (Some(known), _) if known != receipt => Err("another receipt was signed before"),
                    (None, None) => Err("a receipt needs a computed result"),
                    (_, Some(known)) if known.result_root != signed.result_root || known.units != units => {
                        Err("the receipt states another result than was computed")
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// How long the log keeps it.
    pub(super) fn keep(&self) -> Keep {
        match &self.end {
            None => Keep::Open,
            Some(End::Abandoned(_)) if self.computed.is_some() => Keep::Bound,
            Some(_) => Keep::Over,
        }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Taking { index, terms } => {
                self.taking = Some((*index, terms.clone()));
                (self.seated, self.left) = (false, false);
                self.end = None;
            }
            Event::Seated => self.seated = true,
            Event::Leaving => self.left = true,
            Event::Computed { result_root, units_in, units_out, salt } => {
                let units = Units::new(*units_in, *units_out);
                self.computed = Some(Computed { result_root: *result_root, units, salt: *salt });
            }
            Event::Sending { step, signature, last_valid_block_height } => {
                self.sent = Some((*step, signature.clone(), *last_valid_block_height));
                self.answering |= *step == Step::PutAnswer;
            }
            Event::Signing(receipt) => self.receipt = Some(receipt.clone()),
            Event::Decided { agreed } => self.decided = Some(*agreed),
            Event::Ended(end) => self.end = Some(end.clone()),
        }
    }
}

/// Units as input and output.
mod units {
    use provena_wire::Units;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(units: &Units, serializer: S) -> Result<S::Ok, S::Error> {
        (units.input, units.output).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Units, D::Error> {
        let (input, output) = Deserialize::deserialize(deserializer)?;
        Ok(Units::new(input, output))
    }
}
