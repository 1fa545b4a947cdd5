//! Shares that change hands, and what pools are paid in.

use crate::localnet::{Localnet, nobody};

const SYSTEM: &str = "11111111111111111111111111111111";

#[test]
fn shares_are_given_away_by_their_holder_or_by_whom_it_approved() {
    let net = Localnet::start(5);
    let (friend, friend_address) = net.wallet("friend.json", "1");
    let asset = net.dataset("numbers.csv", &[]);
    let me = net.address();
    let somebody = nobody();
    let transfer = |share: &'static str| {
        net.run(&["royalty", "transfer", &asset, "--to", &somebody, "--share", share]).ok().json()
    };
    assert_eq!(transfer("10%")["shares"], 100_000_000);
    let pool = net.run(&["asset", "show", &asset]).ok().json()["pool"].as_str().unwrap().to_owned();
    let from_me = ["royalty", "transfer", &asset, "--from", &me, "--to", &somebody, "--keypair", &friend, "--share"];
    net.refuses(&[
        (&["royalty", "transfer", &asset, "--to", &somebody, "--share", "90.1%"], 2, &["holds 90%, less than that"]),
        (&["royalty", "transfer", &asset, "--to", &somebody, "--share", "0%"], 2, &["is nothing"]),
        (&["royalty", "transfer", &asset, "--to", &pool, "--share", "1%"], 2, &["cannot hold its own shares"]),
        (&["royalty", "transfer", &nobody(), "--to", &somebody, "--share", "1%"], 1, &["has no royalty pool"]),
        (&["royalty", "transfer", &asset, "--to", &me, "--share", "1%"], 2, &["holds these shares already"]),
        (
            &["royalty", "transfer", &asset, "--to", &asset, "--share", "1%"],
            2,
            &["is no wallet", "its royalty pool", &pool],
        ),
        (&["royalty", "transfer", &asset, "--to", SYSTEM, "--share", "1%"], 2, &["is no wallet"]),
        (&["royalty", "revoke", &asset], 1, &["has approved nobody"]),
        (&["royalty", "approve", &asset, "--to", &somebody, "--share", "91%"], 2, &["holds 90%"]),
    ]);
    net.run(&[&from_me[..], &["1%"]].concat()).fails(1, &["has not approved", "it may move 0%", "royalty approve"]);
    net.run(&["royalty", "approve", &asset, "--to", &friend_address, "--share", "5%"]).ok();
    net.run(&[&from_me[..], &["5.1%"]].concat()).fails(1, &["it may move 5%"]);
    net.run(&[&from_me[..], &["2%"]].concat()).ok();
    net.run(&["royalty", "revoke", &asset]).ok();
    net.run(&[&from_me[..], &["1%"]].concat()).fails(1, &["it may move 0%"]);
    net.run(&["royalty", "transfer", &asset, "--to", &friend_address, "--share", "all"]).ok();

    let holders = net.run(&["royalty", "show", &asset]).ok().json()["mints"][0]["holders"].clone();
    let shares = |address: &str| {
        let holder = holders.as_array().unwrap().iter().find(|holder| holder["address"] == address);
        holder.unwrap()["shares"].as_u64().unwrap()
    };
    assert_eq!((shares(&friend_address), shares(&somebody), shares(&me)), (880_000_000, 120_000_000, 0));
    // The wallet's position stays, for what its shares had earned; this was nothing.
    assert_eq!(net.run(&["royalty", "claim", &asset]).ok().json()["claimed"], serde_json::json!([]));
    net.refuses(&[
        (&["royalty", "claim", &asset, "--for", &nobody()], 1, &["holds no shares of this pool"]),
        (&["royalty", "show", &me], 1, &["has no royalty pool"]),
    ]);
}

