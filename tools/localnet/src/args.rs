//! The command line.

use std::{net::IpAddr, path::PathBuf, str::FromStr};

use clap::Parser;
use solana_pubkey::Pubkey;

/// Runs a local Solana chain with the given programs loaded. Nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "provena-localnet", version)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port of the JSON-RPC endpoint; 0 takes any free one
    #[arg(long, default_value_t = 8899)]
    pub rpc_port: u16,

    /// Port of the WebSocket endpoint; 0 takes any free one
    #[arg(long, default_value_t = 8900)]
    pub ws_port: u16,

    /// Program to load at an address; may be given many times. An account already there is replaced
    #[arg(long = "program", value_name = "ID=PATH.so")]
    pub programs: Vec<ProgramArg>,

    /// Who may upgrade the loaded programs; without it nobody may
    #[arg(long, value_name = "PUBKEY")]
    pub upgrade_authority: Option<Pubkey>,

    /// Keep the chain in this file, created when missing; without it, in memory. It is written every second, so that a
    /// kill loses the last second at most
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Milliseconds between slots
    #[arg(long, default_value_t = 400, value_name = "MS", value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub slot_ms: u64,

    /// Also stop when standard input ends. Whoever starts the chain with a pipe of its own there leaves none behind, even
    /// when it is killed
    #[arg(long)]
    pub until_stdin_closes: bool,

    /// Print the chain's own log on standard error
    #[arg(long, short)]
    pub verbose: bool,
}

/// `<id>=<path>` from the command line.
#[derive(Debug, Clone)]
pub struct ProgramArg {
    pub id: Pubkey,
    pub path: PathBuf,
}

impl FromStr for ProgramArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, path) = text.split_once('=').ok_or("expected <program id>=<path to its .so>")?;
        let id = Pubkey::from_str(id).map_err(|error| format!("{id} is no program id: {error}"))?;
        if path.is_empty() {
            return Err("the path after = is empty".into());
        }
        Ok(Self { id, path: path.into() })
    }
}
