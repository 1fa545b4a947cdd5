//! A receipt against the history of a job that is closed: what its transactions said.

use anchor_lang::{BORSH_CONFIG, Discriminator, InstructionData, wincode};
use provena_market::{constants::MAX_PROTOCOL_FEE_BPS, fees::Work, instruction, state::JobTerms};
use provena_wire::SignedReceipt;
use solana_pubkey::Pubkey;

use super::{ReceiptMismatch, same};
use crate::chain::history::PastInstruction;

/// What history shows of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The offer on which the job was posted.
    pub offer: Pubkey,
    /// The nodes that stated the receipt's result and units on chain, that of the receipt first.
    pub nodes: Vec<Pubkey>,
}

/// Compares a receipt with the transactions that named its job: how the job was posted, and what its nodes stated. `cluster`
/// is the genesis hash of the chain that was asked.
///
/// This needs no account: it says as much when the job is closed. That a quorum agreed it shows for jobs of one seat; for
/// others it shows who stated the same. What the answer cost follows from the offer's prices, which the terms hash binds.
///
/// # Errors
/// [`ReceiptMismatch::NoHistory`] when the job's posting is not among `past`, [`ReceiptMismatch::NotAgreed`] when the node's
/// statement is not; [`ReceiptMismatch::Differs`] names the first field that differs.
pub fn check_history(
    receipt: &SignedReceipt,
    cluster: &[u8; 32],
    past: &[PastInstruction],
) -> Result<Witnessed, ReceiptMismatch> {
    const HISTORY: &str = "the job's history";
    let receipt = receipt.receipt()?;
    let job = Pubkey::from(receipt.place);
    same("program", &Pubkey::from(receipt.program), &provena_market::ID, "this program")?;
    same("cluster", &Pubkey::from(receipt.cluster), &Pubkey::from(*cluster), "the chain")?;
    let posted = past.iter().find_map(|one| Posted::read(one).filter(|posted| posted.job == job));
    let Posted { payer, offer, args, .. } = posted.ok_or(ReceiptMismatch::NoHistory { job })?;
    same("payer", &Pubkey::from(receipt.payer), &payer, HISTORY)?;
    same("input root", &hex::encode(receipt.input_root), &hex::encode(args.input_root), HISTORY)?;
    // The protocol's fee at that time is not said; there are few that it can be.
    let hash = |protocol_bps| {
        let most = Work::new(args.max_input, args.max_output);
        let (offer_terms, input_root) = (&args.offer_terms, &args.input_root);
        JobTerms { offer: &offer, offer_terms, payer: &payer, input_root, most, protocol_bps, cluster }.hash()
    };
    let highest = args.max_protocol_bps.min(MAX_PROTOCOL_FEE_BPS);
    if !(0..=highest).any(|bps| hash(bps) == receipt.terms_hash) {
        let (found, expected) = (hex::encode(receipt.terms_hash), hex::encode(hash(highest)));
        return Err(ReceiptMismatch::Differs { field: "terms hash", found, expected, source_of_truth: HISTORY });
    }
    let work = Work::new(receipt.units_in, receipt.units_out);
    let same_result = statements(&job, past)
        .into_iter()
        .filter(|stated| stated.result_root == receipt.result_root && stated.work == work);
    let node = Pubkey::from(receipt.node);
    let (mut own, mut others): (Vec<_>, Vec<_>) = same_result.map(|stated| stated.node).partition(|one| *one == node);
    if own.is_empty() {
        return Err(ReceiptMismatch::NotAgreed { node });
    }
    own.truncate(1);
    others.sort_unstable();
    others.dedup();
    own.extend(others);
    Ok(Witnessed { offer, nodes: own })
}

/// What a node stated on chain as the result of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The node.
    pub node: Pubkey,
    /// Content root of its answer.
    pub result_root: [u8; 32],
    /// The units that it counted.
    pub work: Work,
}

/// What nodes stated as the results of `job`, as its transactions show; this needs no account.
#[must_use]
pub fn statements(job: &Pubkey, past: &[PastInstruction]) -> Vec<Statement> {
    past.iter().filter_map(|one| Statement::read(one, job)).collect()
}

/// How a job was posted, as its transactions show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Who paid.
    pub payer: Pubkey,
    /// The offer.
    pub offer: Pubkey,
    /// Content root of the request.
    pub input_root: [u8; 32],
    /// Base units that left the payer.
    pub deposit: u64,
}

/// How `job` was posted; `None` when that is not among `past`.
#[must_use]
pub fn posting(job: &Pubkey, past: &[PastInstruction]) -> Option<Posting> {
    let Posted { payer, offer, args, .. } =
        past.iter().find_map(|one| Posted::read(one).filter(|posted| posted.job == *job))?;
    Some(Posting { payer, offer, input_root: args.input_root, deposit: args.deposit })
}

/// A `post_job`.
struct Posted {
    payer: Pubkey,
    offer: Pubkey,
    job: Pubkey,
    args: provena_market::PostJobArgs,
}

impl Posted {
    fn read(past: &PastInstruction) -> Option<Self> {
        let args = arguments(past, instruction::PostJob::DISCRIMINATOR)?;
        let [payer, _admin, _asset, offer, job, ..] = past.accounts[..] else { return None };
        is_all(past, &instruction::PostJob { args }).then_some(Self { payer, offer, job, args })
    }
}

/// A node's `answer` or `reveal`.
impl Statement {
    fn read(past: &PastInstruction, job: &Pubkey) -> Option<Self> {
        let node = *past.accounts.first()?;
        let names = |place: usize| past.accounts.get(place) == Some(job);
        if let Some((result_root, units_in, units_out)) = arguments(past, instruction::Answer::DISCRIMINATOR) {
            let whole = is_all(past, &instruction::Answer { result_root, units_in, units_out });
            return (names(1) && whole).then_some(Self { node, result_root, work: Work::new(units_in, units_out) });
        }
        let (index, result_root, units_in, units_out, salt) = arguments(past, instruction::Reveal::DISCRIMINATOR)?;
        let whole = is_all(past, &instruction::Reveal { index, result_root, units_in, units_out, salt });
        (names(2) && whole).then_some(Self { node, result_root, work: Work::new(units_in, units_out) })
    }
}

/// The arguments of an instruction of the market, when it is the one that `discriminator` names.
fn arguments<T>(past: &PastInstruction, discriminator: &[u8]) -> Option<T>
where
    T: for<'a> wincode::SchemaRead<'a, anchor_lang::BorshConfig, Dst = T>,
{
    let body = past.data.strip_prefix(discriminator).filter(|_| past.program == provena_market::ID)?;
    wincode::config::deserialize(body, BORSH_CONFIG).ok()
}

/// Whether an instruction's bytes are those of `known`, and nothing more.
fn is_all(past: &PastInstruction, known: &impl InstructionData) -> bool {
    known.data() == past.data
}
