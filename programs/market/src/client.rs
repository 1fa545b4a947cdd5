//! Whole instructions, with every account derived, for clients of the chain.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};

use crate::state::{Job, Offer, OfferTerms, Slot};
use crate::{ID, accounts, instruction, pda};

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}

/// The associated token account of `wallet` for `mint`.
pub fn associated_token(wallet: &Address, mint: &Address) -> Address {
    anchor_spl::get_associated_token_address(wallet, mint)
}

/// `initialize_config`; the authority must be the program's upgrade authority.
pub fn initialize_config(
    authority: Address,
    treasury: Address,
    cluster: [u8; 32],
    protocol_fee_bps: u16,
    min_stake: u64,
) -> Instruction {
    build(
        &accounts::InitializeConfig {
            authority,
            config: pda::config().0,
            treasury,
            program_data: provena_royalty::upgrade::program_data(&ID),
            system_program: System::id(),
        },
        &instruction::InitializeConfig { cluster, protocol_fee_bps, min_stake },
    )
}

/// `register_node`.
pub fn register_node(authority: Address, stake: u64, endpoint: &str) -> Instruction {
    build(
        &accounts::RegisterNode {
            authority,
            config: pda::config().0,
            node: pda::node(&authority).0,
            system_program: System::id(),
        },
        &instruction::RegisterNode { stake, endpoint: endpoint.into() },
    )
}

/// `add_stake`.
pub fn add_stake(authority: Address, lamports: u64) -> Instruction {
    let node = pda::node(&authority).0;
    build(&accounts::AddStake { authority, node, system_program: System::id() }, &instruction::AddStake { lamports })
}

/// `withdraw_stake`.
pub fn withdraw_stake(authority: Address, lamports: u64) -> Instruction {
    let node = pda::node(&authority).0;
    build(
        &accounts::WithdrawStake { authority, config: pda::config().0, node },
        &instruction::WithdrawStake { lamports },
    )
}

/// `create_offer` for the model whose NFT mint is `asset` and lies in the token account `nft`, priced in `mint` (zeros
/// for SOL).
pub fn create_offer(
    owner: Address,
    asset: &Address,
    nft: Address,
    mint: &Address,
    offer_id: u64,
    terms: OfferTerms,
) -> Instruction {
    let pool = provena_royalty::pda::pool(asset).0;
    build(
        &accounts::CreateOffer {
            owner,
            asset: provena_registry::pda::asset(asset).0,
            nft,
            pool_mint: provena_royalty::pda::pool_mint(&pool, mint).0,
            offer: pda::offer(asset, offer_id).0,
            system_program: System::id(),
        },
        &instruction::CreateOffer { offer_id, terms },
    )
}

/// `close_offer`.
pub fn close_offer(owner: Address, offer: Address) -> Instruction {
    build(&accounts::CloseOffer { owner, offer }, &instruction::CloseOffer {})
}

/// `post_job`. For an offer priced in tokens, `payer_token` is where the deposit comes from; for SOL it is ignored.
pub fn post_job(
    payer: Address,
    offer_address: Address,
    offer: &Offer,
    nonce: u64,
    input_root: [u8; 32],
    units: u32,
    payer_token: Option<Address>,
) -> Instruction {
    let (job, job_bump) = pda::job(&offer_address, &payer, nonce);
    let (escrow, escrow_bump) = pda::escrow(&job);
    let native = offer.mint == Address::default();
    let token = |address| if native { None } else { Some(address) };
    build(
        &accounts::PostJob {
            payer,
            config: pda::config().0,
            offer: offer_address,
            job,
            system_program: System::id(),
            payer_token: token(payer_token.unwrap_or_else(|| associated_token(&payer, &offer.mint))),
            escrow: token(escrow),
            mint: token(offer.mint),
            token_program: token(Token::id()),
        },
        &instruction::PostJob {
            args: crate::PostJobArgs {
                nonce,
                input_root,
                units,
                job_bump,
                escrow_bump: if native { 0 } else { escrow_bump },
            },
        },
    )
}

/// `claim_slot`.
pub fn claim_slot(authority: Address, job: Address, index: u8) -> Instruction {
    let (slot, slot_bump) = pda::slot(&job, index);
    build(
        &accounts::ClaimSlot { authority, node: pda::node(&authority).0, job, slot, system_program: System::id() },
        &instruction::ClaimSlot { index, slot_bump },
    )
}

