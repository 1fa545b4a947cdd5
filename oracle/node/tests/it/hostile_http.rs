//! N4: what strangers who connect cost the node, measured at a process of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use provena_arith::merkle::content_root;
use provena_client::chain::{Budget, ChainReader, ChainSubmitter, RpcChain, RpcOptions, send_within};
use provena_client::store::Root;
use provena_market::client;
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use provena_wire::Upload;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::localnet::Localnet;
use crate::support::market::Scene;
use crate::support::process::Process;
use crate::support::serving::{Served, headers, names};

/// Longest that anything here may take before it counts as never.
const NEVER: Duration = Duration::from_secs(60);

/// What attacks may cost.
const MOST_GROWTH: u64 = 50 << 20;

/// A chain with a market, on which a node and a payer are known.
struct Cluster {
    chain: RpcChain,
    localnet: Localnet,
    payer: Keypair,
    genesis: [u8; 32],
}

async fn cluster() -> Cluster {
    let localnet = Localnet::start();
    let mut options = RpcOptions::new(localnet.rpc_url.clone());
    options.ws_url = Some(localnet.ws_url.clone());
    let chain = RpcChain::new(&options).unwrap();
    for name in ["operator", "treasury", "node", "payer"] {
        chain.airdrop(&keypair(name).pubkey(), 100_000_000_000).await.unwrap();
    }
    while chain.account(&keypair("payer").pubkey()).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (operator, node) = (keypair("operator"), keypair("node"));
    let genesis = chain.cluster().await.unwrap();
    let market = client::initialize_admin(operator.pubkey(), keypair("treasury").pubkey(), genesis, 100, STAKE);
    let register = client::register_node(node.pubkey(), STAKE, "", [0; 32], 0);
    send_within(&chain, &[market], &[&operator], Budget::units(400_000)).await.unwrap();
    send_within(&chain, &[register], &[&node], Budget::units(400_000)).await.unwrap();
    Cluster { chain, localnet, payer: keypair("payer"), genesis }
}

impl Cluster {
    async fn upload(&self, root: Root, len: u64) -> Upload {
        let slot = self.chain.slot().await.unwrap();
        Upload { cluster: self.genesis, node: keypair("node").pubkey().to_bytes(), root, len, slot }
    }
}

impl Process {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream
    }

    /// An honest reader and an honest writer.
    async fn serves_honestly(&self, cluster: &Cluster, artifact: Option<Root>, blob: &[u8]) {
        // From another address than the attackers'.
        let http = reqwest::Client::builder().local_address(Some("127.0.0.2".parse().unwrap())).build().unwrap();
        assert_eq!(self.get("/health").await, 200);
        if let Some(root) = artifact {
            let store = provena_client::store::Store::open(&[format!("http://{}/v1", self.address)]).unwrap();
            store.get(&root).await.unwrap();
        }
        let root = content_root(blob).unwrap();
        let upload = cluster.upload(root, blob.len() as u64).await;
        let mut put = http.put(format!("http://{}/v1/blobs/{}", self.address, hex::encode(root))).body(blob.to_vec());
        for (name, value) in headers(&cluster.payer, &upload) {
            put = put.header(name, value);
        }
        let answer = put.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }
}

/// Waits until the other side has closed a connection.
fn until_closed(mut stream: TcpStream) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return,
            Err(error) => panic!("it is never closed: {error}"),
        }
    }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

