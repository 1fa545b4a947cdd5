//! Jobs: posting, seats, results, collecting.

use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
use provena_common::slot::Slot;

use super::{Currency, build};
use crate::{
    PostJobArgs, accounts,
    fees::Work,
    instruction, pda,
    state::{Job, Next, Offer, Seat, SeatSet, SeatState, Who},
};

/// A job as read from the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Its address.
    pub address: Address,
    /// Its header.
    pub job: Job,
    /// Its seats.
    pub seats: Vec<Seat>,
}

impl JobRecord {
    /// Reads a job's account.
    ///
    /// # Errors
    /// `InvalidAccountData` for bytes that are no job's, or of another version of the program.
    pub fn decode(address: Address, data: &[u8]) -> Result<Self> {
        let header = size_of::<Job>().saturating_add(Job::DISCRIMINATOR.len());
        let items = header.saturating_add(8);
        let job = data.get(Job::DISCRIMINATOR.len()..header).filter(|_| data.starts_with(Job::DISCRIMINATOR));
        let job: Job = job.map(bytemuck::pod_read_unaligned).ok_or(ProgramError::InvalidAccountData)?;
        let chunks = data.get(items..).ok_or(ProgramError::InvalidAccountData)?.chunks_exact(size_of::<Seat>());
        require!(chunks.remainder().is_empty(), ProgramError::InvalidAccountData);
        let seats: Vec<Seat> = chunks.map(bytemuck::pod_read_unaligned).collect();
        job.invariant(&seats).map_err(|_| ProgramError::InvalidAccountData)?;
        Ok(Self { address, job, seats })
    }

    /// What `who` can do next at slot `now`; for a job without an account, see [`next`].
    ///
    /// # Errors
    /// Those of [`Job::next`].
    pub fn next(&self, who: Who<'_>, now: Slot) -> Result<Next> {
        self.job.next(&self.seats, who, now)
    }

    /// The node accounts of some seats, as `finalize` and `default_answer` want them.
    fn nodes_of(&self, seats: SeatSet) -> impl Iterator<Item = AccountMeta> {
        let seats = seats.iter().filter_map(|index| self.seats.get(usize::from(index)));
        seats.map(|seat| AccountMeta::new(pda::node(&seat.node).0, false))
    }

    /// What a call moves: the job's tokens where their program is given, else only lamports.
    fn moving(&self, token_program: Option<Address>) -> Currency {
        token_program.map_or(Currency::Sol, |program| Currency::of(&self.job.mint, &program))
    }
}

/// What comes next for a job, or [`Next::Done`] when its account is gone.
///
/// # Errors
/// Those of [`Job::next`].
pub fn next(job: Option<&JobRecord>, who: Who<'_>, now: Slot) -> Result<Next> {
    job.map_or(Ok(Next::Done), |job| job.next(who, now))
}

/// What a payer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// First part of the nonce: the present slot or one of the 150 before.
    pub nonce_slot: u64,
    /// Second part of the nonce.
    pub nonce_index: u16,
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// The most work.
    pub most: Work,
    /// Base units that leave the payer's account; at least [`price`] of the most work, more where the mint takes a fee.
    pub deposit: u64,
    /// The highest protocol fee that the payer agrees to, in basis points.
    pub max_protocol_bps: u16,
}

/// The price of work on an offer, whatever the shares: what a deposit must cover.
///
/// # Errors
/// `Overflow`.
pub fn price(offer: &Offer, work: Work) -> Result<u64> {
    use provena_common::amount::Amount;
    let input = Amount(offer.input_price).times(work.input)?;
    let output = Amount(offer.output_price).times(work.output)?;
    Ok(Amount(offer.base_price).plus(input)?.plus(output)?.0)
}

