//! Strangers write into the chain where they answer. The buyer's terminal calls nobody's own network for them.

use std::path::Path;

use provena_client::keys;
use solana_signer::Signer;

use crate::{
    market::Market,
    provena::{Ended, ended},
};

/// What the buyer is told of a node that is not called.
const NOT_CALLED: &str = "it is not at a public address";

/// Runs a command line of the buyer's whose chain is reached under a name that is not this machine's: as a chain elsewhere is.
fn far(market: &Market, arguments: &[&str]) -> Ended {
    let url = market.wire.url.replace("127.0.0.1", "0.0.0.0");
    let options = ["--url", &url, "--ws", market.net.ws(), "--json"];
    ended(market.buyer.command().args(arguments).args(options).output().unwrap())
}

#[test]
fn x12_a_strangers_address_does_not_make_the_buyer_call_his_own_network() {
    let market = Market::start();
    let ask = market.ask(&["--dry-run"]);
    // On a chain of one's own it is called.
    market.buy(&ask).ok();
    let calls = market.front.connections();
    assert!(calls > 0);
    let key = market.net.person.path("node.json").display().to_string();
    let named = market.front.url.replace("127.0.0.1", "localhost");
    for endpoint in [&market.front.url, &named] {
        market.net.run(&["node", "update", "--endpoint", endpoint, "--keypair", &key]).ok();
        let refused = far(&market, &ask);
        refused.fails(1, &[NOT_CALLED]);
        // Somebody else's node, looked at.
        let node = keys::read(Path::new(&key)).unwrap().pubkey().to_string();
        let status = far(&market, &["node", "status", &node]).ok();
        assert!(status.stdout.contains(NOT_CALLED), "{}", status.stdout);
    }
    assert_eq!(market.front.connections(), calls, "a private address was called");
    // Whoever knows that his nodes are there says so.
    far(&market, &[&ask[..], &["--private-nodes"]].concat()).ok();
    assert!(market.front.connections() > calls);
}
