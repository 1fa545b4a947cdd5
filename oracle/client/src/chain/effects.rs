//! What transactions did to balances, as the cluster recorded it.

use serde::Deserialize;
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{ChainError, RpcChain};

/// A balance before and after a transaction, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The account whose balance it is.
    pub account: Pubkey,
    /// Before the transaction.
    pub before: u64,
    /// After it.
    pub after: u64,
}

impl Change {
    /// What came in; negative when something left.
    #[must_use]
    pub fn gain(&self) -> i128 {
        i128::from(self.after) - i128::from(self.before)
    }
}

/// What one transaction did to the balances of the accounts it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// Lamports that the payer spent on the transaction itself.
    pub fee: u64,
    /// Who paid the fee: the first account.
    pub payer: Pubkey,
    /// Lamports of every account of the transaction.
    pub lamports: Vec<Change>,
    /// Token amounts of every token account of the transaction, with the mint.
    pub tokens: Vec<(Pubkey, Change)>,
}

impl Effects {
    /// Lamports that `account` gained, the fee not counted; 0 when the transaction does not name it.
    #[must_use]
    pub fn lamports_gained(&self, account: &Pubkey) -> i128 {
        let gain = self.lamports.iter().find(|change| change.account == *account).map_or(0, Change::gain);
        if self.payer == *account { gain + i128::from(self.fee) } else { gain }
    }

    /// Token units that the token account gained; 0 when the transaction does not name it.
    #[must_use]
    pub fn tokens_gained(&self, account: &Pubkey) -> i128 {
        self.tokens.iter().find(|(_, change)| change.account == *account).map_or(0, |(_, change)| change.gain())
    }
}

