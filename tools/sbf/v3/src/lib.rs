//! Transactions recorded by the main workspace's tests, to be repeated on another virtual machine.

pub mod vector;
