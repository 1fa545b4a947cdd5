//! Chooses the two ports, and says which is taken before anything has been started.

use std::net::{IpAddr, SocketAddr, TcpListener};

use anyhow::{Result, anyhow, bail};

/// Where the chain will answer.
#[derive(Debug, Clone, Copy)]
pub struct Endpoints {
    pub rpc: SocketAddr,
    pub ws: SocketAddr,
}

/// Binds both ports for a moment. Port 0 becomes a free one.
///
/// # Errors
/// A port that cannot be bound, named together with the flag that changes it; or one port given twice.
pub fn choose(host: IpAddr, rpc_port: u16, ws_port: u16) -> Result<Endpoints> {
    if rpc_port == ws_port && rpc_port != 0 {
        bail!("--rpc-port and --ws-port are both {rpc_port}; give each its own");
    }
    let rpc = bind(host, rpc_port, "--rpc-port")?;
    let ws = bind(host, ws_port, "--ws-port")?;
    Ok(Endpoints { rpc: rpc.local_addr()?, ws: ws.local_addr()? })
}

fn bind(host: IpAddr, port: u16, flag: &str) -> Result<TcpListener> {
    TcpListener::bind((host, port)).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "port {port} on {host} is taken: another program listens there, perhaps another local chain. \
             Stop it, or choose another port with {flag}"
        ),
        std::io::ErrorKind::AddrNotAvailable => {
            anyhow!("this machine has no address {host}: give one of its own with --host")
        }
        std::io::ErrorKind::PermissionDenied => {
            anyhow!("no permission to listen on port {port}: choose one above 1023 with {flag}")
        }
        _ => anyhow!("cannot listen on {host}:{port} ({error}): choose another port with {flag}"),
    })
}
