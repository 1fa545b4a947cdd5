//! Creates the programs' settings. What exists is left alone.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, show_bps},
    chain::{Chain, accounts::fetch_optional, lookup, send_and_confirm},
    token,
};
use provena_market::constants::MAX_PROTOCOL_FEE_BPS;
use provena_royalty::{NATIVE_MINT, state::Admin};
use serde::Serialize;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::failure::Failure;

/// How a chain's market and royalties are set up. Only the first initialisation reads it, the mints apart.
#[derive(Clone, Debug)]
pub(crate) struct InitOptions {
    /// Wallet that receives the protocol's fees.
    pub treasury: Pubkey,
    /// The protocol's part of each job's fee, in basis points.
    pub protocol_fee_bps: u16,
    /// What a node must stake, in lamports.
    pub min_stake: u64,
    /// Token mints that may be used for payment beside SOL.
    pub mints: Vec<Pubkey>,
}

impl InitOptions {
    /// One percent to `treasury`, a stake of one SOL, payments in SOL.
    pub(crate) fn defaults(treasury: Pubkey) -> Self {
        Self { treasury, protocol_fee_bps: 100, min_stake: 1_000_000_000, mints: Vec::new() }
    }
}

/// One thing that is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Initialised {
    /// What.
    pub what: String,
    /// The transaction that did it; none when it had been done before.
    pub signature: Option<String>,
    /// What was there is not what was asked for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// Creates the settings of all three programs and allows `options.mints`. `authority` pays and becomes their authority; it
/// must be the programs' upgrade authority where they have one.
///
/// # Errors
/// A program is not on the chain, the treasury is no wallet, the fee is too high, a mint cannot be paid in, or has to be
/// allowed in settings that belong to somebody else. Whatever can be known beforehand is checked before anything is sent.
pub(crate) async fn initialize(
    chain: &dyn Chain,
    authority: &Keypair,
    options: &InitOptions,
) -> Result<Vec<Initialised>> {
    check(chain, authority, options).await?;
    let wallet = authority.pubkey();
    let registry = provena_registry::client::initialize_admin(&wallet);
    let mut done = vec![
        once(chain, authority, "registry", &provena_registry::pda::admin().0, registry).await?,
        once(
            chain,
            authority,
            "royalty program",
            &provena_royalty::pda::admin().0,
            provena_royalty::client::initialize_admin(&wallet),
        )
        .await?,
    ];
    for mint in &options.mints {
        done.push(allow(chain, authority, mint).await?);
    }
    let cluster = chain.cluster().await?;
    let InitOptions { treasury, protocol_fee_bps, min_stake, .. } = *options;
    let market = provena_market::client::initialize_admin(wallet, treasury, cluster, protocol_fee_bps, min_stake);
    let mut set_up = once(chain, authority, "market", &provena_market::pda::admin().0, market).await?;
    set_up.differs = difference(chain, options).await?;
    done.push(set_up);
    done.push(table(chain, authority).await?);
    Ok(done)
}

/// How the market's settings differ from what was asked for: an initialisation changes nothing that is there.
async fn difference(chain: &dyn Chain, options: &InitOptions) -> Result<Option<String>> {
    let address = provena_market::pda::admin().0;
    let Some(there) = fetch_optional::<provena_market::state::Admin, _>(chain, &address).await? else {
        return Ok(None);
    };
    let mut differs = Vec::new();
    if options.protocol_fee_bps != there.protocol_fee_bps {
        let [is, asked] = [there.protocol_fee_bps, options.protocol_fee_bps].map(show_bps);
        differs.push(format!("the protocol's fee is {is}, not {asked}"));
    }
    if options.min_stake != there.min_stake {
        let [is, asked] = [there.min_stake, options.min_stake].map(|lamports| Currency::sol().show(lamports));
        differs.push(format!("the least stake is {is}, not {asked}"));
    }
    if options.treasury != there.treasury {
        differs.push(format!("the treasury is {}, not {}", there.treasury, options.treasury));
    }
    Ok((!differs.is_empty()).then(|| differs.join("; ")))
}

/// Makes the deployment's common lookup table, without which long transactions do not fit, unless the wallet made one before
/// that holds everything it should.
async fn table(chain: &dyn Chain, authority: &Keypair) -> Result<Initialised> {
    let admin = admin(chain).await?.context("the royalty program's settings are gone")?;
    let mints: Vec<Pubkey> = admin.allowed().iter().filter(|mint| **mint != NATIVE_MINT).copied().collect();
    if admin.control.authority != authority.pubkey() {
        // Nobody looks for a table of anybody else's: it would only cost its rent.
        let what = format!("lookup table, which is for {} to make", admin.control.authority);
        return Ok(Initialised { what, signature: None, differs: None });
    }
    let wanted = lookup::common(&mints);
    let what = |table: &Pubkey| format!("lookup table {table}");
    let whole = |table: &AddressLookupTableAccount| wanted.iter().all(|address| table.addresses.contains(address));
    let there = lookup::made_by(chain, &authority.pubkey()).await?;
    if let Some(table) = there.iter().find(|table| whole(table)) {
        return Ok(Initialised { what: what(&table.key), signature: None, differs: None });
    }
    let (instructions, table) = lookup::create(&authority.pubkey(), chain.slot().await?, &wanted);
    let mut signature = None;
    for instruction in instructions {
        signature = Some(send(chain, authority, instruction).await.context("cannot make the lookup table")?);
    }
    Ok(Initialised { what: what(&table), signature, differs: None })
}

