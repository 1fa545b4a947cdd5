//! The config file's sections and their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use provena_engine::generate::Options;
use serde::Deserialize;
use solana_commitment_config::CommitmentLevel;

use crate::blobs::Quotas;

/// `[chain]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// JSON-RPC server.
    pub rpc_url: String,
    /// WebSocket server; derived from `rpc_url` when absent.
    #[serde(default)]
    pub ws_url: Option<String>,
    /// How final an answer must be.
    #[serde(default = "default::commitment")]
    pub commitment: CommitmentLevel,
    /// Longest wait for one answer, in seconds.
    #[serde(default = "default::rpc_timeout_s")]
    pub timeout_s: u64,
    /// Seconds between two full looks while a subscription is up.
    #[serde(default = "default::poll_s")]
    pub poll_s: u64,
    /// Priority fee.
    #[serde(default)]
    pub micro_lamports_per_unit: u64,
    /// The most to which the priority fee may rise near a deadline; it never rises where this is not more.
    #[serde(default)]
    pub most_micro_lamports_per_unit: u64,
}

/// `[node]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Path of the key file, relative to the config file.
    pub key: PathBuf,
    /// Folder of the crash log, results and receipts, relative to the config file.
    #[serde(default = "default::data")]
    pub data: PathBuf,
    /// Mints of the models to serve, in base58; empty serves all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Jobs in progress at the same time, those that wait for other nodes or for the chain included.
    #[serde(default = "default::max_jobs")]
    pub max_jobs: usize,
    /// Answers computed at the same time.
    #[serde(default = "default::max_computing")]
    pub max_computing: usize,
    /// Part of stake and places that the jobs of one payer may hold, in percent.
    #[serde(default = "default::payer_percent")]
    pub payer_percent: u64,
    /// Part that the jobs of one offer may hold, in percent.
    #[serde(default = "default::offer_percent")]
    pub offer_percent: u64,
    /// Part that jobs of several seats may hold, in percent.
    #[serde(default = "default::waiting_percent")]
    pub waiting_percent: u64,
    /// Longest time, in milliseconds, that a job of one seat may take to be computed before its seat is taken.
    #[serde(default = "default::at_once_ms")]
    pub at_once_ms: u64,
    /// Least pay for a job in lamports, above what its transactions cost.
    #[serde(default)]
    pub min_profit_lamports: u64,
    /// Least pay for holding a bond, in millionths of the bond.
    #[serde(default = "default::bond_ppm")]
    pub bond_ppm: u64,
    /// Mints other than SOL in which the node is paid.
    #[serde(default)]
    pub mints: Vec<MintRate>,
    /// Largest bond to stake on one job, in lamports.
    #[serde(default = "default::max_bond_lamports")]
    pub max_bond_lamports: u64,
    /// Shortest time to commit or reveal, in slots.
    #[serde(default = "default::min_window_slots")]
    pub min_window_slots: u32,
    /// Longest time from posting to the last reveal, in slots.
    #[serde(default = "default::max_windows_slots")]
    pub max_windows_slots: u64,
    /// Largest artifact in bytes.
    #[serde(default = "default::max_artifact_bytes")]
    pub max_artifact_bytes: u64,
    /// Bytes of artifacts kept loaded.
    #[serde(default = "default::model_cache_bytes")]
    pub model_cache_bytes: u64,
}

/// `[[node.mints]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintRate {
    /// The mint, in base58.
    pub mint: String,
    /// Lamports that a million of its base units are worth.
    pub lamports_per_million: u64,
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Stores after the node's own.
    pub urls: Vec<String>,
    /// Longest wait for a remote store's next piece, in seconds.
    pub timeout_s: u64,
    /// Bytes of the disk that stay free.
    pub keep_free_bytes: u64,
    /// Bytes of artifacts in the node's own store.
    pub artifacts_bytes: u64,
    /// Bytes of inputs of jobs.
    pub inputs_bytes: u64,
    /// Bytes of what wallets upload before there is a job.
    pub uploads_bytes: u64,
    /// Bytes of answers.
    pub answers_bytes: u64,
    /// Whether other nodes' addresses may be private; absent, they may where the RPC server is on this machine and the chain
    /// is none of Solana's public ones.
    pub private_peers: Option<bool>,
}

