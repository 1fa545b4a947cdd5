//! What every instruction of every program costs, held against the committed report; absolute limits are each
//! program's own.

use std::{env, fs};

use provena_tests::{compute_units::Report, programs};

#[test]
fn compute_units_have_not_grown() {
    let mut report = Report::default();
    crate::royalty::compute_units::record(&mut report);
    crate::registry::compute_units::calls(&mut report);
    crate::market::compute_units::record(&mut report);
    if env::var_os("PROVENA_WRITE_CU").is_some() {
        report.write();
    }
    let committed = Report::committed();
    let regressions = report.regressions(&committed);
    assert!(regressions.is_empty(), "costs have grown; see docs/COMPUTE_UNITS.md:\n{regressions}");
    let page = fs::read_to_string(programs::repository().join("docs/COMPUTE_UNITS.md")).expect("the page exists");
    assert_eq!(page, committed.to_markdown(), "the page is not rendered from docs/compute-units.json");
}

#[test]
fn programs_stay_small() {
    for program in programs::all().iter().filter(|program| programs::is_ours(&program.id.to_string())) {
        assert!(program.bytes.len() <= programs::MAX_PROGRAM_LEN, "{}: {} bytes", program.id, program.bytes.len());
    }
}
