//! Models and datasets that are minted, licensed, continued, and looked at.

use serde_json::Value;

use crate::localnet::{Localnet, nobody};

#[test]
fn nothing_is_possible_before_the_programs_are_set_up_and_everything_says_so() {
    let net = Localnet::bare(5);
    let data = net.file("data.csv", "1,2,3\n");
    let asset = nobody();
    net.refuses(&[
        (&["node", "register", "--stake", "1", "--endpoint", "http://127.0.0.1:1"], 1, &["not set up", "--init-only"]),
        (&["dataset", "mint", &data], 1, &["is not set up on this chain", "--init-only"]),
        (&["offer", "create", &asset, "--price", "1", "--max-input", "9", "--max-output", "0"], 1, &["not set up"]),
    ]);
    let first = net.run(&["deploy", "--init-only"]).ok().json();
    let what = |done: &Value| -> Vec<(String, bool)> {
        let done = done["initialised"].as_array().unwrap();
        let first_words =
            |what: &Value| what.as_str().unwrap().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        done.iter().map(|one| (first_words(&one["what"]), one["signature"].is_string())).collect()
    };
    let all = |done| ["registry", "royalty program", "market", "lookup table"].map(|what| (what.to_owned(), done));
    assert_eq!(what(&first), all(true));
    assert_eq!(what(&net.run(&["deploy", "--init-only"]).ok().json()), all(false));
}

#[test]
fn n12_what_cannot_be_minted_is_refused_before_anything_is_paid() {
    let net = Localnet::start(3);
    let data = net.file("data.csv", "1,2,3\n");
    let empty = net.file("empty.csv", "");
    let (_, ada) = net.wallet("ada.json", "0");
    let holder = |share: &str| format!("{ada}={share}");
    let (most, least, whole) = (holder("90%"), holder("20%"), holder("100%"));
    let me = format!("{}=50%", net.address());
    let parent = format!("{}=10%", nobody());
    let (stranger, not_a_mint) = (nobody(), ada.clone());
    let token = net.token();
    let mint = ["dataset", "mint", &data];
    let poor = net.wallet("poor.json", "0.01").0;
    let owned = |options: &[&str]| -> Vec<String> { mint.iter().chain(options).map(ToString::to_string).collect() };
    let lines = [
        (owned(&["--title", "a title of more than thirty-two bytes"]), 2, "NFTs allow 32"),
        (owned(&["--title", ""]), 2, "needs a title"),
        (owned(&["--symbol", "ELEVENBYTES"]), 2, "NFTs allow 10"),
        (owned(&["--holder", &most, "--holder", &least]), 2, "is named twice"),
        (owned(&["--holder", &most, "--holder", &format!("{stranger}=20%")]), 2, "add up to 110%, more than 100%"),
        (owned(&["--holder", &me]), 2, "50% of the revenue would belong to nobody"),
        (owned(&["--holder", &whole, "--parent", &parent]), 1, "is no asset on this chain"),
        (owned(&["--parent", &parent, "--under", &format!("{stranger}=1")]), 2, "which is no --parent"),
        (owned(&["--pay-in", &not_a_mint]), 1, "is not a token mint on this chain"),
        (owned(&["--pay-in", &token]), 1, "is not on the list of payment mints"),
        (owned(&["--unit-floor", "SOL=0"]), 2, "asks for nothing"),
        (owned(&["--consent-required"]), 2, "--derivative-share"),
        (owned(&["--consent", &poor]), 2, "--parent"),
        (owned(&["--name", "Two words"]), 2, "a name has 1 to 32"),
        (owned(&["--image", &data]), 2, "is no picture that wallets show"),
        (owned(&["--uri", "data.json"]), 2, "is no address of an NFT's document"),
        (owned(&["--uri", "ftp://models.example/data.json"]), 2, "is no address of an NFT's document"),
        (owned(&["--uri", "ipfs://bafybeigd"]), 2, "where the picture of ipfs://bafybeigd is"),
        (owned(&["--host", "http://127.0.0.1:9/v1"]), 1, "cannot store the picture"),
        (owned(&["--keypair", &poor]), 1, "takes about 0.04"),
        (vec!["dataset".into(), "mint".into(), empty.clone()], 2, "the content is empty"),
    ];
    let before = net.balance();
    for (line, code, words) in &lines {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        net.run(&line).fails(*code, &[words]);
    }
    assert_eq!(net.balance(), before);
    assert_eq!(net.run(&["asset", "pending"]).ok().json(), Value::Array(Vec::new()), "nothing was begun");
}

