//! `provena lineage --bom`: bills of materials that published schemas accept, of what the chain says and nothing else.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use provena_wire::untrusted::is_harmless;
use serde_json::{Value, json};

use crate::{localnet::Localnet, names::digits, schema};

static CYCLONEDX: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("cyclonedx-1.6.schema.json")).unwrap());
static SPDX: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("spdx-3.0.1.schema.json")).unwrap());

/// A name that could turn a line around, end it and colour the rest.
const EVIL: &str = "Evil\u{202e}\n\u{1b}[2J\"x";

/// A dataset whose licence binds every descendant, data made of it, and a model of that data.
struct Family {
    net: Localnet,
    root: String,
    child: String,
    model: String,
}

impl Family {
    fn new() -> Self {
        let net = Localnet::start(10);
        let root = net.dataset("root.csv", &["--title", EVIL]);
        let publish = ["asset", "licence", "publish", &root, "--share", "2%", "--floor", "1%", "--every-descendant"];
        let terms = ["--price", "SOL=0.25", "--most", "2", "--days", "30", "--no-offers", "--text", "CC BY-NC 4.0"];
        net.run(&[&publish[..], &terms].concat()).ok();
        net.run(&["asset", "licence", "publish", &root, "--share", "9%", "--consent"]).ok();
        net.run(&["asset", "licence", "retire", &root, "2"]).ok();
        let (parent, under) = (format!("{root}=2%"), format!("{root}=1"));
        let built = ["--title", "Child", "--parent", &parent, "--under", &under];
        let child = net.dataset("child.csv", &built);
        net.run(&["asset", "licence", "publish", &child, "--share", "5%"]).ok();
        net.run(&["dataset", "version", &child, &net.file("child-2.csv", "more of the child\n")]).ok();
        let (artifact, parent) = (digits(&net), format!("{child}=5%"));
        let mint = ["model", "mint", &artifact, "--title", "Digits", "--parent", &parent];
        let minted = net.run(&mint).ok().json();
        let model = minted["asset"].as_str().unwrap().to_owned();
        Self { net, root, child, model }
    }

    /// What a command prints without `--json`, which is the document itself.
    fn bill(&self, asset: &str, format: &str) -> (String, Value) {
        let line = ["lineage", asset, "--bom", format, "--url", self.net.url()];
        let text = self.net.person.run(&line).ok().stdout;
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }
}

/// Properties as pairs.
fn pairs<'a>(properties: &'a Value, name: &str, value: &str) -> Vec<(&'a str, &'a str)> {
    let pair = |one: &'a Value| (one[name].as_str().unwrap(), one[value].as_str().unwrap());
    properties.as_array().unwrap().iter().map(pair).collect()
}

/// A component's properties by their name without `provena:`.
fn said<'a>(component: &'a Value, name: &str) -> &'a str {
    let all = pairs(&component["properties"], "name", "value");
    let found = all.iter().find(|(one, _)| one.strip_prefix("provena:") == Some(name));
    found.unwrap_or_else(|| panic!("no {name} in {all:?}")).1
}

fn by<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|one| one[key] == value);
    found.unwrap_or_else(|| panic!("no {key} {value} in {list}"))
}

#[test]
fn a_lineage_becomes_a_bill_of_materials_that_published_schemas_accept() {
    let family = Family::new();
    let wallet = family.net.address();
    let shown = |asset: &str| family.net.run(&["asset", "show", asset]).ok().json();

    let (text, bill) = family.bill(&family.model, "cyclonedx");
    assert_eq!(schema::faults(&CYCLONEDX, &bill), Vec::<String>::new());
    assert_eq!(family.bill(&family.model, "cyclonedx").0, text, "the same chain gives the same bytes");
    cyclonedx(&family, &bill, &shown, &wallet);

    let (text, document) = family.bill(&family.model, "spdx");
    assert_eq!(schema::faults(&SPDX, &document), Vec::<String>::new());
    assert_eq!(family.bill(&family.model, "spdx").0, text, "the same chain gives the same bytes");
    spdx(&family, &document, &bill);

    for (text, name) in [(&text, &document["@graph"]), (&family.bill(&family.root, "cyclonedx").0, &bill)] {
        assert_eq!(text.chars().find(|letter| !is_harmless(*letter) && *letter != '\n'), None, "{name}");
    }

    // A file has the same bytes, and is not replaced unless one says so.
    let file = family.net.person.path("bill.json").display().to_string();
    let line = ["lineage", &family.model, "--bom", "spdx", "--out", &file];
    let written = family.net.run(&line).ok().json();
    assert_eq!((&written["file"], &written["assets"]), (&json!(file), &json!(3)));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    family.net.run(&line).fails(2, &["exists already", "--force"]);
    family.net.run(&[&line[..], &["--force"]].concat()).ok();
    // `--json` is the same value on one line.
    let one_line = family.net.run(&["lineage", &family.model, "--bom", "spdx"]).ok();
    assert_eq!((one_line.stdout.lines().count(), one_line.json()), (1, document));

    // Who says more on the chain has another bill, under another name.
    family.net.run(&["asset", "licence", "publish", &family.model, "--share", "3%"]).ok();
    let (_, later) = family.bill(&family.model, "cyclonedx");
    assert_ne!(later["serialNumber"], bill["serialNumber"]);
}

