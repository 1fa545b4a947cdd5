//! Ctrl-c and SIGTERM.

use std::io;

use anyhow::Result;

use crate::failure::{Exit, Failure};

/// Who asked the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A person, with ctrl-c.
    Interrupt,
    /// The system, which is content with a service that ends when it is told to.
    Terminate,
}

impl Asked {
    /// How a service ends that stopped as it should; `words` say what stands.
    ///
    /// # Errors
    /// For a person, whose shell is told by the exit code that what follows is not wanted either.
    pub(crate) fn outcome(self, words: impl Into<String>) -> Result<()> {
        match self {
            Self::Interrupt => Err(Failure::new(Exit::Interrupted, words).into()),
            Self::Terminate => Ok(()),
        }
    }
}

/// Lets ctrl-c end a command that sends single transactions, with words that say what that means.
///
/// # Errors
/// Those of the work, or that it was stopped.
pub(crate) async fn ends<T>(work: impl Future<Output = Result<T>>, words: &str) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = requested() => Err(Failure::new(Exit::Interrupted, words).into()),
    }
}

/// What stands when a command is stopped that sends single transactions.
pub(crate) const SENT: &str = "stopped; a transaction that was sent already may still be carried out";

/// What is to be said when a command is stopped that only reads.
pub(crate) const READ: &str = "stopped; nothing was changed";

/// Resolves when the person or the system asks the program to stop.
pub(crate) async fn requested() {
    asked().await;
}

/// As [`requested`], and says who asked.
pub(crate) async fn asked() -> Asked {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                () = interrupted() => Asked::Interrupt,
                _ = terminate.recv() => Asked::Terminate,
            },
            // Without a handler for SIGTERM its default (the end) applies; ctrl-c still works.
            Err(_) => {
                interrupted().await;
                Asked::Interrupt
            }
        }
    }
    #[cfg(not(unix))]
    {
        interrupted().await;
        Asked::Interrupt
    }
}

/// Resolves when the terminal is closed in which the command runs, unless the person said that it goes on then (`nohup`).
/// Without it the command ends at once and leaves its children alone.
pub(crate) async fn hung_up() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if !ignores(SignalKind::hangup().as_raw_value())
            && let Ok(mut hangup) = signal(SignalKind::hangup())
            && hangup.recv().await.is_some()
        {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Resolves when standard input ends, or never unless `watched`. Its other end belongs to whoever started the command, and closes
/// with that process, whatever ended it.
pub(crate) async fn let_go(watched: bool) {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let wait = move || {
        // An input that cannot be read has nobody at its other end either.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(end);
    };
    // Not joined: a read that waits cannot be told to stop, and it holds nothing but the channel.
    if watched && std::thread::Builder::new().name("lifeline".into()).spawn(wait).is_ok() {
        drop(ended.await);
        return;
    }
    std::future::pending::<()>().await;
}

/// Whether whoever started this process told it to ignore a signal, as far as the system lets it know.
#[cfg(unix)]
fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).is_some_and(|mask| mask & 1 == 1))
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
