//! Strangers' names whose servers never answer, and whatever else holds the runtime's threads: neither stops the crash log, nor
//! `/health`, nor what comes from a numeric address.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::time::Duration;

use provena_client::chain::send_and_confirm;
use provena_market::client;
use provena_market::state::JobState;
use provena_node::journal::Journal;
use provena_tests::market::STAKE;
use reqwest::StatusCode;
use solana_signer::Signer;
use tokio::time::Instant;

use crate::journal::{entry, key, taking};
use crate::support::market::Scene;
use crate::support::model;
use crate::support::serving::Served;
use crate::support::slow_store::SlowStore;
use crate::support::small_disk::{SKIP, without_mounts};
use crate::support::watched::Gatekeeper;
use crate::watch::until;

/// Set for the process in which no name is ever found.
const CHILD: &str = "PROVENA_TEST_SLOW_NAMES";

/// What that process says when no name is found any more, and when it is done.
const ALONE: &str = "it has names of its own";
const PLAYED: &str = "all of it was played";

/// Has this process, and no other, read the names of hosts from where nobody writes any.
const NO_NAMES: &str = r#"
mkfifo "$1/hosts" && echo "hosts: files" > "$1/nsswitch.conf" || exit
mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf || exit
shift
echo "$1" >&2
shift
exec "$@"
"#;

/// Jobs for models that only strangers could have: more than the runtime has threads for what blocks.
const JOBS: usize = 20;

/// Names that are looked up at the same time.
const LOOKUPS: usize = 8;

/// Sixteen strangers register names at which no server answers, and one payer posts jobs for twenty models that only they could
/// have. The system's own resolver waits for ever, as it does for some minutes with a name server that is slow on purpose.
#[test]
fn names_that_are_never_found_hold_up_no_bond_no_health_and_no_numeric_address() {
    if without_mounts() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let played = Command::new("unshare")
        .args(["--mount", "sh", "-c", NO_NAMES, "sh"])
        .arg(folder.path())
        .arg(ALONE)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "slow_names::a_process_without_names", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap_or_else(|error| {
            panic!("no process can be given names of its own ({error}): set {SKIP}=1 to leave it out")
        });
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(said.contains(ALONE), "run the tests as root, or set {SKIP}=1 to leave this out: {said}");
    assert!(played.status.success() && said.contains(PLAYED), "{said}");
}

/// The other process. It is no test: without the setting of the one that starts it, it does nothing.
#[test]
fn a_process_without_names() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(150));
        eprintln!("it hangs");
        std::process::exit(1);
    });
    let runtime = provena_node::runtime::new().unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(play())));
    // Whatever hangs is not waited for.
    runtime.shutdown_background();
    played.unwrap_or_else(|panic| resume_unwind(panic));
    eprintln!("\n{PLAYED}");
}

async fn play() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..16 {
        let node = scene.chain.world(|world| world.wallet(&format!("stranger {number}")));
        let url = format!("http://node-{number}.example");
        let register = client::register_node(node.pubkey(), STAKE, &url, [0; 32], 0);
        send_and_confirm(scene.chain.as_ref(), &[register], &[&node]).await.unwrap();
    }
    for number in 0..JOBS {
        let artifact = model::another(u8::try_from(number).unwrap());
        let offer = scene.offer_of(&artifact, &format!("attack {number}"));
        scene.client().post_job(&offer, &model::request(1)).await.unwrap();
    }
    let store = SlowStore::start(&scene.shared, &[], 100).await;
    let sections = format!("[store]\nurls = [{:?}]\nprivate_peers = false\n", store.url);
    let served = Served::start(scene.chain.clone(), folder.path(), &sections).await;
    until("so many names are looked up", || lookups() >= LOOKUPS).await;
    let begun = Instant::now();
    // The others would be by now.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(lookups(), LOOKUPS);

    // A model from a numeric address, loaded and asked.
    let ask = served.http.post(served.url(&format!("/v1/quotes/{}", scene.offer))).body(model::request(2).to_bytes());
    let quoted = ask.timeout(Duration::from_secs(10)).send().await.expect("a quote is answered").status();
    assert_eq!((quoted, served.get("/health").await.0), (StatusCode::OK, StatusCode::OK));
    // And a job, of which no step is taken before it is in the crash log.
    let job = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap().job;
    until("it is answered", || scene.job(&job).state().unwrap() == JobState::Agreed).await;
    tokio::time::sleep_until(begun + Duration::from_secs(8)).await;
    // Those who asked have gone on to other names, and the system's resolver has not come back.
    assert_eq!(lookups(), LOOKUPS);
    tokio::time::timeout(Duration::from_secs(20), served.stop()).await.expect("it stops");
}

/// The threads of this process that look names up.
fn lookups() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this is Linux").filter_map(Result::ok);
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "name lookup").count()
}

/// The runtime's threads for what blocks may all be held, by a disk for instance, while a bond depends on the log.
#[test]
fn the_log_is_written_while_every_thread_for_what_blocks_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    let gate = Gatekeeper::default();
    let held = gate.0.clone();
    runtime.block_on(async {
        let blocking = tokio::task::spawn_blocking(move || held.wait());
        let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
        let written = tokio::time::timeout(Duration::from_secs(10), journal.write(vec![entry(taking(1))])).await;
        written.expect("it waits for no such thread").unwrap();
        assert!(!blocking.is_finished());
        assert!(journal.job(&key()).is_some());
    });
}
