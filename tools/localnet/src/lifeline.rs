//! Whoever started the chain may be gone: how that is noticed, and lines that nobody reads any more.

use std::{
    fmt,
    io::{self, Write},
};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

/// Resolves when standard input ends, or never unless `watched`. Its other end belongs to whoever started the chain, and closes
/// with that process, whatever ended it. What is read is dropped.
///
/// # Errors
/// No thread can be had.
pub fn let_go(watched: bool) -> Result<impl Future<Output = ()>> {
    let ended = watched.then(watch).transpose()?;
    Ok(async move {
        match ended {
            // The thread says it by dropping its end.
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    })
}

fn watch() -> Result<oneshot::Receiver<()>> {
    let (end, ended) = oneshot::channel();
    let wait = move || {
        // An input that cannot be read has nobody at its other end either.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(end);
    };
    // Not joined: a read that waits cannot be told to stop, and it holds nothing but the channel.
    std::thread::Builder::new().name("lifeline".into()).spawn(wait).context("cannot watch standard input")?;
    Ok(ended)
}

/// Writes a line on standard error. That nobody reads it must not end what the chain still has to do.
pub fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
