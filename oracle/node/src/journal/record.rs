//! What the entries for one posting of a job add up to.

use provena_arith::receipt::Receipt;
use provena_wire::{SignedReceipt, Units};

use super::entry::{End, Event, JobKey, Step, Terms};

/// What a node has computed for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed {
    /// Content root of the response.
    pub result_root: [u8; 32],
    /// Units of work.
    pub units: Units,
    /// The commitment's salt.
    pub salt: [u8; 32],
}

/// What the log says of one posting of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

    /// Entries that add up to this record.
    pub(super) fn events(&self) -> Vec<Event> {
        let taking = self.taking.clone().map(|(index, terms)| Event::Taking { index, terms });
        let computed = self.computed.map(|Computed { result_root, units, salt }| Event::Computed {
            result_root,
            units_in: units.input,
            units_out: units.output,
            salt,
        });
        let sending =
            |step, signature, last_valid_block_height| Event::Sending { step, signature, last_valid_block_height };
        let sent = self.sent.clone().map(|(step, signature, height)| sending(step, signature, height));
        // That it began is known by any transaction for it.
        let answering = (self.answering && self.sent.as_ref().is_none_or(|(step, ..)| *step != Step::PutAnswer))
            .then(|| sending(Step::PutAnswer, String::new(), 0));
        let signing = self.receipt.clone().map(Event::Signing);
        let decided = self.decided.map(|agreed| Event::Decided { agreed });
        let ended = self.end.clone().map(Event::Ended);
        let seated = self.seated.then_some(Event::Seated);
        let leaving = self.left.then_some(Event::Leaving);
        [taking, seated, leaving, computed, answering, sent, signing, decided, ended].into_iter().flatten().collect()
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
