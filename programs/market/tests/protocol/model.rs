//! States, what anybody may do in them, and what must hold.

use anchor_lang::{bytemuck::Zeroable, prelude::Address};
use provena_common::{NATIVE_MINT, slot::Slot};
use provena_market::{
    constants::{ANSWER_WINDOW, GRACE, MOST_FORFEIT_SHARE, NONCE_AGE, SETTLE_AFTER},
    fees::{Amount, Bps, Prices, Work},
    state::{Job, JobState, JobTerms, Next, Party, Posting, Seat, SeatState, Who},
};
use stateright::{Model, Property};

use crate::ledger::{Ledger, Purse, node_of};

/// Who is there, and who acts as one with the payer: a bit for each node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) seats: usize,
    pub(crate) quorum: u8,
    pub(crate) nodes: usize,
    pub(crate) colluding: u8,
    /// Whether money may be collected later than the rest, as from a job in tokens.
    pub(crate) partial: bool,
}

/// Everything that can change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) job: Job,
    pub(crate) seats: Vec<Seat>,
    pub(crate) now: Slot,
    pub(crate) ledger: Ledger,
    /// Nodes that let a deadline of theirs pass, by the model's own reckoning.
    pub(crate) late: Vec<bool>,
    /// Nodes that ever took a seat: of those that did not, all of a kind are alike.
    pub(crate) used: Vec<bool>,
    pub(crate) closed: bool,
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Time goes on to the next slot at which something changes.
    Wait,
    Cancel,
    Take {
        node: usize,
        seat: u8,
    },
    Leave {
        seat: u8,
    },
    Commit {
        seat: u8,
        result: u8,
    },
    Reveal {
        seat: u8,
    },
    Answer {
        result: u8,
    },
    Expire {
        seat: u8,
    },
    Finalize,
    Acknowledge,
    Demand,
    PutAnswer {
        node: usize,
    },
    Default,
    /// All that a party is owed, or all but money, as from a token job without token accounts.
    Collect {
        party: Party,
        money: bool,
    },
    Close {
        by_payer: bool,
    },
}

const START: Slot = Slot(1_000);
const WALLET: u64 = 10_000_000;
/// Enough for one bond: a node that lost it has less than the least stake and takes no seat any more.
const STAKE: u64 = 1_000_000;
const MIN_STAKE: u64 = 600_000;
const BOND: u64 = 500_000;
const DEPOSIT: u64 = 101_100;
const OPEN_WINDOW: u32 = 300;
const WINDOW: u32 = 150;
const WORK: Work = Work::new(1, 10);
/// The right answer; anything else is another.
const RIGHT: u8 = 1;
const WRONG: u8 = 2;
const TERMS: [u8; 32] = [7; 32];

/// The model of one job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    setting: Setting,
}

impl World {
    pub(crate) fn new(setting: Setting) -> Self {
        Self { setting }
    }

    fn colludes(&self, node: usize) -> bool {
        self.setting.colluding & 1 << node != 0
    }

    /// Whether a node may take a seat now: a fresh one only if it is the first of its kind, because all of a kind are alike.
    fn may_come(&self, state: &State, node: usize) -> bool {
        let alike = (0..node).any(|other| !state.used[other] && self.colludes(other) == self.colludes(node));
        state.used[node] || !alike
    }

    fn collects(&self, party: Party, actions: &mut Vec<Action>) {
        actions.push(Action::Collect { party, money: true });
        if self.setting.partial {
            actions.push(Action::Collect { party, money: false });
        }
    }

    /// The results that a node may commit to: an honest one computes the right one.
    fn results(&self, node: usize) -> &'static [u8] {
        if self.colludes(node) { &[RIGHT, WRONG] } else { &[RIGHT] }
    }

    fn initial(&self) -> State {
        let mut job: Job = Zeroable::zeroed();
        let seats = vec![Zeroable::zeroed(); self.setting.seats];
        job.post(&seats, &posting(self.setting.quorum), Amount(DEPOSIT), START).expect("a sound posting");
        let purse = Purse { wallet: WALLET, stake: STAKE, locked: 0 };
        let ledger = Ledger {
            payer: WALLET - DEPOSIT,
            nodes: vec![purse; self.setting.nodes],
            royalty: 0,
            treasury: 0,
            job: DEPOSIT,
        };
        State {
            job,
            seats,
            now: START,
            ledger,
            late: vec![false; self.setting.nodes],
            used: vec![false; self.setting.nodes],
            closed: false,
        }
    }
}