/// 40 slow readers of 139 MB took 5.3 GB, 30 stalled writers 1.8 GB, half an hour later still.
#[tokio::test(flavor = "multi_thread")]
async fn n4_slow_readers_and_stalled_writers_cost_little_memory_and_are_ended() {
    let cluster = cluster().await;
    let artifact: Vec<u8> = (0..139_000_000u32).map(|at| (at % 251) as u8).collect();
    let root = content_root(&artifact).unwrap();
    // One party may do all this here, as many could elsewhere.
    let sections = "[http]\naddress_connections = 0\ntimeout_s = 3\n";
    let process = Process::start(&cluster.localnet, sections, Some(&artifact)).await;
    process.serves_honestly(&cluster, Some(root), b"before").await;
    let before = process.memory();

    let mut held = Vec::new();
    for _ in 0..40 {
        let mut reader = process.connect();
        write!(reader, "GET /v1/blobs/{} HTTP/1.1\r\nhost: node\r\n\r\n", hex::encode(root)).unwrap();
        let mut first = [0; 1_000];
        reader.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
        held.push(reader);
    }
    let len = 8u64 << 20;
    for number in 0..30u8 {
        let mut writer = process.connect();
        let upload = cluster.upload([number; 32], len).await;
        write!(
            writer,
            "PUT /v1/blobs/{} HTTP/1.1\r\nhost: node\r\ncontent-length: {len}\r\n",
            hex::encode(upload.root)
        )
        .unwrap();
        for (name, value) in headers(&cluster.payer, &upload) {
            write!(writer, "{name}: {value}\r\n").unwrap();
        }
        write!(writer, "\r\n").unwrap();
        writer.write_all(&vec![number; 500_000]).unwrap();
        held.push(writer);
    }
    let drafts = process.folder.path().join("provena-node/blobs/drafts");
    while names(&drafts).len() < 28 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let during = process.memory();
    eprintln!("70 slow readers and writers: {} MiB before, {} MiB during", mebibytes(before), mebibytes(during));
    assert!(during < before + MOST_GROWTH, "{} MiB, then {} MiB", mebibytes(before), mebibytes(during));
    process.serves_honestly(&cluster, Some(root), b"during").await;

    // None of them holds anything for long, and nothing of theirs is left.
    tokio::task::spawn_blocking(move || held.into_iter().for_each(until_closed)).await.unwrap();
    while !names(&drafts).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = process.memory();
    eprintln!("{} MiB after", mebibytes(after));
    assert!(after < before + MOST_GROWTH, "{} MiB, then {} MiB", mebibytes(before), mebibytes(after));
}

