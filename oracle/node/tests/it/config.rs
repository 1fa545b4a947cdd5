//! Every wrong setting is named, and the message says what to do.

use std::path::Path;

use provena_client::reach::Reach;
use provena_node::config::{Config, ConfigError};

const MINIMAL: &str = "[chain]\nrpc_url = \"http://127.0.0.1:8899\"\n[node]\nkey = \"node.json\"\n";

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, variables, Path::new("/etc/provena/node.toml"))
}

#[test]
fn the_sample_is_valid_and_shows_the_defaults() {
    let sample = parse(Config::sample(), &[]).unwrap();
    let minimal = parse(MINIMAL, &[]).unwrap();
    assert_eq!(format!("{sample:?}"), format!("{minimal:?}"));
    // What is commented out is the default, so that uncommenting changes nothing but the lists.
    let mut uncommented = String::new();
    for line in Config::sample().lines() {
        let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        uncommented.push_str(setting.unwrap_or(line));
        uncommented.push('\n');
    }
    let mut explicit = parse(&uncommented, &[]).unwrap();
    assert_eq!(explicit.chain.ws_url.take().as_deref(), Some("ws://127.0.0.1:8900"));
    assert_eq!(explicit.store.private_peers.take(), Some(false));
    assert_eq!(format!("{explicit:?}"), format!("{minimal:?}"));
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = parse(MINIMAL, &[]).unwrap();
    assert_eq!(config.node.key, Path::new("/etc/provena/node.json"));
    assert_eq!(config.node.data, Path::new("/etc/provena/provena-node"));
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parse(
        MINIMAL,
        &[
            ("PROVENA_NODE__CHAIN__RPC_URL", "https://rpc.example"),
            ("PROVENA_NODE__NODE__MAX_JOBS", "7"),
            ("PROVENA_NODE__HTTP__UPLOADS", "false"),
            ("PROVENA_NODE__STORE__URLS", "[\"file:///blobs\"]"),
        ],
    )
    .unwrap();
    assert_eq!(config.chain.rpc_url, "https://rpc.example");
    assert_eq!(config.node.max_jobs, 7);
    assert!(!config.http.uploads);
    assert_eq!(config.store.urls, ["file:///blobs"]);
}

#[test]
fn a_variable_that_names_no_setting_is_refused() {
    let error = parse(MINIMAL, &[("PROVENA_NODE__RPC", "x")]).unwrap_err();
    assert!(matches!(error, ConfigError::Variable { .. }), "{error}");
    let error = parse(MINIMAL, &[("PROVENA_NODE__CHAIN__RPC", "x")]).unwrap_err().to_string();
    assert!(error.contains("unknown field `rpc`") && error.contains("PROVENA_NODE__CHAIN__RPC"), "{error}");
}

#[test]
fn wrong_settings_are_named() {
    for (change, expected) in [
        ("[http]\nlisten = \"localhost\"\n", "listen"),
        ("[http]\nlissen = \"127.0.0.1:1\"\n", "unknown field `lissen`"),
        ("[engine]\nadapter = 3\n", "adapter"),
        ("[engine]\ntexts = 0\n", "[engine] texts: must be 1 to 4096"),
        ("[engine]\nchunk = 5000\n", "[engine] chunk: must be 1 to 4096"),
        ("[http]\nmax_upload_bytes = 0\n", "[http] max_upload_bytes: must be greater than 0"),
        ("[store]\ntimeout_s = -1\n", "timeout_s"),
        ("max_windows_slots = 0\n", "[node] max_windows_slots: must be greater than 0"),
        ("[log]\nformat = \"xml\"\n", "unknown variant `xml`, expected `text` or `json`"),
    ] {
        let error = parse(&format!("{MINIMAL}{change}"), &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{change}: {error}");
    }
}

#[test]
fn a_bad_url_is_refused_and_quoted() {
    for url in ["127.0.0.1:8899", "ftp://127.0.0.1", "http://", "devnet"] {
        let text = MINIMAL.replace("http://127.0.0.1:8899", url);
        let error = parse(&text, &[]).unwrap_err().to_string();
        assert!(error.contains("[chain] rpc_url") && error.contains(&format!("{url:?} is not")), "{url}: {error}");
    }
}

#[test]
fn private_addresses_of_nodes_are_called_as_the_operator_says_or_the_chain() {
    assert_eq!(parse(MINIMAL, &[]).unwrap().reach(), None);
    for (chosen, reach) in [(true, Reach::Private), (false, Reach::Public)] {
        let text = format!("{MINIMAL}[store]\nprivate_peers = {chosen}\n");
        assert_eq!(parse(&text, &[]).unwrap().reach(), Some(reach));
    }
}

#[test]
fn a_model_that_is_no_address_is_refused() {
    let error = parse(&MINIMAL.replace("key =", "models = [\"digits\"]\nkey ="), &[]).unwrap_err().to_string();
    assert!(error.contains("[node] models") && error.contains("\"digits\""), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("/nowhere/node.toml")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/node.toml cannot be read"), "{error}");
}

#[test]
fn a_missing_or_wrong_key_file_names_the_way_to_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    let config = Config::parse(MINIMAL, [], &path).unwrap();
    let error = config.key().unwrap_err().to_string();
    assert!(error.contains("node.json") && error.contains("provena keygen"), "{error}");
    for wrong in ["", "hello", "[1, 2, 3]", "[300]"] {
        std::fs::write(folder.path().join("node.json"), wrong).unwrap();
        let error = config.key().unwrap_err();
        assert!(matches!(error, ConfigError::Key { .. }), "{wrong:?}: {error}");
    }
    let key = solana_keypair::Keypair::new();
    std::fs::write(folder.path().join("node.json"), format!("{:?}", key.to_bytes())).unwrap();
    assert_eq!(config.key().unwrap().to_bytes(), key.to_bytes());
}
