//! `POST /v1/quotes/{offer}`: whether this node would take a request for an offer, asked before anything is paid.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use provena_client::chain::accounts::fetch_optional;
use provena_market::state::Offer;
use provena_wire::{MAX_REQUEST_LEN, Refusal as Words};
use solana_pubkey::Pubkey;

use super::Api;
use super::connections::party;
use super::rate::Buckets;
use super::refused::Refused;
use super::server::Remote;
use crate::tasks::admission::Refusal;

/// Questions of one address at once, and then in each second.
const ADDRESS_RATE: (u32, u32) = (32, 4);

/// Questions of all together at once, and then in each second: preparing a request takes time that jobs need, too.
const RATE: (u32, u32) = (128, 32);

/// Who asks for quotes, and how often.
pub(crate) struct Quotes {
    addresses: Buckets<IpAddr>,
    all: Buckets<()>,
    /// Whether limits hold for each address.
    by_address: bool,
}

impl Quotes {
    /// `by_address`: whether limits hold for each address, which they cannot behind a proxy.
    pub(crate) fn new(by_address: bool) -> Self {
        let [addresses, all] = [ADDRESS_RATE, RATE];
        Self { addresses: Buckets::new(addresses.0, addresses.1), all: Buckets::new(all.0, all.1), by_address }
    }

    fn may_ask(&self, remote: Remote) -> Result<(), Refused> {
        let too_often = |seconds: u64| {
            let words = format!("too many quotes are asked for; try again in {seconds} s");
            Refused::later(StatusCode::TOO_MANY_REQUESTS, seconds, words)
        };
        if self.by_address {
            self.addresses.take(party(remote.0)).map_err(too_often)?;
        }
        self.all.take(()).map_err(too_often)
    }
}

pub(super) async fn post(
    State(api): State<Arc<Api>>,
    Extension(remote): Extension<Remote>,
    Path(offer): Path<String>,
    body: Body,
) -> Result<Response, Refused> {
    let address: Pubkey = offer
        .parse()
        .map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "an offer is named by its address in base58"))?;
    api.quotes.may_ask(remote)?;
    let later = |words: &str| Refused::later(StatusCode::SERVICE_UNAVAILABLE, 5, words);
    let worker = api.worker.get().ok_or_else(|| later("the node is starting"))?;
    let request = api.bodies.read(body, MAX_REQUEST_LEN).await?;
    // What is no offer is nobody's, and a chain that does not answer is another matter.
    let found = fetch_optional::<Offer, _>(api.chain.as_ref(), &address).await;
    let offer = match found {
        Ok(Some(offer)) => offer,
        Err(error) if error.is_transient() => return Err(later("the node does not reach its chain")),
        _ => return Err(Refused::new(StatusCode::NOT_FOUND, "there is no such offer")),
    };
    match worker.quote(&offer, request.bytes.clone()).await {
        Ok(quote) => Ok(Json(quote).into_response()),
        Err(Refusal::Busy) => Err(later("the node prepares as many requests as it can")),
        Err(Refusal::Chain(error)) if error.is_transient() => Err(later("the node does not reach its chain")),
        Err(refusal) => {
            api.metrics.refused(refusal.name());
            let reason = match &refusal {
                // What servers said to this node is not for strangers.
                Refusal::Store(error) => {
                    tracing::debug!(%error, "a quote was refused");
                    "this node does not have the model".to_owned()
                }
                refusal => refusal.to_string(),
            };
            let words = Words { refused: refusal.name().to_owned(), reason };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(words)).into_response())
        }
    }
}
