//! `provena job`: a job that was paid for, from the payer's side.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provena_client::{Client, amount::Currency, chain::Chain, store::Store, token};
use provena_market::{
    state::{Job, JobState},
    view,
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts},
};

/// Arguments of `provena job`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show how far a job is and where its deposit went
    Show(Named),
    /// Take back a job that no node has taken yet, with its deposit
    Cancel(Named),
    /// Move on a job that nobody moves: pay a finished one out, refund one that is late
    #[command(after_help = "Anybody may do this; nobody can be paid twice by it.")]
    Crank(Named),
    /// Take back the rent of a job that has ended; its receipts can then only be verified offline
    Close(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
}

#[derive(Serialize)]
struct JobReport {
    job: String,
    state: String,
    asset: String,
    payer: String,
    mint: String,
    decimals: u8,
    deposit: u64,
    node_fee: u64,
    royalty: u64,
    protocol_fee: u64,
    refund: u64,
    nodes: Vec<String>,
    result_root: Option<String>,
    signature: Option<String>,
    #[serde(skip)]
    currency: Currency,
}

impl Report for JobReport {
    fn text(&self, style: Style) -> String {
        let show = |amount| self.currency.show(amount);
        let mut rows = vec![
            ("job", self.job.clone()),
            ("state", style.strong(&self.state)),
            ("model", self.asset.clone()),
            ("deposit", show(self.deposit)),
            ("nodes", self.nodes.join(", ")),
        ];
        if let Some(root) = &self.result_root {
            rows.push(("result root", root.clone()));
        }
        rows.extend([
            ("to the holders", show(self.royalty)),
            ("to the nodes", show(self.node_fee)),
            ("to the protocol", show(self.protocol_fee)),
            ("came back", show(self.refund)),
        ]);
        rows.extend(self.signature.clone().map(|signature| ("transaction", signature)));
        facts(&rows, style)
    }
}

/// Carries out the verb and shows the job as it then is (closed ones as they were).
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let (Verb::Show(named) | Verb::Cancel(named) | Verb::Crank(named) | Verb::Close(named)) = &args.verb;
    let address = named.job;
    let chain = Arc::new(context.chain()?);
    if let Verb::Show(_) = args.verb {
        let job = find(chain.as_ref(), &address).await?;
        return context.output.data(&report(chain.as_ref(), &address, &job, None).await?);
    }
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let client = Client::new(chain.clone(), store, Arc::new(context.wallet()?));
    let before = find(chain.as_ref(), &address).await?;
    let signature = match args.verb {
        Verb::Show(_) => None,
        Verb::Cancel(_) => Some(client.cancel(&address).await.map_err(|error| refused(error, "cancelled"))?.signature),
        Verb::Close(_) => Some(client.close(&address).await.map_err(|error| refused(error, "closed"))?.signature),
        Verb::Crank(_) => {
            client.crank(&address).await.context("the job was not moved on")?.map(|(_, signature)| signature)
        }
    };
    let after = client.job(&address).await?.unwrap_or(before);
    context
        .output
        .data(&report(chain.as_ref(), &address, &after, signature.map(|signature| signature.to_string())).await?)
}

fn refused(error: provena_client::ClientError, done: &str) -> anyhow::Error {
    let failure = Failure::failed(format!("the job was not {done}"));
    anyhow::Error::from(error).context(failure.hint("`provena job show` tells how far it is"))
}

async fn find(chain: &dyn Chain, address: &Pubkey) -> Result<Job> {
    let job = provena_client::chain::accounts::fetch_optional::<Job, _>(chain, address).await;
    job.context("cannot read the job")?.ok_or_else(|| {
        Failure::failed(format!("the chain knows no job {address}: it never existed, or its payer has closed it"))
            .hint("check the address and --url")
            .into()
    })
}

async fn report(chain: &dyn Chain, address: &Pubkey, job: &Job, signature: Option<String>) -> Result<JobReport> {
    let currency = token::currency(chain, &job.mint).await?;
    let split = view::paid(job);
    let state = job.state().map_or_else(|_| "unknown".into(), |state: JobState| format!("{state:?}").to_lowercase());
    let nodes = job.nodes.iter().filter(|node| **node != Pubkey::default()).map(ToString::to_string).collect();
    Ok(JobReport {
        job: address.to_string(),
        state,
        asset: job.asset.to_string(),
        payer: job.payer.to_string(),
        mint: token::name(&job.mint),
        decimals: currency.decimals,
        deposit: job.deposit,
        node_fee: split.nodes.0,
        royalty: split.royalty.0,
        protocol_fee: split.protocol.0,
        refund: split.refund.0,
        nodes,
        result_root: (job.result_root != [0; 32]).then(|| hex::encode(job.result_root)),
        signature,
        currency,
    })
}
