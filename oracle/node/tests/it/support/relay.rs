//! A door to a server behind which another one can be put.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Passes bytes on; dropping it closes it.
pub(crate) struct Relay {
    pub address: SocketAddr,
    inner: Arc<Mutex<Behind>>,
    task: JoinHandle<()>,
}

struct Behind {
    target: SocketAddr,
    /// Ends the connections that lead to the target.
    open: CancellationToken,
}

impl Relay {
    /// To the server of a URL.
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
        let address = listener.local_addr().expect("it is bound");
        let inner = Arc::new(Mutex::new(Behind { target: server(url), open: CancellationToken::new() }));
        let shared = inner.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (target, open) = {
                    let behind = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    (behind.target, behind.open.clone())
                };
                tokio::spawn(async move {
                    let Ok(mut to) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                        () = open.cancelled() => {}
                    }
                });
            }
        });
        Self { address, inner, task }
    }

    /// From now on the door leads to another server.
    pub(crate) fn lead_to(&self, url: &str) {
        let mut behind = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        behind.target = server(url);
        std::mem::replace(&mut behind.open, CancellationToken::new()).cancel();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server(url: &str) -> SocketAddr {
    let (_, server) = url.split_once("://").expect("it is a URL");
    server.trim_end_matches('/').parse().expect("it is an address and a port")
}