/// The lookup tables of whoever has the authority over the programs on this chain; none where there are none, or where the
/// server does not list them.
pub(crate) async fn tables(chain: &dyn Chain) -> Vec<AddressLookupTableAccount> {
    let Ok(Some(admin)) = admin(chain).await else { return Vec::new() };
    match lookup::made_by(chain, &admin.control.authority).await {
        Ok(tables) => tables,
        Err(error) => {
            tracing::debug!(?error, "the server lists no lookup tables; --lookup-table names one");
            Vec::new()
        }
    }
}

async fn check(chain: &dyn Chain, authority: &Keypair, options: &InitOptions) -> Result<()> {
    if options.protocol_fee_bps > MAX_PROTOCOL_FEE_BPS {
        let most = show_bps(MAX_PROTOCOL_FEE_BPS);
        return Err(Failure::usage(format!("the protocol's fee is at most {most}"))
            .hint("lower --protocol-fee")
            .into());
    }
    for mint in &options.mints {
        token::payment_mint(chain, mint).await?;
    }
    if chain.account(&provena_market::pda::admin().0).await?.is_none() && options.treasury != authority.pubkey() {
        check_treasury(chain, &options.treasury).await?;
    }
    match admin(chain).await? {
        Some(admin) => options.mints.iter().try_for_each(|mint| may_allow(&admin, authority, mint)),
        None => Ok(()),
    }
}

/// The market pays its fees to a wallet that exists.
async fn check_treasury(chain: &dyn Chain, treasury: &Pubkey) -> Result<()> {
    let least = chain.rent_exempt(0).await?;
    let account = chain.account(treasury).await?;
    let wallet = account.is_some_and(|account| account.owner == NATIVE_MINT && account.lamports >= least);
    if wallet {
        return Ok(());
    }
    let least = Currency::sol().show(least);
    Err(Failure::failed(format!("the treasury {treasury} is no wallet with at least {least}"))
        .hint("send it that much first, or name another --treasury")
        .into())
}

async fn admin(chain: &dyn Chain) -> Result<Option<Admin>> {
    Ok(fetch_optional::<Admin, _>(chain, &provena_royalty::pda::admin().0).await?)
}

fn may_allow(admin: &Admin, authority: &Keypair, mint: &Pubkey) -> Result<()> {
    if admin.allowed().contains(mint) || admin.control.authority == authority.pubkey() {
        return Ok(());
    }
    Err(Failure::failed(format!("only {} may allow payment mints on this chain", admin.control.authority))
        .hint("name that wallet's key file with --keypair")
        .into())
}

async fn allow(chain: &dyn Chain, authority: &Keypair, mint: &Pubkey) -> Result<Initialised> {
    let what = format!("payment mint {mint}");
    let admin = admin(chain).await?.context("the royalty program's settings are gone")?;
    may_allow(&admin, authority, mint)?;
    if admin.allowed().contains(mint) {
        return Ok(Initialised { what, signature: None, differs: None });
    }
    let instruction = provena_royalty::client::allow_mint(&authority.pubkey(), mint);
    let signature = send(chain, authority, instruction).await.with_context(|| format!("cannot allow {mint}"))?;
    Ok(Initialised { what, signature: Some(signature), differs: None })
}

/// Sends `create` unless `settings` exist.
pub(super) async fn once(
    chain: &dyn Chain,
    authority: &Keypair,
    what: &str,
    settings: &Pubkey,
    create: Instruction,
) -> Result<Initialised> {
    let what = what.to_owned();
    let account = chain.account(settings).await?;
    if account.is_some_and(|account| account.owner == create.program_id) {
        return Ok(Initialised { what, signature: None, differs: None });
    }
    if chain.account(&create.program_id).await?.is_none() {
        return Err(Failure::failed(format!("the program {} is not on this chain", create.program_id))
            .hint("provena deploy   (puts it there; or check --url)")
            .into());
    }
    let signature = send(chain, authority, create).await.with_context(|| format!("cannot set up the {what}"))?;
    Ok(Initialised { what, signature: Some(signature), differs: None })
}

async fn send(chain: &dyn Chain, authority: &Keypair, instruction: Instruction) -> Result<String> {
    let done = send_and_confirm(chain, &[instruction], &[authority]).await?;
    Ok(done.signature.to_string())
}