/// A job that asks for one unit in and ten out, at 1,000 + 100 + 10 * 10,000 lamports.
fn posting(quorum: u8) -> Posting<'static> {
    static PAYER: Address = Address::new_from_array([9; 32]);
    Posting {
        terms: JobTerms {
            offer: &PAYER,
            offer_terms: &TERMS,
            payer: &PAYER,
            input_root: &TERMS,
            most: WORK,
            protocol_bps: 250,
            cluster: &TERMS,
        },
        mint: NATIVE_MINT,
        books: NATIVE_MINT,
        prices: Prices {
            base: Amount(1_000),
            input: Amount(100),
            output: Amount(10_000),
            royalty: Bps::new(2_000).expect("a share"),
            least_royalty: Amount::ZERO,
            protocol: Bps::new(250).expect("a share"),
        },
        bond: Amount(BOND),
        min_stake: Amount(MIN_STAKE),
        open_window: OPEN_WINDOW,
        commit_window: WINDOW,
        reveal_window: WINDOW,
        quorum,
        first_come: true,
        nonce_slot: START,
        nonce_index: 0,
    }
}

fn authority(node: usize) -> Address {
    let mut bytes = [0; 32];
    bytes[0] = u8::try_from(node + 1).expect("few nodes");
    Address::new_from_array(bytes)
}

/// A commitment that only its node can open, and only with this result.
fn commitment(node: usize, result: u8) -> [u8; 32] {
    let mut bytes = [result; 32];
    bytes[0] = u8::try_from(node + 1).expect("few nodes");
    bytes[31] = 0xc0;
    bytes
}

impl State {
    /// The next slot at which something changes, if any: the last slot of each window and the one after it.
    fn next_moment(&self) -> Option<Slot> {
        let job = &self.job;
        let mut last = Vec::new();
        match job.state().expect("a state") {
            JobState::Open => {
                last.push(job.open_until);
                // A seat may be left from its deadline's slot on, because both windows are equal here.
                last.extend(self.seats.iter().filter(|seat| seat.is(SeatState::Taken)).map(|seat| seat.deadline));
            }
            JobState::Revealing => last.push(job.reveal_until),
            JobState::Agreed if job.is_answer_awaited() => last.push(job.demanded_at + ANSWER_WINDOW),
            JobState::Agreed if !job.is_settled(self.now).expect("ended") => last.push(job.decided_at + SETTLE_AFTER),
            _ => last.extend([job.nonce_slot + NONCE_AGE, job.decided_at + GRACE]),
        }
        last.into_iter().flat_map(|slot| [slot, slot + 1]).filter(|slot| *slot > self.now.0).min().map(Slot)
    }

    /// Notes who is late now, by what was promised alone.
    fn note_late(&mut self) {
        let job = &self.job;
        let state = job.state().expect("a state");
        for index in 0..self.seats.len() {
            let seat = &self.seats[index];
            let late = match seat.state().expect("a state") {
                SeatState::Taken => state == JobState::Open && self.now.0 > seat.deadline,
                SeatState::Committed => state == JobState::Revealing && self.now.0 > job.reveal_until,
                SeatState::Revealed => {
                    let unanswered = state == JobState::Agreed && job.is_answer_awaited();
                    let agrees = self.seats[usize::from(job.winner)].value == seat.value;
                    unanswered && agrees && self.now.0 > job.demanded_at + ANSWER_WINDOW
                }
                _ => false,
            };
            if late {
                let node = node_of(seat);
                self.late[node] = true;
            }
        }
    }

