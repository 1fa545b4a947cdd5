//! Creates the programs' configs. What exists is left alone.

use anchor_lang::{InstructionData, ToAccountMetas, prelude::Address};
use anyhow::{Context as _, Result};
use provena_client::chain::{Budget, Chain, accounts::fetch_optional, send_and_confirm};
use serde::Serialize;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::failure::Failure;

const SYSTEM: Pubkey = Pubkey::new_from_array([0; 32]);

/// How a chain's market and royalties are set up. Only the first initialisation reads it.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Wallet that receives the protocol's fees.
    pub treasury: Pubkey,
    /// The protocol's part of each job's fee, in basis points.
    pub protocol_fee_bps: u16,
    /// What a node must stake, in lamports.
    pub min_stake: u64,
    /// SPL Token mints that may be used for payment beside SOL.
    pub mints: Vec<Pubkey>,
}

impl InitOptions {
    /// One percent to `treasury`, a stake of one SOL, payments in SOL.
    pub fn defaults(treasury: Pubkey) -> Self {
        Self { treasury, protocol_fee_bps: 100, min_stake: 1_000_000_000, mints: Vec::new() }
    }
}

/// One thing that is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Initialised {
    /// What.
    pub what: String,
    /// The transaction that did it; none when it had been done before.
    pub signature: Option<String>,
}

/// Creates the royalty and market configs and allows `options.mints`. `authority` pays and becomes their authority.
///
/// # Errors
/// A program is not on the chain, or a mint has to be allowed in a config that belongs to somebody else.
pub async fn initialize(chain: &dyn Chain, authority: &Keypair, options: &InitOptions) -> Result<Vec<Initialised>> {
    let mut done = vec![royalty(chain, authority).await?];
    for mint in &options.mints {
        done.push(allow(chain, authority, mint).await?);
    }
    done.push(market(chain, authority, options).await?);
    Ok(done)
}

async fn royalty(chain: &dyn Chain, authority: &Keypair) -> Result<Initialised> {
    let config = key(provena_royalty::pda::config().0);
    let accounts = provena_royalty::accounts::InitializeConfig {
        authority: address(authority.pubkey()),
        config: address(config),
        program_data: provena_royalty::upgrade::program_data(&provena_royalty::ID),
        system_program: address(SYSTEM),
    };
    let create = Instruction {
        program_id: key(provena_royalty::ID),
        accounts: accounts.to_account_metas(None),
        data: provena_royalty::instruction::InitializeConfig {}.data(),
    };
    once(chain, authority, "royalty config", &config, create).await
}

async fn allow(chain: &dyn Chain, authority: &Keypair, mint: &Pubkey) -> Result<Initialised> {
    let what = format!("payment mint {mint}");
    let address_of_config = key(provena_royalty::pda::config().0);
    let config = fetch_optional::<provena_royalty::state::Config, _>(chain, &address_of_config)
        .await?
        .context("the royalty config is gone")?;
    if config.allowed().contains(&address(*mint)) {
        return Ok(Initialised { what, signature: None });
    }
    if config.authority != address(authority.pubkey()) {
        return Err(Failure::failed(format!("only {} may allow payment mints on this chain", config.authority))
            .hint("name that wallet's key file with --keypair")
            .into());
    }
    let accounts = provena_royalty::accounts::AllowMint {
        authority: address(authority.pubkey()),
        config: address(address_of_config),
        mint: address(*mint),
    };
    let instruction = Instruction {
        program_id: key(provena_royalty::ID),
        accounts: accounts.to_account_metas(None),
        data: provena_royalty::instruction::AllowMint {}.data(),
    };
    let signature = send(chain, authority, instruction).await.with_context(|| format!("cannot allow {mint}"))?;
    Ok(Initialised { what, signature: Some(signature) })
}

async fn market(chain: &dyn Chain, authority: &Keypair, options: &InitOptions) -> Result<Initialised> {
    let config = key(provena_market::pda::config().0);
    let create = provena_market::client::initialize_config(
        address(authority.pubkey()),
        address(options.treasury),
        chain.cluster().await?,
        options.protocol_fee_bps,
        options.min_stake,
    );
    once(chain, authority, "market config", &config, create).await
}

/// Sends `create` unless `config` exists.
pub(super) async fn once(
    chain: &dyn Chain,
    authority: &Keypair,
    what: &str,
    config: &Pubkey,
    create: Instruction,
) -> Result<Initialised> {
    let what = what.to_owned();
    if chain.account(config).await?.is_some() {
        return Ok(Initialised { what, signature: None });
    }
    if chain.account(&create.program_id).await?.is_none() {
        return Err(Failure::failed(format!("the program {} is not on this chain", create.program_id))
            .hint("provena deploy")
            .into());
    }
    let signature = send(chain, authority, create).await.with_context(|| format!("cannot create the {what}"))?;
    Ok(Initialised { what, signature: Some(signature) })
}

async fn send(chain: &dyn Chain, authority: &Keypair, instruction: Instruction) -> Result<String> {
    let done = send_and_confirm(chain, &[instruction], &[authority], Budget::default()).await?;
    Ok(done.signature.to_string())
}

fn key(address: Address) -> Pubkey {
    Pubkey::new_from_array(address.to_bytes())
}

fn address(key: Pubkey) -> Address {
    Address::new_from_array(key.to_bytes())
}
