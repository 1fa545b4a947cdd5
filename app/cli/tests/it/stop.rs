//! Being told to stop: nothing is left behind.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::provena::Person;

/// Processes whose temporary folder is `folder`: whatever a command of ours started inherits it.
#[cfg(target_os = "linux")]
fn processes_in(folder: &str) -> usize {
    let needle = format!("TMPDIR={folder}").into_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("environ")).ok())
        .filter(|environ| environ.split(|byte| *byte == 0).any(|pair| pair == needle))
        .count()
}

/// Waits until nothing runs whose temporary folder is `folder`.
#[cfg(target_os = "linux")]
fn gone(folder: &str) {
    let begun = Instant::now();
    while processes_in(folder) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "a child outlives the demo");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_demo_that_is_killed_leaves_no_process() {
    let person = Person::new();
    let mut demo = person.command();
    demo.args(["demo", "--keep"]).env("TMPDIR", person.path("")).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut demo = demo.spawn().unwrap();
    let folder = person.path("").display().to_string();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let kept = lines.find_map(|line| {
        let folder = line.unwrap().split_once("PROVENA_STORE=file://")?.1.split_once("/store")?.0.to_owned();
        Some(folder)
    });
    // The node has the demo's folder for its temporary files.
    let node = format!("{}/node", kept.expect("the demo says where it is"));
    assert_eq!((processes_in(&folder), processes_in(&node)), (2, 1), "the demo, its chain and its node run");
    demo.kill().unwrap();
    demo.wait().unwrap();
    gone(&folder);
    gone(&node);
}

#[cfg(target_os = "linux")]
#[test]
fn a_demo_that_is_stopped_leaves_no_process_and_no_file() {
    for heading in ["Provena:", "4. A node joins"] {
        let person = Person::new();
        let temporary = person.path("tmp");
        fs::create_dir(&temporary).unwrap();
        let folder = temporary.display().to_string();
        let mut demo = person
            .command()
            .arg("demo")
            .env("TMPDIR", &temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with(heading)), "the demo gets as far as `{heading}`");
        assert!(processes_in(&folder) >= 2, "the chain runs");
        assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
        assert_eq!(demo.wait().unwrap().code(), Some(130));

        gone(&folder);
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "the demo's folder is gone");
    }
}
