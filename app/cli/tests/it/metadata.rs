//! What wallets and marketplaces find at an NFT's address.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::{localnet::Localnet, names::digits, schema};

/// What lies at a `file://` address.
fn at(uri: &str) -> Vec<u8> {
    fs::read(uri.strip_prefix("file://").unwrap_or_else(|| panic!("{uri} is no file"))).unwrap()
}

/// The document, which must be what Metaplex's standard says.
fn document(bytes: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(bytes).unwrap();
    let schema: Value = serde_json::from_str(include_str!("metaplex.schema.json")).unwrap();
    assert_eq!(schema::faults(&schema, &document), Vec::<String>::new());
    document
}

fn attribute<'a>(document: &'a Value, name: &str) -> &'a str {
    let attributes = document["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|one| one["trait_type"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {document}"))["value"].as_str().unwrap()
}

/// A PNG of at least 512 pixels along each edge, which is what wallets show sharp.
fn is_a_picture(bytes: &[u8]) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let edge = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert!(edge(16) >= 512 && edge(16) == edge(20), "{} x {}", edge(16), edge(20));
}

#[test]
fn an_nft_is_what_wallets_and_marketplaces_show() {
    let net = Localnet::start(10);
    let artifact = digits(&net);
    let options = ["--symbol", "DIG", "--description", "Reads digits.", "--resale-share", "5%", "--language", "none"];
    let more =
        ["--external-url", "https://models.example/digits", "--attribute", "Maker=Ada", "--licence", "Apache-2.0"];
    let mint = ["model", "mint", &artifact, "--title", "Digits"];
    let minted = net.run(&[&mint[..], &options, &more].concat()).ok().json();
    let document = document(&at(minted["uri"].as_str().unwrap()));
    assert_eq!((&document["name"], &document["symbol"]), (&"Digits".into(), &"DIG".into()));
    assert_eq!(document["seller_fee_basis_points"], 500, "as on the chain");
    assert_eq!(document["properties"]["creators"][0]["address"], minted["pool"]);
    assert_eq!(document["external_url"], "https://models.example/digits");
    for (name, value) in [("Kind", "Model"), ("Licence", "Apache-2.0"), ("Languages", "none"), ("Maker", "Ada")] {
        assert_eq!(attribute(&document, name), value);
    }
    assert_eq!(attribute(&document, "Task"), "Picture classification");
    assert!(!attribute(&document, "Parameters").is_empty());
    let files = document["properties"]["files"].as_array().unwrap();
    assert_eq!((&files[0]["uri"], &files[0]["type"]), (&document["image"], &"image/png".into()));
    assert_eq!(at(files[1]["uri"].as_str().unwrap()), fs::read(&artifact).unwrap());
    is_a_picture(&at(document["image"].as_str().unwrap()));

    // A dataset, with a picture of its owner's.
    let jpeg = net.person.path("own.jpg");
    fs::write(&jpeg, b"\xff\xd8\xff\xe0 a picture").unwrap();
    let data = net.file("numbers.csv", "1,2,3\n");
    let own = ["dataset", "mint", &data, "--title", "Numbers", "--image", jpeg.to_str().unwrap()];
    let minted = net.run(&own).ok().json();
    let document = self::document(&at(minted["uri"].as_str().unwrap()));
    assert_eq!((attribute(&document, "Kind"), attribute(&document, "Size")), ("Dataset", "6 bytes"));
    assert_eq!(document["properties"]["files"][0]["type"], "image/jpeg");
    assert_eq!(at(document["image"].as_str().unwrap()), fs::read(&jpeg).unwrap());
}