/// Who drips is never silent: a byte now and then held a connection for ever.
#[tokio::test(flavor = "multi_thread")]
async fn n4_who_drips_is_ended_too() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "[http]\ntimeout_s = 1\n", None).await;
    let upload = cluster.upload([1; 32], 1 << 20).await;
    let mut writer = process.connect();
    write!(
        writer,
        "PUT /v1/blobs/{} HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n",
        hex::encode(upload.root),
        upload.len
    )
    .unwrap();
    for (name, value) in headers(&cluster.payer, &upload) {
        write!(writer, "{name}: {value}\r\n").unwrap();
    }
    write!(writer, "\r\n").unwrap();
    let dripping = tokio::task::spawn_blocking(move || {
        let begun = std::time::Instant::now();
        while writer.write_all(b"x").is_ok() {
            assert!(begun.elapsed() < NEVER, "a drip is taken for ever");
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut loris = process.connect();
    write!(loris, "GET /health HTTP/1.1\r\n").unwrap();
    let creeping = tokio::task::spawn_blocking(move || {
        let begun = std::time::Instant::now();
        while write!(loris, "x-{}: y\r\n", begun.elapsed().as_millis()).is_ok() {
            assert!(begun.elapsed() < NEVER, "headers are read for ever");
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    dripping.await.unwrap();
    creeping.await.unwrap();
    assert_eq!(names(&process.folder.path().join("provena-node/blobs/drafts")), Vec::<String>::new());
}

/// 1,500 such connections stayed open.
#[tokio::test(flavor = "multi_thread")]
async fn n4_a_thousand_slow_lorises_cost_little_and_stop_nobody() {
    let cluster = cluster().await;
    // More than there is room for, and all from one address.
    let process = Process::start(&cluster.localnet, "[http]\naddress_connections = 0\ntimeout_s = 20\n", None).await;
    process.serves_honestly(&cluster, None, b"before").await;
    let before = process.memory();
    let mut held = Vec::new();
    for _ in 0..1_000 {
        let mut loris = process.connect();
        // As much of a header as it reads.
        let sent = write!(loris, "GET /health HTTP/1.1\r\nhost: node\r\nx-slow: {}", "y".repeat(12_000));
        assert!(sent.is_ok());
        held.push(loris);
    }
    process.serves_honestly(&cluster, None, b"during").await;
    let during = process.memory();
    eprintln!("1,000 slow connections: {} MiB before, {} MiB during", mebibytes(before), mebibytes(during));
    assert!(during < before + MOST_GROWTH, "{} MiB, then {} MiB", mebibytes(before), mebibytes(during));
    let metrics = reqwest::get(format!("http://{}/metrics", process.address)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("provena_node_connections_refused_total"), "{metrics}");
    tokio::task::spawn_blocking(move || held.into_iter().for_each(until_closed)).await.unwrap();
    process.serves_honestly(&cluster, None, b"after").await;
}

/// One address holds its share of the connections, and another is served.
#[tokio::test(flavor = "multi_thread")]
async fn n4_one_address_does_not_take_the_connections_of_others() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "[http]\naddress_connections = 10\ntimeout_s = 20\n", None).await;
    // What asked until it worked may still be connected.
    let mut held: Vec<TcpStream> = (0..40).map(|_| process.connect()).collect();
    let mut closed = 0;
    for stream in &mut held {
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        match stream.read(&mut [0; 1]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => closed += 1,
        }
    }
    assert!((30..40).contains(&closed), "{closed} of 40 were closed");
    let other = reqwest::Client::builder().local_address(Some("127.0.0.2".parse().unwrap())).build().unwrap();
    assert_eq!(other.get(format!("http://{}/health", process.address)).send().await.unwrap().status(), 200);
}

/// Who asked once and keeps his connection is closed like who never asked, and stops nobody meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn n4_a_thousand_connections_that_were_used_once_are_closed() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "[http]\naddress_connections = 0\ntimeout_s = 3\n", None).await;
    let mut held = Vec::new();
    for _ in 0..1_000 {
        let mut stream = process.connect();
        write!(stream, "GET /v1/receipts/{} HTTP/1.1\r\nhost: node\r\n\r\n", Keypair::new().pubkey()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 404");
        held.push(stream);
    }
    process.serves_honestly(&cluster, None, b"during").await;
    tokio::task::spawn_blocking(move || held.into_iter().for_each(until_closed)).await.unwrap();
    process.serves_honestly(&cluster, None, b"after").await;
}

/// Who takes an artifact slowly keeps a place for it. With a few addresses, all places were taken, and nobody got his answer.
#[tokio::test(flavor = "multi_thread")]
async fn n4_slow_readers_keep_nobody_from_his_answer_or_a_model() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let artifact: Vec<u8> = (0..30_000_000u32).map(|at| (at % 251) as u8).collect();
    let answer = b"an answer".as_slice();
    let [root, short] = [("artifacts", artifact.as_slice()), ("answers", answer)].map(|(class, bytes)| {
        let (class, root) = (folder.path().join("provena-node/blobs").join(class), content_root(bytes).unwrap());
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(hex::encode(root)), bytes).unwrap();
        root
    });
    let served = Served::start(scene.chain.clone(), folder.path(), "[http]\ntimeout_s = 60\n").await;
    let from = |network: u8| {
        let address = std::net::IpAddr::from([127, 0, network, 1]);
        reqwest::Client::builder().local_address(Some(address)).build().unwrap()
    };
    let blob = |root: Root| served.url(&format!("/v1/blobs/{}", hex::encode(root)));
    let mut held = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    for network in 1..=5 {
        let http = from(network);
        for _ in 0..60 {
            let response = http.get(blob(root)).send().await.unwrap();
            match response.status().as_u16() {
                200 => taken += 1,
                503 => refused += 1,
                other => panic!("HTTP {other}"),
            }
            held.push(response);
        }
    }
    assert_eq!((taken, refused), (5 * 16, 5 * 44));
    let honest = from(9);
    let got = honest.get(blob(short)).send().await.unwrap();
    assert_eq!((got.status().as_u16(), got.bytes().await.unwrap().as_ref()), (200, answer));
    let got = honest.get(blob(root)).send().await.unwrap();
    assert_eq!((got.status().as_u16(), got.bytes().await.unwrap().len()), (200, artifact.len()));
    // Nor is an answer kept from those who take other things slowly.
    assert_eq!(from(1).get(blob(short)).send().await.unwrap().status(), 200);
    served.stop().await;
}

/// What nobody wants was read to its end, however slowly it came: for 16 MiB an hour, on each connection that there was.
#[tokio::test(flavor = "multi_thread")]
async fn n4_who_sends_what_nobody_wants_slowly_is_ended() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "", None).await;
    let offer = Keypair::new().pubkey();
    for line in [format!("PUT /v1/blobs/{}", hex::encode([7; 32])), format!("POST /v1/quotes/{offer}")] {
        let mut stream = process.connect();
        let mut sender = stream.try_clone().unwrap();
        write!(sender, "{line} HTTP/1.1\r\nhost: node\r\ncontent-length: 16000000\r\n\r\n").unwrap();
        let sending = tokio::task::spawn_blocking(move || {
            let begun = std::time::Instant::now();
            // Faster than what is too slow for what is wanted.
            while sender.write_all(&[1; 2_000]).is_ok() {
                assert!(begun.elapsed() < NEVER, "it is read for ever");
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let mut first = [0; 12];
        tokio::task::spawn_blocking(move || {
            stream.read_exact(&mut first).unwrap();
            assert!(
                [&b"HTTP/1.1 401"[..], b"HTTP/1.1 404"].contains(&&first[..]),
                "{}",
                String::from_utf8_lossy(&first)
            );
        })
        .await
        .unwrap();
        sending.await.unwrap();
    }
    process.serves_honestly(&cluster, None, b"after").await;
}

/// Headers are read up to a number and a length, and whoever sends more is told.
#[tokio::test(flavor = "multi_thread")]
async fn n4_headers_have_a_number_and_a_length() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "", None).await;
    let before = process.memory();
    let ask = |headers: String| {
        let mut stream = process.connect();
        // The answer may come before all is sent, which breaks the sending off.
        drop(write!(stream, "GET /v1/receipts/x HTTP/1.1\r\nhost: node\r\n{headers}\r\n"));
        let mut first = [0; 12];
        stream.read_exact(&mut first).map(|()| String::from_utf8_lossy(&first).into_owned())
    };
    let lines = |count: usize| (0..count).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    assert_eq!(ask(lines(63)).unwrap(), "HTTP/1.1 400", "as many as there may be");
    assert_eq!(ask(lines(64)).unwrap(), "HTTP/1.1 431");
    assert_eq!(ask(lines(5_000)).unwrap_or_else(|_| "HTTP/1.1 431".to_owned()), "HTTP/1.1 431");
    assert_eq!(ask(format!("x: {}\r\n", "y".repeat(12_000))).unwrap(), "HTTP/1.1 400");
    for len in [20_000, 10_000_000] {
        let answer = ask(format!("x: {}\r\n", "y".repeat(len)));
        assert_eq!(answer.unwrap_or_else(|_| "HTTP/1.1 431".to_owned()), "HTTP/1.1 431", "{len} bytes");
    }
    let after = process.memory();
    assert!(after < before + (8 << 20), "{} MiB, then {} MiB", mebibytes(before), mebibytes(after));
    process.serves_honestly(&cluster, None, b"after").await;
}

