//! Ctrl-c and SIGTERM.

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

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