#[test]
fn a_folder_of_this_machine_is_no_place_for_metadata_unless_one_says_so() {
    let net = Localnet::start(10);
    let data = net.file("numbers.csv", "1,2,3\n");
    let run = |arguments: &[&str]| {
        let mut command = net.command(arguments);
        crate::provena::ended(command.env_remove("PROVENA_LOCAL").output().unwrap())
    };
    let before = net.balance();
    let mint = ["dataset", "mint", &data, "--title", "Numbers"];
    run(&mint).fails(2, &["nobody else can read it", "--store https://", "--host", "--uri", "--local"]);
    assert_eq!((net.balance(), run(&["asset", "pending"]).ok().json()), (before, serde_json::json!([])));
    let minted = run(&[&mint[..], &["--local"]].concat()).ok().json();
    let asset = minted["asset"].as_str().unwrap();
    run(&["asset", "uri", asset, "file:///tmp/numbers.json"]).fails(2, &["nobody else can read it"]);
    run(&["asset", "uri", asset, "file:///tmp/numbers.json", "--local"]).ok();
    run(&["asset", "uri", asset, "ipfs://bafybeigd/numbers.json"]).ok();

    // The owner keeps it: nothing of this machine is in it, and the files are here to be put there.
    let more = net.file("letters.csv", "a,b,c\n");
    let uri = "https://models.example/letters.json";
    let minted = run(&["dataset", "mint", &more, "--title", "Letters", "--uri", uri]).ok().json();
    assert_eq!(minted["uri"], uri);
    let root = minted["content_root"].as_str().unwrap();
    let folder = net.person.path(".local/share/provena/documents").join(&root[..16]);
    let document = document(&fs::read(folder.join("letters.json")).unwrap());
    assert!(!document.to_string().contains("file:"), "{document}");
    assert_eq!(document["image"], "https://models.example/letters.png");
    is_a_picture(&fs::read(folder.join("letters.png")).unwrap());
}

/// A folder whose path is longer than a line keeps no report from fitting one; `--full` names all of it.
#[test]
fn a_long_path_of_the_store_fits_a_line() {
    let net = Localnet::start(10);
    let folder = net.person.path(&"a-folder-with-a-long-name/".repeat(3));
    let mint = |name: &str, more: &[&str]| {
        let data = net.file(name, &format!("the content of {name}\n"));
        let mut command = net.person.command();
        command.args(["dataset", "mint", &data, "--title", name]).args(more);
        crate::provena::ended(command.env("PROVENA_URL", net.url()).env("XDG_DATA_HOME", &folder).output().unwrap())
            .ok()
    };
    let short = mint("Numbers", &[]);
    short.fits();
    let row = short.stdout.lines().find(|line| line.starts_with("metadata")).unwrap();
    assert!(row.contains("file:///") && row.contains("/store/"), "{row}");
    let whole = mint("Letters", &["--full"]).stdout;
    assert!(whole.contains(&folder.join("provena/store").display().to_string()), "{whole}");
}

/// What an object storage keeps, by path.
type Kept = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// An object storage: PUT keeps, GET and HEAD give, nothing else. It lives as long as the test.
fn object_storage() -> (String, Kept) {
    let kept = Kept::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/bucket", listener.local_addr().unwrap());
    let shared = Arc::clone(&kept);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &shared);
        }
    });
    (url, kept)
}

fn answer(mut stream: TcpStream, kept: &Mutex<HashMap<String, Vec<u8>>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut lines, mut line) = (Vec::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        lines.push(std::mem::take(&mut line).to_lowercase());
    }
    let Some(first) = lines.first() else { return };
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
    let len =
        lines.iter().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |len| len.trim().parse().unwrap());
    let mut body = vec![0; len];
    reader.read_exact(&mut body).unwrap();
    let path = path.split('?').next().unwrap().to_owned();
    let mut kept = kept.lock().unwrap();
    let (status, body) = match (method, kept.get(&path).cloned()) {
        ("put", _) => {
            kept.insert(path, body);
            ("200 OK", Vec::new())
        }
        (_, Some(found)) => ("200 OK", found),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    if method == "get" {
        let _ = stream.write_all(&body);
    }
}

#[test]
fn any_object_storage_hosts_an_nft() {
    let net = Localnet::start(10);
    let (url, kept) = object_storage();
    let get = |uri: &str| {
        let path = uri.strip_prefix(url.strip_suffix("/bucket").unwrap()).unwrap().split('?').next().unwrap();
        kept.lock().unwrap().get(path).cloned().unwrap_or_else(|| panic!("{uri} is not there"))
    };
    for (name, option) in [("a.csv", "--store"), ("b.csv", "--host")] {
        let data = net.file(name, &format!("the content of {name}\n"));
        let minted = net.run(&["dataset", "mint", &data, "--title", "Numbers", option, &url]).ok().json();
        let document = document(&get(minted["uri"].as_str().unwrap()));
        let image = document["image"].as_str().unwrap();
        assert!(image.ends_with("?ext=png"), "{image}");
        is_a_picture(&get(image));
        let content = document["properties"]["files"][1]["uri"].as_str().unwrap();
        assert_eq!(get(content), fs::read(Path::new(&data)).unwrap());
    }
}
