//! Solana's public clusters. A cluster is known by its genesis hash, wherever it is reached: also through a server, or a tunnel
//! to one, on this machine.

use solana_pubkey::{Pubkey, pubkey};

/// The genesis hash of each public cluster.
const PUBLIC: [(&str, Pubkey); 3] = [
    ("mainnet-beta", pubkey!("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d")),
    ("testnet", pubkey!("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY")),
    ("devnet", pubkey!("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG")),
];

/// The name of the public cluster that has this genesis hash; `None` of any other, which may be one's own.
#[must_use]
pub fn public_name(genesis: &[u8; 32]) -> Option<&'static str> {
    PUBLIC.iter().find(|(_, known)| known.as_array() == genesis).map(|(name, _)| *name)
}
