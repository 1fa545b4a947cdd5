//! Which nodes would take a request, found out before anything is paid.

use std::time::Duration;

use futures_util::future::join_all;
use provena_market::{
    client as market,
    fees::Work,
    pda,
    state::{Admin, Node, Offer},
};
use provena_wire::{Refusal, Request, Units};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::time::{Instant, timeout_at};

use super::endpoint::likeliest;
use super::{Client, Endpoint, Reply};
use crate::amount::Currency;
use crate::chain::ChainError;
use crate::chain::accounts::fetch;
use crate::reach::Reach;
use crate::store::Bytes;

/// Nodes that are asked at the same time. Where too few of them would take a request, as many others are asked.
const AT_ONCE: usize = 8;
/// Longest wait for those that are asked at the same time.
const ROUND: Duration = Duration::from_secs(12);
/// Longest wait for everybody.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node, and what it said.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its authority.
    pub node: Pubkey,
    /// Where it answers; `None` when it names no usable address.
    pub endpoint: Option<Endpoint>,
    /// Its reply.
    pub reply: Reply,
}

/// What all nodes said to one request.
#[derive(Debug, Clone, Default)]
pub struct Quotes(pub Vec<Asked>);

/// Who is expected to answer, and what is paid for.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The most units.
    pub units: Units,
    /// Whom to send the request.
    pub nodes: Vec<Endpoint>,
}

/// What bounds a choice.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The offer.
    pub terms: &'a Offer,
    /// What the request alone says that it can need.
    pub worst: Units,
    /// What is paid for whatever nodes say: the person's choice, or what the model itself says where it is at hand.
    pub exact: Option<Units>,
    /// The most that may be deposited, in base units of the offer's mint.
    pub most: Option<u64>,
}

impl Client {
    /// Asks registered nodes whether they would take a request on an offer: a few at the same time, those that are likeliest
    /// to first, until there are as many as the offer has seats.
    ///
    /// # Errors
    /// The chain cannot be read.
    pub async fn quotes(&self, offer: &Pubkey, terms: &Offer, request: &Request) -> Result<Quotes, ChainError> {
        let nodes = likeliest(self.chain.as_ref()).await?;
        let least = fetch::<Admin, _>(self.chain.as_ref(), &pda::admin().0).await?.min_stake;
        let (able, unable): (Vec<Node>, Vec<Node>) =
            nodes.into_iter().partition(|node| node.stake >= least && free(node) >= terms.bond_lamports);
        let (request, reach) = (Bytes::from(request.to_bytes()), self.chain.reach().await?);
        let mut quotes = Quotes::default();
        let end = Instant::now() + PATIENCE;
        for some in able.chunks(AT_ONCE) {
            let round = end.min(Instant::now() + ROUND);
            let payer = self.payer.pubkey();
            let asked = some.iter().map(|node| ask(node, reach, (*offer, payer), request.clone(), round));
            quotes.0.extend(join_all(asked).await);
            if quotes.takers().count() >= usize::from(terms.seats) || Instant::now() >= end {
                break;
            }
        }
        quotes.0.extend(unable.iter().map(|node| lacks_stake(node, reach, terms.bond_lamports)));
        Ok(quotes)
    }
}

/// Stake that new jobs can hold.
fn free(node: &Node) -> u64 {
    node.stake.saturating_sub(node.locked)
}

async fn ask(node: &Node, reach: Reach, (offer, payer): (Pubkey, Pubkey), request: Bytes, until: Instant) -> Asked {
    let endpoint = Endpoint::new(node.authority, node.endpoint(), reach);
    let reply = match &endpoint {
        None => Reply::Silent("it names no address that HTTP reaches".to_owned()),
        Some(endpoint) => match timeout_at(until, endpoint.quote(&offer, &payer, request)).await {
            Ok(reply) => reply,
            Err(_) => Reply::Silent("it does not answer in time".to_owned()),
        },
    };
    Asked { node: node.authority, endpoint, reply }
}

/// What is known of a node without asking it: its stake does not reach.
fn lacks_stake(node: &Node, reach: Reach, bond: u64) -> Asked {
    let [free, bond] = [free(node), bond].map(|lamports| Currency::sol().show(lamports));
    let reason = format!("{free} of its stake is free, the offer's bond is {bond}");
    let reply = Reply::Refuses(Refusal { refused: "stake".to_owned(), reason });
    Asked { node: node.authority, endpoint: Endpoint::new(node.authority, node.endpoint(), reach), reply }
}

