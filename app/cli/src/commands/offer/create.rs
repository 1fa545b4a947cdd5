//! `provena offer create`.

use anyhow::{Context as _, Result};
use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_client::{
    amount::{Amount, Currency, parse_bps, parse_sol, show_bps},
    chain::{Budget, Chain, accounts, send_and_confirm},
    mint, token,
};
use provena_market::{
    client, pda,
    state::{Offer, OfferTerms},
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts},
};

/// Arguments of `provena offer create`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena offer create ASSET --price 0.001\n  provena offer create ASSET --price 0.00001 --max-units 2048      a model of words, paid by the token\n  provena offer create ASSET --price 0.02 --pay-in MINT --royalty 60%\n  provena offer create ASSET --price 0.01 --nodes 3 --agree 2     three nodes compute, two must agree"
)]
pub struct Args {
    /// A model that the wallet owns.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The price of one picture, sentence, or token of prompt and answer, in SOL or in the token of --pay-in.
    #[arg(long, value_name = "AMOUNT")]
    price: String,
    /// What it is paid in: SOL or a token's mint.
    #[arg(long, default_value = "SOL", value_name = "MINT", value_parser = token::parse)]
    pay_in: Pubkey,
    /// The part of each fee that goes to the model's holders; the rest pays the node and the protocol.
    #[arg(long, default_value = "50%", value_name = "SHARE%", value_parser = parse_bps)]
    royalty: u16,
    /// The most pictures, sentences or tokens in one job. For a model of words: what prompt and answer may take.
    #[arg(long, default_value_t = 64, value_name = "N")]
    max_units: u32,
    /// How many nodes compute each job.
    #[arg(long, default_value_t = 1, value_name = "N")]
    nodes: u8,
    /// How many of them must agree, byte for byte [default: more than half].
    #[arg(long, value_name = "M")]
    agree: Option<u8>,
    /// The stake in SOL that a node loses when it lets a job down.
    #[arg(long, default_value = "0.1", value_name = "SOL", value_parser = parse_sol)]
    bond: u64,
    /// How long each step may take, in slots of the chain (about 0.4 s each).
    #[arg(long, default_value_t = 300, value_name = "SLOTS")]
    window: u32,
}

/// The terms that a caller chooses; the rest follows.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Base units for one unit of work.
    pub price: u64,
    /// The payment mint.
    pub mint: Pubkey,
    /// The holders' part of the fee.
    pub royalty_bps: u16,
    /// Most units of one job.
    pub max_units: u32,
    /// Nodes per job.
    pub nodes: u8,
    /// How many must agree.
    pub agree: u8,
    /// Lamports at stake per job.
    pub bond: u64,
    /// Slots for each step.
    pub window: u32,
}

#[derive(Serialize)]
struct Created {
    offer: String,
    asset: String,
    mint: String,
    price_per_unit: u64,
    decimals: u8,
    royalty_basis_points: u16,
    max_units: u32,
    nodes: u8,
    agree: u8,
    signatures: Vec<String>,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Created {
    fn text(&self, style: Style) -> String {
        let table = facts(
            &[
                ("offer", style.strong(&self.offer)),
                ("price", format!("{} for each picture, sentence or token", self.currency.show(self.price_per_unit))),
                ("to the holders", show_bps(self.royalty_basis_points)),
                ("nodes", format!("{} compute, {} must agree", self.nodes, self.agree)),
                ("transactions", self.signatures.join("\n                ")),
            ],
            style,
        );
        format!("{table}\n\n{} provena infer {} --text 'hello'   (or --image FILE)", style.faint("next:"), self.offer)
    }
}

/// Creates the offer and reports it.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let currency = token::currency(&chain, &args.pay_in).await?;
    let price = Amount::parse(&args.price, currency.decimals).map_err(|error| Failure::usage(error.to_string()))?;
    let terms = Terms {
        price: price.base,
        mint: args.pay_in,
        royalty_bps: args.royalty,
        max_units: args.max_units,
        nodes: args.nodes,
        agree: args.agree.unwrap_or(args.nodes / 2 + 1),
        bond: args.bond,
        window: args.window,
    };
    let (offer, signatures) = create(&chain, &wallet, &args.asset, terms).await?;
    context.output.data(&Created {
        offer: offer.to_string(),
        asset: args.asset.to_string(),
        mint: token::name(&args.pay_in),
        price_per_unit: terms.price,
        decimals: currency.decimals,
        royalty_basis_points: terms.royalty_bps,
        max_units: terms.max_units,
        nodes: terms.nodes,
        agree: terms.agree,
        signatures: signatures.iter().map(ToString::to_string).collect(),
        currency,
    })
}

/// Creates an offer under the asset's next free number; returns its address.
///
/// # Errors
/// The wallet does not hold the model, or the market refuses the terms.
pub async fn create(
    chain: &dyn Chain,
    owner: &Keypair,
    asset: &Pubkey,
    terms: Terms,
) -> Result<(Pubkey, Vec<Signature>)> {
    if token::balance(chain, &owner.pubkey(), asset).await? != 1 {
        return Err(Failure::failed(format!("{} does not own the model {asset}", owner.pubkey()))
            .hint("name the owner's wallet with --keypair; `provena model show` tells what exists")
            .into());
    }
    let pool = provena_royalty::pda::pool(asset).0;
    let mut signatures: Vec<Signature> = mint::add_mint(chain, owner, &pool, &terms.mint).await?.into_iter().collect();
    let mut offer_id = 0;
    while accounts::fetch_optional::<Offer, _>(chain, &pda::offer(asset, offer_id).0).await?.is_some() {
        offer_id += 1;
    }
    let terms_on_chain = OfferTerms {
        price_per_unit: terms.price,
        bond_lamports: terms.bond,
        open_window: terms.window,
        commit_window: terms.window,
        reveal_window: terms.window,
        max_units: terms.max_units,
        royalty_bps: terms.royalty_bps,
        slots: terms.nodes,
        quorum: terms.agree,
        engine_class: ENGINE_CLASS_INT_V1,
    };
    let nft = provena_registry::pda::token_account(&owner.pubkey(), asset).0;
    let create = client::create_offer(owner.pubkey(), asset, nft, &terms.mint, offer_id, terms_on_chain);
    let sent = send_and_confirm(chain, &[create], &[owner], Budget::default()).await;
    signatures.push(sent.context("the offer was not created")?.signature);
    Ok((pda::offer(asset, offer_id).0, signatures))
}
