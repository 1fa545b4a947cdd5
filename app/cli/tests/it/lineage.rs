//! Licences with a price, a term and a number, and licences that bind everything that is ever built on an asset.

use crate::{
    localnet::Localnet,
    names::{digits, next},
};

#[test]
fn what_binds_every_descendant_is_inherited_and_paid_without_being_named() {
    let net = Localnet::start(5);
    let root = net.dataset("root.csv", &["--title", "Root"]);
    let publish = ["asset", "licence", "publish", &root, "--share", "2%", "--every-descendant"];
    net.run(&[&publish[..], &["--price", "SOL=0.25", "--most", "2", "--days", "30"]].concat()).ok();
    let read = net.read(&["asset", "licence", "list", &root]);
    assert!(
        read.contains("0.25 SOL") && read.contains("binds every descendant") && read.contains("0 of 2 used"),
        "{read}"
    );

    // A price is paid by whoever chooses it, and never by accident.
    let (trainer, trainers) = net.wallet("trainer.json", "2");
    let child = net.file("child.csv", "made of root\n");
    let parent = format!("{root}=2%");
    let mint = ["dataset", "mint", &child, "--title", "Child", "--keypair", &trainer, "--parent", &parent];
    net.run(&mint).fails(1, &["asks for a price", "licence list", "--under"]);
    let before = net.balance_of(&trainers);
    let under = format!("{root}=1");
    let derivative = ["--under", &under, "--derivative-share", "5%"];
    let minted = net.run(&[&mint[..], &derivative].concat()).ok().json();
    let child = minted["asset"].as_str().unwrap().to_owned();
    // Begin, add the parent and seal, where one transaction does otherwise.
    assert_eq!(minted["signatures"].as_array().unwrap().len(), 6, "{minted}");
    let spent = before - net.balance_of(&trainers);
    assert!((250_000_000..330_000_000).contains(&spent), "{spent}");
    let claimed = net.run(&["royalty", "claim", &root]).ok().json();
    assert_eq!(claimed["claimed"][0]["amount"], 250_000_000, "{claimed}");

    // The grandchild owes it as well, though nobody names it.
    let (third, _) = net.wallet("third.json", "1");
    let grandchild = net.file("grandchild.csv", "made of child\n");
    let parent = format!("{child}=5%");
    let mint = ["dataset", "mint", &grandchild, "--title", "Grandchild", "--keypair", &third, "--parent", &parent];
    let minted = net.run(&mint).ok().json();
    assert_eq!(minted["holders"], 3, "{minted}");
    let shown = net.run(&["asset", "show", minted["asset"].as_str().unwrap()]).ok().json();
    let edges: Vec<_> = shown["parents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| {
            (
                edge["asset"].as_str().unwrap(),
                edge["basis_points"].as_u64().unwrap(),
                edge["inherited"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(edges, [(child.as_str(), 500, false), (root.as_str(), 200, true)]);
    let read = net.read(&["asset", "show", minted["asset"].as_str().unwrap()]);
    assert!(read.contains("inherited"), "{read}");

    // Of what the grandchild earns a fiftieth goes to the root at once, and a fiftieth of the child's twentieth besides.
    let grandchild = minted["asset"].as_str().unwrap();
    let lineage = net.run(&["lineage", grandchild]).ok().json();
    let earns = |who: &str| {
        let earners = lineage["earners"].as_array().unwrap();
        earners.iter().find(|earner| earner["holder"] == who).unwrap()["earns"].as_u64().unwrap()
    };
    let owner = net.address();
    assert_eq!((earns(&owner), earns(&trainers)), (20_000_000 + 1_000_000, 49_000_000), "{lineage}");
    assert_eq!(lineage["pools"].as_array().unwrap().len(), 3);
    let read = net.read(&["lineage", grandchild]);
    assert!(read.contains("Child (dataset)") && read.contains("Root (dataset), see above"), "{read}");
    assert!(read.contains("licence 1 of version 1 asks for 2%, inherited"), "{read}");
    // Wallets have the names that they have here, and with --full nothing is cut.
    assert!(read.contains("you (") && read.contains("less the parts of the nodes"), "{read}");
    let full = net.person.run(&["lineage", grandchild, "--full", "--url", net.url()]).ok().stdout;
    assert!(full.contains(&format!("@trainer ({trainers})")) && !full.contains('…'), "{full}");
    assert!(full.lines().any(|line| line.starts_with(&owner) && line.contains("you")), "{full}");
    let named = net.run(&["lineage", grandchild]).ok().json();
    assert!(named["earners"].as_array().unwrap().iter().any(|one| one["name"] == "@trainer"), "{named}");

    // A later version of what is there takes no such parent.
    let late = net.file("late.csv", "of both\n");
    let version = ["dataset", "version", grandchild, &late, "--keypair", &third, "--parent", &format!("{child}=5%")];
    net.run(&version).fails(2, &["is a parent, or a parent's ancestor, already"]);
    let own = net.dataset("own.csv", &["--title", "Own"]);
    let version = ["dataset", "version", &own, &late, "--parent", &format!("{child}=5%")];
    net.run(&version).fails(1, &["bind every descendant", "as an asset of its own"]);

    // Where too little is left for an ancestor, nothing is begun.
    let greedy = net.file("greedy.csv", "also made of child\n");
    let whole = format!("{child}=99%");
    let mint = ["dataset", "mint", &greedy, "--keypair", &third, "--parent", &whole];
    net.run(&mint).fails(2, &["more than 100%"]);
}

#[test]
fn an_interrupted_minting_in_steps_goes_on_and_can_be_taken_back() {
    let net = Localnet::start(5);
    let root = net.dataset("root.csv", &["--title", "Root"]);
    net.run(&["asset", "licence", "publish", &root, "--share", "2%", "--price", "SOL=1", "--most", "1"]).ok();
    // Enough for the rent of everything, and not for the price: what is missing is known before anything is begun.
    let (poor, _) = net.wallet("poor.json", "0.5");
    let child = net.file("child.csv", "made of root\n");
    let (parent, under) = (format!("{root}=2%"), format!("{root}=1"));
    let mint = ["dataset", "mint", &child, "--keypair", &poor, "--parent", &parent, "--under", &under];
    net.run(&mint).fails(1, &["takes about 1.0", "has 0.5"]);
    assert_eq!(net.run(&["asset", "pending"]).ok().json(), serde_json::json!([]));
}

#[test]
fn a_later_version_is_made_from_more_out_of_its_owners_shares() {
    let net = Localnet::start(5);
    let (curator, curators) = net.wallet("curator.json", "1");
    let root = net.file("root.csv", "of somebody else\n");
    let mint = ["dataset", "mint", &root, "--title", "Root", "--keypair", &curator, "--derivative-share", "10%"];
    let root = net.run(&[&mint[..], &["--floor", "5%"]].concat()).ok().json();
    let root = root["asset"].as_str().unwrap();
    let asset = net.dataset("one.csv", &["--title", "Mine"]);
    let next = net.file("two.csv", "one, and root\n");
    let (enough, little) = (format!("{root}=10%"), format!("{root}=9%"));
    let version = ["dataset", "version", &asset, &next, "--parent"];
    net.run(&[&version[..], &[&little]].concat()).fails(1, &["asks for 10% of what is built on it, not 9%"]);
    net.run(&[&version[..], &[&enough]].concat()).fails(1, &["asks for a least royalty of 5%", "asset floor"]);
    net.run(&["asset", "floor", &asset, "--royalty", "5%"]).ok();
    net.run(&[&version[..], &[&enough]].concat()).ok();
    let versions = net.run(&["asset", "versions", &asset]).ok().json();
    assert_eq!((&versions[0]["new_parents"][0], &versions[1]["new_parents"]), (&root.into(), &serde_json::json!([])));
    let lineage = net.run(&["lineage", &asset]).ok().json();
    let earns = |who: &str| {
        let earners = lineage["earners"].as_array().unwrap();
        earners.iter().find(|earner| earner["holder"] == who).unwrap()["earns"].as_u64().unwrap()
    };
    assert_eq!((earns(&curators), earns(&net.address())), (100_000_000, 900_000_000));
    let third = net.file("three.csv", "better\n");
    let again = ["dataset", "version", &asset, &third, "--parent", &enough];
    net.run(&again).fails(2, &["is a parent, or a parent's ancestor, already", "leave that --parent out"]);
}

#[test]
fn a_licence_can_forbid_offers_and_derivatives() {
    let net = Localnet::start(5);
    let root = net.dataset("root.csv", &["--title", "Root"]);
    net.run(&["asset", "licence", "publish", &root, "--share", "1%", "--no-derivatives"]).ok();
    net.refuses(&[(
        &["asset", "licence", "publish", &root, "--share", "1%", "--price", "SOL=0"],
        2,
        &["a price of nothing asks for nothing"],
    )]);
    let child = net.file("child.csv", "made of root\n");
    let parent = format!("{root}=1%");
    let minted = net.read(&["dataset", "mint", &child, "--title", "Child", "--parent", &parent]);
    assert!(!minted.contains("next:") && minted.contains("building on it, by the licences"), "{minted}");
    let child = &net.run(&["asset", "show", "@child"]).ok().json()["asset"];
    let child = child.as_str().unwrap();
    net.refuses(&[(&["asset", "licence", "publish", child, "--share", "1%"], 1, &["do not allow"])]);
    let orphan = net.file("orphan.csv", "made of the child\n");
    let parent = format!("{child}=1%");
    net.refuses(&[(&["dataset", "mint", &orphan, "--parent", &parent], 1, &["nothing may be built on"])]);
}

#[test]
fn what_a_licence_says_is_told_when_it_is_published_and_when_it_is_taken() {
    let net = Localnet::start(5);
    let root = net.dataset("root.csv", &["--title", "Root"]);
    let key = net.person.path(".config/provena/id.json").display().to_string();
    let publish = ["asset", "licence", "publish", &root, "--share"];
    let terms = ["2%", "--every-descendant", "--price", "SOL=0.25", "--most", "2", "--days", "30", "--no-offers"];
    let read = net.read(&[&publish[..], &terms, &["--floor", "3%", "--keypair", &key]].concat());
    let told =
        ["0.25 SOL, once", "2 derivatives", "in about 30 days", "every descendant", "offers of", "3% of each fee"];
    for words in told {
        assert!(read.contains(words), "{words}: {read}");
    }
    assert!(!read.contains("building on what is built on it"), "{read}");

    // What is proposed to others works as it stands: with their own wallet, and under this licence.
    let step = next(&read);
    assert!(!step.contains("--keypair") && step.contains(&format!("--under {root}=1")), "{step}");
    let (trainer, _) = net.wallet("trainer.json", "2");
    let artifact = digits(&net);
    let step = step.replace("'A model'", "Built").replace("model.pvna", &artifact);
    let words: Vec<&str> = step.split_whitespace().skip(1).chain(["--keypair", &trainer]).collect();
    let built = net.person.run(&words).ok();
    // What it may not do is not proposed.
    let line = built.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains("forbidden offers of it, by") && !line.contains("offer create"), "{line}");
    assert!(next(&built.stdout).contains("asset licence publish @built"), "{line}");
    let under = "for 2%, under its licence 1, which asks for 2%; 0.25 SOL was paid; it binds every";
    assert!(line.contains(under), "{line}");

    // No share can be nothing, and one of two licences has to be named.
    let read = net.read(&[&publish[..], &["0%", "--no-derivatives"]].concat());
    assert!(
        read.contains("for any share of the revenue") && read.contains("building on what is built on it"),
        "{read}"
    );
    let step = next(&read);
    assert!(step.contains(&format!("--parent {root}=1% ")) && step.contains(&format!("--under {root}=2")), "{step}");
    let listed = net.read(&["asset", "licence", "list", &root]);
    assert!(listed.contains("grants for 29 more days") && listed.contains("conditions"), "{listed}");
    assert!(net.read(&["asset", "show", &root]).contains("grants for 29 more days"));
    let published =
        net.run(&[&publish[..], &["5%", "--price", "SOL=1", "--most", "7", "--days", "1"]].concat()).ok().json();
    let number = |what: &str| published[what].as_u64().unwrap_or_default();
    assert_eq!(["licence", "basis_points", "price", "most_derivatives"].map(number), [3, 500, 1_000_000_000, 7]);
    assert!(number("last_slot") > 216_000 && published["may_be_offered"] == true, "{published}");

    // Of the two that are free, the one that binds the derivative alone is taken, and named.
    net.run(&[&publish[..], &["1%", "--every-descendant"]].concat()).ok();
    let child = net.file("child.csv", "made of root\n");
    let minted = net.run(&["dataset", "mint", &child, "--parent", &format!("{root}=6.5%")]).ok().json();
    let taken = serde_json::json!([{
        "asset": root, "licence": 2, "basis_points": 0, "shares": 65_000_000, "price_mint": null, "price": null,
        "every_descendant": false, "inherited": false,
    }]);
    assert_eq!((&minted["built_on"], &minted["may_be_built_on"]), (&taken, &false.into()));

    // The only licence needs no number; the owner who must sign has a key.
    let other = net.dataset("other.csv", &["--title", "Other"]);
    let read = net.read(&["asset", "licence", "publish", &other, "--share", "10%", "--consent"]);
    let step = next(&read);
    assert!(
        !step.contains("--under") && step.contains(&format!("{other}=10%")) && step.contains("--consent"),
        "{step}"
    );
}