/// `post_job`. For an offer in tokens, `payer_token` is where the deposit comes from; `None` is the associated account.
#[must_use]
pub fn post_job(
    payer: Address,
    offer_address: Address,
    offer: &Offer,
    request: Request,
    payer_token: Option<Address>,
) -> Instruction {
    let job = pda::job(&payer, request.nonce_slot, request.nonce_index).0;
    let currency = Currency::of(&offer.mint, &offer.token_program);
    build(
        &accounts::PostJob {
            payer,
            admin: pda::admin().0,
            asset: offer.asset_account,
            offer: offer_address,
            job,
            system_program: System::id(),
            payer_token: currency.token_account(&payer).map(|own| payer_token.unwrap_or(own)),
            escrow: currency.token_mint().map(|_| pda::escrow(&job).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::PostJob {
            args: PostJobArgs {
                nonce_slot: request.nonce_slot,
                nonce_index: request.nonce_index,
                input_root: request.input_root,
                max_input: request.most.input.0,
                max_output: request.most.output.0,
                deposit: request.deposit,
                max_protocol_bps: request.max_protocol_bps,
                offer_terms: offer.terms_hash,
            },
        },
    )
}

/// `cancel_job`.
#[must_use]
pub fn cancel_job(payer: Address, job: Address) -> Instruction {
    build(&accounts::CancelJob { payer, job }, &instruction::CancelJob {})
}

/// `take_seat` of a job whose terms the node has checked and hashed. `instance` is the process that acts for the node, by a
/// number that it keeps; zero says none, and is refused while one that said so holds the node's lease.
#[must_use]
pub fn take_seat(authority: Address, job: Address, index: u8, terms_hash: [u8; 32], instance: u64) -> Instruction {
    let node = pda::node(&authority).0;
    build(&accounts::TakeSeat { authority, node, job }, &instruction::TakeSeat { index, terms_hash, instance })
}

/// `leave_seat`.
#[must_use]
pub fn leave_seat(authority: Address, job: Address, index: u8) -> Instruction {
    let node = pda::node(&authority).0;
    build(&accounts::LeaveSeat { authority, node, job }, &instruction::LeaveSeat { index })
}

/// `commit`.
#[must_use]
pub fn commit(authority: Address, job: Address, index: u8, commitment: [u8; 32]) -> Instruction {
    build(&accounts::Commit { authority, job }, &instruction::Commit { index, commitment })
}

/// `reveal`.
#[must_use]
pub fn reveal(
    authority: Address,
    job: Address,
    index: u8,
    result_root: [u8; 32],
    work: Work,
    salt: [u8; 32],
) -> Instruction {
    build(
        &accounts::Reveal { authority, admin: pda::admin().0, job },
        &instruction::Reveal { index, result_root, units_in: work.input.0, units_out: work.output.0, salt },
    )
}

/// `answer`, for a job of one seat.
#[must_use]
pub fn answer(authority: Address, job: Address, result_root: [u8; 32], work: Work) -> Instruction {
    build(
        &accounts::AnswerJob { authority, job },
        &instruction::Answer { result_root, units_in: work.input.0, units_out: work.output.0 },
    )
}

/// `expire_seat` for a late seat.
#[must_use]
pub fn expire_seat(job: &JobRecord, index: u8) -> Instruction {
    let holder = job.seats.get(usize::from(index)).map_or_else(Address::default, |seat| seat.node);
    build(&accounts::ExpireSeat { job: job.address, node: pda::node(&holder).0 }, &instruction::ExpireSeat { index })
}

/// `finalize` at slot `now`, with the nodes of the seats that are late then.
#[must_use]
pub fn finalize(job: &JobRecord, now: Slot) -> Instruction {
    let late = (0..).zip(&job.seats).filter(|(_, seat)| job.job.is_late(seat, now));
    let late = late.fold(SeatSet::NONE, |set, (index, _)| set.with(index));
    let mut finalize = build(&accounts::Finalize { job: job.address }, &instruction::Finalize {});
    finalize.accounts.extend(job.nodes_of(late));
    finalize
}

/// `acknowledge`.
#[must_use]
pub fn acknowledge(payer: Address, job: Address) -> Instruction {
    build(&accounts::Acknowledge { payer, job }, &instruction::Acknowledge {})
}

/// `demand_answer`.
#[must_use]
pub fn demand_answer(payer: Address, job: Address) -> Instruction {
    build(&accounts::DemandAnswer { payer, job, system_program: System::id() }, &instruction::DemandAnswer {})
}

/// Bytes of an answer that fit into one `put_answer` with a signature, a compute-unit limit and a `seal_answer` beside it.
pub const ANSWER_PART: usize = 800;

/// The `put_answer`s, one for each transaction, that put an answer of at most 8,192 bytes on chain, and the `seal_answer`
/// that belongs into the last one's transaction: whoever seals gets the demand's deposit, and parts can be copied.
#[must_use]
pub fn put_answer(poster: Address, job: Address, answer: &[u8]) -> (Vec<Instruction>, Instruction) {
    let address = pda::answer(&job, &poster).0;
    let len = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    let parts = (0u32..).step_by(ANSWER_PART).zip(answer.chunks(ANSWER_PART)).map(|(offset, part)| {
        build(
            &accounts::PutAnswer { poster, job, answer: address, system_program: System::id() },
            &instruction::PutAnswer { offset, bytes: part.to_vec(), len },
        )
    });
    let seal = build(&accounts::SealAnswer { poster, job, answer: address }, &instruction::SealAnswer {});
    (parts.collect(), seal)
}

/// `prove_length` of an answer of more than 8,192 bytes: `tree` is the root of its tree.
#[must_use]
pub fn prove_length(prover: Address, job: Address, len: u64, tree: [u8; 32]) -> Instruction {
    build(&accounts::ProveLength { prover, job }, &instruction::ProveLength { len, tree })
}

/// `close_answer`. The poster must sign for an answer that is not sealed while its job exists.
#[must_use]
pub fn close_answer(poster: Address, job: Address) -> Instruction {
    let answer = pda::answer(&job, &poster).0;
    build(&accounts::CloseAnswer { poster, job, answer }, &instruction::CloseAnswer {})
}

/// `default_answer`.
#[must_use]
pub fn default_answer(job: &JobRecord) -> Instruction {
    let mut default = build(&accounts::DefaultAnswer { job: job.address }, &instruction::DefaultAnswer {});
    default.accounts.extend(job.nodes_of(job.job.agreeing(&job.seats)));
    default
}

/// `collect_seat`. A job in tokens needs their token program; without it bond and lamports alone are collected.
#[must_use]
pub fn collect_seat(job: &JobRecord, index: u8, token_program: Option<Address>) -> Instruction {
    let authority = job.seats.get(usize::from(index)).map_or_else(Address::default, |seat| seat.node);
    let currency = job.moving(token_program);
    build(
        &accounts::CollectSeat {
            job: job.address,
            node: pda::node(&authority).0,
            authority,
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            node_token: currency.token_account(&authority),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CollectSeat { index },
    )
}

/// `collect_royalty` into inbox `shard` of the job's books.
#[must_use]
pub fn collect_royalty(job: &JobRecord, shard: u8, token_program: Option<Address>) -> Instruction {
    let currency = job.moving(token_program);
    let inbox = provena_royalty::pda::inbox(&job.job.books, shard).0;
    build(
        &accounts::CollectRoyalty {
            job: job.address,
            inbox,
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            vault: currency.token_mint().map(|_| provena_royalty::pda::inbox_vault(&inbox).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CollectRoyalty {},
    )
}

/// `collect_protocol` into inboxes `shard` of the treasury: that for SOL when `sol`, and that for the job's mint when its
/// token program is given.
#[must_use]
pub fn collect_protocol(job: &JobRecord, shard: u8, sol: bool, token_program: Option<Address>) -> Instruction {
    let currency = job.moving(token_program);
    let inbox = pda::treasury_inbox(&crate::NATIVE_MINT, shard).0;
    let token_inbox = currency.token_mint().map(|mint| pda::treasury_inbox(&mint, shard).0);
    build(
        &accounts::CollectProtocol {
            job: job.address,
            inbox: sol.then_some(inbox),
            token_inbox,
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            vault: token_inbox.map(|inbox| pda::treasury_vault(&inbox).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CollectProtocol {},
    )
}

/// `collect_refund`, to the payer's associated token account where the job is paid in tokens.
#[must_use]
pub fn collect_refund(job: &JobRecord, token_program: Option<Address>) -> Instruction {
    let (payer, currency) = (job.job.payer, job.moving(token_program));
    build(
        &accounts::CollectRefund {
            job: job.address,
            payer,
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            payer_token: currency.token_account(&payer),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CollectRefund {},
    )
}

/// `park` for the node of `seat`, or for the payer: tokens when their program is given, lamports otherwise.
#[must_use]
pub fn park(rent_payer: Address, job: &JobRecord, seat: Option<u8>, token_program: Option<Address>) -> Instruction {
    let currency = job.moving(token_program);
    let holder = seat.map(|index| job.seats.get(usize::from(index)).map_or_else(Address::default, |seat| seat.node));
    let beneficiary = holder.unwrap_or(job.job.payer);
    let mint = currency.mint();
    let residual = pda::residual(&beneficiary, &mint).0;
    build(
        &accounts::Park {
            rent_payer,
            job: job.address,
            residual,
            system_program: System::id(),
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            vault: currency.token_mint().map(|_| pda::residual_vault(&residual).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::Park { seat },
    )
}

/// `collect_residual` of `beneficiary`. Where the mint takes a fee of transfers, put
/// [`harvest_withheld`] of the residual's token account before it.
#[must_use]
pub fn collect_residual(beneficiary: Address, rent_payer: Address, currency: Currency) -> Instruction {
    let mint = currency.mint();
    let residual = pda::residual(&beneficiary, &mint).0;
    build(
        &accounts::CollectResidual {
            residual,
            beneficiary,
            rent_payer,
            vault: currency.token_mint().map(|_| pda::residual_vault(&residual).0),
            beneficiary_token: currency.token_account(&beneficiary),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CollectResidual {},
    )
}

/// `close_job`, called by its payer or, a day after its end, by anybody. Where the mint takes a fee of transfers, put
/// [`harvest_withheld`] of the escrow before it.
#[must_use]
pub fn close_job(caller: Address, job: &JobRecord, token_program: Option<Address>) -> Instruction {
    let (payer, currency) = (job.job.payer, job.moving(token_program));
    build(
        &accounts::CloseJob {
            caller,
            payer,
            job: job.address,
            escrow: currency.token_mint().map(|_| pda::escrow(&job.address).0),
            payer_token: currency.token_account(&payer),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CloseJob {},
    )
}

/// Token-2022's `HarvestWithheldTokensToMint`, which anybody may call: what a mint's transfer fee left in an account goes to
/// the mint. Without it the account cannot be closed.
#[must_use]
pub fn harvest_withheld(mint: Address, account: Address) -> Instruction {
    let metas = [mint, account].map(|address| AccountMeta::new(address, false));
    Instruction::new_with_bytes(provena_common::token::TOKEN_2022_PROGRAM, &[26, 4], metas.to_vec())
}

/// Whether a node has work in a job: it holds a seat that is not over.
#[must_use]
pub fn has_work(job: &JobRecord, node: &Address) -> bool {
    let working = |seat: &Seat| seat.is(SeatState::Taken) || seat.is(SeatState::Committed);
    job.seats.iter().any(|seat| seat.node == *node && working(seat))
}
