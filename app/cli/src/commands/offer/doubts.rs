//! What keeps nodes from taking an offer's jobs, told to whoever makes it. The offer is made all the same: operators choose their
//! settings, and nodes come.

use anyhow::Result;
use provena_client::{
    amount::Currency,
    chain::{Chain, accounts, accounts::ProgramAccount as _},
    offer, token,
};
use provena_market::{
    fees::Work,
    pda,
    state::{Admin, Node, Offer},
};
use provena_node::tasks::{
    Limits,
    admission::{Refusal, declines},
};
use solana_pubkey::Pubkey;

/// Tokens of a prompt that is short, with what a model's template adds.
const SHORT_PROMPT: u32 = 16;

/// How every such sentence begins.
const USUAL: &str = "Nodes with the usual settings";

/// What may keep nodes from the jobs of an offer that was made just now.
///
/// # Errors
/// The chain does not answer.
pub(super) async fn doubts(chain: &dyn Chain, address: &Pubkey, unit: &str) -> Result<Vec<String>> {
    let terms = offer::get(chain, address).await?;
    let admin = accounts::fetch::<Admin, _>(chain, &pda::admin().0).await?;
    let mut doubts = of_terms(&terms, admin.protocol_fee_bps, unit);
    if terms.seats > 1 {
        let nodes = accounts::list::<Node, _>(chain, &Node::filter()).await?;
        let least = admin.min_stake.max(terms.bond_lamports);
        let able = nodes.iter().filter(|(_, node)| node.stake >= least).count();
        doubts.extend(of_number(able, &terms));
    }
    Ok(doubts)
}

/// What nodes with the usual settings decline, each with the reason and the number.
fn of_terms(terms: &Offer, protocol_bps: u16, unit: &str) -> Vec<String> {
    let sol = Currency::sol();
    let output = u32::from(terms.max_output_units > 0);
    let smallest = if output > 0 { SHORT_PROMPT.min(terms.max_input_units) } else { 1 };
    let work = |input: u32| Work::new(input, output);
    let mut limits = Limits::default();
    let mut doubts = Vec::new();
    // Each limit that was met is put out of the way, so that the next one is found, too.
    while let Some(refusal) = declines(terms, protocol_bps, &limits, work(smallest)) {
        doubts.push(match refusal {
            Refusal::Bond { bond, most } => {
                limits.max_bond = bond;
                format!("{USUAL} stake at most {} on a job, less than this --bond.", sol.show(most))
            }
            Refusal::ShortWindow { window, least } => {
                limits.min_window = u32::try_from(window).unwrap_or(u32::MAX);
                format!("{USUAL} take no jobs of so short a --window; {least} slots is their shortest.")
            }
            Refusal::LongWindows { windows, most } => {
                limits.max_windows = windows;
                format!("{USUAL} take no jobs of so long a --window; {} slots is their longest.", most / 3)
            }
            // What it is worth to them only they know.
            Refusal::NoRate(mint) => {
                let mint = token::name(&mint);
                doubts.push(format!("{USUAL} are paid in SOL alone: an operator takes {mint} once he has set a rate for it."));
                break;
            }
            Refusal::Pay { pay, least, .. } => {
                let (pay, least) = (sol.price(pay), sol.show(least));
                doubts.push(match first_taken(terms, protocol_bps, &limits, work) {
                    Some(first) => format!(
                        "{USUAL} take no less than {least} for a job, and of {smallest} {unit}(s) they get {pay}: they take jobs of \
                         {first} {unit}s and more."
                    ),
                    None => format!(
                        "{USUAL} take no less than {least} for a job, and of the largest one that the offer allows they get \
                         {pay}: they take none. Raise the price, or lower --royalty."
                    ),
                });
                break;
            }
            // Nothing else is said by terms alone.
            _ => break,
        });
    }
    doubts
}

/// The fewest units of input for which a node is paid enough; `None` when the offer allows no such job.
fn first_taken(terms: &Offer, protocol_bps: u16, limits: &Limits, work: impl Fn(u32) -> Work) -> Option<u32> {
    let taken = |input: u32| declines(terms, protocol_bps, limits, work(input)).is_none();
    let (mut least, mut most) = (1, terms.max_input_units);
    if !taken(most) {
        return None;
    }
    while least < most {
        let middle = least + (most - least) / 2;
        if taken(middle) { most = middle } else { least = middle + 1 }
    }
    Some(least)
}

/// What too few nodes mean for a job that wants several.
fn of_number(able: usize, terms: &Offer) -> Option<String> {
    let (seats, quorum) = (terms.seats, terms.quorum);
    let there = match able {
        0 => "No node is registered that stakes enough".to_owned(),
        1 => "One node is registered that stakes enough".to_owned(),
        more => format!("{more} nodes are registered that stake enough"),
    };
    if able < usize::from(quorum) {
        return Some(format!(
            "{there}, and {quorum} must agree: until there are more no job is answered, and deposits go back."
        ));
    }
    (able < usize::from(seats)).then(|| {
        format!("{there}, and {seats} are asked for: until there are more each answer waits until the time of its job is over.")
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    fn terms(bond: u64, window: u32, price: u64) -> Offer {
        let mut terms: Offer = bytemuck::Zeroable::zeroed();
        (terms.bond_lamports, terms.input_price, terms.royalty_bps) = (bond, price, 5_000);
        (terms.open_window, terms.commit_window, terms.reveal_window) = (window, window, window);
        (terms.max_input_units, terms.seats, terms.quorum) = (64, 1, 1);
        terms
    }

    #[test]
    fn what_usual_nodes_decline_is_said() {
        let said = |terms: &Offer| of_terms(terms, 100, "picture");
        assert_eq!(said(&terms(1_000_000_000, 3_000, 1_000_000)), Vec::<String>::new());
        let [bond, window] = said(&terms(1_000_000_001, 3_001, 1_000_000)).try_into().unwrap();
        assert!(bond.contains("at most 1 SOL") && window.contains("3000 slots is their longest"), "{bond} {window}");
        let [window] = said(&terms(100_000_000, 149, 1_000_000)).try_into().unwrap();
        assert!(window.contains("150 slots is their shortest"), "{window}");
        // One lamport for a picture.
        let [pay] = said(&terms(100_000_000, 300, 1)).try_into().unwrap();
        assert!(pay.contains("0.000025 SOL") && pay.contains("(32 lamports)") && pay.contains("take none"), "{pay}");
        let [pay] = said(&terms(100_000_000, 300, 10_000)).try_into().unwrap();
        assert!(pay.contains("of 1 picture(s) they get 0.0000049 SOL") && pay.contains("jobs of 6 pictures"), "{pay}");
        let mut token = terms(100_000_000, 300, 1);
        token.mint = Pubkey::new_from_array([7; 32]);
        let [rate] = said(&token).try_into().unwrap();
        assert!(rate.contains("paid in SOL alone"), "{rate}");
    }

    #[test]
    fn too_few_nodes_are_said() {
        let mut three = terms(1, 300, 1);
        (three.seats, three.quorum) = (3, 2);
        assert!(of_number(1, &three).unwrap().contains("One node is registered that stakes enough, and 2 must agree"));
        assert!(of_number(2, &three).unwrap().contains("3 are asked for"));
        assert_eq!(of_number(3, &three), None);
    }
}
