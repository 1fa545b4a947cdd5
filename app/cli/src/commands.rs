//! One file per verb.

pub(crate) mod airdrop;
pub(crate) mod asset;
pub(crate) mod balance;
pub(crate) mod book;
pub(crate) mod completion;
pub(crate) mod dataset;
pub(crate) mod demo;
pub(crate) mod deploy;
mod fetch;
mod holder_names;
pub(crate) mod infer;
pub(crate) mod job;
pub(crate) mod keygen;
pub(crate) mod lineage;
pub(crate) mod localnet;
pub(crate) mod mint_args;
mod mint_report;
pub(crate) mod model;
mod new_version;
pub(crate) mod node;
pub(crate) mod offer;
pub(crate) mod parent_args;
pub(crate) mod recompute;
pub(crate) mod rent;
pub(crate) mod royalty;
mod shown_args;
mod text_args;
mod unit_price;
pub(crate) mod verify;

use anyhow::Result;

use crate::{
    book::Book,
    cli::{Cli, Command},
    context::Context,
    output::Output,
    stop,
};

/// Carries out the command.
pub(crate) async fn run(cli: Cli, book: &Book, output: &Output) -> Result<()> {
    let context = Context::new(cli.global, book, output)?;
    match cli.command {
        Command::Demo(args) => demo::run(args, &context).await,
        Command::Localnet(args) => localnet::run(args, &context).await,
        Command::Deploy(args) => {
            stop::ends(deploy::run(args, &context), "stopped; what is done stays, and the same command goes on").await
        }
        Command::Keygen(args) => keygen::run(args, &context),
        Command::Airdrop(args) => stop::ends(airdrop::run(args, &context), stop::SENT).await,
        Command::Balance(args) => balance::run(args, &context).await,
        Command::Book(args) => book::run(args, &context).await,
        Command::Completion(args) => completion::run(&args, &context),
        Command::Model(args) => model::run(args, &context).await,
        Command::Asset(args) => stop::ends(asset::run(args, &context), stop::SENT).await,
        Command::Lineage(args) => stop::ends(lineage::run(args, &context), stop::READ).await,
        Command::Dataset(args) => dataset::run(args, &context).await,
        Command::Offer(args) => stop::ends(offer::run(args, &context), stop::SENT).await,
        Command::Node(args) => node::run(args, &context).await,
        Command::Infer(args) => infer::run(args, &context).await,
        Command::Job(args) => job::run(args, &context).await,
        Command::Royalty(args) => stop::ends(royalty::run(args, &context), stop::SENT).await,
        Command::Verify(args) => verify::run(args, &context).await,
    }
}
