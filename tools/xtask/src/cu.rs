//! `cargo xtask cu`: measures every instruction in the VM and rewrites the committed report.

use crate::{
    build,
    run::{cargo, run as must},
};
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    build::programs(false)?;
    let mut measure = cargo(["test", "--locked", "-p", "provena-tests", "--test", "it", "compute_units"]);
    must(measure.env("PROVENA_WRITE_CU", "1"))?;
    println!("wrote docs/compute-units.json and docs/COMPUTE_UNITS.md");
    Ok(())
}
