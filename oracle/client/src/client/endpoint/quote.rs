//! Asking a node, before anything is paid, whether it would take a request.

use std::time::Duration;

use provena_wire::upload::WALLET_HEADER;
use provena_wire::{Quote, Refusal, Units};
use reqwest::StatusCode;
use solana_pubkey::Pubkey;

use super::{Endpoint, words};
use crate::reach::causes;
use crate::store::Bytes;

/// Longest wait for a quote: a node may have to load the model's tokenizer first.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a node says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It would take it, and asks to be paid for so many units at most.
    Takes(Units),
    /// It would not take it, and says why. The words are a stranger's.
    Refuses(Refusal),
    /// It answers, but does not know what a quote is.
    Unquoted,
    /// It cannot be asked, and why.
    Silent(String),
}

impl Endpoint {
    /// Whether the node would take a request that `payer` posts on `offer`.
    pub async fn quote(&self, offer: &Pubkey, payer: &Pubkey, request: Bytes) -> Reply {
        match self.ask(offer, payer, request).await {
            Ok(reply) => reply,
            Err(reason) => Reply::Silent(reason),
        }
    }

    async fn ask(&self, offer: &Pubkey, payer: &Pubkey, request: Bytes) -> Result<Reply, String> {
        let asked = self.client()?.post(self.at(&format!("quotes/{offer}"))).timeout(PATIENCE);
        let asked = asked.header(WALLET_HEADER, payer.to_string()).body(request);
        let response = asked.send().await.map_err(|error| causes(&error))?;
        let status = response.status();
        let said = words(response).await?;
        Ok(match status {
            StatusCode::OK => {
                let quote: Quote = serde_json::from_str(&said).map_err(|error| format!("no quote: {error}"))?;
                Reply::Takes(quote.units())
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                Reply::Refuses(serde_json::from_str(&said).map_err(|error| format!("no refusal: {error}"))?)
            }
            // A node that knows the route says in words what it does not find.
            StatusCode::NOT_FOUND if said.trim().is_empty() => Reply::Unquoted,
            StatusCode::METHOD_NOT_ALLOWED => Reply::Unquoted,
            status => {
                let said: String = said.trim().chars().take(200).collect();
                Reply::Silent(format!("HTTP {} {said}", status.as_u16()).trim_end().to_owned())
            }
        })
    }
}