/// Requests of every hostile kind leave nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn n4_ten_thousand_hostile_requests_leave_memory_flat() {
    let cluster = cluster().await;
    let process = Process::start(&cluster.localnet, "", None).await;
    let rounds = |count: usize| {
        let address = process.address;
        tokio::task::spawn_blocking(move || {
            std::thread::scope(|scope| {
                for thread in 0..8usize {
                    scope.spawn(move || (0..count / 8).for_each(|number| hostile(address, thread, number)));
                }
            });
        })
    };
    rounds(2_000).await.unwrap();
    let early = process.memory();
    rounds(8_000).await.unwrap();
    let late = process.memory();
    eprintln!("hostile requests: {} MiB after 2,000, {} MiB after 10,000", mebibytes(early), mebibytes(late));
    assert!(late < early + (8 << 20), "{} MiB, then {} MiB", mebibytes(early), mebibytes(late));
    for class in ["drafts", "uploads", "inputs", "artifacts"] {
        assert_eq!(names(&process.folder.path().join("provena-node/blobs").join(class)), Vec::<String>::new());
    }
    process.serves_honestly(&cluster, None, b"after").await;
}

/// One hostile request on a connection of its own, of a kind that depends on its number.
fn hostile(address: SocketAddr, thread: usize, number: usize) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    drop(stream.set_read_timeout(Some(Duration::from_secs(5))));
    let root = format!("{:064x}", thread * 1_000_000 + number);
    let job = Keypair::new().pubkey();
    let request = match number % 8 {
        0 => format!("GET /v1/blobs/{root} HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n"),
        1 => format!("PUT /v1/blobs/{root} HTTP/1.1\r\nhost: n\r\nconnection: close\r\ncontent-length: 3\r\n\r\nxyz"),
        2 => format!(
            "PUT /v1/blobs/{root} HTTP/1.1\r\nhost: n\r\nconnection: close\r\nprovena-job: {job}\r\ncontent-length: 3\r\n\r\nxyz"
        ),
        3 => format!("PUT /v1/blobs/{root} HTTP/1.1\r\nhost: n\r\ncontent-length: 99999999999999999999\r\n\r\n"),
        4 => format!("GET /{} HTTP/1.1\r\nhost: n\r\n\r\n", "a/".repeat(20_000)),
        5 => format!("GET /v1/receipts/{job} HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n"),
        6 => "\u{1}\u{2}\u{3} this is no request\r\n\r\n".to_owned(),
        _ => format!(
            "PUT /v1/blobs/{root} HTTP/1.1\r\nhost: n\r\nprovena-wallet: {job}\r\nprovena-slot: 1\r\nprovena-signature: x\r\ncontent-length: 1000000\r\n\r\n"
        ),
    };
    if stream.write_all(request.as_bytes()).is_ok() {
        // Some are ended from this side, in the middle.
        if number % 8 != 7 {
            drop(stream.read(&mut [0; 256]));
        }
    }
}
