//! Puts programs on a chain through the upgradeable loader, and initialises their settings.
//!
//! Everything here can be repeated: a program whose bytes are already on the chain is left alone, a buffer that was
//! half written is continued, settings that exist are not touched. Whatever can be known beforehand (keys, authorities,
//! money) is checked for all programs before the first lamport is spent.

mod initialise;
mod loader;
mod missing;
mod upload;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use provena_client::{
    amount::Currency,
    chain::{Chain, send_and_confirm},
    keys,
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::failure::Failure;

pub(crate) use initialise::{InitOptions, Initialised, initialize, tables};
use loader::Found;
pub(crate) use missing::{Missing, missing};

/// What a signature costs, in lamports.
const LAMPORTS_PER_SIGNATURE: u64 = 5_000;
const LAMPORTS_PER_SOL: f64 = 1e9;
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// A program to put on the chain.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// What people call it.
    pub name: String,
    /// Its bytecode.
    pub elf: PathBuf,
    /// The address that its code declares.
    pub id: Pubkey,
    /// The key of that address; only a first deployment reads it.
    pub keypair: PathBuf,
}

/// Provena's programs as the build leaves them in `folder`, with their keys in `keys`.
pub(crate) fn programs(folder: &Path, keys: &Path) -> Vec<Program> {
    [
        ("registry", "provena_registry", provena_registry::ID),
        ("royalty", "provena_royalty", provena_royalty::ID),
        ("market", "provena_market", provena_market::ID),
    ]
    .into_iter()
    .map(|(name, library, id)| Program {
        name: name.to_owned(),
        elf: folder.join(format!("{library}.so")),
        id: Pubkey::new_from_array(id.to_bytes()),
        keypair: keys.join(format!("{library}-keypair.json")),
    })
    .collect()
}

/// What was, or has to be, done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It is new on this chain.
    Deployed,
    /// Its bytecode was replaced.
    Upgraded,
    /// The same bytecode is there already.
    Unchanged,
}

/// What became of one program.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deployed {
    /// The program's name.
    pub name: String,
    /// Its address.
    pub id: String,
    /// What was done.
    pub action: Action,
    /// The transaction that did it; none when nothing was.
    pub signature: Option<String>,
    /// Size of the bytecode.
    pub bytes: usize,
}

/// A step of the work, for whoever draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress<'a> {
    /// Work on this program begins.
    Program {
        /// Its name.
        name: &'a str,
        /// What will be done.
        action: Action,
    },
    /// Bytes of it that are on the chain.
    Written {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
}

/// A program that has been looked at: its bytecode, and what the chain has at its address.
struct Plan<'a> {
    program: &'a Program,
    elf: Vec<u8>,
    found: Found,
    /// The program's own key, when it is new.
    keypair: Option<Keypair>,
}

impl Plan<'_> {
    fn action(&self) -> Action {
        match &self.found {
            Found::Nothing => Action::Deployed,
            Found::Program { elf, .. } if loader::same_code(elf, &self.elf) => Action::Unchanged,
            Found::Program { .. } => Action::Upgraded,
        }
    }
}

/// Deploys, upgrades or leaves alone each of `programs`. `wallet` pays, and is or becomes the upgrade authority.
///
/// # Errors
/// A [`Failure`] that says what to do: bytecode or key missing, key of another address, another upgrade authority,
/// too little money (and how much is missing). A broken-off upload is continued by the next call.
pub(crate) async fn deploy(
    chain: &dyn Chain,
    wallet: &Keypair,
    programs: &[Program],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Deployed>> {
    let mut plans = Vec::new();
    for program in programs {
        plans.push(plan(chain, wallet, program).await?);
    }
    check_money(chain, wallet, &plans).await?;

    let mut deployed = Vec::new();
    for plan in &plans {
        progress(Progress::Program { name: &plan.program.name, action: plan.action() });
        let signature = carry_out(chain, wallet, plan, progress)
            .await
            .with_context(|| format!("cannot put {} on the chain", plan.program.name))?;
        deployed.push(Deployed {
            name: plan.program.name.clone(),
            id: plan.program.id.to_string(),
            action: plan.action(),
            signature,
            bytes: plan.elf.len(),
        });
    }
    Ok(deployed)
}

async fn plan<'a>(chain: &dyn Chain, wallet: &Keypair, program: &'a Program) -> Result<Plan<'a>> {
    let Program { name, elf: path, id, keypair } = program;
    let elf = std::fs::read(path).map_err(|error| {
        Failure::failed(format!("cannot read the {name} program {}: {error}", path.display())).hint("cargo xtask build")
    })?;
    if !elf.starts_with(ELF_MAGIC) {
        return Err(Failure::failed(format!("{} is not a program", path.display())).hint("cargo xtask build").into());
    }
    let found = loader::look(chain, id).await?;
    let mut plan = Plan { program, elf, found, keypair: None };
    match (&plan.found, plan.action()) {
        (Found::Nothing, _) => plan.keypair = Some(program_key(name, id, keypair)?),
        (Found::Program { authority, .. }, Action::Upgraded) => check_authority(name, id, *authority, wallet)?,
        (Found::Program { .. }, _) => {}
    }
    Ok(plan)
}

