//! What a job must do, written apart from the programs: its own deadlines, its own division of fees.

use std::collections::BTreeSet;

use provena_market::error::MarketError;

use super::{Answer, demand};

/// What operations call a job.
pub(crate) type JobId = u32;

/// What a job's address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobKey {
    pub payer: usize,
    pub slot: u64,
    pub index: u16,
}

/// Units in and out.
pub(crate) type Units = (u64, u64);

/// A party of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Seat(usize),
    Royalty,
    Protocol,
    Payer,
}

/// What a party may be owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Money,
    Lamports,
    Bond,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    Revealing {
        until: u64,
    },
    /// The first seat that agreed.
    Agreed {
        winner: usize,
    },
    Failed,
    Cancelled,
    Defaulted {
        winner: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Free,
    Taken,
    Committed,
    Revealed,
    Missed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    /// Its authority's wallet.
    pub node: Option<usize>,
    pub step: Step,
    pub taken_at: u64,
    pub deadline: u64,
    /// What it committed to, then revealed.
    pub outcome: (u8, Units),
}

pub(crate) const FREE: Seat = Seat { node: None, step: Step::Free, taken_at: 0, deadline: 0, outcome: (0, (0, 0)) };

/// What an offer says, as far as money goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices {
    pub base: u64,
    pub input: u64,
    pub output: u64,
    pub royalty_bps: u64,
    pub protocol_bps: u64,
    pub least_royalty: u64,
}

/// A job with its whole history.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub key: JobKey,
    /// Whose royalty it is.
    pub asset: usize,
    pub mint: usize,
    pub open_until: u64,
    pub commit_window: u64,
    pub reveal_window: u64,
    pub quorum: usize,
    pub prices: Prices,
    pub most: Units,
    pub deposit: u64,
    pub bond: u64,
    pub min_stake: u64,
    pub seats: Vec<Seat>,
    pub stage: Stage,
    pub ended_at: u64,
    pub acknowledged: bool,
    pub demanded_at: Option<u64>,
    pub answered: bool,
    /// Bonds lost before the end.
    pub lost: u64,
    pub collected: BTreeSet<(Party, Part)>,
    /// Lamports of its account above its rent.
    pub lamports: u64,
    /// Tokens in its escrow.
    pub tokens: u64,
    /// Lamports and tokens beside these that strangers sent.
    pub gifts: (u64, u64),
}

/// Who gets what of an ended job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shares {
    pub money: u64,
    pub lamports: u64,
    pub bond: bool,
}

impl Job {
    pub(crate) fn ended(&self) -> bool {
        !matches!(self.stage, Stage::Open | Stage::Revealing { .. })
    }

    pub(crate) fn awaited(&self) -> bool {
        matches!(self.stage, Stage::Agreed { .. }) && self.demanded_at.is_some() && !self.answered
    }

    /// Whether an ended job pays at `now`.
    pub(crate) fn settled(&self, now: u64) -> bool {
        match self.stage {
            Stage::Agreed { .. } => {
                self.acknowledged || self.answered || (self.demanded_at.is_none() && now > self.ended_at + 1_500)
            }
            _ => self.ended(),
        }
    }

    pub(crate) fn late(&self, seat: usize, now: u64) -> bool {
        let seat = &self.seats[seat];
        match (self.stage, seat.step) {
            (Stage::Open, Step::Taken) => now > seat.deadline,
            (Stage::Revealing { until }, Step::Committed) => now > until,
            _ => false,
        }
    }

    pub(crate) fn count(&self, step: Step) -> usize {
        self.seats.iter().filter(|seat| seat.step == step).count()
    }

    /// Ends a job in which nobody is left to reveal.
    pub(crate) fn decide(&mut self, now: u64) {
        self.ended_at = now;
        let revealed = |seat: &&Seat| seat.step == Step::Revealed;
        let equal =
            |outcome: (u8, Units)| self.seats.iter().filter(revealed).filter(|seat| seat.outcome == outcome).count();
        let winner = (0..self.seats.len()).find(|index| {
            self.seats[*index].step == Step::Revealed && equal(self.seats[*index].outcome) >= self.quorum
        });
        self.stage = winner.map_or(Stage::Failed, |winner| Stage::Agreed { winner });
    }

    /// The seats that revealed what the quorum did.
    pub(crate) fn agreeing(&self) -> Vec<usize> {
        let (Stage::Agreed { winner } | Stage::Defaulted { winner }) = self.stage else { return Vec::new() };
        let agrees = |index: &usize| {
            self.seats[*index].step == Step::Revealed && self.seats[*index].outcome == self.seats[winner].outcome
        };
        (0..self.seats.len()).filter(agrees).collect()
    }

