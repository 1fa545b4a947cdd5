//! `provena offer create`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Amount, Currency, parse_bps, parse_sol},
    asset::{self, AssetError},
    chain::Chain,
    mint,
    offer::{self, Terms},
    store::Store,
    token,
};
use provena_engine::{
    artifact::{Artifact, Family},
    places,
};
use solana_pubkey::Pubkey;

use super::{created::Created, doubts::doubts, price};
use crate::{
    address,
    book::{Kind, names},
    commands::mint_args::check_name,
    context::Context,
    failure::Failure,
    output::progress::Progress,
};

/// Arguments of `provena offer create`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena offer create @digits --price 0.001\n  provena offer create @digits --price 0.02 --pay-in MINT --royalty 60%\n  provena offer create @smollm2 --input-price 0.00001 --output-price 0.00003\n  provena offer create @digits --price 0.01 --nodes 3 --agree 2\n                              three nodes compute, two must agree\n\nA unit of input is a picture, a sentence, or a token of a prompt, by the model's\nkind; a unit of output is a token of an answer. What jobs pay into (an inbox of\nthe royalty pool, and one of the treasury) is opened where it is missing."
)]
pub(super) struct Args {
    /// A model that the wallet owns.
    #[arg(value_name = "MODEL", value_parser = address::parse)]
    asset: Pubkey,
    /// What the offer is called on this machine, as @NAME [default: as the model].
    #[arg(long, value_name = "NAME", value_parser = names::parse)]
    name: Option<String>,
    /// The price of one unit, of input and of output alike, in SOL or in the token of --pay-in.
    #[arg(long, value_name = "AMOUNT", conflicts_with_all = ["input_price", "output_price"])]
    price: Option<String>,
    /// The price of any answer at all, added to that of its units.
    #[arg(long, value_name = "AMOUNT")]
    base: Option<String>,
    /// The price of one unit of input.
    #[arg(long, value_name = "AMOUNT")]
    input_price: Option<String>,
    /// The price of one unit of output.
    #[arg(long, value_name = "AMOUNT")]
    output_price: Option<String>,
    /// What it is paid in: SOL or a token's mint.
    #[arg(long, default_value = "SOL", value_name = "MINT", value_parser = token::parse)]
    pay_in: Pubkey,
    /// The part of each fee that goes to the model's holders; the rest pays the node and the protocol.
    #[arg(long, default_value = "50%", value_name = "SHARE%", value_parser = parse_bps)]
    royalty: u16,
    /// The most units of input in one job [default: 64, or what a language model's prompt can be].
    #[arg(long, value_name = "N")]
    max_input: Option<u32>,
    /// The most units of output in one job [default: 0, or what a language model's answer can be].
    #[arg(long, value_name = "N")]
    max_output: Option<u32>,
    /// Which version of the model to sell [default: the latest].
    #[arg(long, value_name = "N")]
    model_version: Option<u32>,
    /// How many nodes compute each job.
    #[arg(long, default_value_t = 1, value_name = "N")]
    nodes: u8,
    /// How many of them must agree, byte for byte [default: more than half].
    #[arg(long, value_name = "M")]
    agree: Option<u8>,
    /// The stake in SOL that a node loses when it lets a job down.
    #[arg(long, default_value = "0.1", value_name = "SOL", value_parser = parse_sol)]
    bond: u64,
    /// How long each step may take, in slots of the chain (about 0.4 s each); at least 150.
    #[arg(long, default_value_t = 300, value_name = "SLOTS")]
    window: u32,
}

/// Creates the offer and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    if let Some(name) = &args.name {
        check_name(context, &chain, Kind::Offer, name).await?;
    }
    let currency = token::currency(&chain, &args.pay_in).await?;
    let artifact = artifact(context, &chain, &args).await?;
    let family = artifact.as_ref().map(Artifact::family);
    let terms = terms(&args, artifact.as_ref(), &currency)?;
    let progress = Progress::spinner(context.output, "making the offer");
    let created = offer::create(&chain, &wallet, &args.asset, args.model_version, &terms).await?;
    drop(progress);
    let unit = family.map_or_else(|| price::unit_of(&terms), price::unit);
    // The offer is there; that nobody can be asked about it now is no failure.
    let doubts = doubts(&chain, &created.offer, unit).await.unwrap_or_default();
    doubts.iter().for_each(|doubt| context.output.note(doubt));
    let title = match context.book.of(&args.asset) {
        Ok(Some(entry)) => entry.name,
        _ => mint::name_of(&chain, &args.asset).await?.map_or_else(String::new, |title| title.raw().to_owned()),
    };
    let name = context.remember(&chain, Kind::Offer, (&title, args.name.as_deref()), &created.offer).await;
    let called = name.clone().unwrap_or_else(|| created.offer.to_string());
    let asked = asked(family, terms.max_output);
    // Whoever is told that nobody takes it is not sent to ask it.
    let next =
        doubts.is_empty().then(|| context.output.command(&format!("provena infer {called} \\\n        {asked}")));
    context.output.data(&Created {
        offer: created.offer.to_string(),
        asset: args.asset.to_string(),
        version: created.version,
        mint: token::name(&args.pay_in),
        decimals: currency.decimals,
        base_price: terms.base_price,
        input_price: terms.input_price,
        output_price: terms.output_price,
        max_input: terms.max_input,
        max_output: terms.max_output,
        royalty_basis_points: terms.royalty_bps,
        nodes: terms.nodes,
        agree: terms.agree,
        signatures: created.signatures.iter().map(ToString::to_string).collect(),
        name,
        warnings: doubts,
        unit,
        next,
        terms,
        currency,
    })
}