    /// Does what an action says; `None` where the program refuses it.
    fn act(&mut self, action: Action) -> Option<()> {
        let now = self.now;
        let Self { job, seats, ledger, .. } = self;
        match action {
            Action::Wait => {
                self.now = self.next_moment()?;
                self.note_late();
            }
            Action::Cancel => job.cancel(seats, now).ok()?,
            Action::Take { node, seat } => {
                let terms = job.terms_hash;
                job.take_seat(seats, seat, authority(node), &terms, now).ok()?;
                let (bond, least) = (Amount(job.bond), Amount(job.min_stake));
                ledger.nodes[node].with_node(|node| node.lock(bond, least)).then_some(())?;
                self.used[node] = true;
            }
            Action::Leave { seat } => {
                let holder = seats[usize::from(seat)];
                job.leave_seat(seats, seat, &holder.node, now).ok()?;
                let bond = Amount(job.bond);
                assert!(ledger.nodes[node_of(&holder)].with_node(|node| node.release(bond)), "not locked");
            }
            Action::Commit { seat, result } => {
                let holder = seats[usize::from(seat)];
                job.commit(seats, seat, &holder.node, commitment(node_of(&holder), result), now).ok()?;
            }
            Action::Reveal { seat } => {
                let holder = seats[usize::from(seat)];
                let result = holder.value[1];
                let opened = commitment(node_of(&holder), result);
                job.reveal(seats, seat, &holder.node, (&[result; 32], WORK), &opened, now).ok()?;
            }
            Action::Answer { result } => {
                let holder = seats[0];
                job.answer(seats, &holder.node, &[result; 32], WORK, now).ok()?;
            }
            Action::Expire { seat } => {
                let holder = seats[usize::from(seat)];
                let node = job.expire_seat(seats, seat, now).ok()?;
                assert_eq!(node, holder.node);
                ledger.forfeit_one(job, node_of(&holder));
            }
            Action::Finalize => {
                let forfeits = job.finalize(seats, now).ok()?;
                ledger.forfeit(job, seats, forfeits);
            }
            Action::Acknowledge => job.acknowledge().ok()?,
            Action::Demand => {
                job.demand_answer(now).ok()?;
                ledger.demand();
            }
            Action::PutAnswer { node } => {
                job.answered(now).ok()?;
                ledger.answered(node);
            }
            Action::Default => {
                let forfeits = job.default_answer(seats, now).ok()?;
                ledger.forfeit(job, seats, forfeits);
            }
            Action::Collect { party, money } => {
                let mut owed = job.payable(seats, party, now).ok()?;
                if !money {
                    owed.money = Amount::ZERO;
                }
                (!owed.is_nothing()).then_some(())?;
                ledger.pay(job, seats, party, owed);
            }
            Action::Close { by_payer } => {
                job.check_close(seats, by_payer, now).ok()?;
                self.closed = true;
            }
        }
        self.job.invariant(&self.seats).expect("the job's invariant");
        Some(())
    }

    /// Whether calls that anybody may make, and time alone, pay everything out from here.
    fn pays_out(&self) -> bool {
        let mut state = self.clone();
        for _ in 0..40 {
            let next = state.job.next(&state.seats, Who::Anybody, state.now).expect("there is always a next");
            let action = match next {
                Next::WaitUntil(slot) => {
                    assert!(slot > state.now, "waiting for the past");
                    state.now = slot;
                    continue;
                }
                Next::ExpireSeat(seat) => Action::Expire { seat },
                Next::Finalize => Action::Finalize,
                Next::DefaultAnswer => Action::Default,
                Next::Collect(party) => Action::Collect { party, money: true },
                Next::Close => {
                    let unlocked = state.ledger.nodes.iter().all(|purse| purse.locked == 0);
                    return state.ledger.job == 0 && unlocked && state.act(Action::Close { by_payer: false }).is_some();
                }
                other => panic!("{other:?} is not for anybody"),
            };
            if state.act(action).is_none() {
                return false;
            }
        }
        false
    }

