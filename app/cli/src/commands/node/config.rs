//! The config file of the commands that need one.

use std::path::{Path, PathBuf};

use anyhow::Result;
use provena_node::config::{Config, ConfigError};

use crate::failure::Failure;

/// Which file it is.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigFile {
    /// The node's config file.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    config: PathBuf,
}

impl ConfigFile {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.config
    }

    /// Reads it, and the environment's changes of it.
    ///
    /// # Errors
    /// It is not there, or a setting is wrong.
    pub(super) fn load(&self) -> Result<Config> {
        Config::load(&self.config).map_err(|error| {
            let failure = Failure::failed(error.to_string());
            match error {
                ConfigError::File { .. } => {
                    failure.hint(format!("provena node sample-config > {}", self.config.display())).into()
                }
                _ => failure.hint("provena node sample-config   prints every setting, with what it means").into(),
            }
        })
    }
}
