//! What comes next for a job, in words.

use provena_common::slot::Slot;
use provena_market::state::Next;

use crate::commands::rent::seconds;

/// What the payer can do, or what is waited for; `command` makes a command of a verb. `cancellable` says whether the job can
/// be taken back, `over` whether nothing but its rent is left.
pub(super) fn words(next: Next, now: Slot, cancellable: bool, over: bool, command: &dyn Fn(&str) -> String) -> String {
    let by = |what: &str, verb: &str| format!("{what}:\n{}", command(verb));
    match next {
        Next::WaitUntil(slot) => {
            let wait = seconds(slot.since(now));
            let until = format!("before slot {} (about {wait} s)", slot.0);
            match cancellable {
                _ if over => {
                    format!(
                        "its rent comes back from slot {} on (about {wait} s), with the next `provena infer`",
                        slot.0
                    )
                }
                true => by(&format!("a node may take it {until}; to take it back before one does"), "cancel"),
                false => format!("nothing for the payer to do {until}"),
            }
        }
        Next::Acknowledge => by("fetch the answer and have everybody paid", "answer"),
        Next::Collect(_) => by("pay who is owed", "collect"),
        Next::Close => by("take the rent back", "close"),
        Next::ExpireSeat(_) => by("a node is late; end its turn", "collect"),
        Next::Finalize => by("the time is over; end the job", "collect"),
        Next::DefaultAnswer => by("the demanded answer is late; bring the deposit back", "collect"),
        Next::TakeSeat | Next::Commit | Next::Answer | Next::Reveal | Next::PutAnswer => "a node has to act".into(),
        Next::Done => "nothing; it is closed".into(),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn waiting_says_for_how_long_and_whether_it_can_be_taken_back() {
        let command = |verb: &str| format!("provena job {verb} JOB");
        let next = Next::WaitUntil(Slot(1_151));
        let told = words(next, Slot(1_000), false, false, &command);
        assert_eq!(told, "nothing for the payer to do before slot 1151 (about 61 s)");
        let told = words(next, Slot(1_000), false, true, &command);
        assert!(told.starts_with("its rent comes back from slot 1151 on (about 61 s)"), "{told}");
        let told = words(next, Slot(1_000), true, false, &command);
        assert!(told.ends_with("to take it back before one does:\nprovena job cancel JOB"), "{told}");
    }
}
