//! What an answer cost its payer, from what the transactions did to the wallet.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provena_client::{
    amount::Currency,
    chain::{
        RpcChain,
        effects::{self, Effects},
    },
    token,
    view::JobView,
};
use provena_market::{constants::DEMAND_DEPOSIT, state::job::flag};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::commands::rent::Rent;

/// How often a server is asked for the record of a transaction that it has confirmed.
const ATTEMPTS: u32 = 50;
/// Time between two such questions.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// What the wallet spent, lent and got back. In lamports it adds up: what the wallet fell by is the network's fees, what is
/// lent, the price where that is SOL, and the rest, less what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bill {
    /// What the answer costs, in base units of the offer's mint.
    pub price: u64,
    /// Lamports for the network.
    pub network_fees: u64,
    /// Transactions of the wallet.
    pub transactions: usize,
    /// Lamports that are lent as rent.
    pub lent: u64,
    /// Lamports that came back from earlier jobs.
    pub returned: i128,
    /// Lamports that were deposited to demand the answer on the chain.
    pub demand_deposit: u64,
    /// Whether that deposit went to whoever put the answer there; where nobody does it comes back.
    pub demand_met: bool,
    /// Lamports for anything else: a deposit that is not back yet, an account that was opened for everybody.
    pub other: i128,
    /// Lamports by which the wallet fell in all.
    pub wallet_fell: i128,
    /// Base units of the token by which it fell; nothing where the price is in SOL.
    pub tokens_fell: i128,
    /// Whether the wallet is that of a node that answered, too: its pay and its transactions are part of all this.
    pub own_node: bool,
}

/// What a bill is made of.
pub(crate) struct Items<'a> {
    /// The job as it was decided.
    pub job: &'a JobView,
    /// Its rent; `None` when it is back.
    pub rent: Option<&'a Rent>,
    /// Transactions of this command for the job.
    pub own: &'a [Signature],
    /// Transactions of this command for earlier jobs.
    pub earlier: &'a [Signature],
}

impl Bill {
    /// Adds up what the transactions did that this command sent or that named the job.
    ///
    /// # Errors
    /// The chain has no record of them.
    pub(crate) async fn add_up(chain: &RpcChain, Items { job, rent, own, earlier }: Items<'_>) -> Result<Self> {
        let wallet = job.job.payer;
        let mint = token::payment_mint(chain, &job.job.mint).await?;
        let account = mint.account_of(&wallet);
        let native = job.job.is_native();
        let mut bill = Self {
            price: job.fee().map_or(0, |fee| fee.0),
            network_fees: 0,
            transactions: 0,
            lent: rent.map_or(0, |rent| rent.lamports),
            returned: 0,
            demand_deposit: if job.job.demanded_at == 0 { 0 } else { DEMAND_DEPOSIT.0 },
            demand_met: job.job.has(flag::ANSWERED),
            other: 0,
            wallet_fell: 0,
            tokens_fell: 0,
            own_node: job.seats.iter().any(|seat| seat.node == wallet),
        };
        let mut spent = 0;
        let mut signatures = effects::signatures(chain, &job.address).await?;
        signatures.extend(own);
        signatures.retain(|signature| !earlier.contains(signature));
        signatures.sort_unstable();
        signatures.dedup();
        for signature in &signatures {
            let effects = recorded(chain, signature).await?;
            bill.count_fee(&effects, &wallet);
            spent -= effects.lamports_gained(&wallet);
            if !native {
                bill.tokens_fell -= effects.tokens_gained(&account);
            }
        }
        let mut earlier = earlier.to_vec();
        earlier.sort_unstable();
        earlier.dedup();
        for signature in &earlier {
            let effects = recorded(chain, signature).await?;
            bill.count_fee(&effects, &wallet);
            bill.returned += effects.lamports_gained(&wallet);
        }
        let price = if native { i128::from(bill.price) } else { 0 };
        bill.other = spent - price - i128::from(bill.lent) - i128::from(bill.demand_deposit);
        bill.wallet_fell = spent + i128::from(bill.network_fees) - bill.returned;
        Ok(bill)
    }