impl StoreConfig {
    /// The room for each class.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        Quotas {
            artifacts: self.artifacts_bytes,
            inputs: self.inputs_bytes,
            uploads: self.uploads_bytes,
            answers: self.answers_bytes,
            keep_free: self.keep_free_bytes,
        }
    }
}

/// `[engine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineConfig {
    /// "best", "gpu", "cpu" or an adapter's name.
    pub adapter: String,
    /// Tokens of texts in progress kept for each model of words; 0 for one full context, at least 4,096.
    pub cache_tokens: usize,
    /// Texts that one model continues at the same time.
    pub texts: usize,
    /// Tokens of prompts that are read in one step.
    pub chunk: usize,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Whether PUT is served.
    pub uploads: bool,
    /// Largest blob taken; never more than a request may have.
    pub max_upload_bytes: u64,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections of one address; 0 for no limits by address, as behind a proxy.
    pub address_connections: usize,
    /// Longest wait for a request's headers, for the next one, and for who sends or takes too slowly, in seconds.
    pub timeout_s: u64,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Text for people, JSON for programs.
    pub format: LogFormat,
    /// A `tracing` filter.
    pub filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            timeout_s: 30,
            keep_free_bytes: 512 << 20,
            artifacts_bytes: 64 << 30,
            inputs_bytes: 2 << 30,
            uploads_bytes: 256 << 20,
            answers_bytes: 2 << 30,
            private_peers: None,
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        let Options { sequences, chunk, .. } = Options::default();
        Self { adapter: "best".to_owned(), cache_tokens: 0, texts: sequences, chunk }
    }
}

impl EngineConfig {
    /// How models of words are loaded.
    #[must_use]
    pub fn options(&self) -> Options {
        let cache_tokens = (self.cache_tokens > 0).then_some(self.cache_tokens);
        Options { cache_tokens, sequences: self.texts, chunk: self.chunk, ..Options::default() }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_700)),
            uploads: true,
            max_upload_bytes: provena_wire::MAX_REQUEST_LEN as u64,
            connections: 512,
            address_connections: 64,
            timeout_s: 10,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

mod default {
    use std::path::PathBuf;

    use solana_commitment_config::CommitmentLevel;

    use crate::tasks::Limits;

    pub(super) fn commitment() -> CommitmentLevel {
        CommitmentLevel::Confirmed
    }
    pub(super) fn rpc_timeout_s() -> u64 {
        20
    }
    pub(super) fn poll_s() -> u64 {
        10
    }
    pub(super) fn data() -> PathBuf {
        "provena-node".into()
    }
    pub(super) fn max_jobs() -> usize {
        Limits::default().max_jobs
    }
    pub(super) fn max_computing() -> usize {
        8
    }
    pub(super) fn payer_percent() -> u64 {
        Limits::default().payer_percent
    }
    pub(super) fn offer_percent() -> u64 {
        Limits::default().offer_percent
    }
    pub(super) fn waiting_percent() -> u64 {
        Limits::default().waiting_percent
    }
    pub(super) fn at_once_ms() -> u64 {
        500
    }
    pub(super) fn bond_ppm() -> u64 {
        Limits::default().bond_ppm
    }
    pub(super) fn max_bond_lamports() -> u64 {
        Limits::default().max_bond
    }
    pub(super) fn min_window_slots() -> u32 {
        Limits::default().min_window
    }
    pub(super) fn max_windows_slots() -> u64 {
        Limits::default().max_windows
    }
    pub(super) fn max_artifact_bytes() -> u64 {
        16 << 30
    }
    pub(super) fn model_cache_bytes() -> u64 {
        4 << 30
    }
}