    /// What a party is due in all, whether collected or not.
    pub(crate) fn due(&self, party: Party) -> Shares {
        let deposit = u128::from(self.deposit);
        let (mut nodes, mut royalty, mut protocol, mut refund) = (0, 0, 0, deposit);
        if let Stage::Agreed { winner } = self.stage {
            let (input, output) = self.seats[winner].outcome.1;
            let [base, per_input, per_output, royalty_bps, protocol_bps, least] = [
                self.prices.base,
                self.prices.input,
                self.prices.output,
                self.prices.royalty_bps,
                self.prices.protocol_bps,
                self.prices.least_royalty,
            ]
            .map(u128::from);
            let fee = base + per_input * u128::from(input) + per_output * u128::from(output);
            // A share that is not whole is rounded up for the royalty, and down for the protocol.
            let share = (fee * royalty_bps).div_ceil(10_000);
            royalty = share.max(least * u128::from(input + output)).min(fee);
            protocol = (fee * protocol_bps / 10_000).min(fee - royalty);
            nodes = fee - royalty - protocol;
            refund = deposit - fee;
        }
        let agreeing = self.agreeing();
        let defaulted = matches!(self.stage, Stage::Defaulted { .. });
        let revealers: Vec<usize> = (0..self.seats.len()).filter(|i| self.seats[*i].step == Step::Revealed).collect();
        let pot = self.lost * self.bond;
        let each = if revealers.is_empty() { 0 } else { (pot / to_u64(revealers.len())).min(30_000) };
        let shares = |seat: &usize| !defaulted || !agreeing.contains(seat);
        match party {
            Party::Seat(seat) => {
                let held = !matches!(self.seats[seat].step, Step::Free | Step::Missed) && shares(&seat);
                let mut money = 0;
                if agreeing.contains(&seat) && !defaulted {
                    money = nodes / to_u128(agreeing.len());
                    if agreeing[0] == seat {
                        money += nodes % to_u128(agreeing.len());
                    }
                }
                let lamports = if revealers.contains(&seat) && shares(&seat) { each } else { 0 };
                Shares { money: narrow(money), lamports, bond: held }
            }
            Party::Royalty => Shares { money: narrow(royalty), ..Shares::default() },
            Party::Protocol => {
                let given = revealers.iter().filter(|seat| shares(seat)).count();
                let mut lamports = pot - each * to_u64(given);
                if defaulted {
                    lamports += self.bond * to_u64(agreeing.len());
                }
                Shares { money: narrow(protocol), lamports, bond: false }
            }
            Party::Payer => Shares { money: narrow(refund), lamports: if defaulted { 60_000 } else { 0 }, bond: false },
        }
    }

    /// What a party is due and has not collected.
    pub(crate) fn owed(&self, party: Party) -> Shares {
        let due = self.due(party);
        let open = |part| !self.collected.contains(&(party, part));
        Shares {
            money: if open(Part::Money) { due.money } else { 0 },
            lamports: if open(Part::Lamports) { due.lamports } else { 0 },
            bond: due.bond && open(Part::Bond),
        }
    }

    pub(crate) fn parties(&self) -> Vec<Party> {
        let seats = (0..self.seats.len()).map(Party::Seat);
        seats.chain([Party::Royalty, Party::Protocol, Party::Payer]).collect()
    }

    pub(crate) fn paid_out(&self) -> bool {
        self.parties().into_iter().all(|party| {
            let owed = self.owed(party);
            owed.money == 0 && owed.lamports == 0 && !owed.bond
        })
    }

    /// What a party may collect at `now`; one of its seats, if it is one.
    pub(crate) fn payable(&self, party: Party, now: u64) -> Answer<Shares> {
        demand(self.ended(), MarketError::WrongState)?;
        let minority = matches!(party, Party::Seat(seat) if !self.agreeing().contains(&seat));
        demand(minority || self.settled(now), MarketError::StillWaiting)?;
        let owed = self.owed(party);
        demand(owed.money > 0 || owed.lamports > 0 || owed.bond, MarketError::NothingOwed)?;
        Ok(owed)
    }

    /// Notes what a party was paid.
    pub(crate) fn note(&mut self, party: Party, paid: &Shares) {
        let parts = [(Part::Money, paid.money > 0), (Part::Lamports, paid.lamports > 0), (Part::Bond, paid.bond)];
        for (part, paid) in parts {
            assert!(!paid || self.collected.insert((party, part)), "{party:?} was paid twice");
        }
    }
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).expect("few")
}

fn to_u128(number: usize) -> u128 {
    u128::try_from(number).expect("few")
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).expect("parts of a deposit are no more than it")
}
