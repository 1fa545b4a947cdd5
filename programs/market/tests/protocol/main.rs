//! The job protocol, checked exhaustively: every order in which payer, nodes and strangers may act, at every slot at
//! which something changes, through the program's own state functions.
//!
//! Properties, in every reachable state:
//! - money is neither made nor lost;
//! - from there, calls that anybody may make pay everything out, and nothing is left in the job;
//! - a node that met its deadlines never has less than it began with;
//! - payer and nodes that act as one have never more than they began with, unless an honest node missed a deadline, and
//!   then at most 30,000 lamports for each of their seats that revealed.

mod lease;
mod ledger;
mod model;

use model::{Setting, World};
use stateright::{Checker, Expectation, Model};

/// Explores a setting completely and fails with the shortest counterexample.
fn check(setting: Setting) {
    let world = World::new(setting);
    let checker = world.checker().threads(2).spawn_bfs().join();
    println!("{setting:?}: {} states, {} distinct", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
    assert!(checker.unique_state_count() > 1_000, "the model hardly moves");
}

#[test]
fn one_seat_two_honest_nodes() {
    check(Setting { seats: 1, quorum: 1, nodes: 2, colluding: 0b00, partial: true });
}

#[test]
fn one_seat_one_of_two_nodes_colludes() {
    check(Setting { seats: 1, quorum: 1, nodes: 2, colluding: 0b10, partial: true });
}

#[test]
fn two_seats_three_honest_nodes() {
    check(Setting { seats: 2, quorum: 2, nodes: 3, colluding: 0b000, partial: false });
}

#[test]
fn two_seats_one_of_three_nodes_colludes() {
    check(Setting { seats: 2, quorum: 2, nodes: 3, colluding: 0b100, partial: false });
}

#[test]
fn two_seats_two_of_three_nodes_collude() {
    check(Setting { seats: 2, quorum: 2, nodes: 3, colluding: 0b110, partial: false });
}

/// A minority, which two seats cannot have. The three million states take minutes: without `PROVENA_SOAK` the first 200,000
/// are looked at, which are those nearest to the posting.
#[test]
fn three_seats_of_which_two_must_agree_and_one_of_three_nodes_colludes() {
    let setting = Setting { seats: 3, quorum: 2, nodes: 3, colluding: 0b100, partial: false };
    if std::env::var_os("PROVENA_SOAK").is_some() {
        return check(setting);
    }
    let checker = World::new(setting).checker().threads(2).target_state_count(200_000).spawn_bfs().join();
    for property in World::new(setting).properties() {
        if property.expectation == Expectation::Always {
            checker.assert_no_discovery(property.name);
        }
    }
}