/// What a model of this kind can be asked, as `infer` takes it.
fn asked(family: Option<Family>, max_output: u32) -> String {
    const DIGITS: &str = "digits/digits.csv.gz";
    match family {
        Some(Family::Llama) => "--prompt 'What is gravity?' --max-tokens 60".into(),
        Some(Family::Bert) => "--text 'I cannot log in' --text 'My password is lost'".into(),
        Some(Family::Mlp | Family::Cnn) => match places::assets().map(|folder| folder.join(DIGITS)) {
            Some(file) if file.is_file() => format!("--csv {} --row 17", file.display()),
            _ => "--image FILE.pgm   (or --csv FILE --row N)".into(),
        },
        None if max_output > 0 => "--prompt 'What is gravity?' --max-tokens 60".into(),
        None => "--image FILE.pgm   (or --text WORDS, by the model's kind)".into(),
    }
}

fn terms(args: &Args, artifact: Option<&Artifact>, currency: &Currency) -> Result<Terms> {
    let amount = |text: &Option<String>| match text {
        Some(text) => Amount::parse(text, currency.decimals).map(|amount| amount.base),
        None => Ok(0),
    };
    let amount = |text: &Option<String>| amount(text).map_err(|error| Failure::usage(error.to_string()));
    let [base, both, input, output] =
        [amount(&args.base)?, amount(&args.price)?, amount(&args.input_price)?, amount(&args.output_price)?];
    if [base, both, input, output] == [0; 4] {
        return Err(Failure::usage("an offer asks for something")
            .hint("give --price, or --base, --input-price and --output-price")
            .into());
    }
    let (max_input, max_output) = match (args.max_input, args.max_output) {
        (Some(input), Some(output)) => (input, output),
        (input, output) => {
            let usual = usual_limits(artifact)?;
            (input.unwrap_or(usual.0), output.unwrap_or(usual.1))
        }
    };
    Ok(Terms {
        mint: args.pay_in,
        base_price: base,
        input_price: both + input,
        output_price: both + output,
        max_input,
        max_output,
        royalty_bps: args.royalty,
        nodes: args.nodes,
        agree: args.agree.unwrap_or(args.nodes / 2 + 1),
        bond: args.bond,
        window: args.window,
    })
}

/// The artifact of the version that is sold, where it lies on this machine.
async fn artifact(context: &Context<'_>, chain: &dyn Chain, args: &Args) -> Result<Option<Artifact>> {
    let registered = match asset::find(chain, &args.asset).await? {
        Some(registered) => registered,
        // Whoever knows the limits is told by the market itself what is missing.
        None if args.max_input.is_some() && args.max_output.is_some() => return Ok(None),
        None => return Err(AssetError::NoAsset(args.asset).into()),
    };
    let version = registered.version(chain, args.model_version.unwrap_or(registered.asset.latest)).await?;
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let Ok(bytes) = store.get_local(&version.content_root).await else { return Ok(None) };
    // A dataset is refused with better words when the offer is made.
    Ok(Artifact::from_bytes(bytes.into()).ok())
}

/// What jobs on the model need: a language model's whole context on both sides, 64 pictures or sentences of any other.
fn usual_limits(artifact: Option<&Artifact>) -> Result<(u32, u32)> {
    const PIECES: u32 = 64;
    let Some(artifact) = artifact else {
        return Err(Failure::usage("the model's artifact is not on this machine, so its limits are not known")
            .hint("say them: --max-input N --max-output N   (output 0 where the model answers no words)")
            .into());
    };
    match artifact.family() {
        Family::Llama => {
            let context = u32::try_from(artifact.summary().max_input).unwrap_or(u32::MAX);
            Ok((context, context))
        }
        _ => Ok((PIECES, 0)),
    }
}