/// `commit`.
pub fn commit(authority: Address, job: Address, index: u8, commitment: [u8; 32]) -> Instruction {
    let slot = pda::slot(&job, index).0;
    build(&accounts::Commit { authority, job, slot }, &instruction::Commit { commitment })
}

/// `reveal`.
pub fn reveal(
    authority: Address,
    job: Address,
    index: u8,
    result_root: [u8; 32],
    units: u32,
    salt: [u8; 32],
) -> Instruction {
    let slot = pda::slot(&job, index).0;
    build(&accounts::Reveal { authority, job, slot }, &instruction::Reveal { result_root, units, salt })
}

/// `settle`. `slots` are the job's live slots, in any order.
pub fn settle(job_address: Address, job: &Job, slots: &[Slot]) -> Instruction {
    let token = |address| if job.is_native() { None } else { Some(address) };
    let mut instruction = build(
        &accounts::Settle {
            job: job_address,
            payer: job.payer,
            treasury: job.treasury,
            pool_mint: job.pool_mint,
            royalty_program: provena_royalty::ID,
            escrow: token(pda::escrow(&job_address).0),
            vault: token(job.vault),
            payer_token: token(associated_token(&job.payer, &job.mint)),
            treasury_token: token(associated_token(&job.treasury, &job.mint)),
            token_program: token(Token::id()),
        },
        &instruction::Settle {},
    );
    instruction.accounts.extend(members(slots, token(job.mint)));
    instruction
}

/// `cancel`.
pub fn cancel(job_address: Address, job: &Job) -> Instruction {
    let token = |address| if job.is_native() { None } else { Some(address) };
    build(
        &accounts::Cancel {
            payer: job.payer,
            job: job_address,
            escrow: token(pda::escrow(&job_address).0),
            payer_token: token(associated_token(&job.payer, &job.mint)),
            token_program: token(Token::id()),
        },
        &instruction::Cancel {},
    )
}

/// `timeout_claim` for one late slot.
pub fn timeout_claim(job_address: Address, job: &Job, slot: &Slot) -> Instruction {
    build(
        &accounts::TimeoutClaim {
            job: job_address,
            slot: pda::slot(&job_address, slot.index).0,
            node: slot.node,
            authority: slot.authority,
            payer: job.payer,
        },
        &instruction::TimeoutClaim {},
    )
}

/// `timeout_job`. `slots` are the job's live slots, in any order.
pub fn timeout_job(job_address: Address, job: &Job, slots: &[Slot]) -> Instruction {
    let token = |address| if job.is_native() { None } else { Some(address) };
    let mut instruction = build(
        &accounts::TimeoutJob {
            job: job_address,
            payer: job.payer,
            escrow: token(pda::escrow(&job_address).0),
            payer_token: token(associated_token(&job.payer, &job.mint)),
            token_program: token(Token::id()),
        },
        &instruction::TimeoutJob {},
    );
    instruction.accounts.extend(members(slots, None));
    instruction
}

/// `close_job`, called by `caller`: the payer, or anybody once the job has expired.
pub fn close_job(caller: Address, job_address: Address, job: &Job) -> Instruction {
    let token = |address| if job.is_native() { None } else { Some(address) };
    build(
        &accounts::CloseJob {
            caller,
            payer: job.payer,
            job: job_address,
            escrow: token(pda::escrow(&job_address).0),
            payer_token: token(associated_token(&job.payer, &job.mint)),
            token_program: token(Token::id()),
        },
        &instruction::CloseJob {},
    )
}

/// The accounts that follow `settle` and `timeout_job`: for every live slot the slot, the node, the node's authority
/// and, where `mint` is given, the authority's associated token account.
pub fn members(slots: &[Slot], mint: Option<Address>) -> Vec<AccountMeta> {
    slots
        .iter()
        .flat_map(|slot| {
            let token = mint.map(|mint| associated_token(&slot.authority, &mint));
            [Some(pda::slot(&slot.job, slot.index).0), Some(slot.node), Some(slot.authority), token]
        })
        .flatten()
        .map(|address| AccountMeta::new(address, false))
        .collect()
}
