//! A node's account: its stake, and what it says of itself.

use crate::localnet::{Localnet, nobody};

#[test]
fn n5_a_nodes_stake_is_raised_taken_out_and_comes_back_at_the_end() {
    let net = Localnet::start(10);
    let endpoint = "http://127.0.0.1:8700";
    let register =
        |stake: &'static str, endpoint: &'static str| ["node", "register", "--stake", stake, "--endpoint", endpoint];
    let long = format!("https://{}.example", "n".repeat(96));
    net.refuses(&[
        (&register("0.5", endpoint), 1, &["at least 1 SOL", "--stake"]),
        (&register("1", "ftp://127.0.0.1"), 2, &["is no address that HTTP reaches", "https://"]),
        (&["node", "register", "--stake", "1", "--endpoint", &long], 2, &["there is room for 96"]),
        (&["node", "status"], 1, &["is no node on this chain", "node register"]),
        (&["node", "stake", "1"], 1, &["is no node"]),
        (&["node", "withdraw", "1"], 1, &["is no node"]),
        (&["node", "update", "--capacity", "1"], 1, &["is no node"]),
        (&["node", "close"], 1, &["is no node"]),
    ]);
    let before = net.balance();
    net.run(&register("2", endpoint)).ok();
    net.refuses(&[
        (&register("2", endpoint), 1, &["is a node already", "node update"]),
        (&["node", "withdraw", "1.5"], 1, &["0.5 SOL would be left", "withdraw all"]),
        (&["node", "withdraw", "2.1"], 1, &["2 SOL of the stake is free, not 2.1 SOL"]),
        (&["node", "withdraw", "0"], 2, &["that is nothing"]),
        (&["node", "stake", "0"], 2, &["that is nothing"]),
        (&["node", "update"], 2, &["there is nothing to change"]),
    ]);
    assert_eq!(net.run(&["node", "stake", "1"]).ok().json()["stake"], 3_000_000_000u64);
    assert_eq!(net.run(&["node", "withdraw", "1.5"]).ok().json()["stake"], 1_500_000_000u64);
    let moved = net.run(&["node", "update", "--endpoint", "https://new.example", "--capacity", "8"]).ok().json();
    assert_eq!((&moved["endpoint"], &moved["capacity"]), (&"https://new.example".into(), &8.into()));
    let kept = net.run(&["node", "update", "--capacity", "4"]).ok().json();
    assert_eq!((&kept["endpoint"], &kept["capacity"]), (&"https://new.example".into(), &4.into()));

    let listed = net.run(&["node", "list"]).ok().json();
    assert_eq!((&listed[0]["node"], &listed[0]["free"]), (&net.address().into(), &1_500_000_000u64.into()));
    assert!(net.read(&["node", "list"]).contains("https://new.example"));
    assert!(net.read(&["node", "status", &net.address()]).contains("1.5 SOL"));
    net.refuses(&[(&["node", "status", &nobody()], 1, &["is no node"])]);

    let closed = net.run(&["node", "close"]).ok().json();
    assert_eq!(closed["stake"], 1_500_000_000u64);
    let spent = before - net.balance();
    assert!(spent <= 50_000, "only fees are spent, not {spent}");
    assert_eq!(net.run(&["node", "list"]).ok().json(), serde_json::json!([]));
}