impl Quotes {
    /// Whether some node said for how many units it would take the request.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.takers().any(|(_, units)| units.is_some())
    }

    /// Who would answer within these bounds, and how much is paid for: what is known exactly, else the most of the quotes
    /// that are plausible, else what the request can need at worst. Empty when nobody would.
    ///
    /// A quote above what the request alone can need counts only where there is no other, so that no stranger raises the
    /// deposit of those whom others would serve for less.
    #[must_use]
    pub fn choose(&self, bounds: Bounds<'_>) -> Chosen {
        let Bounds { terms, worst, exact, most } = bounds;
        let limit = Units::new(terms.max_input_units, terms.max_output_units);
        let affordable = |units: Units| {
            let price = market::price(terms, Work::new(units.input, units.output));
            most.is_none_or(|most| price.is_ok_and(|price| price <= most))
        };
        let quoted: Vec<Units> = self.takers().filter_map(|(_, units)| units).filter(|one| one.within(limit)).collect();
        let plausible: Vec<Units> = quoted.iter().copied().filter(|one| one.within(worst)).collect();
        let plausible = if plausible.is_empty() { quoted } else { plausible };
        let within: Vec<Units> = plausible.iter().copied().filter(|one| affordable(*one)).collect();
        let considered = if within.is_empty() { plausible } else { within };
        let largest = considered.into_iter().reduce(|a, b| Units::new(a.input.max(b.input), a.output.max(b.output)));
        let units = exact.or(largest).unwrap_or(worst);
        let serving = self.takers().filter(|(_, quoted)| quoted.is_none_or(|quoted| quoted.within(units)));
        Chosen { units, nodes: serving.map(|(endpoint, _)| endpoint.clone()).collect() }
    }

    /// Nodes that may take the request, with what they asked for, if they said.
    fn takers(&self) -> impl Iterator<Item = (&Endpoint, Option<Units>)> {
        self.0.iter().filter_map(|asked| match &asked.reply {
            Reply::Takes(units) => Some((asked.endpoint.as_ref()?, Some(*units))),
            Reply::Unquoted => Some((asked.endpoint.as_ref()?, None)),
            Reply::Refuses(_) | Reply::Silent(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(number: u8, reply: Reply) -> Asked {
        let node = Pubkey::new_from_array([number; 32]);
        Asked { node, endpoint: Endpoint::new(node, &format!("http://n{number}.example"), Reach::Public), reply }
    }

    fn terms() -> Offer {
        let mut terms: Offer = bytemuck::Zeroable::zeroed();
        (terms.max_input_units, terms.max_output_units) = (1_000, 100);
        (terms.input_price, terms.output_price) = (1, 1);
        terms
    }

    #[test]
    fn the_largest_plausible_quote_is_paid_and_whoever_asks_for_more_is_left_out() {
        let quotes = Quotes(vec![
            asked(1, Reply::Takes(Units::new(40, 12))),
            asked(2, Reply::Takes(Units::new(42, 10))),
            // More than the request can be: a stranger that wants deposits to be large.
            asked(3, Reply::Takes(Units::new(900, 12))),
            asked(4, Reply::Silent("nothing answers there".to_owned())),
            asked(5, Reply::Unquoted),
        ]);
        let terms = terms();
        let bounds = Bounds { terms: &terms, worst: Units::new(200, 12), exact: None, most: None };
        let chosen = quotes.choose(bounds);
        assert_eq!(chosen.units, Units::new(42, 12));
        assert_eq!(chosen.nodes.iter().map(|node| node.authority.to_bytes()[0]).collect::<Vec<_>>(), [1, 2, 5]);
        // What the model itself says holds against everybody.
        let exact = quotes.choose(Bounds { exact: Some(Units::new(41, 12)), ..bounds });
        assert_eq!((exact.units, exact.nodes.len()), (Units::new(41, 12), 2));
        let modest = quotes.choose(Bounds { most: Some(52), ..bounds });
        assert_eq!(modest.units, Units::new(42, 12), "each of the two is affordable");
    }

    #[test]
    fn without_a_quote_the_worst_is_paid_and_without_a_node_nobody_is_chosen() {
        let terms = terms();
        let worst = Units::new(200, 12);
        let bounds = Bounds { terms: &terms, worst, exact: None, most: None };
        let old = Quotes(vec![asked(1, Reply::Unquoted)]).choose(bounds);
        assert_eq!((old.units, old.nodes.len()), (worst, 1));
        let refusal = Refusal { refused: "kind".to_owned(), reason: "it classifies pictures".to_owned() };
        assert!(Quotes(vec![asked(1, Reply::Refuses(refusal))]).choose(bounds).nodes.is_empty());
        // A template longer than anybody thought: the only quote is believed.
        let long = Quotes(vec![asked(1, Reply::Takes(Units::new(500, 12)))]).choose(bounds);
        assert_eq!((long.units, long.nodes.len()), (Units::new(500, 12), 1));
        // More than the offer allows can be paid by nobody.
        let beyond = Quotes(vec![asked(1, Reply::Takes(Units::new(2_000, 12)))]).choose(bounds);
        assert!(beyond.nodes.is_empty());
    }
}
