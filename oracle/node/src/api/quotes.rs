//! `POST /v1/quotes/{offer}`: whether this node would take a request for an offer, asked before anything is paid.
//!
//! Nobody pays for a quote, so that nobody may use up what others need for theirs. One address asks so often, one network
//! has so many in progress, an offer that is none costs next to nothing, and the time that preparing takes is shared
//! between networks (`tasks::turns`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use provena_client::chain::{ChainError, accounts::fetch_optional};
use provena_market::state::Offer;
use provena_wire::upload::WALLET_HEADER;
use provena_wire::{MAX_REQUEST_LEN, Refusal as Words};
use solana_pubkey::Pubkey;

use super::body::drain;
use super::connections::party;
use super::known::{Known, Questions, cut_off};
use super::rate::Buckets;
use super::refused::Refused;
use super::server::Remote;
use super::shares::{Share, Shares};
use super::{Api, Stopping};
use crate::tasks::admission::{Asking, Refusal};

/// Questions of one address at once, and then in each second.
const ADDRESS_RATE: (u32, u32) = (32, 4);

/// Quotes of one address that are in progress at the same time.
const MOST_OF_ONE: usize = 8;

/// Questions to the chain that wait at the same time.
const MOST_QUESTIONS: usize = 8;

/// How long it holds what an offer says, and that there is none: its holder may close it, or make it, at any moment.
const OFFER_FOR: Duration = Duration::from_secs(5);
const NONE_FOR: Duration = Duration::from_secs(2);

/// Who asks for quotes, and for what.
pub(crate) struct Quotes {
    addresses: Buckets<IpAddr>,
    in_progress: Arc<Shares>,
    questions: Questions,
    offers: Known<Offer>,
    /// Apart, so that nonsense pushes out no offer.
    none: Known<()>,
    /// Whether limits hold for each address.
    by_address: bool,
}

impl Quotes {
    /// `by_address`: whether limits hold for each address, which they cannot behind a proxy.
    pub(crate) fn new(by_address: bool) -> Self {
        Self {
            addresses: Buckets::new(ADDRESS_RATE.0, ADDRESS_RATE.1),
            in_progress: Shares::new(if by_address { MOST_OF_ONE } else { 0 }),
            questions: Questions::new(MOST_QUESTIONS),
            offers: Known::default(),
            none: Known::default(),
            by_address,
        }
    }

    fn may_ask(&self, remote: Remote) -> Result<Share, Refused> {
        if self.by_address {
            let too_often = |seconds| Refused::too_often(seconds, "too many quotes are asked for from this address");
            self.addresses.take(party(remote.0)).map_err(too_often)?;
        }
        let many = || Refused::too_often(1, "too many quotes for this address are in progress");
        self.in_progress.take(party(remote.0)).ok_or_else(many)
    }
}

impl Api {
    /// An offer, as the chain has it or had it a moment ago.
    async fn offer(&self, address: &Pubkey) -> Result<Offer, Refused> {
        let none = || Refused::new(StatusCode::NOT_FOUND, "there is no such offer");
        let quotes = &self.quotes;
        if let Some(offer) = quotes.offers.get(address) {
            return Ok(offer);
        }
        if quotes.none.get(address).is_some() {
            return Err(none());
        }
        let read = async {
            match fetch_optional::<Offer, _>(self.chain.as_ref(), address).await {
                // What is something else is no offer either.
                Err(error) if !error.is_transient() => Ok::<_, ChainError>(None),
                read => read,
            }
        };
        let Some(offer) = quotes.questions.ask(read).await? else {
            quotes.none.insert(*address, (), NONE_FOR);
            return Err(none());
        };
        quotes.offers.insert(*address, offer, OFFER_FOR);
        Ok(offer)
    }

    async fn quote(
        &self,
        remote: Remote,
        headers: &HeaderMap,
        offer: &str,
        body: &mut Body,
    ) -> Result<Response, Refused> {
        let wrong = |_| Refused::new(StatusCode::BAD_REQUEST, "an offer is named by its address in base58");
        let address: Pubkey = offer.parse().map_err(wrong)?;
        let _share = self.quotes.may_ask(remote)?;
        let worker = self.worker.get().ok_or_else(|| Refused::busy(5, "the node is starting"))?;
        let offer = self.offer(&address).await?;
        let request = self.bodies.read(remote, body, MAX_REQUEST_LEN).await?;
        let asking = Asking {
            address: self.quotes.by_address.then_some(remote.0),
            // Whoever names another wallet learns how busy the node is with that one, and is refused in its place.
            payer: headers.get(WALLET_HEADER).and_then(|named| named.to_str().ok()?.parse().ok()).unwrap_or_default(),
            offer: address,
        };
        match worker.quote_for(asking, &offer, request.bytes.clone()).await {
            Ok(quote) => Ok(Json(quote).into_response()),
            Err(Refusal::Busy) => Err(Refused::busy(5, "the node prepares as many requests as it can")),
            Err(Refusal::Chain(error)) if error.is_transient() => Err(cut_off()),
            Err(refusal) => {
                self.metrics.refused(refusal.name());
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
}

pub(super) async fn post(
    State(api): State<Arc<Api>>,
    Extension(remote): Extension<Remote>,
    Extension(Stopping(stopping)): Extension<Stopping>,
    Path(offer): Path<String>,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let answered = tokio::select! {
        // Nobody waits for the node's end because somebody asked it something.
        () = stopping.cancelled() => Err(Refused::busy(5, "the node is stopping")),
        answered = api.quote(remote, &headers, &offer, &mut body) => answered,
    };
    match answered {
        Ok(response) => response,
        Err(refused) => {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = drain(body) => {}
            }
            refused.into_response()
        }
    }
}
