//! Reading accounts over RPC.

use async_trait::async_trait;
use solana_account::Account;
use solana_client::rpc_config::{CommitmentConfig, RpcAccountInfoConfig, RpcProgramAccountsConfig, UiAccountEncoding};
use solana_client::rpc_filter::{Memcmp, RpcFilterType};
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_response::RpcKeyedAccount;
use solana_pubkey::Pubkey;

use super::genesis::Care;
use super::{AccountFilter, ChainError, ChainReader, Changes, HealthReport, RpcChain, Watch};
use crate::reach::{self, Reach};

/// Servers answer at most this many accounts in one request.
const ACCOUNTS_PER_REQUEST: usize = 100;

#[async_trait]
impl ChainReader for RpcChain {
    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        if let Some(known) = self.connection.genesis.expected() {
            return Ok(known);
        }
        let hash = self.ask_with(Care::Act, || self.rpc().get_genesis_hash()).await?.to_bytes();
        Ok(self.connection.genesis.expected().unwrap_or(hash))
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        let slot = self.ask(|| self.rpc().get_slot()).await?;
        self.saw_slot(slot);
        Ok(slot)
    }

    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError> {
        Ok(self.accounts(&[*address]).await?.into_iter().next().flatten())
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError> {
        let mut found = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(ACCOUNTS_PER_REQUEST) {
            let answer =
                self.ask(|| self.rpc().get_multiple_accounts_with_commitment(some, self.rpc().commitment())).await?;
            self.saw_slot(answer.context.slot);
            found.extend(answer.value);
        }
        Ok(found)
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Account)>, ChainError> {
        let config = program_config(filter, self.rpc().commitment());
        let params = serde_json::json!([program.to_string(), config]);
        let listed: Vec<RpcKeyedAccount> =
            self.ask(|| self.rpc().send(RpcRequest::GetProgramAccounts, params.clone())).await?;
        listed.into_iter().map(|keyed| self.keyed(keyed)).collect()
    }

    async fn rent_exempt(&self, len: usize) -> Result<u64, ChainError> {
        self.ask(|| self.rpc().get_minimum_balance_for_rent_exemption(len)).await
    }

    fn watch(&self, watch: Watch) -> Changes {
        Changes::subscribe(self.ws_url.clone(), watch, self.rpc().commitment(), self.connection.health.clone())
    }

    fn health(&self) -> HealthReport {
        self.connection.health.report()
    }

    async fn reach(&self) -> Result<Reach, ChainError> {
        match self.reach {
            Some(chosen) => Ok(chosen),
            None if reach::is_here(&self.url()) => Ok(Reach::of_chain(&self.url(), &self.cluster().await?)),
            None => Ok(Reach::Public),
        }
    }
}

impl RpcChain {
    fn saw_slot(&self, slot: u64) {
        if self.connection.health.saw_slot(slot) {
            self.connection.genesis.suspect();
        }
    }

    fn keyed(&self, keyed: RpcKeyedAccount) -> Result<(Pubkey, Account), ChainError> {
        let bad = |reason: &str| ChainError::Rpc { url: self.url(), reason: reason.to_owned() };
        let address = keyed.pubkey.parse().map_err(|_| bad("it listed an account whose address is not one"))?;
        let account = keyed.account.decode().ok_or_else(|| bad("it listed an account that cannot be decoded"))?;
        Ok((address, account))
    }
}

/// The request's filters; base64 because base58 is refused for accounts above 128 bytes.
pub(super) fn program_config(filter: &AccountFilter, commitment: CommitmentConfig) -> RpcProgramAccountsConfig {
    let size = filter.len.map(RpcFilterType::DataSize);
    let bytes =
        filter.bytes.iter().map(|(offset, bytes)| RpcFilterType::Memcmp(Memcmp::new_base58_encoded(*offset, bytes)));
    let filters: Vec<_> = size.into_iter().chain(bytes).collect();
    RpcProgramAccountsConfig {
        filters: (!filters.is_empty()).then_some(filters),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(commitment),
            ..RpcAccountInfoConfig::default()
        },
        ..RpcProgramAccountsConfig::default()
    }
}
