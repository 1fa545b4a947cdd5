//! What the chain says of a node: its account, its wallet, and what its market asks for. This is read in one place.

use provena_client::chain::{ChainError, ChainReader, SIGNATURE_FEE, accounts};
use provena_market::{
    pda,
    state::{Admin, Node},
};
use serde::Serialize;
use solana_pubkey::Pubkey;

/// Fees of the transactions of one job, in lamports, without a priority fee.
pub const JOB_FEES: u64 = 3 * SIGNATURE_FEE;

/// A wallet that cannot pay the fees of so many more jobs is nearly empty.
pub const FEW_JOBS: u64 = 10;

/// What a wallet must keep, in lamports, to stay on the chain.
pub const WALLET_RENT: u64 = 890_880;

/// What the chain says of the node's money, in lamports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// In the wallet.
    pub balance: u64,
    /// Jobs whose fees the wallet can pay.
    pub jobs_of_fees: u64,
    /// At stake.
    pub stake: u64,
    /// What must be at stake in this market.
    pub least_stake: u64,
    /// Part of the stake that jobs hold.
    pub locked: u64,
    /// Part of the stake that jobs were promised, before the chain counts it as held.
    pub promised: u64,
    /// Part of the stake that new jobs can hold.
    pub free: u64,
    /// Seats for which the bond was lost, ever.
    pub forfeited: u64,
}

impl Money {
    fn of(node: &Node, market: &Admin, balance: u64) -> Self {
        Self {
            stake: node.stake,
            least_stake: market.min_stake,
            locked: node.locked,
            free: node.free().0,
            forfeited: node.forfeited,
            ..Self::of_wallet(balance)
        }
    }

    /// The same, with so much of the stake promised to jobs that the chain does not count yet.
    pub(super) fn with_promised(self, promised: u64) -> Self {
        Self { promised, free: self.free.saturating_sub(promised), ..self }
    }

    /// Of a wallet alone.
    #[must_use]
    pub fn of_wallet(balance: u64) -> Self {
        Self { balance, jobs_of_fees: balance.saturating_sub(WALLET_RENT) / JOB_FEES, ..Self::default() }
    }
}

/// How a node stands in its market.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its account.
    pub node: Node,
    /// The market's.
    pub market: Admin,
    /// Its money.
    pub money: Money,
}

impl Standing {
    /// Reads it in one request; `None` where no node of this authority is registered.
    ///
    /// # Errors
    /// The chain cannot be read, or the market is not set up on it.
    pub async fn read<C: ChainReader + ?Sized>(chain: &C, authority: &Pubkey) -> Result<Option<Self>, ChainError> {
        let (node, admin) = (pda::node(authority).0, pda::admin().0);
        let found = chain.accounts(&[node, *authority, admin]).await?;
        let at = |index: usize| found.get(index).and_then(Option::as_ref);
        // Whoever sends lamports to the address of an account that was closed revives it without data.
        let Some(account) = at(0).filter(|account| account.owner == provena_market::ID) else { return Ok(None) };
        let node = accounts::decode::<Node>(&node, account)?;
        let market = at(2).ok_or(ChainError::Missing { what: "market", address: admin })?;
        let market = accounts::decode::<Admin>(&admin, market)?;
        let balance = at(1).map_or(0, |wallet| wallet.lamports);
        Ok(Some(Self { money: Money::of(&node, &market, balance), node, market }))
    }
}