fn cyclonedx(family: &Family, bill: &Value, shown: &dyn Fn(&str) -> Value, wallet: &str) {
    let Family { root, child, model, .. } = family;
    let made = &bill["metadata"]["component"];
    assert_eq!((&made["bom-ref"], &made["type"]), (&json!(model), &json!("machine-learning-model")));
    assert_eq!(made["modelCard"]["modelParameters"]["datasets"], json!([{ "ref": child }]));
    let others = &bill["components"];
    assert_eq!(others.as_array().unwrap().len(), 2, "each ancestor once");
    let (first, second) = (by(others, "bom-ref", root), by(others, "bom-ref", child));
    assert_eq!((&first["name"], &first["type"]), (&json!(EVIL), &json!("data")));
    assert_eq!(
        bill["dependencies"],
        json!([
            { "ref": model, "dependsOn": [child] }, { "ref": child, "dependsOn": [root] }, { "ref": root, "dependsOn": [] },
        ])
    );

    // What is inherited is said, and by whose terms.
    let edge = |name: &str| said(made, &format!("ancestor:{root}:{name}"));
    assert_eq!((edge("relation"), edge("share_basis_points"), edge("may_be_offered")), ("inherited", "200", "false"));
    assert_eq!((edge("licence"), edge("binds_every_descendant"), edge("built_on_version")), ("1", "true", "1"));
    assert_eq!(said(made, &format!("ancestor:{child}:relation")), "direct");
    assert_eq!(said(made, &format!("ancestor:{child}:built_on_version")), "2");

    // All versions, as the chain has them, and never as a file's hash.
    for (component, asset, latest) in [(made, model, 1), (first, root, 1), (second, child, 2)] {
        let shown = shown(asset);
        let version = |name: &str| said(component, &format!("version:{latest}:{name}"));
        assert_eq!(version("content_root"), shown["content_root"].as_str().unwrap());
        assert_eq!(version("content_bytes"), shown["content_bytes"].to_string());
        assert_eq!(version("registered_slot"), shown["registered_slot"].to_string());
        assert_eq!(component["version"], latest.to_string());
        assert_eq!((said(component, "holder"), said(component, "royalty_pool_creator")), (wallet, wallet));
        assert_eq!(component.get("hashes"), None, "a Merkle root is no hash of a file");
    }
    assert_ne!(said(second, "version:1:content_root"), said(second, "version:2:content_root"));
    assert_eq!(said(made, "version:1:recipe_root"), shown(model)["recipe_root"].as_str().unwrap());
    assert_eq!(said(second, "registrant"), wallet, "it was minted in several steps");
    assert!(said(made, "metadata_uri").starts_with("file:///"));
    assert_eq!(made["externalReferences"][0]["url"], said(made, "metadata_uri"));
    assert!(said(&bill["metadata"], "content_root_hash").contains("not the SHA-256 of the file"));
    let slots = [made, first, second].map(|one| said(one, "version:1:registered_slot").parse::<u64>().unwrap());
    let newest: u64 = said(&bill["metadata"], "newest_slot").parse().unwrap();
    assert!(slots.iter().all(|slot| *slot <= newest), "{slots:?} {newest}");

    // Every licence that was ever published, with its terms.
    let licences = first["licenses"].as_array().unwrap();
    assert_eq!(licences.len(), 2);
    let (terms, retired) = (&licences[0]["license"], &licences[1]["license"]);
    for (name, value) in [
        ("share_basis_points", "200"),
        ("floor_basis_points", "100"),
        ("price_mint", "SOL"),
        ("price", "250000000"),
        ("most_derivatives", "2"),
        ("derivatives", "1"),
        ("consent_required", "false"),
        ("binds_every_descendant", "true"),
        ("may_be_offered", "false"),
        ("may_be_built_on", "true"),
        ("active", "true"),
        ("grantor", wallet),
    ] {
        assert_eq!(said(terms, &format!("licence:{name}")), value, "{name}");
    }
    let listed = family.net.run(&["asset", "licence", "list", root, "--all"]).ok().json();
    assert_eq!(said(terms, "licence:terms_hash"), listed[0]["text_hash"].as_str().unwrap());
    assert_eq!(said(terms, "licence:last_slot"), listed[0]["last_slot"].to_string());
    assert_eq!((said(retired, "licence:active"), said(retired, "licence:consent_required")), ("false", "true"));
}

