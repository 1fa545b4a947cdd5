//! The command line as a person or a script meets it: the built binary, real files, a real private chain.

mod assets;
mod bom;
mod buying;
mod closing;
mod demo;
mod imports;
mod keep;
mod kept_back;
mod keys;
mod lineage;
mod localnet;
mod market;
mod metadata;
mod mintings;
mod names;
mod newcomer;
mod nodes;
mod offers;
mod offline;
mod operator;
mod provena;
mod proxy;
mod reach;
mod readme;
mod schema;
mod shares;
mod stop;
#[path = "../../../../oracle/engine/tests/it/tiny_llama.rs"]
mod tiny_llama;
mod untrusted;
mod words;
mod words_for_money;
