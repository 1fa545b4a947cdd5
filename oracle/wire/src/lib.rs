//! What payers and nodes exchange: requests, responses and signed receipts, as bytes and as JSON.
//!
//! A payer uploads a [`Request`]; what nodes agree on is the content root of a [`Response`]; what a node states about
//! both is a [`SignedReceipt`], which anybody can check without the chain. This crate computes nothing and connects to
//! nothing, so that whoever only reads or writes these bytes links neither wgpu nor tokio nor Solana.
//!
//! ```
//! use provena_wire::{Generate, Prompt, Request, Sampling};
//!
//! let prompt = Prompt::Text("Once upon a time".into());
//! let request = Request::Generate(Generate { prompt, max_tokens: 20, sampling: Sampling::GREEDY, stop: vec![] });
//! assert_eq!(Request::from_bytes(&request.to_bytes())?, request);
//! # Ok::<(), provena_wire::DecodeError>(())
//! ```

mod error;
mod list;
mod quote;
pub mod receipt;
mod request;
mod response;
pub mod root;
mod units;
pub mod untrusted;
pub mod upload;

pub use error::DecodeError;
pub use list::MAX_ITEMS;
pub use quote::{Quote, Refusal};
pub use receipt::{ReceiptError, SignedReceipt};
pub use request::{Generate, MAX_REQUEST_LEN, Message, Prompt, Request, Sampling};
pub use response::{Finish, Response};
pub use units::Units;
pub use untrusted::{Untrusted, printable};
pub use upload::Upload;
