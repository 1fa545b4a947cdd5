//! What transactions said, as the cluster recorded it: the history of an account that may be closed since.

use serde::Deserialize;
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{ChainError, RpcChain, effects};

/// An instruction of a transaction that succeeded. Calls of one program by another are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastInstruction {
    /// Whose.
    pub program: Pubkey,
    /// The accounts that it named, in order.
    pub accounts: Vec<Pubkey>,
    /// Its bytes.
    pub data: Vec<u8>,
}

#[derive(Deserialize)]
struct Recorded {
    transaction: RecordedTransaction,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct RecordedTransaction {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    account_keys: Vec<String>,
    instructions: Vec<Compiled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compiled {
    program_id_index: usize,
    accounts: Vec<usize>,
    data: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    loaded_addresses: Option<effects::Loaded>,
}

/// The instructions of the transactions that named `address` and succeeded, newest transaction first (of the last 1,000).
///
/// # Errors
/// The server does not answer, or answers nonsense.
pub async fn instructions(chain: &RpcChain, address: &Pubkey) -> Result<Vec<PastInstruction>, ChainError> {
    let mut all = Vec::new();
    for signature in effects::signatures(chain, address).await? {
        all.extend(instructions_of(chain, &signature).await?);
    }
    Ok(all)
}

/// The instructions of one transaction; none while the cluster has no record of it.
///
/// # Errors
/// As for [`instructions`].
pub async fn instructions_of(chain: &RpcChain, signature: &Signature) -> Result<Vec<PastInstruction>, ChainError> {
    let commitment = chain.rpc().commitment().commitment.to_string();
    let config = json!({ "encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0 });
    let params = json!([signature.to_string(), config]);
    let recorded: Option<Recorded> = chain.ask(|| chain.rpc().send(RpcRequest::GetTransaction, params.clone())).await?;
    let nonsense = || ChainError::Rpc { url: chain.url(), reason: format!("its record of {signature} is broken") };
    recorded.map_or(Ok(Vec::new()), |recorded| read(recorded).ok_or_else(nonsense))
}

fn read(Recorded { transaction, meta }: Recorded) -> Option<Vec<PastInstruction>> {
    let loaded = meta.unwrap_or_default().loaded_addresses.unwrap_or_default();
    let Message { account_keys, instructions } = transaction.message;
    let keys = account_keys.iter().chain(&loaded.writable).chain(&loaded.readonly);
    let keys: Vec<Pubkey> = keys.map(|key| key.parse().ok()).collect::<Option<_>>()?;
    let key = |index: &usize| keys.get(*index).copied();
    let instruction = |Compiled { program_id_index, accounts, data }: &Compiled| {
        Some(PastInstruction {
            program: key(program_id_index)?,
            accounts: accounts.iter().map(key).collect::<Option<_>>()?,
            data: bs58::decode(data).into_vec().ok()?,
        })
    };
    instructions.iter().map(instruction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_lookup_tables_follow_those_of_the_message() {
        let key = |byte: u8| Pubkey::new_from_array([byte; 32]).to_string();
        let recorded = json!({
            "transaction": { "message": {
                "accountKeys": [key(1), key(2)],
                "instructions": [{ "programIdIndex": 1, "accounts": [0, 3, 2], "data": bs58::encode([7, 8]).into_string() }],
            } },
            "meta": { "loadedAddresses": { "writable": [key(3)], "readonly": [key(4)] } },
        });
        let found = read(serde_json::from_value(recorded).unwrap()).unwrap();
        let expected = PastInstruction {
            program: Pubkey::new_from_array([2; 32]),
            accounts: [1, 4, 3].map(|byte| Pubkey::new_from_array([byte; 32])).to_vec(),
            data: vec![7, 8],
        };
        assert_eq!(found, [expected]);
        let missing = json!({ "transaction": { "message": {
            "accountKeys": [key(1)],
            "instructions": [{ "programIdIndex": 4, "accounts": [], "data": "" }],
        } }, "meta": null });
        assert_eq!(read(serde_json::from_value(missing).unwrap()), None);
    }
}