#[test]
fn resale_royalties_are_collected_and_claimed_for_a_holder_with_an_empty_wallet() {
    let net = Localnet::start(5);
    let (poor, poor_address) = net.wallet("poor.json", "0");
    let share = format!("{poor_address}=40%");
    let asset = net.dataset("numbers.csv", &["--holder", &share]);
    let pool = net.run(&["asset", "show", &asset]).ok().json()["pool"].as_str().unwrap().to_owned();
    assert_eq!(net.run(&["royalty", "collect", &asset]).ok().json()["collected"], serde_json::json!([]));
    // A marketplace pays the NFT's creator, which is the pool.
    net.run(&["airdrop", "0.1", "--to", &pool]).ok();
    let shown = net.run(&["royalty", "show", &asset]).ok().json();
    assert_eq!((&shown["mints"][0]["resale"], &shown["mints"][0]["held"]), (&100_000_000.into(), &0.into()));
    assert!(net.read(&["royalty", "show", &asset]).contains("from resales"));
    let collected = net.run(&["royalty", "collect", &asset]).ok().json();
    assert_eq!(collected["collected"][0]["amount"], 100_000_000);

    // The holder has nothing to pay a fee with; somebody else does, and the money is the holder's.
    let claim = ["royalty", "claim", &asset, "--for", &poor_address];
    let other = nobody();
    net.refuses(&[(&[&claim[..], &["--to", &other]].concat(), 2, &["cannot be used with"])]);
    assert_eq!(net.run(&claim).ok().json()["claimed"][0]["amount"], 40_000_000);
    assert_eq!(net.balance_of(&poor_address), 40_000_000);
    assert_eq!(net.run(&claim).ok().json()["claimed"], serde_json::json!([]));
    // Who gave all its shares away keeps what they earned. From everything, to where its holder wants it.
    net.run(&["royalty", "transfer", &asset, "--to", &other, "--share", "all"]).ok();
    net.refuses(&[(&["royalty", "close", &asset], 1, &["or something that they earned"])]);
    let elsewhere = nobody();
    let claimed = net.run(&["royalty", "claim", "--to", &elsewhere]).ok().json();
    assert_eq!((&claimed["claimed"][0]["amount"], &claimed["asset"]), (&60_000_000.into(), &serde_json::Value::Null));
    assert_eq!(net.balance_of(&elsewhere), 60_000_000);
    net.run(&["royalty", "claim", "--keypair", &poor]).ok();
    // Nothing is left of the wallet's position: its rent comes back, once.
    let before = net.balance();
    net.run(&["royalty", "close", &asset]).ok();
    assert!(net.balance() > before + 4_000_000);
    net.refuses(&[
        (&["royalty", "close", &asset], 1, &["holds no shares of this pool"]),
        (&["royalty", "close", &asset, "--of", &poor_address], 1, &["has shares of this pool"]),
    ]);
}

#[test]
fn a_token_is_allowed_before_anything_is_paid_in_it() {
    let net = Localnet::start(5);
    let (token, other) = (net.token(), net.token());
    net.run(&["deploy", "--init-only", "--allow", &token]).ok();
    let (stranger, _) = net.wallet("stranger.json", "1");
    net.run(&["deploy", "--init-only", "--allow", &other, "--keypair", &stranger])
        .fails(1, &["may allow payment mints", "--keypair"]);

    let asset = net.dataset("numbers.csv", &["--pay-in", &token, "--unit-floor", &format!("{token}=0.25")]);
    let shown = net.run(&["royalty", "show", &asset]).ok().json();
    let mints: Vec<&str> = shown["mints"].as_array().unwrap().iter().map(|one| one["mint"].as_str().unwrap()).collect();
    assert_eq!(mints, ["SOL", token.as_str()]);
    let floors = net.run(&["asset", "show", &asset]).ok().json()["unit_floors"].clone();
    assert_eq!((&floors[0]["amount"], &floors[0]["decimals"]), (&25.into(), &2.into()));
    let file = net.file("more.csv", "more\n");
    net.refuses(&[
        (&["dataset", "mint", &file, "--pay-in", &other], 1, &["is not on the list of payment mints", "--allow"]),
        (&["dataset", "mint", &file, "--unit-floor", &format!("{token}=0.255")], 2, &["has only 2"]),
    ]);
}
