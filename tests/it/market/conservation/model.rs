//! What a job must do, written apart from the programs.

use std::collections::BTreeSet;

use anchor_lang::prelude::Address;

/// Units in and out.
pub type Units = (u64, u64);

/// A party of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Seat(usize),
    Royalty,
    Protocol,
    Payer,
}

/// What a party may be owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Money,
    Lamports,
    Bond,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
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
pub enum Step {
    Free,
    Taken,
    Committed,
    Revealed,
    Missed,
}

#[derive(Clone, Copy, Debug)]
pub struct Seat {
    pub node: Option<usize>,
    pub step: Step,
    pub taken_at: u64,
    pub deadline: u64,
    /// What it committed to, then revealed.
    pub result: (u8, Units),
}

pub const FREE: Seat = Seat { node: None, step: Step::Free, taken_at: 0, deadline: 0, result: (0, (0, 0)) };

/// What an offer says, as far as money goes.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    pub base: u64,
    pub input: u64,
    pub output: u64,
    pub royalty_bps: u64,
    pub protocol_bps: u64,
    pub least_royalty: u64,
}

/// A job with its whole history.
#[derive(Clone, Debug)]
pub struct Job {
    pub address: Address,
    pub payer: usize,
    /// Which of the kinds of money.
    pub money: usize,
    pub terms_hash: [u8; 32],
    pub posted_at: u64,
    pub nonce_slot: u64,
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
    pub rent: u64,
    pub escrow_rent: u64,
}

/// Who gets what of an ended job.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    pub money: u64,
    pub lamports: u64,
    pub bond: bool,
}

impl Job {
    pub fn ended(&self) -> bool {
        !matches!(self.stage, Stage::Open | Stage::Revealing { .. })
    }

    pub fn awaited(&self) -> bool {
        matches!(self.stage, Stage::Agreed { .. }) && self.demanded_at.is_some() && !self.answered
    }

    /// Whether an ended job pays at `now`.
    pub fn settled(&self, now: u64) -> bool {
        match self.stage {
            Stage::Agreed { .. } => {
                self.acknowledged || self.answered || (self.demanded_at.is_none() && now > self.ended_at + 1_500)
            }
            _ => self.ended(),
        }
    }

    pub fn late(&self, seat: usize, now: u64) -> bool {
        let seat = &self.seats[seat];
        match (self.stage, seat.step) {
            (Stage::Open, Step::Taken) => now > seat.deadline,
            (Stage::Revealing { until }, Step::Committed) => now > until,
            _ => false,
        }
    }

    pub fn count(&self, step: Step) -> usize {
        self.seats.iter().filter(|seat| seat.step == step).count()
    }

    /// Ends a job in which nobody is left to reveal.
    pub fn decide(&mut self, now: u64) {
        self.ended_at = now;
        let revealed = |seat: &&Seat| seat.step == Step::Revealed;
        let equal =
            |result: (u8, Units)| self.seats.iter().filter(revealed).filter(|seat| seat.result == result).count();
        let winner = (0..self.seats.len())
            .find(|index| self.seats[*index].step == Step::Revealed && equal(self.seats[*index].result) >= self.quorum);
        self.stage = winner.map_or(Stage::Failed, |winner| Stage::Agreed { winner });
    }

    /// The seats that revealed what the quorum did.
    pub fn agreeing(&self) -> Vec<usize> {
        let (Stage::Agreed { winner } | Stage::Defaulted { winner }) = self.stage else { return Vec::new() };
        let agrees = |index: &usize| {
            self.seats[*index].step == Step::Revealed && self.seats[*index].result == self.seats[winner].result
        };
        (0..self.seats.len()).filter(agrees).collect()
    }

    /// What a party is due in all, whether collected or not.
    pub fn due(&self, party: Party) -> Shares {
        let deposit = u128::from(self.deposit);
        let (mut nodes, mut royalty, mut protocol, mut refund) = (0, 0, 0, deposit);
        if let Stage::Agreed { winner } = self.stage {
            let (input, output) = self.seats[winner].result.1;
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
    pub fn owed(&self, party: Party) -> Shares {
        let due = self.due(party);
        let open = |part| !self.collected.contains(&(party, part));
        Shares {
            money: if open(Part::Money) { due.money } else { 0 },
            lamports: if open(Part::Lamports) { due.lamports } else { 0 },
            bond: due.bond && open(Part::Bond),
        }
    }

    pub fn parties(&self) -> Vec<Party> {
        let seats = (0..self.seats.len()).map(Party::Seat);
        seats.chain([Party::Royalty, Party::Protocol, Party::Payer]).collect()
    }

    pub fn paid_out(&self) -> bool {
        self.parties().into_iter().all(|party| {
            let owed = self.owed(party);
            owed.money == 0 && owed.lamports == 0 && !owed.bond
        })
    }

    /// Whether a party may collect at `now`, and what it may have then; `None` where nothing.
    pub fn payable(&self, party: Party, now: u64) -> Option<Shares> {
        if !self.ended() || matches!(party, Party::Seat(seat) if seat >= self.seats.len()) {
            return None;
        }
        let minority = matches!(party, Party::Seat(seat) if !self.agreeing().contains(&seat));
        let owed = self.owed(party);
        let something = owed.money > 0 || owed.lamports > 0 || owed.bond;
        ((minority || self.settled(now)) && something).then_some(owed)
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
