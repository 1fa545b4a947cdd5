use provena_engine::import::{ImportOptions, import};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
fn read() -> [u64; 3] {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    ["VmRSS", "RssAnon", "RssFile"]
        .map(|k| s.lines().find(|l| l.starts_with(k)).and_then(|l| l.split_whitespace().nth(1)?.parse().ok()).unwrap())
}
fn hwm() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap().into()
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let start = std::time::Instant::now();
    let most = Arc::new(Mutex::new([0u64; 3]));
    let end = Arc::new(AtomicBool::new(false));
    let watch = {
        let (most, end) = (most.clone(), end.clone());
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let now = read();
                let mut m = most.lock().unwrap();
                for i in 0..3 {
                    m[i] = m[i].max(now[i]);
                }
                drop(m);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        })
    };
    let mut stage = String::new();
    let cal = a.get(4).map(Into::into);
    let options = ImportOptions {
        source: a[1].clone().into(),
        family: None,
        name: Some(a[3].clone()),
        calibration: cal,
        context: None,
        out: a[2].clone().into(),
    };
    let mut note = |next: String| {
        if next != stage {
            let mut m = most.lock().unwrap();
            if !stage.is_empty() {
                eprintln!(
                    "{:7.2}s end of {:12}: peak RSS {} MB, anon {} MB; now {:?}",
                    start.elapsed().as_secs_f64(),
                    stage,
                    m[0] as f64 / 1024.0,
                    m[1] as f64 / 1024.0,
                    read()
                );
            }
            *m = [0; 3];
            stage = next;
        }
    };
    let report = import(&options, &mut |p| note(p.stage.to_string())).unwrap();
    note("x".into());
    end.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    eprintln!("{:7.2}s {}", start.elapsed().as_secs_f64(), hwm());
    for f in &report.quality {
        eprintln!("  {} {}", f.name, f.value);
    }
    eprintln!("bytes {} root {}", report.summary.bytes, report.summary.content_root);
}
