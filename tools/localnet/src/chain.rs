//! Starts surfpool's chain on our settings, watches it and stops it.

use std::{
    net::IpAddr,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use crossbeam_channel::Sender;
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};
use tokio::sync::watch;

use crate::{
    args::Args,
    lifeline::say,
    ports::Endpoints,
    programs::{self, Program},
    snapshot::Genesis,
    state::{self, Keeper, StateFile},
};

/// Both RPC servers report once when they have closed their port.
const SERVERS: usize = 2;
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running chain.
pub struct Chain {
    commands: Sender<SimnetCommand>,
    runloop: JoinHandle<Result<()>>,
    failure: watch::Receiver<Option<String>>,
    closed: mpsc::Receiver<()>,
    keeper: Option<Keeper>,
}

impl Chain {
    /// Opens the state, places the programs, and waits until both ports answer.
    ///
    /// # Errors
    /// An unusable state file, a program the virtual machine refuses, or a server that did not start.
    pub fn start(args: &Args, endpoints: &Endpoints, programs: &[Program]) -> Result<Self> {
        let state = args.state.as_deref().map(StateFile::open).transpose()?;
        let config = surfpool_config(args, endpoints);
        let svm_config = SurfnetSvmConfig {
            slot_time: args.slot_ms,
            instruction_profiling_enabled: false,
            ..SurfnetSvmConfig::default()
        };
        // Its own way to keep a chain brings closed accounts back, so the chain itself is in memory.
        let (mut svm, events, geyser_events) =
            SurfnetSvm::new(svm_config).map_err(|error| anyhow!("cannot open the chain: {error}"))?;
        state::settle_genesis(&mut svm)?;
        let genesis = Genesis::of(&svm);

        // The chain's log must be read all the time: its channel is bounded and writers wait for room.
        let (ready_sender, ready) = mpsc::channel();
        let (failure_sender, failure) = watch::channel(None);
        let (closed_sender, closed) = mpsc::channel();
        let verbose = args.verbose;
        std::thread::Builder::new().name("chain log".into()).spawn(move || {
            for event in events {
                match event {
                    SimnetEvent::Ready(_) => drop(ready_sender.send(())),
                    SimnetEvent::Aborted(reason) => drop(failure_sender.send(Some(reason))),
                    SimnetEvent::Shutdown => drop(closed_sender.send(())),
                    SimnetEvent::ErrorLog(_, text) => say(format_args!("chain error: {text}")),
                    SimnetEvent::WarnLog(_, text) => say(format_args!("chain warning: {text}")),
                    SimnetEvent::InfoLog(_, text) | SimnetEvent::DebugLog(_, text) if verbose => {
                        say(format_args!("chain: {text}"));
                    }
                    SimnetEvent::TransactionProcessed(_, meta, error) if verbose => match error {
                        Some(error) => say(format_args!("transaction {} failed: {error}", meta.signature)),
                        None => {
                            say(format_args!("transaction {} took {} CU", meta.signature, meta.compute_units_consumed))
                        }
                    },
                    _ => {}
                }
            }
        })?;

        if let Some(count) = state.as_ref().map(|state| state.restore(&mut svm)).transpose()?.flatten() {
            say(format_args!("restored {count} accounts, at slot {}", svm.latest_epoch_info.absolute_slot));
        }
        for program in programs {
            programs::place(&mut svm, program, args.upgrade_authority)?;
        }

        let svm = SurfnetSvmLocker::new(svm);
        let (commands, command_receiver) = crossbeam_channel::unbounded();
        let (runloop_svm, runloop_commands) = (svm.clone(), commands.clone());
        let runloop = std::thread::Builder::new().name("chain".into()).spawn(move || {
            // A runtime of its own: block production waits on channels and would starve a shared one.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let outcome = runtime
                .block_on(start_local_surfnet_runloop(
                    runloop_svm,
                    config,
                    runloop_commands,
                    command_receiver,
                    geyser_events,
                ))
                .map_err(|error| anyhow!("{error}"));
            runtime.shutdown_background();
            outcome
        })?;

        let mut chain = Self { commands, runloop, failure, closed, keeper: None };
        chain.wait_until_ready(&ready)?;
        chain.keeper = state.map(|state| state.keep(svm, genesis)).transpose()?;
        Ok(chain)
    }

    fn wait_until_ready(&self, ready: &mpsc::Receiver<()>) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if ready.recv_timeout(Duration::from_millis(20)).is_ok() {
                return Ok(());
            }
            if let Some(reason) = self.failure.borrow().clone() {
                bail!("the chain did not start: {reason}");
            }
            if self.runloop.is_finished() {
                bail!("the chain did not start; see the lines above");
            }
            if Instant::now() > deadline {
                bail!("the chain did not start within {} s", START_LIMIT.as_secs());
            }
        }
    }

    /// Resolves when the chain has ended by itself, with the reason. Never resolves while it runs.
    pub async fn failed(&self) -> anyhow::Error {
        let mut failure = self.failure.clone();
        let mut poll = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                // An error means that the log thread has ended, which the poll below reports.
                Ok(()) = failure.changed() => {
                    if let Some(reason) = failure.borrow().clone() {
                        return anyhow!("the chain stopped: {reason}");
                    }
                }
                _ = poll.tick() => if self.runloop.is_finished() {
                    return anyhow!("the chain stopped by itself; see the lines above");
                },
            }
        }
    }

    /// Saves the state, closes both ports and waits until they are closed.
    ///
    /// # Errors
    /// A state that could not be saved, or a port that did not close in time.
    pub fn stop(self) -> Result<()> {
        let saved = self.keeper.map_or(Ok(()), Keeper::stop);
        self.commands.send(SimnetCommand::Terminate(None)).map_err(|_| anyhow!("the chain had already stopped"))?;
        let deadline = Instant::now() + STOP_LIMIT;
        for _ in 0..SERVERS {
            let left = deadline.saturating_duration_since(Instant::now());
            self.closed.recv_timeout(left).context("a port did not close in time")?;
        }
        match self.runloop.join() {
            Ok(outcome) => outcome.and(saved.context("the chain's last state is not saved")),
            Err(_) => bail!("the chain's thread panicked while it stopped"),
        }
    }
}

fn surfpool_config(args: &Args, endpoints: &Endpoints) -> SurfpoolConfig {
    SurfpoolConfig {
        simnets: vec![SimnetConfig {
            offline_mode: true,
            remote_rpc_url: None,
            slot_time: args.slot_ms,
            instruction_profiling_enabled: false,
            ..SimnetConfig::default()
        }],
        rpc: RpcConfig {
            bind_host: bind_host(endpoints.rpc.ip()),
            bind_port: endpoints.rpc.port(),
            ws_port: endpoints.ws.port(),
            ..RpcConfig::default()
        },
        ..SurfpoolConfig::default()
    }
}

/// surfpool joins host and port with a colon, so an IPv6 host needs its brackets.
fn bind_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