    fn count_fee(&mut self, effects: &Effects, wallet: &Pubkey) {
        if effects.payer == *wallet {
            self.network_fees = self.network_fees.saturating_add(effects.fee);
            self.transactions += 1;
        }
    }

    /// Rows of a table of facts.
    pub(crate) fn rows(&self, currency: &Currency, rent: Option<String>) -> Vec<(&'static str, String)> {
        let sol = |lamports: i128| signed(&Currency::sol(), lamports);
        let transactions = match self.transactions {
            1 => "1 transaction".to_owned(),
            several => format!("{several} transactions"),
        };
        let mut rows = vec![("network fees", format!("{}, {transactions}", sol(self.network_fees.into())))];
        rows.push(("lent, as rent", rent.unwrap_or_else(|| "nothing any more; the job is closed".to_owned())));
        if self.returned != 0 {
            rows.push(("came back", format!("{} from earlier jobs", sol(self.returned))));
        }
        if self.demand_deposit != 0 {
            let what = match self.demand_met {
                true => "to the node that put the answer on the chain",
                false => "lent, until a node puts the answer on the chain and gets it; else it comes back",
            };
            rows.push(("for the demand", format!("{} {what}", sol(self.demand_deposit.into()))));
        }
        if self.other != 0 {
            let why = match self.own_node {
                true => {
                    "this wallet is the node's, too: its pay came here, and the fees above include its transactions"
                }
                false => "deposits on their way, accounts that were opened",
            };
            rows.push(("other", format!("{}: {why}", sol(self.other))));
        }
        let mut fell = change(&Currency::sol(), self.wallet_fell);
        if self.tokens_fell != 0 {
            fell = format!("{fell}, and {}", change(currency, self.tokens_fell));
        }
        rows.push(("your wallet", format!("{fell} in all")));
        rows
    }
}

/// Lamports that transactions cost the wallet which paid for them.
///
/// # Errors
/// The chain has no record of them.
pub(crate) async fn network_fees(chain: &RpcChain, wallet: &Pubkey, signatures: &[Signature]) -> Result<u64> {
    let mut fees: u64 = 0;
    for signature in signatures {
        let effects = recorded(chain, signature).await?;
        if effects.payer == *wallet {
            fees = fees.saturating_add(effects.fee);
        }
    }
    Ok(fees)
}

fn change(currency: &Currency, fell: i128) -> String {
    let word = if fell < 0 { "rose" } else { "fell" };
    format!("{word} by {}", signed(currency, fell.abs()))
}

fn signed(currency: &Currency, amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", currency.show(u64::try_from(amount.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// A confirmed transaction's record, which servers may have a moment after the confirmation.
async fn recorded(chain: &RpcChain, signature: &Signature) -> Result<Effects> {
    for _ in 0..ATTEMPTS {
        if let Some(effects) = effects::effects(chain, signature).await? {
            return Ok(effects);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    None.with_context(|| format!("the chain has no record of transaction {signature}"))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_a_wallet_earned_as_the_node_is_told_apart() {
        let bill = |own_node| Bill {
            price: 1_000_000,
            network_fees: 15_000,
            transactions: 3,
            lent: 0,
            returned: 0,
            demand_deposit: 0,
            demand_met: false,
            other: -490_000,
            wallet_fell: 525_000,
            tokens_fell: 0,
            own_node,
        };
        let other = |own_node| {
            let rows = bill(own_node).rows(&Currency::sol(), None);
            rows.into_iter().find(|(name, _)| *name == "other").unwrap().1
        };
        assert!(other(true).starts_with("-0.00049 SOL: this wallet is the node's, too"), "{}", other(true));
        assert!(!other(false).contains("node"), "{}", other(false));
        // What a demand costs has a name of its own.
        let demanded = Bill { demand_deposit: 60_000, demand_met: true, other: 0, ..bill(false) };
        let rows = demanded.rows(&Currency::sol(), None);
        let row = rows.iter().find(|(name, _)| *name == "for the demand").unwrap();
        assert_eq!(row.1, "0.00006 SOL to the node that put the answer on the chain");
        assert!(rows.iter().all(|(name, _)| *name != "other"));
    }
}
