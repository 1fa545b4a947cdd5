//! The command line as a person or a script meets it: the built binary, real files, a real private chain.

mod chain;
mod demo;
mod keep;
mod keys;
mod offline;
mod provena;
mod stop;
#[path = "../../../../oracle/engine/tests/it/tiny_llama.rs"]
mod tiny_llama;
mod words;
mod words_for_money;
