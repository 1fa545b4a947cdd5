//! The node's settings: a TOML file, overridden by the environment, checked before anything starts.

mod env;
mod error;
mod sections;

use std::path::Path;
use std::time::Duration;

use provena_client::{
    chain::{Budget, RpcChain, RpcOptions},
    keys,
    reach::Reach,
};
use serde::Deserialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use crate::tasks::Limits;

pub use env::PREFIX as ENV_PREFIX;
pub use error::ConfigError;
pub use sections::{ChainConfig, EngineConfig, HttpConfig, LogConfig, LogFormat, MintRate, NodeConfig, StoreConfig};

/// Everything a node needs to know. Every field is documented in the sample file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The cluster.
    pub chain: ChainConfig,
    /// The node itself.
    pub node: NodeConfig,
    /// Where blobs are.
    #[serde(default)]
    pub store: StoreConfig,
    /// What computes.
    #[serde(default)]
    pub engine: EngineConfig,
    /// What is served.
    #[serde(default)]
    pub http: HttpConfig,
    /// What is logged.
    #[serde(default)]
    pub log: LogConfig,
}

impl Config {
    /// The commented sample file.
    #[must_use]
    pub fn sample() -> &'static str {
        include_str!("../config.sample.toml")
    }

    /// Reads a config file and the process's environment. Paths in it are relative to the file.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the setting and says what to write.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() })?;
        let variables = std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX));
        Self::parse(&text, variables, path)
    }

    /// Reads a config from its text and overriding variables; `path` is named in errors and anchors relative paths.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn parse(
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
        path: &Path,
    ) -> Result<Self, ConfigError> {
        let syntax = |reason: String| ConfigError::Syntax { path: path.to_owned(), reason };
        let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| syntax(error.to_string()))?;
        let overridden = env::apply(&mut table, variables)?;
        let mut config: Self = toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            let hint = if overridden.is_empty() {
                String::new()
            } else {
                format!(" (set from the environment: {})", overridden.join(", "))
            };
            syntax(format!("{}{hint}", error.to_string().trim()))
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        config.node.key = base.join(&config.node.key);
        config.node.data = base.join(&config.node.data);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.connect()?;
        self.models()?;
        let zero = |setting, value: u64| match value {
            0 => Err(ConfigError::Value { setting, reason: "must be greater than 0".to_owned() }),
            _ => Ok(()),
        };
        zero("[chain] timeout_s", self.chain.timeout_s)?;
        zero("[chain] poll_s", self.chain.poll_s)?;
        zero("[node] max_jobs", self.node.max_jobs as u64)?;
        zero("[node] max_computing", self.node.max_computing as u64)?;
        self.limits()?;
        zero("[node] max_artifact_bytes", self.node.max_artifact_bytes)?;
        zero("[store] timeout_s", self.store.timeout_s)?;
        zero("[node] max_bond_lamports", self.node.max_bond_lamports)?;
        zero("[node] max_windows_slots", self.node.max_windows_slots)?;
        for (setting, value) in [("[engine] texts", self.engine.texts), ("[engine] chunk", self.engine.chunk)] {
            if !(1..=4_096).contains(&value) {
                return Err(ConfigError::Value { setting, reason: "must be 1 to 4096".to_owned() });
            }
        }
        zero("[store] artifacts_bytes", self.store.artifacts_bytes)?;
        zero("[store] inputs_bytes", self.store.inputs_bytes)?;
        zero("[store] answers_bytes", self.store.answers_bytes)?;
        zero("[http] connections", self.http.connections as u64)?;
        zero("[http] timeout_s", self.http.timeout_s)?;
        zero("[http] max_upload_bytes", self.http.max_upload_bytes)
    }

    /// A connection to the cluster; nothing is sent yet.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a URL that is none.
    pub fn connect(&self) -> Result<RpcChain, ConfigError> {
        let options = RpcOptions {
            rpc_url: self.chain.rpc_url.clone(),
            ws_url: self.chain.ws_url.clone(),
            commitment: self.chain.commitment,
            timeout: Duration::from_secs(self.chain.timeout_s),
            retries: 2,
        };
        RpcChain::new(&options)
            .map_err(|error| ConfigError::Value { setting: "[chain] rpc_url and ws_url", reason: error.to_string() })
    }

    /// What the node takes on.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a part above the whole, or a mint that is none.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        let node = &self.node;
        let percent = |setting, value| match value {
            1..=100 => Ok(value),
            _ => Err(ConfigError::Value { setting, reason: "must be 1 to 100".to_owned() }),
        };
        let rates = node.mints.iter().map(|rate| {
            let setting = "[[node.mints]] mint";
            let bad = |_| ConfigError::Value { setting, reason: format!("{:?} is no base58 address", rate.mint) };
            Ok((rate.mint.parse::<Pubkey>().map_err(bad)?, rate.lamports_per_million))
        });
        Ok(Limits {
            max_bond: node.max_bond_lamports,
            min_window: node.min_window_slots,
            max_windows: node.max_windows_slots,
            min_profit: node.min_profit_lamports,
            bond_ppm: node.bond_ppm,
            priority_fee: self.priority_fee(),
            rates: rates.collect::<Result<_, ConfigError>>()?,
            max_jobs: node.max_jobs,
            payer_percent: percent("[node] payer_percent", node.payer_percent)?,
            offer_percent: percent("[node] offer_percent", node.offer_percent)?,
            waiting_percent: percent("[node] waiting_percent", node.waiting_percent)?,
            at_once: Duration::from_millis(node.at_once_ms),
        })
    }

    /// About the most that one transaction pays for its priority, in lamports.
    fn priority_fee(&self) -> u64 {
        /// Compute units of the dearest step of a job.
        const UNITS: u64 = 40_000;
        let most = self.chain.most_micro_lamports_per_unit.max(self.chain.micro_lamports_per_unit);
        most.saturating_mul(UNITS) / 1_000_000
    }

    /// How far the addresses of other nodes may lead, where the operator says so; else that goes by the chain.
    #[must_use]
    pub fn reach(&self) -> Option<Reach> {
        self.store.private_peers.map(|private| if private { Reach::Private } else { Reach::Public })
    }

    /// The node's key.
    ///
    /// # Errors
    /// [`ConfigError::Key`] says how to make one.
    pub fn key(&self) -> Result<Keypair, ConfigError> {
        keys::read(&self.node.key)
            .map_err(|error| ConfigError::Key { path: self.node.key.clone(), reason: error.to_string() })
    }

    /// The mints of the models to serve; empty means all.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for one that is no address.
    pub fn models(&self) -> Result<Vec<Pubkey>, ConfigError> {
        let wrong = |text: &str| ConfigError::Value {
            setting: "[node] models",
            reason: format!("{text:?} is not an address; write the mint of the model's NFT in base58"),
        };
        self.node.models.iter().map(|text| text.parse().map_err(|_| wrong(text))).collect()
    }

    /// Compute limit and price for this node's transactions.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget {
            compute_units: None,
            micro_lamports_per_unit: self.chain.micro_lamports_per_unit,
            most_micro_lamports_per_unit: self.chain.most_micro_lamports_per_unit,
        }
    }
}
