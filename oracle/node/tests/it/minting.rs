//! A minting in steps is interrupted at every transaction, before and after its effect: the same command goes on, and what was
//! paid is paid once, also where the licence grants nothing any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provena_client::chain::SharedChain;
use provena_client::mint::{Hosting, Metadata, Mint, Minted, ParentPlan, Pending, Picture, Plan, Text, abandon};
use provena_client::share::Share;
use provena_registry::{Floors, LicenceTerms, Price};
use provena_tests::registry::{Registered, dataset, terms, world};
use provena_tests::royalty::sol_books;
use provena_tests::tokens::Money;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::folder_store;
use crate::support::lite::LiteChain;
use crate::support::meddle::{Call, Fate, Meddling};

const PRICE: u64 = 5_000_000;
/// Transactions of such a minting: claim, pool, draft, parent, seal.
const TRANSACTIONS: usize = 5;

/// A chain with a dataset whose licence 2 has a price, and grants once.
struct Stage {
    chain: Arc<LiteChain>,
    parent: Registered,
    creator: Keypair,
    home: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let parent = dataset(&mut world, "digits", &[]);
        let price = Some(Price { mint: Money::Sol.mint(), amount: PRICE });
        parent.publish(&mut world, 2, LicenceTerms { price, most_children: 1, ..terms(1_000) });
        let creator = world.wallet("trainer");
        let chain = Arc::new(LiteChain::new(world));
        // Accounts that no transaction of the clients names are not listed otherwise.
        let licences = [1, 2].map(|id| provena_registry::pda::licence(&parent.asset, id).0);
        chain.know(&licences);
        // Slots pass.
        let clock = Arc::downgrade(&chain);
        tokio::spawn(async move {
            while let Some(chain) = clock.upgrade() {
                chain.advance(1);
                drop(chain);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { chain, parent, creator, home: tempfile::tempdir().unwrap() }
    }

    fn pending(&self) -> Pending {
        Pending::new(self.home.path().join("pending"))
    }

    async fn mint(&self, chain: SharedChain) -> Result<Minted, provena_client::mint::MintError> {
        let store = folder_store(&self.home.path().join("store"));
        let mint = Mint {
            chain: chain.as_ref(),
            store: &store,
            creator: &self.creator,
            consents: &[],
            pending: self.pending(),
        };
        mint.mint(&self.plan(), b"made of digits".to_vec(), &|_| {}).await
    }

    fn plan(&self) -> Plan {
        let picture = Picture { bytes: vec![1, 2, 3], media: "image/png".into(), uri: None };
        Plan {
            text: Text {
                title: "Child".into(),
                symbol: String::new(),
                description: String::new(),
                licence: String::new(),
                resale_bps: 0,
            },
            metadata: Metadata { picture, hosting: Hosting::Local, ..Metadata::default() },
            recipe: None,
            licence: None,
            floors: Floors::default(),
            holders: Vec::new(),
            parents: vec![ParentPlan { share: Share::from_bps(self.parent.mint.pubkey(), 1_000), licence: Some(2) }],
            pay_in: Vec::new(),
        }
    }

    /// Kills whoever mints at the transaction of this number.
    async fn interrupted(&self, number: usize, fate: Fate) {
        let sent = std::sync::atomic::AtomicUsize::new(0);
        let chain = Arc::new(Meddling::new(self.chain.clone(), move |call, _| match call {
            Call::Send if sent.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == number => fate,
            _ => Fate::Pass,
        }));
        tokio::select! {
            minted = self.mint(chain.clone()) => panic!("it ends: {:?}", minted.map(|minted| minted.mint)),
            () = chain.killed() => {}
        }
    }

    fn paid(&self) -> u64 {
        self.chain.world(|world| world.lamports(&sol_books(&self.parent.pool)))
    }

    fn children(&self) -> u32 {
        self.chain.world(|world| self.parent.licence(world, 2).children)
    }

    /// The owner has been paid, and ends granting.
    fn retire(&self) {
        let (holder, mint) = (self.parent.creator.pubkey(), self.parent.mint.pubkey());
        let retire = provena_registry::client::retire_licence(&holder, &mint, &self.parent.nft(), 2);
        self.chain.world(|world| world.accept(&[retire], &[&self.parent.creator]));
    }
}

#[tokio::test]
async fn a_minting_interrupted_at_any_transaction_goes_on_and_pays_once() {
    for number in 0..TRANSACTIONS {
        for fate in [Fate::KillBefore, Fate::KillAfter] {
            let stage = Stage::new();
            let before = stage.paid();
            stage.interrupted(number, fate).await;
            let granted = stage.children() == 1;
            assert_eq!(granted, stage.paid() > before, "transaction {number}, {fate:?}");
            if granted {
                // What was granted is not asked for again, whatever became of the licence.
                stage.retire();
            }
            let minted = stage.mint(stage.chain.clone()).await;
            let minted = minted.unwrap_or_else(|error| panic!("transaction {number}, {fate:?}: {error}"));
            assert_eq!((stage.paid() - before, stage.children()), (PRICE, 1), "transaction {number}, {fate:?}");
            assert_eq!(minted.holders, 2);
            assert!(stage.pending().list().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_minting_that_is_taken_back_returns_the_grant_and_names_the_price() {
    let stage = Stage::new();
    stage.interrupted(TRANSACTIONS - 1, Fate::KillBefore).await;
    assert_eq!(stage.children(), 1);
    let [unfinished] = stage.pending().list().unwrap().try_into().ok().unwrap();
    let taken = abandon(stage.chain.as_ref(), &stage.creator, unfinished).await.unwrap();
    assert!(!taken.registered);
    assert_eq!(taken.prices, [(Money::Sol.mint(), PRICE)]);
    assert_eq!(stage.children(), 0);
    assert!(Path::new(stage.home.path()).exists() && stage.pending().list().unwrap().is_empty());
}

/// The secrets of a minting on one chain are worth nothing on another, and all on theirs.
#[tokio::test]
async fn a_minting_of_another_chain_is_neither_continued_nor_taken_back() {
    let stage = Stage::new();
    stage.interrupted(2, Fate::KillAfter).await;
    stage.chain.become_cluster([9; 32]);
    let error = stage.mint(stage.chain.clone()).await.err().expect("it is refused").to_string();
    assert!(error.contains("another chain"), "{error}");
    let [unfinished] = stage.pending().list().unwrap().try_into().ok().unwrap();
    let refused = abandon(stage.chain.as_ref(), &stage.creator, unfinished).await;
    assert!(refused.err().expect("it is refused").to_string().contains("another chain"));
    assert_eq!(stage.pending().list().unwrap().len(), 1);
    stage.chain.become_cluster(provena_tests::market::CLUSTER);
    stage.mint(stage.chain.clone()).await.unwrap();
}