#[test]
fn a_dataset_is_licensed_and_built_on_under_its_terms() {
    let net = Localnet::start(5);
    let (stranger, _) = net.wallet("stranger.json", "1");
    let title = "Numbers\u{1b}[31m";
    let asset = net.dataset("numbers.csv", &["--title", title, "--derivative-share", "10%"]);
    let shown = net.run(&["asset", "show", &asset]).ok().json();
    assert_eq!((&shown["kind"], &shown["status"], &shown["version"]), (&"dataset".into(), &"active".into(), &1.into()));
    assert_eq!((&shown["title"], &shown["owner"]), (&title.into(), &net.address().into()));
    let licence = &shown["licences"][0];
    assert_eq!((&licence["licence"], &licence["basis_points"]), (&1.into(), &1_000.into()));
    let read = net.read(&["asset", "show", &asset]);
    assert!(read.contains("Numbers\\u{1b}[31m") && !read.contains('\u{1b}'), "{read}");
    assert_eq!(read, net.read(&["model", "show", &asset]));

    // The same bytes cannot be minted again, by nobody.
    let again = net.file("copy.csv", "the content of numbers.csv\n");
    net.refuses(&[(&["dataset", "mint", &again], 1, &["is registered already, as", &asset])]);

    // Licences: another one, and the first retired.
    let publish = ["asset", "licence", "publish", &asset, "--share"];
    let second = net.run(&[&publish[..], &["5%", "--floor", "3%", "--consent"]].concat()).ok().json();
    assert_eq!(second["licence"], 2);
    assert!(net.read(&["asset", "licence", "list", &asset]).contains("owner must sign"));
    net.run(&["asset", "licence", "retire", &asset, "1"]).ok();
    let as_stranger = ["--keypair", stranger.as_str()];
    net.refuses(&[
        (&[&publish[..], &["5%", "--number", "2"]].concat(), 2, &["has a licence number 2 already"]),
        (&["asset", "licence", "retire", &asset, "1"], 1, &["licence number 1", "is retired"]),
        (&["asset", "licence", "retire", &asset, "7"], 1, &["has no licence number 7", "licence list"]),
        (&[&publish[..], &["5%"], &as_stranger].concat(), 1, &["does not own", "its owner is", "--keypair"]),
    ]);
    let listed = |all: &[&str]| net.run(&[&["asset", "licence", "list", &asset][..], all].concat()).ok().json();
    assert_eq!((listed(&[]).as_array().unwrap().len(), listed(&["--all"]).as_array().unwrap().len()), (1, 2));

    // Building on it: under the licence that is left, with the owner's key, and with its floor.
    let child = net.file("child.csv", "made of numbers\n");
    let parent = |share: &str| format!("{asset}={share}");
    let mint = ["dataset", "mint", &child, "--title", "Child", "--keypair", &stranger, "--parent"];
    let (enough, little) = (parent("5%"), parent("4%"));
    let under = format!("{asset}=1");
    net.run(&[&mint[..], &[&little]].concat()).fails(1, &["asks for 5% of what is built on it, not 4%", "=5%"]);
    net.run(&[&mint[..], &[&enough]].concat()).fails(1, &["needs its owner's signature", "--consent"]);
    net.run(&[&mint[..], &[&enough, "--under", &under]].concat()).fails(1, &["licence number 1", "is retired"]);
    let key = net.person.path(".config/provena/id.json").display().to_string();
    let minted = net.run(&[&mint[..], &[&enough, "--consent", &key]].concat()).ok().json();
    assert_eq!((&minted["floor_basis_points"], &minted["holders"]), (&300.into(), &2.into()));
    let shown = net.run(&["asset", "show", minted["asset"].as_str().unwrap()]).ok().json();
    let edge = &shown["parents"][0];
    assert_eq!(
        (&edge["asset"], &edge["licence"], &edge["basis_points"]),
        (&asset.as_str().into(), &2.into(), &500.into())
    );
    net.read(&["asset", "show", minted["asset"].as_str().unwrap()]);

    // Nobody may build on what grants nothing.
    let orphan = format!("{}=50%", minted["asset"].as_str().unwrap());
    let other = net.file("other.csv", "made of the child\n");
    let on_child = ["dataset", "mint", &other, "--parent", &orphan];
    net.refuses(&[(&on_child, 1, &["grants nothing", "asset licence publish"])]);
}