#[derive(Deserialize)]
struct Listed {
    signature: String,
    err: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Recorded {
    transaction: RecordedTransaction,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct RecordedTransaction {
    message: RecordedMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedMessage {
    account_keys: Vec<String>,
}

/// What a transaction named through lookup tables. Balances list it behind the message's own accounts.
#[derive(Deserialize, Default)]
pub(super) struct Loaded {
    pub(super) writable: Vec<String>,
    pub(super) readonly: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    fee: u64,
    #[serde(default)]
    loaded_addresses: Option<Loaded>,
    pre_balances: Vec<u64>,
    post_balances: Vec<u64>,
    #[serde(default)]
    pre_token_balances: Option<Vec<TokenBalance>>,
    #[serde(default)]
    post_token_balances: Option<Vec<TokenBalance>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenBalance {
    account_index: usize,
    mint: String,
    ui_token_amount: TokenAmount,
}

#[derive(Deserialize)]
struct TokenAmount {
    amount: String,
}

/// Signatures of the transactions that named `address` and succeeded, newest first (at most 1,000).
///
/// # Errors
/// The server does not answer, or answers nonsense.
pub async fn signatures(chain: &RpcChain, address: &Pubkey) -> Result<Vec<Signature>, ChainError> {
    let commitment = chain.rpc().commitment().commitment.to_string();
    let params = json!([address.to_string(), { "commitment": commitment }]);
    let listed: Vec<Listed> =
        chain.ask(|| chain.rpc().send(RpcRequest::GetSignaturesForAddress, params.clone())).await?;
    listed
        .into_iter()
        .filter(|listed| listed.err.is_none())
        .map(|listed| listed.signature.parse().map_err(|_| nonsense(chain, "it listed a signature that is none")))
        .collect()
}

/// What the transaction did to balances, or `None` while the cluster has no record of it.
///
/// # Errors
/// The server does not answer, or answers nonsense.
pub async fn effects(chain: &RpcChain, signature: &Signature) -> Result<Option<Effects>, ChainError> {
    let commitment = chain.rpc().commitment().commitment.to_string();
    let config = json!({ "encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0 });
    let params = json!([signature.to_string(), config]);
    let recorded: Option<Recorded> = chain.ask(|| chain.rpc().send(RpcRequest::GetTransaction, params.clone())).await?;
    let Some(Recorded { transaction, meta: Some(meta) }) = recorded else { return Ok(None) };
    let parse =
        |text: &String| text.parse().map_err(|_| nonsense(chain, "an account of the transaction is no address"));
    let loaded = meta.loaded_addresses.iter().flat_map(|loaded| loaded.writable.iter().chain(&loaded.readonly));
    let keys = transaction.message.account_keys.iter().chain(loaded).map(parse);
    let keys: Vec<Pubkey> = keys.collect::<Result<_, _>>()?;
    let payer = *keys.first().ok_or_else(|| nonsense(chain, "the transaction names no account"))?;
    let balances = meta.pre_balances.iter().zip(&meta.post_balances);
    let lamports = keys
        .iter()
        .zip(balances)
        .map(|(account, (before, after))| Change { account: *account, before: *before, after: *after })
        .collect();
    let tokens = tokens(&keys, &meta).ok_or_else(|| nonsense(chain, "a token balance of the transaction is broken"))?;
    Ok(Some(Effects { fee: meta.fee, payer, lamports, tokens }))
}

/// Joins the lists before and after: an account opened or closed by the transaction is in one of them only.
fn tokens(keys: &[Pubkey], meta: &Meta) -> Option<Vec<(Pubkey, Change)>> {
    let mut joined: Vec<(Pubkey, Change)> = Vec::new();
    let lists = [(&meta.pre_token_balances, false), (&meta.post_token_balances, true)];
    for (list, is_after) in lists {
        for balance in list.iter().flatten() {
            let account = *keys.get(balance.account_index)?;
            let mint: Pubkey = balance.mint.parse().ok()?;
            let amount: u64 = balance.ui_token_amount.amount.parse().ok()?;
            let known = joined.iter().position(|(_, change)| change.account == account);
            let index = known.unwrap_or(joined.len());
            if known.is_none() {
                joined.push((mint, Change { account, before: 0, after: 0 }));
            }
            let change = &mut joined.get_mut(index)?.1;
            if is_after {
                change.after = amount;
            } else {
                change.before = amount;
            }
        }
    }
    Some(joined)
}

fn nonsense(chain: &RpcChain, reason: &str) -> ChainError {
    ChainError::Rpc { url: chain.url(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_balances_join_even_when_an_account_opens_or_closes() {
        let keys: Vec<Pubkey> = (1..=3u8).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
        let mint = Pubkey::new_from_array([9; 32]);
        let balance = |account_index, amount: &str| TokenBalance {
            account_index,
            mint: mint.to_string(),
            ui_token_amount: TokenAmount { amount: amount.to_owned() },
        };
        let meta = Meta {
            fee: 5000,
            loaded_addresses: None,
            pre_balances: Vec::new(),
            post_balances: Vec::new(),
            pre_token_balances: Some(vec![balance(0, "10"), balance(1, "7")]),
            post_token_balances: Some(vec![balance(0, "4"), balance(2, "6")]),
        };
        let joined = tokens(&keys, &meta).unwrap();
        let gains: Vec<i128> = joined.iter().map(|(_, change)| change.gain()).collect();
        assert_eq!(gains, [-6, -7, 6]);
        let effects = Effects { fee: 5000, payer: keys[0], lamports: Vec::new(), tokens: joined };
        assert_eq!(effects.tokens_gained(&keys[2]), 6);
        assert_eq!(effects.tokens_gained(&mint), 0);
    }

    #[test]
    fn the_payer_s_gain_does_not_count_the_fee() {
        let account = Pubkey::new_from_array([1; 32]);
        let change = Change { account, before: 10_000, after: 7_000 };
        let effects = Effects { fee: 5_000, payer: account, lamports: vec![change], tokens: Vec::new() };
        assert_eq!(effects.lamports_gained(&account), 2_000);
    }
}
