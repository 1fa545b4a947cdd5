//! The command line as a person or a script meets it: the built binary, real files, a real private chain.

mod assets;
mod demo;
mod imports;
mod keep;
mod keys;
mod localnet;
mod mintings;
mod nodes;
mod offline;
mod provena;
mod shares;
mod stop;
#[path = "../../../../oracle/engine/tests/it/tiny_llama.rs"]
mod tiny_llama;
mod words;
mod words_for_money;
