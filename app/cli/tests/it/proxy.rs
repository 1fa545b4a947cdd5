//! A server in between: it passes everything on, until it is told to be silent or to keep some paths back.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Longest time that a thread does not look whether it is to end.
const TICK: Duration = Duration::from_millis(50);

#[derive(Default)]
struct State {
    silent: AtomicBool,
    ended: AtomicBool,
    kept_back: Mutex<Vec<String>>,
    target: Mutex<String>,
    connections: AtomicUsize,
}

/// Listens on a port of its own.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) url: String,
    state: Arc<State>,
}

impl Proxy {
    /// Passes on to `host:port`.
    pub(crate) fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::new(State { target: Mutex::new(target.to_owned()), ..State::default() });
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let shared = shared.clone();
                let target = shared.target.lock().unwrap().clone();
                std::thread::spawn(move || serve(client, &target, &shared));
            }
        });
        Self { url, state }
    }

    /// Connections that were made, ever.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Every connection is cut, and so is each new one, until `false`.
    pub(crate) fn silent(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }

    /// New connections lead to another `host:port`.
    pub(crate) fn turn(&self, target: &str) {
        target.clone_into(&mut self.state.target.lock().unwrap());
    }

    /// Requests whose path begins so are answered by 503; none any more for the empty list.
    pub(crate) fn keep_back(&self, paths: &[&str]) {
        *self.state.kept_back.lock().unwrap() = paths.iter().map(|path| (*path).to_owned()).collect();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.silent(true);
        // The listener waits for somebody.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
    }
}

fn serve(mut client: TcpStream, target: &str, state: &Arc<State>) {
    if state.silent.load(Ordering::SeqCst) {
        return;
    }
    let mut first = [0; 16 << 10];
    let Ok(len @ 1..) = client.read(&mut first) else { return };
    let line = String::from_utf8_lossy(&first[..len]).lines().next().unwrap_or_default().to_owned();
    let path = line.split(' ').nth(1).unwrap_or_default();
    if state.kept_back.lock().unwrap().iter().any(|kept| path.starts_with(kept)) {
        let _ = client.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    }
    let Ok(mut server) = TcpStream::connect(target) else { return };
    if server.write_all(&first[..len]).is_err() {
        return;
    }
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upward = std::thread::spawn({
        let state = state.clone();
        move || copy(from, to, &state)
    });
    copy(server, client, state);
    let _ = upward.join();
}

fn copy(mut from: TcpStream, mut to: TcpStream, state: &State) {
    from.set_read_timeout(Some(TICK)).expect("a timeout can be set");
    let mut bytes = vec![0; 64 << 10];
    loop {
        if state.silent.load(Ordering::SeqCst) {
            break;
        }
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(len) if to.write_all(&bytes[..len]).is_ok() => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            _ => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