#[test]
fn an_owner_adds_versions_raises_floors_and_moves_the_metadata() {
    let net = Localnet::start(5);
    let (stranger, _) = net.wallet("stranger.json", "1");
    let asset = net.dataset("one.csv", &[]);
    let next = net.file("two.csv", "a better content\n");
    let as_stranger = ["--keypair", stranger.as_str()];
    let version = ["dataset", "version", &asset, &next];
    let artifact = net.person.path("digits.pvna").display().to_string();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/engine/models/digits");
    net.run(&["model", "import", folder, "--out", &artifact]).ok();
    net.refuses(&[
        (&[&version[..], &as_stranger].concat(), 1, &["does not own", "its owner is"]),
        (&["model", "version", &asset, &artifact], 1, &["is a dataset, not a model"]),
        (&["dataset", "version", &nobody(), &next], 1, &["is no asset on this chain"]),
        (&["offer", "create", &asset, "--price", "1", "--max-input", "1", "--max-output", "0"], 1, &["is a dataset"]),
    ]);
    let added = net.run(&version).ok().json();
    assert_eq!((&added["version"], &added["asset"]), (&2.into(), &asset.as_str().into()));
    let shown = net.run(&["asset", "show", &asset]).ok().json();
    assert_eq!((&shown["version"], &shown["content_root"]), (&2.into(), &added["content_root"]));
    let versions = net.run(&["asset", "versions", &asset]).ok().json();
    let numbers: Vec<_> = versions.as_array().unwrap().iter().map(|one| one["version"].as_u64().unwrap()).collect();
    assert_eq!((numbers, &versions[0]["content_root"]), (vec![2, 1], &added["content_root"]));
    assert!(net.read(&["asset", "versions", &asset]).contains("made from, besides"));
    net.refuses(&[(&version, 1, &["is registered already, as", &asset])]);

    let floor = ["asset", "floor", asset.as_str()];
    net.run(&[&floor[..], &["--royalty", "20%", "--per-unit", "SOL=0.00001"]].concat()).ok();
    net.refuses(&[
        (&floor, 2, &["there is nothing to raise"]),
        (&[&floor[..], &["--royalty", "19.99%"]].concat(), 2, &["at least 20% for ever"]),
        (&[&floor[..], &["--per-unit", "SOL=0.000009"]].concat(), 2, &["at least 0.00001 SOL for ever"]),
        (&[&floor[..], &["--royalty", "30%"], &as_stranger].concat(), 1, &["does not own"]),
    ]);
    net.run(&[&floor[..], &["--per-unit", "SOL=0.00002"]].concat()).ok();
    let shown = net.run(&["asset", "show", &asset]).ok().json();
    assert_eq!((&shown["floor_basis_points"], &shown["unit_floors"][0]["amount"]), (&2_000.into(), &20_000.into()));

    let uri = "https://models.example/numbers.json";
    assert!(net.read(&["asset", "uri", &asset, uri]).contains(uri));
    let long = format!("https://models.example/{}", "x".repeat(200));
    net.refuses(&[
        (&["asset", "uri", &asset, &long], 2, &["has room for 200"]),
        (&["asset", "uri", &asset, "not a uri"], 2, &["is no address of an NFT's document", "https://"]),
        (&[&["asset", "uri", asset.as_str(), uri][..], &as_stranger].concat(), 1, &["does not own"]),
    ]);
}