/// The same facts in the other format: the asset's properties are equal, pair by pair.
fn spdx(family: &Family, document: &Value, bill: &Value) {
    let Family { root, child, model, .. } = family;
    let graph = document["@graph"].as_array().unwrap();
    let of = |kind: &str| graph.iter().filter(|one| one["type"] == kind).collect::<Vec<_>>();
    let (models, data) = (of("ai_AIPackage"), of("dataset_DatasetPackage"));
    assert_eq!((models.len(), data.len(), of("expandedlicensing_CustomLicense").len()), (1, 2, 3));
    let package = |mint: &str| {
        let id = |one: &Value| one["spdxId"].as_str().unwrap().ends_with(&format!("#asset-{mint}"));
        *models.iter().chain(&data).find(|one| id(one)).unwrap_or_else(|| panic!("no package of {mint}"))
    };
    for (mint, component) in [
        (model, &bill["metadata"]["component"]),
        (root, by(&bill["components"], "bom-ref", root)),
        (child, by(&bill["components"], "bom-ref", child)),
    ] {
        let package = package(mint);
        let entries = &package["extension"][0]["extension_cdxProperty"];
        let said = pairs(entries, "extension_cdxPropName", "extension_cdxPropValue");
        assert_eq!(said, pairs(&component["properties"], "name", "value"));
        let hash = &package["verifiedUsing"][0];
        assert_eq!(hash["algorithm"], "other", "a Merkle root is not the file's SHA-256");
        assert!(hash["comment"].as_str().unwrap().contains("Merkle"));
        let nft = package["externalIdentifier"][0]["identifier"].as_str().unwrap();
        assert!(nft.starts_with("solana:") && nft.ends_with(&format!("/nft:{mint}")), "{nft}");
    }
    assert_eq!(package(root)["dataset_datasetSize"], "the content of root.csv\n".len());

    let relations = of("Relationship");
    let related = |from: &str, to: &str| {
        let (from, to) = (&package(from)["spdxId"], &package(to)["spdxId"]);
        let found = relations.iter().find(|one| one["from"] == *from && one["to"][0] == *to);
        found.unwrap_or_else(|| panic!("{from} and {to} are not related"))["relationshipType"].as_str().unwrap()
    };
    assert_eq!(related(model, child), "trainedOn");
    assert_eq!(related(child, root), "descendantOf");
    assert_eq!(related(model, root), "descendantOf", "what is inherited was not trained on directly");
    let count = |kind: &str| relations.iter().filter(|one| one["relationshipType"] == kind).count();
    assert_eq!((count("hasDeclaredLicense"), count("other"), relations.len()), (2, 1, 6));

    // Every name is one element's, and every name that is used is there.
    let ids: Vec<&str> = graph.iter().filter_map(|one| one["spdxId"].as_str()).collect();
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len());
    let used = ["from", "to", "rootElement", "element", "suppliedBy", "originatedBy", "createdBy"];
    for (key, value) in graph.iter().flat_map(|one| one.as_object().unwrap()).filter(|(key, _)| used.contains(&&***key))
    {
        let names = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        assert!(names.iter().all(|name| known.contains(name.as_str().unwrap())), "{key}: {value}");
    }
    assert_eq!(of("SpdxDocument").len(), 1);
    assert_eq!(of("Bom")[0]["rootElement"], json!([package(model)["spdxId"]]));
    assert_eq!(of("CreationInfo")[0]["created"], "1970-01-01T00:00:00Z", "no clock is read");
}

#[test]
fn documents_that_are_no_bills_are_refused_by_the_schemas() {
    let mut bill = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1" });
    assert!(schema::faults(&CYCLONEDX, &bill).join(" ").contains("$.serialNumber: pattern"));
    bill["serialNumber"] = json!("urn:uuid:00000000-0000-8000-8000-000000000000");
    assert_eq!(schema::faults(&CYCLONEDX, &bill), Vec::<String>::new());
    bill["components"] = json!([{ "type": "model", "name": "a" }]);
    assert!(schema::faults(&CYCLONEDX, &bill).join(" ").contains("$.components[0].type: enum"));

    let creation = json!({ "type": "CreationInfo", "@id": "_:a", "specVersion": "3.0.1", "created": "today" });
    let document = json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [creation] });
    assert!(schema::faults(&SPDX, &document).join(" ").contains("created"));
}

#[test]
fn a_bill_is_asked_for_by_its_format() {
    let net = Localnet::start(5);
    let asset = net.dataset("alone.csv", &["--title", "Alone"]);
    net.refuses(&[
        (&["lineage", &asset, "--bom", "csv"], 2, &["cyclonedx", "spdx"]),
        (&["lineage", &asset, "--out", "x.json"], 2, &["--bom"]),
    ]);
    net.run(&["lineage", &crate::localnet::nobody(), "--bom", "spdx"]).fails(1, &["is no asset on this chain"]);
    // What is built on nothing has a bill, too.
    for (format, schema) in [("cyclonedx", &*CYCLONEDX), ("spdx", &*SPDX)] {
        let bill = net.run(&["lineage", &asset, "--bom", format]).ok().json();
        assert_eq!(schema::faults(schema, &bill), Vec::<String>::new());
    }
}