fn program_key(name: &str, id: &Pubkey, path: &Path) -> Result<Keypair> {
    if !path.exists() {
        return Err(Failure::failed(format!(
            "the {name} program is new on this chain, and its key file {} is missing",
            path.display()
        ))
        .hint(format!(
            "put the key of {id} there, or name its folder with --keys; or let `anchor keys sync` give you an address of your own, \
             then run `cargo xtask build` and deploy again"
        ))
        .into());
    }
    let key = keys::read(path)?;
    if key.pubkey() != *id {
        return Err(Failure::failed(format!(
            "{} is the key of {}, but the {name} program declares {id}",
            path.display(),
            key.pubkey()
        ))
        .hint(
            "name the folder of the right keys with --keys; or run `anchor keys sync`, which writes your addresses into \
             the programs, then `cargo xtask build` and deploy again",
        )
        .into());
    }
    Ok(key)
}

fn check_authority(name: &str, id: &Pubkey, authority: Option<Pubkey>, wallet: &Keypair) -> Result<()> {
    match authority {
        Some(authority) if authority == wallet.pubkey() => Ok(()),
        Some(authority) => Err(Failure::failed(format!(
            "the {name} program {id} can only be upgraded by {authority}, and your wallet is {}",
            wallet.pubkey()
        ))
        .hint("name that wallet's key file with --keypair")
        .into()),
        None => Err(Failure::failed(format!("the {name} program {id} is final: nobody can upgrade it"))
            .hint("deploy under a new address: `anchor keys sync`, then `cargo xtask build`")
            .into()),
    }
}

/// What stays spent, plus the dearest buffer, which an upgrade gives back.
async fn check_money(chain: &dyn Chain, wallet: &Keypair, plans: &[Plan<'_>]) -> Result<()> {
    let mut spent = 0u64;
    let mut lent = 0u64;
    for plan in plans {
        let elf = plan.elf.len();
        let buffer = chain.rent_exempt(loader::BUFFER_HEADER + elf).await?;
        let held = chain.account(&upload::address(wallet, &plan.elf)?).await?.map_or(0, |buffer| buffer.lamports);
        let fees = (upload::chunk_count(elf) + 4) * LAMPORTS_PER_SIGNATURE;
        match (&plan.found, plan.action()) {
            (_, Action::Unchanged) => {}
            (Found::Program { elf: old, .. }, _) => {
                let grown = chain.rent_exempt(loader::DATA_HEADER + elf.max(old.len())).await?
                    - chain.rent_exempt(loader::DATA_HEADER + old.len()).await?;
                spent += fees + grown;
                lent = lent.max(buffer.saturating_sub(held));
            }
            (Found::Nothing, _) => {
                let data = chain.rent_exempt(loader::DATA_HEADER + elf).await?;
                let program = chain.rent_exempt(loader::PROGRAM_LEN).await?;
                spent += fees + data.saturating_sub(held) + program;
            }
        }
    }
    // What is left in the wallet must keep the wallet itself alive.
    let needed = match spent + lent {
        0 => 0,
        cost => cost + chain.rent_exempt(0).await?,
    };
    let balance = chain.account(&wallet.pubkey()).await?.map_or(0, |account| account.lamports);
    if balance < needed {
        let missing = needed - balance;
        // In full: it is to be sent.
        let sol = |lamports| Currency::sol().show(lamports);
        return Err(Failure::failed(format!(
            "deploying needs {} and {} has {}: {} are missing",
            sol(needed),
            wallet.pubkey(),
            sol(balance),
            sol(missing)
        ))
        .hint(format!("send it at least {}; on a test chain: provena airdrop {}", sol(missing), whole_sol(missing)))
        .into());
    }
    Ok(())
}

fn whole_sol(lamports: u64) -> u64 {
    // Only a suggestion to a person, so rounding up in floating point does no harm.
    (lamports as f64 / LAMPORTS_PER_SOL).ceil() as u64
}

async fn carry_out(
    chain: &dyn Chain,
    wallet: &Keypair,
    plan: &Plan<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<String>> {
    let id = plan.program.id;
    let instructions = match (&plan.found, plan.action()) {
        (_, Action::Unchanged) => return Ok(None),
        (Found::Program { elf: old, .. }, _) => {
            let buffer = upload::upload(chain, wallet, &plan.elf, progress).await?;
            if let Some(more) = plan.elf.len().checked_sub(old.len()).filter(|more| *more > 0) {
                loader::extend(chain, wallet, &id, more).await?;
            }
            vec![loader::upgrade(wallet, &id, &buffer)]
        }
        (Found::Nothing, _) => {
            let buffer = upload::upload(chain, wallet, &plan.elf, progress).await?;
            loader::deploy(chain, wallet, &id, &buffer, plan.elf.len()).await?
        }
    };
    let signers: Vec<&Keypair> = [wallet].into_iter().chain(&plan.keypair).collect();
    let done = send_and_confirm(chain, &instructions, &signers).await?;
    loader::wait_until_runnable(chain, done.slot).await?;
    match loader::look(chain, &id).await? {
        Found::Program { elf, .. } if loader::same_code(&elf, &plan.elf) => Ok(Some(done.signature.to_string())),
        _ => Err(Failure::failed(format!("transaction {} landed, but {id} holds other code", done.signature))
            .hint("deploy again")
            .into()),
    }
}
