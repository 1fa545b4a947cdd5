//! Instructions of the market program.

use std::sync::OnceLock;

use anchor_lang::prelude::Address;
use provena_arith::{commitment::Commitment, merkle};
use provena_common::slot::Slot;
use provena_market::{
    ID,
    client::{self, Currency, JobRecord, OfferOf, Request},
    fees::Work,
};
use provena_tests::market::{CLUSTER, answer_bytes, salt};
use solana_instruction::AccountMeta;

use super::{Built, Chain, places::Place};
use crate::conservation::{
    model::{FEE_MINT, Job, JobId, LONG, LONG_LEN, Model, PEOPLE, SOL, Units},
    operation::{Market, Outcome, Posting},
};

/// Root of the tree of the long answer.
const LONG_TREE: [u8; 32] = [9; 32];

impl Chain {
    pub(super) fn trading(&mut self, instruction: &Market, model: &Model) -> Option<Built> {
        let wallet = |wallet: usize| self.wallets[wallet];
        Some(match *instruction {
            Market::SetProtocolFee { by, bps } => Built::by(wallet(by), client::set_protocol_fee(wallet(by), bps)),
            Market::SetMinStake { by, lamports } => Built::by(wallet(by), client::set_min_stake(wallet(by), lamports)),
            Market::SetTreasury { by, to } => Built::by(wallet(by), client::set_treasury(wallet(by), self.holder(to))),
            Market::OpenTreasuryInbox { by, mint, shard } => {
                Built::by(wallet(by), client::open_treasury_inbox(wallet(by), self.currency(mint), shard))
            }
            Market::CloseTreasuryInbox { by, mint, shard } => {
                let close = client::close_treasury_inbox(wallet(by), self.currency(mint), shard);
                let there = model.inboxes.contains_key(&(mint, shard));
                let harvest = self.harvesting(there, mint, Place::TreasuryVault(mint, shard));
                Built::by(wallet(by), close).after(harvest)
            }
            Market::SweepTreasury { mint, shard } => {
                Built::by_anybody(client::sweep_treasury(wallet(model.treasury), self.currency(mint), shard))
            }
            Market::RegisterNode { by, stake } => {
                Built::by(wallet(by), client::register_node(wallet(by), stake, "https://node.example.org", [0; 32], 0))
            }
            Market::UpdateNode { by, endpoint_len } => {
                Built::by(wallet(by), client::update_node(wallet(by), &"e".repeat(endpoint_len), [1; 32], 3))
            }
            Market::AddStake { by, lamports } => Built::by(wallet(by), client::add_stake(wallet(by), lamports)),
            Market::WithdrawStake { by, lamports } => {
                Built::by(wallet(by), client::withdraw_stake(wallet(by), lamports))
            }
            Market::CloseNode { by } => Built::by(wallet(by), client::close_node(wallet(by))),
            Market::CreateOffer { by, asset, id, mint, version, terms } => {
                let of = OfferOf { asset: self.mints[asset], version, mint: self.money[mint].mint(), offer_id: id };
                Built::by(wallet(by), client::create_offer(wallet(by), self.at(Place::Nft(asset, by)), of, terms))
            }
            Market::CloseOffer { by, asset, id } => {
                let address = self.at(Place::Offer(asset, id));
                let offer = client::decode(self.data(&address)).ok()?;
                let nft = self.at(Place::Nft(asset, by));
                Built::by(wallet(by), client::close_offer(wallet(by), nft, address, &offer))
            }
            Market::PostJob(ref posting) => self.posting(posting, model)?,
            _ => self.working(instruction, model)?,
        })
    }

    fn currency(&self, mint: usize) -> Currency {
        self.money[mint].currency()
    }

    /// The token program of a job's money, where it is to be given and there is one.
    fn program(&self, job: &Job, given: bool) -> Option<Address> {
        match self.currency(job.mint) {
            Currency::Token { program, .. } if given => Some(program),
            _ => None,
        }
    }

    /// What Token-2022 wants before an account in which a fee was withheld is closed.
    pub(super) fn harvesting(&self, there: bool, mint: usize, place: Place) -> Option<solana_instruction::Instruction> {
        let needed = there && mint == FEE_MINT;
        needed.then(|| client::harvest_withheld(self.money[mint].mint(), self.at(place)))
    }

