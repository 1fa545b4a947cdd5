use tempfile::TempDir;

use super::*;

fn address(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

fn book(folder: &TempDir, url: &str) -> Book {
    Book::new(Some(folder.path().join("provena/book.json")), url)
}

#[test]
fn names_are_of_a_kind_and_of_a_chain() {
    let folder = TempDir::new().unwrap();
    let here = book(&folder, "http://localhost:8899/");
    assert_eq!(here.entries(), Ok(Vec::new()));
    let add = |kind, name: &str, byte| here.add(kind, name, address(byte), &[]).unwrap().name;
    assert_eq!(add(Kind::Model, "digits", 1), "digits");
    assert_eq!(add(Kind::Offer, "digits", 2), "digits");
    assert_eq!(add(Kind::Dataset, "digits", 3), "digits-2", "models and datasets share their names");
    assert_eq!(add(Kind::Offer, "digits", 4), "digits-2");
    assert_eq!(add(Kind::Wallet, "ada", 5), "ada");
    assert_eq!(here.find(Wanted::Asset, "digits"), Ok(address(1)));
    assert_eq!(here.find(Wanted::Offer, "digits"), Ok(address(2)));
    assert_eq!(here.find(Wanted::Offer, LAST), Ok(address(4)));
    assert_eq!(here.find(Wanted::Asset, LAST), Ok(address(3)));
    assert_eq!(here.find(Wanted::Model, LAST), Ok(address(1)));
    assert_eq!(here.find(Wanted::Any, "ada"), Ok(address(5)));

    let there = book(&folder, "https://api.devnet.example");
    assert!(there.find(Wanted::Asset, "digits").is_err());
    assert_eq!(there.find(Wanted::Any, "ada"), Ok(address(5)), "a wallet is the same everywhere");
    assert_eq!(there.add(Kind::Model, "digits", address(9), &[]).unwrap().name, "digits");
    assert_eq!(book(&folder, "http://127.0.0.1:8899").find(Wanted::Asset, "digits"), Ok(address(1)));
}

#[test]
fn a_name_of_a_chain_that_is_gone_is_said_to_be_one() {
    let folder = TempDir::new().unwrap();
    let at = |genesis: u8, url: &str| {
        let book = book(&folder, url);
        book.meet(&address(genesis));
        book
    };
    let url = "http://127.0.0.1:8899";
    at(101, url).add(Kind::Model, "digits", address(1), &[]).unwrap();
    at(101, url).add(Kind::Job, "job", address(5), &[]).unwrap();
    assert_eq!(at(101, "http://elsewhere:1").find(Wanted::Model, "digits"), Ok(address(1)), "it is the same chain");
    assert_eq!(book(&folder, url).find(Wanted::Model, "digits"), Ok(address(1)), "nobody asked: the last one is meant");

    // Another chain answers there, and has a name of its own.
    let anew = at(102, url);
    let why = anew.find(Wanted::Model, "digits").unwrap_err();
    assert!(!why.contains("gone"), "the first one still answers elsewhere: {why}");
    at(103, "http://elsewhere:1");
    for name in ["digits", LAST] {
        let why = anew.find(Wanted::Model, name).unwrap_err();
        assert!(why.contains("a chain that is gone") && why.contains("book forget"), "{why}");
    }
    assert!(anew.remove(Wanted::Model, "digits").is_err());
    assert!(anew.find(Wanted::Job, LAST).is_ok_and(|job| job == address(5)), "an answer outlives its chain");
    assert_eq!(anew.add(Kind::Model, "digits", address(2), &[]).unwrap().name, "digits");
    assert_eq!(anew.find(Wanted::Model, "digits"), Ok(address(2)));
    let elsewhere = anew.elsewhere().unwrap();
    assert_eq!((elsewhere.len(), elsewhere[0].gone, elsewhere[0].entries[0].address), (1, true, address(1)));
    assert_eq!(at(101, url).find(Wanted::Model, "digits"), Ok(address(1)), "it came back");

    at(102, url);
    anew.add(Kind::Wallet, "ada", address(7), &[]).unwrap();
    let forgotten = anew.forget_gone().unwrap();
    assert_eq!(forgotten.iter().map(|entry| entry.address).collect::<Vec<_>>(), [address(1), address(5)]);
    assert_eq!((anew.elsewhere(), anew.entries().unwrap().len()), (Ok(Vec::new()), 2));
}

#[test]
fn names_that_earlier_versions_wrote_are_those_of_the_first_chain_that_answers() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("provena/book.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let entry = |name: &str, byte| {
        format!(r#"{{"name":"{name}","kind":"model","address":"{}","chain":"http://127.0.0.1:8899"}}"#, address(byte))
    };
    std::fs::write(&file, format!("[{},{}]", entry("digits", 1), entry("words", 2))).unwrap();
    let first = book(&folder, "http://localhost:8899");
    assert_eq!(first.find(Wanted::Model, "digits"), Ok(address(1)));
    first.meet(&address(101));
    assert_eq!(first.find(Wanted::Model, "words"), Ok(address(2)));
    let second = book(&folder, "http://localhost:8899");
    second.meet(&address(102));
    assert!(second.find(Wanted::Model, "words").is_err_and(|why| why.contains("gone")));
}

#[test]
fn an_offer_is_found_by_its_models_name() {
    let folder = TempDir::new().unwrap();
    let book = book(&folder, "http://127.0.0.1:8899");
    book.add(Kind::Model, "digits", address(1), &[]).unwrap();
    assert_eq!(book.find(Wanted::Offer, "digits"), Ok(address(1)));
    assert!(book.find(Wanted::Job, "digits").is_err_and(|why| why.contains("@digits is a model")));
}

#[test]
fn an_unknown_name_lists_near_ones() {
    let folder = TempDir::new().unwrap();
    let book = book(&folder, "http://127.0.0.1:8899");
    assert!(book.find(Wanted::Asset, "digits").is_err_and(|why| why.contains("no model or dataset has a name yet")));
    assert!(book.find(Wanted::Asset, LAST).is_err_and(|why| why.contains("no model or dataset")));
    for (name, byte) in [("digits", 1), ("words", 2)] {
        book.add(Kind::Model, name, address(byte), &[]).unwrap();
    }
    let why = book.find(Wanted::Asset, "digts").unwrap_err();
    assert!(why.contains("@digits") && !why.contains("@words"), "{why}");
    let why = book.find(Wanted::Asset, "zzz").unwrap_err();
    assert!(why.contains("@digits, @words"), "{why}");
}

#[test]
fn names_of_what_is_gone_are_free_again() {
    let folder = TempDir::new().unwrap();
    let book = book(&folder, "http://127.0.0.1:8899");
    book.add(Kind::Model, "digits", address(1), &[]).unwrap();
    let again = book.add(Kind::Model, "digits", address(2), &[address(1)]).unwrap();
    assert_eq!(again, Remembered { name: "digits".into(), replaced: true });
    book.forget(&address(2));
    assert!(book.find(Wanted::Model, "digits").is_err());
    book.add(Kind::Offer, "digits", address(3), &[]).unwrap();
    assert_eq!(book.remove(Wanted::Offer, "digits").map(|entry| entry.address), Ok(address(3)));
    assert!(book.remove(Wanted::Offer, "digits").is_err());
}

#[test]
fn only_the_latest_job_is_kept() {
    let folder = TempDir::new().unwrap();
    let book = book(&folder, "http://127.0.0.1:8899");
    for byte in 1..=5 {
        book.add(Kind::Job, "job", address(byte), &[]).unwrap();
    }
    assert_eq!(book.entries().unwrap().len(), 1);
    assert_eq!(book.find(Wanted::Job, LAST), Ok(address(5)));
}

#[test]
fn a_broken_book_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let book = book(&folder, "http://127.0.0.1:8899");
    book.add(Kind::Model, "digits", address(1), &[]).unwrap();
    let file = folder.path().join("provena/book.json");
    std::fs::write(&file, "[{").unwrap();
    assert!(book.find(Wanted::Model, "digits").is_err_and(|why| why.contains("book.json")));
    assert!(book.add(Kind::Model, "words", address(2), &[]).is_err_and(|why| why.contains("book.json")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[{");
}

#[test]
fn two_programs_at_once_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let threads: Vec<_> = (0..8u8)
        .map(|thread| {
            let book = book(&folder, "http://127.0.0.1:8899");
            std::thread::spawn(move || {
                for byte in 0..10 {
                    book.add(Kind::Model, "model", address(thread * 10 + byte), &[]).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let entries = book(&folder, "http://127.0.0.1:8899").entries().unwrap();
    let names: std::collections::HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!((entries.len(), names.len()), (80, 80));
}
