//! Names instead of addresses.

use std::fs;

use crate::{
    localnet::{Localnet, nobody},
    proxy::Proxy,
};

/// The model of the repository as an artifact.
pub(crate) fn digits(net: &Localnet) -> String {
    let artifact = net.person.path("digits.pvna").display().to_string();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/engine/models/digits");
    net.run(&["model", "import", folder, "--out", &artifact]).ok();
    artifact
}

/// What a command printed after `next:`, as one line.
pub(crate) fn next(text: &str) -> String {
    let (_, next) = text.split_once("next: ").unwrap_or_else(|| panic!("no next step in {text}"));
    next.replace("\\\n", " ")
}

#[test]
fn from_a_model_to_its_offer_no_address_is_typed() {
    let net = Localnet::start(10);
    let artifact = digits(&net);
    let minted = net.read(&["model", "mint", &artifact, "--title", "Digits"]);
    assert!(minted.contains("@digits"), "{minted}");
    // What is printed works as it stands, on the same chain.
    let step = next(&minted);
    assert!(step.starts_with("provena --url http://") && step.contains("offer create @digits --price 0.001"), "{step}");
    let words: Vec<&str> = step.split_whitespace().skip(1).collect();
    let created = net.person.run(&words).ok();
    created.fits();
    assert!(created.stdout.contains("0.001 SOL a picture") && created.stdout.contains("64 pictures in one job"));
    assert!(created.stdout.contains("infer @digits"), "{}", created.stdout);
    let step = next(&created.stdout);
    assert!(step.contains("--csv ") || step.contains("--image "), "a picture is asked of a model of pictures: {step}");

    let offers = net.run(&["offer", "list", "@digits"]).ok().json();
    assert_eq!((&offers[0]["name"], &offers[0]["takes_jobs"]), (&"@digits".into(), &true.into()));
    assert!(net.read(&["offer", "list"]).contains("@digits"));
    let asset = net.run(&["asset", "show", "@last"]).ok().json()["asset"].clone();
    assert_eq!(asset, offers[0]["asset"]);
    net.run(&["royalty", "show", "@digits"]).ok();
    // Whoever knows only the offer sees what it earns, too.
    let offer = offers[0]["offer"].as_str().unwrap();
    assert_eq!(net.run(&["royalty", "show", offer]).ok().json()["asset"], asset);
    let book = net.run(&["book"]).ok().json();
    assert_eq!(book.as_array().unwrap().len(), 2, "{book}");
    assert!(net.read(&["book"]).contains("@digits"));

    // A floor above what an offer gives ends it, and says so.
    net.run(&["asset", "floor", "@digits", "--royalty", "60%"]).fails(2, &["a floor never falls", "--yes"]);
    let raised = net.run(&["asset", "floor", "@digits", "--royalty", "60%", "--yes"]).ok().json();
    assert_eq!(raised["offers_ended"][0], offers[0]["offer"]);
    let listed = net.read(&["offer", "list"]);
    assert!(listed.contains("takes no jobs"), "{listed}");
    net.run(&["offer", "close", "@last"]).ok();
    net.refuses(&[(&["offer", "close", "@last"], 2, &["no offer has a name yet", "offer list --full"])]);
}

#[test]
fn names_are_taken_once_and_people_choose_them() {
    let net = Localnet::start(10);
    let ada = net.wallet("ada.json", "0").1;
    let mint = |file: &str, options: &[&str]| {
        let data = net.file(file, &format!("the content of {file}\n"));
        net.run(&[&["dataset", "mint", &data, "--title", "Numbers"][..], options].concat()).ok().json()
    };
    assert_eq!(mint("a.csv", &["--holder", "@ada=40%"])["name"], "@numbers");
    assert_eq!(mint("b.csv", &[])["name"], "@numbers-2");
    let mine = mint("c.csv", &["--name", "@scans", "--derivative-share", "10%"]);
    assert_eq!(mine["name"], "@scans");
    assert_eq!(net.run(&["asset", "show", "@scans"]).ok().json()["asset"], mine["asset"]);
    let shown = net.run(&["royalty", "show", "@numbers"]).ok().json();
    let holders = shown["mints"][0]["holders"].as_array().unwrap().clone();
    assert!(holders.iter().any(|holder| holder["address"] == *ada && holder["name"] == "@ada"), "{shown}");
    let read = net.read(&["royalty", "show", "@numbers"]);
    assert!(read.contains("@ada") && read.contains("you") && !read.contains(&ada), "{read}");
    assert!(net.person.run(&["royalty", "show", "@numbers", "--full", "--url", net.url()]).ok().stdout.contains(&ada));

    let data = net.file("d.csv", "d\n");
    net.refuses(&[
        (&["dataset", "mint", &data, "--title", "D", "--name", "scans"], 2, &["@scans is taken", "book remove @scans"]),
        (&["asset", "show", "@numbrs"], 2, &["there is no @numbrs; near it: @numbers"]),
        (&["offer", "create", "@scans", "--price", "1"], 2, &["@scans is a dataset, and a model is asked for"]),
        (&["job", "show", "@last"], 2, &["no job has a name yet"]),
        (&["book", "add", "scans", &nobody(), "--kind", "model"], 1, &["@scans is taken"]),
        (&["book", "remove", "nothing"], 1, &["there is no @nothing"]),
    ]);
    net.run(&["book", "remove", "@scans"]).ok();
    let added = net.run(&["book", "add", "mine", mine["asset"].as_str().unwrap()]).ok().json();
    assert_eq!(added["kind"], "dataset", "the chain is asked what it is");
    assert_eq!(net.run(&["asset", "show", "@mine"]).ok().json()["asset"], mine["asset"]);
}

