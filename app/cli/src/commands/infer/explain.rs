//! What a payer can do about what went wrong.

use provena_client::{ClientError, amount::Currency};
use provena_market::{constants::DEMAND_DEPOSIT, state::JobState};

use crate::failure::{Exit, Failure};

/// Turns a client's error into one with an exit code, the job that it is about, and the next step. `command` makes a command
/// of its words.
pub(crate) fn explain(error: ClientError, command: &dyn Fn(&str) -> String) -> anyhow::Error {
    let failure = failure(&error, command);
    anyhow::Error::from(error).context(failure)
}

/// What is said of a client's error before its own words.
pub(super) fn failure(error: &ClientError, command: &dyn Fn(&str) -> String) -> Failure {
    let later = |job: &dyn ToString| command(&format!("job answer {}", job.to_string()));
    match error {
        ClientError::StillRunning { job, state, .. } => {
            let cancel = match state {
                JobState::Open => format!("\n       {}   while no node works on it", command(&format!("job cancel {job}"))),
                _ => String::new(),
            };
            Failure::new(Exit::Unknown, "no answer yet; the deposit is safe")
                .about(job)
                .hint(format!("{}   later{cancel}", later(job)))
        }
        ClientError::MaybePosted { job, .. } => {
            Failure::new(Exit::Unknown, "it is unknown whether the deposit was paid")
                .about(job)
                .hint(format!("{}   before paying again", command(&format!("job show {job}"))))
        }
        ClientError::NotHandedOut { job, demanded: true, .. } => {
            let collect = command(&format!("job collect {job}"));
            let hint = format!(
                "{}   later: it was demanded on the chain\n       {collect}   five minutes after the demand, where it did not \
                 come: all of the deposit comes back",
                later(job)
            );
            Failure::new(Exit::Unknown, "the answer is agreed, and did not come yet").about(job).hint(hint)
        }
        ClientError::NotHandedOut { job, .. } => {
            let again = command(&format!("job answer {job} --patience 120"));
            let deposit = Currency::sol().show(DEMAND_DEPOSIT.0);
            let hint =
                format!("{again}   which, after 30 s, demands it on the chain, for a fee and a deposit of {deposit}");
            Failure::new(Exit::Unknown, "the answer is agreed, and no node hands it out yet").about(job).hint(hint)
        }
        ClientError::Silent { job, .. } => Failure::new(Exit::Unknown, "the chain does not answer")
            .about(job)
            .hint(format!("{}   once it does", later(job))),
        ClientError::Ended { job, state: JobState::Cancelled, .. } => {
            Failure::failed("the job was cancelled; the deposit goes back to its payer").about(job).hint("ask again")
        }
        ClientError::Ended { job, .. } => Failure::failed("no node gave an answer; the deposit goes back to its payer")
            .about(job)
            .hint(format!("{}   shows who serves; then ask again", command("node list"))),
        ClientError::TooManyUnits { .. } => Failure::failed("nothing was paid: the request does not fit the offer").hint(
            "ask for less: a shorter prompt, a smaller --max-tokens, or --input-units N for what you know is enough",
        ),
        ClientError::Kept(_) => {
            Failure::failed("nothing was paid").hint("make room, or name another data folder with XDG_DATA_HOME")
        }
        ClientError::Closed(job) => Failure::failed("the answer could not be had")
            .about(job)
            .hint(format!("check the address; {}   shows the wallet's jobs", command("job list"))),
        ClientError::Withheld(job) => {
            Failure::new(Exit::Unknown, "the nodes keep the answer").about(job).hint(format!("{}   later", later(job)))
        }
        _ => Failure::failed("the answer could not be had"),
    }
}
