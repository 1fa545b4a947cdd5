//! Tests of the program builder: what it builds is run in the VM.

mod differential;
mod programs;