    fn revealed(&self, node: usize) -> bool {
        self.seats.iter().any(|seat| seat.is(SeatState::Revealed) && node_of(seat) == node)
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.closed {
            return;
        }
        actions.extend([Action::Wait, Action::Cancel, Action::Finalize]);
        actions.extend([Action::Acknowledge, Action::Demand, Action::Default]);
        actions.extend([true, false].map(|by_payer| Action::Close { by_payer }));
        let mut any_free = false;
        for (index, seat) in (0u8..).zip(&state.seats) {
            if seat.is(SeatState::Free) {
                // With many seats only the first free one is taken: which one it is makes no difference to what may happen.
                if self.setting.seats > 2 && core::mem::replace(&mut any_free, true) {
                    continue;
                }
                let takers = (0..self.setting.nodes).filter(|node| self.may_come(state, *node));
                actions.extend(takers.map(|node| Action::Take { node, seat: index }));
                continue;
            }
            let node = node_of(seat);
            actions.extend([
                Action::Leave { seat: index },
                Action::Expire { seat: index },
                Action::Reveal { seat: index },
            ]);
            for &result in self.results(node) {
                actions.push(Action::Commit { seat: index, result });
                if state.seats.len() == 1 {
                    actions.push(Action::Answer { result });
                }
            }
            if state.job.agrees(&state.seats, seat) {
                actions.push(Action::PutAnswer { node });
            }
            self.collects(Party::Seat(index), actions);
        }
        for party in [Party::Royalty, Party::Protocol, Party::Payer] {
            self.collects(party, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        next.act(action)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("money is conserved", |world: &Self, state: &State| {
                state.ledger.total() == world.initial().ledger.total()
            }),
            Property::always("anybody can pay everything out", |_, state: &State| state.closed || state.pays_out()),
            Property::always("the job holds what it owes", |_, state: &State| state.holds_what_it_owes()),
            Property::always("who meets deadlines loses nothing", |world: &Self, state: &State| {
                let nodes = 0..world.setting.nodes;
                nodes
                    .filter(|node| !world.colludes(*node) && !state.late[*node])
                    .all(|node| state.ledger.nodes[node].wealth() >= WALLET + STAKE)
            }),
            Property::always("no coalition gains", |world: &Self, state: &State| {
                let own = (0..world.setting.nodes).filter(|node| world.colludes(*node));
                let (mut before, mut after, mut revealers) = (WALLET, state.ledger.payer, 0);
                for node in own {
                    before += WALLET + STAKE;
                    after += state.ledger.nodes[node].wealth();
                    revealers += u64::from(state.revealed(node));
                }
                let honest_late = (0..world.setting.nodes).any(|node| !world.colludes(node) && state.late[node]);
                let allowed = if honest_late { revealers * MOST_FORFEIT_SHARE.0 } else { 0 };
                after <= before + allowed
            }),
            Property::sometimes("a quorum is paid", |_, state: &State| {
                state.closed && state.job.state() == Ok(JobState::Agreed)
            }),
            Property::sometimes("a demand is answered", |_, state: &State| {
                state.closed && state.job.demanded_at != 0 && state.job.state() == Ok(JobState::Agreed)
            }),
            Property::sometimes("a demand is not answered", |_, state: &State| {
                state.closed && state.job.state() == Ok(JobState::Defaulted)
            }),
            Property::sometimes("a job is cancelled after a bond was lost", |_, state: &State| {
                state.closed && state.job.state() == Ok(JobState::Cancelled) && state.job.forfeited > 0
            }),
            Property::sometimes("a job fails and is paid back", |_, state: &State| {
                state.closed && state.job.state() == Ok(JobState::Failed)
            }),
        ]
    }
}

impl State {
    /// Whether what the parties of an ended job are still owed is what the job holds, to the lamport.
    fn holds_what_it_owes(&self) -> bool {
        if !self.job.state().expect("a state").is_ended() {
            return true;
        }
        let seats = (0u8..).zip(&self.seats).map(|(index, _)| Party::Seat(index));
        let owed = seats.chain([Party::Royalty, Party::Protocol, Party::Payer]).map(|party| {
            let owed = self.job.owed(&self.seats, party).expect("ended");
            owed.money.0 + owed.lamports.0
        });
        let demand = self.job.state() == Ok(JobState::Agreed) && self.job.is_answer_awaited();
        let demand = if demand { provena_market::constants::DEMAND_DEPOSIT.0 } else { 0 };
        owed.sum::<u64>() + demand == self.ledger.job
    }
}
