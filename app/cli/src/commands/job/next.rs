//! What comes next for a job, in words.

use provena_common::slot::Slot;
use provena_market::state::Next;

use crate::commands::rent::seconds;

/// What the payer can do, or what is waited for.
pub(super) fn words(next: Next, now: Slot) -> String {
    match next {
        Next::WaitUntil(slot) => {
            let wait = seconds(slot.since(now));
            format!("nothing for the payer to do before slot {} (about {wait} s)", slot.0)
        }
        Next::Acknowledge => "`provena job answer` fetches the answer and has everybody paid".into(),
        Next::Collect(_) => "`provena job collect` pays who is owed".into(),
        Next::Close => "`provena job close` takes the rent back".into(),
        Next::ExpireSeat(_) => "a node is late: `provena job collect` ends its turn".into(),
        Next::Finalize => "the time is over: `provena job collect` ends the job".into(),
        Next::DefaultAnswer => "the demanded answer is late: `provena job collect` brings the deposit back".into(),
        Next::TakeSeat | Next::Commit | Next::Answer | Next::Reveal | Next::PutAnswer => "a node has to act".into(),
        Next::Done => "nothing: it is closed".into(),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn waiting_says_for_how_long() {
        let words = words(Next::WaitUntil(Slot(1_151)), Slot(1_000));
        assert_eq!(words, "nothing for the payer to do before slot 1151 (about 61 s)");
    }
}
