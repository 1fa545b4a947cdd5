//! Tests of the program builder: what it builds is run in the VM, and what it must not build is refused.

mod differential;
mod programs;
mod publishing;
mod refusals;
mod tool;