    fn posting(&mut self, posting: &Posting, model: &Model) -> Option<Built> {
        let (by, slot) = (self.wallets[posting.by], model.slot.saturating_sub(posting.age));
        let address = self.at(Place::Offer(posting.asset, posting.offer));
        let key = (posting.asset, posting.offer);
        if let Ok(offer) = client::decode(self.data(&address)) {
            self.offers.insert(key, offer);
        }
        let mut seen = *self.offers.get(&key)?;
        if posting.wrong_terms {
            seen.terms_hash[0] ^= 1;
        }
        let request = Request {
            nonce_slot: slot,
            nonce_index: posting.index,
            input_root: [8; 32],
            most: work(posting.most),
            deposit: posting.deposit,
            max_protocol_bps: posting.max_protocol_bps,
        };
        Some(Built::by(by, client::post_job(by, address, &seen, request, None)))
    }

    /// Where a job is, or was.
    fn job_address(&self, id: JobId, model: &Model) -> Option<Address> {
        let posted = model.jobs.get(&id).map(|job| job.key);
        let answered = || model.answers.range((id, 0)..=(id, usize::MAX)).next().map(|(_, answer)| answer.key);
        posted.or_else(answered).map(|key| self.at(Place::job(&key)))
    }

    /// The job as it lies on the chain.
    pub(super) fn record(&self, job: &Job) -> JobRecord {
        let address = self.at(Place::job(&job.key));
        JobRecord::decode(address, self.data(&address)).expect("it is a job")
    }

    fn working(&self, instruction: &Market, model: &Model) -> Option<Built> {
        let wallet = |wallet: usize| self.wallets[wallet];
        let at = |job: JobId| self.job_address(job, model);
        let record = |job: JobId| model.jobs.get(&job).map(|job| self.record(job));
        Some(match *instruction {
            Market::CancelJob { job, by } => Built::by(wallet(by), client::cancel_job(wallet(by), at(job)?)),
            Market::TakeSeat { job, by, seat, instance, wrong_terms } => {
                let mut terms_hash = record(job)?.job.terms_hash;
                terms_hash[0] ^= u8::from(wrong_terms);
                Built::by(wallet(by), client::take_seat(wallet(by), at(job)?, small(seat), terms_hash, instance))
            }
            Market::LeaveSeat { job, by, seat } => {
                Built::by(wallet(by), client::leave_seat(wallet(by), at(job)?, small(seat)))
            }
            Market::Commit { job, by, seat, outcome } => {
                let commitment = self.commitment(&record(job)?, by, outcome);
                Built::by(wallet(by), client::commit(wallet(by), at(job)?, small(seat), commitment))
            }
            Market::Reveal { job, by, seat, outcome } => {
                let (root, work) = (result_root(outcome.0), work(outcome.1));
                Built::by(wallet(by), client::reveal(wallet(by), at(job)?, small(seat), root, work, salt_of(by)))
            }
            Market::Answer { job, by, outcome } => {
                let answer = client::answer(wallet(by), at(job)?, result_root(outcome.0), work(outcome.1));
                Built::by(wallet(by), answer)
            }
            Market::ExpireSeat { job, seat } => Built::by_anybody(client::expire_seat(&record(job)?, small(seat))),
            Market::Finalize { job, one_too_many } => {
                let mut finalize = client::finalize(&record(job)?, Slot(model.slot));
                if one_too_many {
                    finalize.accounts.push(AccountMeta::new(self.at(Place::Node(PEOPLE)), false));
                }
                Built::by_anybody(finalize)
            }
            Market::Acknowledge { job, by } => Built::by(wallet(by), client::acknowledge(wallet(by), at(job)?)),
            Market::DemandAnswer { job, by } => Built::by(wallet(by), client::demand_answer(wallet(by), at(job)?)),
            Market::PutAnswer { job, by, result, part } => {
                let (parts, _) = client::put_answer(wallet(by), at(job)?, &answer_bytes(result));
                Built::by(wallet(by), parts.get(part)?.clone())
            }
            Market::SealAnswer { job, by } => Built::by(wallet(by), client::put_answer(wallet(by), at(job)?, &[]).1),
            Market::ProveLength { job, by, len } => {
                Built::by(wallet(by), client::prove_length(wallet(by), at(job)?, len, LONG_TREE))
            }
            Market::DefaultAnswer { job } => Built::by_anybody(client::default_answer(&record(job)?)),
            Market::CloseAnswer { job, poster, signed } => {
                let mut close = client::close_answer(wallet(poster), at(job)?);
                close.accounts[0].is_signer = signed;
                Built::by(wallet(poster), close)
            }
            _ => self.collecting(instruction, model)?,
        })
    }

