//! What is wrong with a config, and what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the config file {} cannot be read ({reason})", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The file is not what it should be.
    #[error("the config file {} is wrong: {reason}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
    /// A variable does not name a setting.
    #[error("the environment variable {name} names no setting; write {prefix}SECTION__SETTING, e.g. {prefix}CHAIN__RPC_URL", prefix = super::ENV_PREFIX)]
    Variable {
        /// Which variable.
        name: String,
    },
    /// A value is out of range.
    #[error("{setting}: {reason}")]
    Value {
        /// Which setting.
        setting: &'static str,
        /// What is wrong and what to write.
        reason: String,
    },
    /// The key file cannot be used.
    #[error("the key file {} cannot be used ({reason}); make one with `provena keygen --out FILE` and name it in [node] key", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {listen} ({reason}); stop the program that uses it, or set [http] listen to another port (0 takes any free one)"
    )]
    Listen {
        /// Which address.
        listen: SocketAddr,
        /// The system's words.
        reason: String,
    },
}
