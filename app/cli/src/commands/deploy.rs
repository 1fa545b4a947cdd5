//! `provena deploy`: the programs on a chain of one's choice.

use std::path::PathBuf;

use anyhow::Result;
use provena_client::{
    amount::{parse_bps, parse_sol},
    token,
};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    deploy::{self, Deployed, InitOptions, Initialised, Progress as Step},
    localnet,
    output::{
        Report,
        progress::Progress,
        style::Style,
        table::{Align, Table},
        text::short,
    },
};

/// Arguments of `provena deploy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena deploy                                        deploy or upgrade, then initialise\n  provena deploy --init-only                            initialise only (after `anchor deploy`)\n  provena deploy --url https://... --programs target/deploy/v3\n\nBuild the programs first: cargo xtask build. Everything here can be repeated: what is done already is left alone."
)]
pub(crate) struct Args {
    /// Only initialise the programs' settings; the programs are there already.
    #[arg(long)]
    init_only: bool,
    /// Only deploy; initialise nothing.
    #[arg(long, conflicts_with = "init_only")]
    no_init: bool,
    /// Folder of the programs' .so files [default: the nearest target/deploy].
    #[arg(long, env = "PROVENA_PROGRAMS", value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Folder of the programs' keys, needed for a first deployment [default: the programs' folder].
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// The wallet that receives the protocol's fee [default: the deploying wallet].
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    treasury: Option<Pubkey>,
    /// The protocol's part of each fee [default: 1%].
    #[arg(long, value_name = "SHARE%", value_parser = parse_bps)]
    protocol_fee: Option<u16>,
    /// The least stake of a node [default: 1].
    #[arg(long, value_name = "SOL", value_parser = parse_sol)]
    min_stake: Option<u64>,
    /// The mint of a token in which fees may be paid, beside SOL (repeat for more).
    #[arg(long = "allow", value_name = "MINT", value_parser = token::parse)]
    mints: Vec<Pubkey>,
}

#[derive(Serialize)]
struct Deployment {
    programs: Vec<Deployed>,
    initialised: Vec<Initialised>,
}

impl Report for Deployment {
    fn text(&self, style: Style) -> String {
        let mut programs = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for program in &self.programs {
            let action = format!("{:?}", program.action).to_lowercase();
            programs.row([program.name.clone(), action, program.id.clone()]);
        }
        let mut settings = Table::new(&[("", Align::Left), ("", Align::Left)]);
        for one in &self.initialised {
            let done = if one.signature.is_some() { "set up" } else { "was there" };
            settings.row([one.what.clone(), done.into()]);
            if let Some(differs) = &one.differs {
                settings.note(format!("unchanged: {differs}"));
            }
            if let Some(signature) = &one.signature {
                settings.note(short(signature));
            }
        }
        let tables = [(self.programs.is_empty(), programs), (self.initialised.is_empty(), settings)];
        let tables = tables.iter().filter(|(empty, _)| !empty);
        let texts: Vec<String> = tables.map(|(_, table)| table.text(style).trim_start().to_owned()).collect();
        texts.join("\n\n")
    }
}

/// Deploys, then initialises.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let progress = Progress::spinner(context.output, "looking at the chain");
    let mut programs = Vec::new();
    if !args.init_only {
        let folder = match args.programs {
            Some(folder) => folder,
            None => localnet::deploy_folder()?,
        };
        let keys = args.keys.unwrap_or_else(|| folder.clone());
        let mut step = |step: Step<'_>| match step {
            Step::Program { name, action } => progress.message(format!("{name}: {action:?}").to_lowercase()),
            Step::Written { done, total } => progress.position(done as u64, total as u64),
        };
        programs = deploy::deploy(&chain, &wallet, &deploy::programs(&folder, &keys), &mut step).await?;
    }
    let mut initialised = Vec::new();
    if !args.no_init {
        progress.message("initialising");
        let mut options = InitOptions::defaults(args.treasury.unwrap_or_else(|| wallet.pubkey()));
        options.protocol_fee_bps = args.protocol_fee.unwrap_or(options.protocol_fee_bps);
        options.min_stake = args.min_stake.unwrap_or(options.min_stake);
        options.mints.extend(args.mints);
        initialised = deploy::initialize(&chain, &wallet, &options).await?;
    }
    drop(progress);
    context.output.data(&Deployment { programs, initialised })
}