    fn collecting(&self, instruction: &Market, model: &Model) -> Option<Built> {
        let wallet = |wallet: usize| self.wallets[wallet];
        let found = |job: JobId| model.jobs.get(&job).map(|job| (job, self.record(job)));
        Some(match *instruction {
            Market::CollectSeat { job, seat, tokens } => {
                let (job, record) = found(job)?;
                Built::by_anybody(client::collect_seat(&record, small(seat), self.program(job, tokens)))
            }
            Market::CollectRoyalty { job, shard, tokens } => {
                let (job, record) = found(job)?;
                Built::by_anybody(client::collect_royalty(&record, small(shard), self.program(job, tokens)))
            }
            Market::CollectProtocol { job, shard, sol, tokens } => {
                let (job, record) = found(job)?;
                Built::by_anybody(client::collect_protocol(&record, shard, sol, self.program(job, tokens)))
            }
            Market::CollectRefund { job, tokens } => {
                let (job, record) = found(job)?;
                Built::by_anybody(client::collect_refund(&record, self.program(job, tokens)))
            }
            Market::Park { job, by, seat, tokens } => {
                let (job, record) = found(job)?;
                let program = self.program(job, tokens);
                Built::by(wallet(by), client::park(wallet(by), &record, seat.map(small), program))
            }
            Market::CollectResidual { wallet: whose, mint } => {
                let payer = model.residuals.get(&(whose, mint)).map(|residual| residual.payer);
                let collect = client::collect_residual(wallet(whose), wallet(payer.unwrap_or(0)), self.currency(mint));
                let harvest = self.harvesting(payer.is_some(), mint, Place::ResidualVault(whose, mint));
                Built::by_anybody(collect).after(harvest)
            }
            Market::CloseJob { job, by } => {
                let (job, record) = found(job)?;
                let close = client::close_job(wallet(by), &record, self.program(job, true));
                let escrow = Place::Escrow(record.address);
                Built::by(wallet(by), close).after(self.harvesting(job.mint != SOL, job.mint, escrow))
            }
            _ => unreachable!("listed by the callers"),
        })
    }

    fn commitment(&self, record: &JobRecord, by: usize, outcome: Outcome) -> [u8; 32] {
        let work = work(outcome.1);
        Commitment {
            cluster: &CLUSTER,
            program: ID.as_array(),
            job: record.address.as_array(),
            terms_hash: &record.job.terms_hash,
            posted_slot: record.job.posted_at,
            node: self.wallets[by].as_array(),
            result_root: &result_root(outcome.0),
            units_in: work.input.0,
            units_out: work.output.0,
        }
        .hash(&salt_of(by))
    }
}

/// A wallet's salt, the same for all its commitments.
fn salt_of(by: usize) -> [u8; 32] {
    static SALTS: OnceLock<Vec<[u8; 32]>> = OnceLock::new();
    SALTS.get_or_init(|| (0..crate::conservation::model::WALLETS).map(salt).collect())[by]
}

/// The content root of an answer; that of the long one is made of its length and some tree.
pub(super) fn result_root(result: u8) -> [u8; 32] {
    static ROOTS: OnceLock<Vec<[u8; 32]>> = OnceLock::new();
    let root = |result: u8| match result {
        LONG => merkle::root_of(LONG_LEN, &LONG_TREE),
        _ => provena_tests::market::result_root(result),
    };
    ROOTS.get_or_init(|| (0..4).map(root).collect())[usize::from(result)]
}

fn small(number: usize) -> u8 {
    u8::try_from(number).expect("few seats and inboxes")
}

fn work(units: Units) -> Work {
    Work::new(u32::try_from(units.0).expect("few"), u32::try_from(units.1).expect("few"))
}