/// A private chain that begins anew has none of what the book names: those names are free, and no others.
#[test]
fn names_of_what_is_gone_are_given_again() {
    let net = Localnet::start(10);
    let artifact = digits(&net);
    net.run(&["model", "mint", &artifact, "--title", "Digits"]).ok();
    let create = ["offer", "create", "@digits", "--price", "0.001"];
    assert_eq!(net.run(&create).ok().json()["name"], "@digits");
    assert_eq!(net.run(&create).ok().json()["name"], "@digits-2");
    let file = net.person.path(".config/provena/book.json");
    let before = fs::read_to_string(&file).unwrap();
    net.run(&["offer", "close", "@digits"]).ok();
    fs::write(&file, before).unwrap();
    assert_eq!(net.run(&create).ok().json()["name"], "@digits");
}

/// Names belong to a chain, not to the address at which it answers: a chain that is started anew has none of the old one's, and
/// says so instead of sending money to addresses that mean nothing on it.
#[test]
fn names_of_a_chain_that_is_gone_are_not_used_and_said_to_be_so() {
    let (first, second) = (Localnet::start(10), Localnet::start(10));
    let host = |net: &Localnet| net.url().trim_start_matches("http://").to_owned();
    let front = Proxy::start(&host(&first));
    let person = &first.person;
    let run = |net: &Localnet, arguments: &[&str]| {
        front.turn(&host(net));
        person.run(&[arguments, &["--url", &front.url, "--ws", net.ws()]].concat())
    };
    let file = first.file("numbers.csv", "1,2,3\n");
    run(&first, &["dataset", "mint", &file, "--title", "Numbers"]).ok();
    run(&first, &["asset", "show", "@numbers"]).ok();

    for name in ["@numbers", "@last"] {
        run(&second, &["asset", "show", name]).fails(2, &["a chain that is gone", "book --all", "book forget"]);
    }
    let listed = run(&second, &["book"]).ok();
    assert!(
        listed.stdout.contains("No name holds on this chain") && listed.stderr.contains("gone"),
        "{}",
        listed.stderr
    );
    run(&second, &["airdrop", "5"]).ok();
    let minted = run(&second, &["dataset", "mint", &file, "--title", "Numbers", "--json"]).ok().json();
    assert_eq!(minted["name"], "@numbers", "the name is free on this chain");
    let shown = run(&second, &["asset", "show", "@numbers", "--json"]).ok().json();
    assert_eq!(shown["asset"], minted["asset"]);
    let listed = run(&second, &["book", "--all"]).ok();
    listed.fits();
    assert!(listed.stdout.contains("of a chain that is gone from"), "{}", listed.stdout);

    // It comes back with its names, at this address and at another.
    let before = run(&first, &["asset", "show", "@numbers", "--json"]).ok().json();
    assert_ne!(before["asset"], minted["asset"]);
    person.run(&["asset", "show", "@numbers", "--url", first.url()]).ok();
    run(&second, &["book"]).ok();
    assert_eq!(run(&second, &["book", "forget", "--json"]).ok().json(), serde_json::json!([]), "it answers elsewhere");
    // Where no chain answers, the last one is meant.
    front.silent(true);
    let shown = run(&second, &["book", "--json"]).ok().json();
    assert_eq!(shown[0]["address"], minted["asset"]);
}

#[test]
fn a_shell_completes_names() {
    let person = crate::provena::Person::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(person.run(&["completion", shell]).ok().stdout.contains("COMPLETE"), "{shell}");
    }
    person.run(&["book", "add", "digits", &nobody(), "--kind", "model"]).ok();
    person.run(&["book", "add", "reader", &nobody(), "--kind", "offer"]).ok();
    let complete = |words: &[&str]| {
        let mut command = person.command();
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        let output = command.args(["--", "provena"]).args(&words[1..]).output().unwrap();
        crate::provena::ended(output).ok().stdout
    };
    let models = complete(&["provena", "asset", "show", "@"]);
    assert!(models.contains("@digits") && models.contains("@last") && !models.contains("@reader"), "{models}");
    let offers = complete(&["provena", "infer", "@"]);
    assert!(offers.contains("@reader") && offers.contains("@digits"), "{offers}");
    assert!(complete(&["provena", "roy"]).contains("royalty"));
}
