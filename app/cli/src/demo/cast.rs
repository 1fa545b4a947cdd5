//! Who takes part, and what each of them does.

use anyhow::{Context as _, Result};
use provena_arith::merkle;
use provena_client::{
    amount::Currency,
    chain::{Chain, send_and_confirm},
    keys,
    mint::{Hosting, Metadata, Mint, Minted, ParentPlan, Pending, Plan, Text},
    offer::Terms,
    royalty::{self, Claim, Moved},
    share::Share,
    token::{self, PaymentMint},
};
use provena_common::token::TokenProgram;
use provena_engine::artifact::Artifact;
use provena_registry::{Floors, LicenceTerms, TOKEN_PROGRAM};
use provena_royalty::{NATIVE_MINT, view};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::instruction as spl;

use super::{ROYALTY_BPS, ledger::Holding, stage::Stage, subject::Subject};
use crate::{
    commands::{airdrop, mint_args::text_hash, model::mint::recipe},
    deploy::{self, InitOptions},
    nft::{self, Portrait, Told},
};

/// The name of the licence of everything in the demo.
const LICENCE: &str = "demonstration";
/// Lamports of one SOL.
const SOL: u64 = 1_000_000_000;
/// The dataset's part of what the model earns, and the curator's.
pub(super) const DATASET_BPS: u16 = 2_500;
/// The curator's part.
pub(super) const CURATOR_BPS: u16 = 1_500;
/// The second contributor's part of what the dataset earns.
pub(super) const SECOND_BPS: u16 = 4_000;
/// The demo token's decimals.
const DECIMALS: u8 = 6;

/// The wallets of the demo.
pub(super) struct Cast {
    /// Pays the fees of what belongs to nobody's story: setting up, sweeping, claiming.
    pub bank: Keypair,
    /// The person who asks and pays.
    pub you: Keypair,
    /// Owns the model.
    pub trainer: Keypair,
    /// Chose what the model is for.
    pub curator: Keypair,
    /// Made the dataset; the first owns it.
    pub contributors: [Keypair; 2],
    /// Runs the node.
    pub operator: Keypair,
    /// Receives the protocol's fee.
    pub treasury: Keypair,
    /// What is paid in; the zero address is SOL.
    pub mint: Pubkey,
}

impl Cast {
    /// Makes the wallets, funds them and sets the programs up.
    pub(super) async fn assemble(stage: &Stage, with_token: bool) -> Result<Self> {
        let mut cast = Self {
            bank: Keypair::new(),
            you: Keypair::new(),
            trainer: Keypair::new(),
            curator: Keypair::new(),
            contributors: [Keypair::new(), Keypair::new()],
            operator: Keypair::new(),
            treasury: Keypair::new(),
            mint: NATIVE_MINT,
        };
        let chain = stage.chain().as_ref();
        for (name, wallet, sol) in cast.wallets() {
            keys::write(&stage.path(&format!("wallets/{name}.json")), wallet, false)?;
            airdrop::request(chain, &wallet.pubkey(), sol * SOL).await?;
        }
        let mut options = InitOptions::defaults(cast.treasury.pubkey());
        if with_token {
            cast.mint = cast.create_token(chain).await?;
            options.mints.push(cast.mint);
        }
        deploy::initialize(chain, &cast.bank, &options).await.context("the programs cannot be set up")?;
        Ok(cast)
    }

    fn wallets(&self) -> [(&'static str, &Keypair, u64); 8] {
        [
            ("bank", &self.bank, 10),
            ("you", &self.you, 2),
            ("trainer", &self.trainer, 2),
            ("curator", &self.curator, 1),
            ("contributor-1", &self.contributors[0], 2),
            ("contributor-2", &self.contributors[1], 1),
            ("node", &self.operator, 3),
            ("treasury", &self.treasury, 1),
        ]
    }

    /// Creates an SPL token, gives "you" some, and opens the account that the node is paid into.
    async fn create_token(&self, chain: &dyn Chain) -> Result<Pubkey> {
        const MINT_LEN: usize = 82;
        let (key, bank) = (Keypair::new(), self.bank.pubkey());
        let mint = key.pubkey();
        let rent = chain.rent_exempt(MINT_LEN).await?;
        let space = MINT_LEN as u64;
        let mut instructions = vec![
            solana_system_interface::instruction::create_account(&bank, &mint, rent, space, &TOKEN_PROGRAM),
            spl::initialize_mint2(&TOKEN_PROGRAM, &mint, &bank, None, DECIMALS)?,
        ];
        let token = PaymentMint { address: mint, program: Some(TokenProgram::Spl), decimals: DECIMALS };
        let owners = [&self.you, &self.operator];
        instructions.extend(owners.iter().filter_map(|owner| token.open_account(&bank, &owner.pubkey())));
        let yours = token.account_of(&self.you.pubkey());
        let amount = 100 * 10u64.pow(u32::from(DECIMALS));
        instructions.push(spl::mint_to(&TOKEN_PROGRAM, &mint, &yours, &bank, &[], amount)?);
        let sent = send_and_confirm(chain, &instructions, &[&self.bank, &key]).await;
        sent.context("the demo's token was not created")?;
        Ok(mint)
    }

    /// How the payment mint is written.
    pub(super) fn currency(&self) -> Currency {
        if token::is_sol(&self.mint) { Currency::sol() } else { Currency { decimals: DECIMALS, symbol: "DEMO".into() } }
    }

    /// The two contributors mint the dataset.
    pub(super) async fn mint_dataset(&self, stage: &Stage, subject: &Subject) -> Result<Minted> {
        let [first, second] = &self.contributors;
        let licence = LicenceTerms::sharing(DATASET_BPS, text_hash(LICENCE));
        let plan = Plan {
            text: text(subject.dataset_title, "DATA"),
            metadata: shown(
                subject.dataset_title,
                &subject.dataset,
                nft::of_dataset(subject.dataset.len(), LICENCE, &[]),
            ),
            recipe: None,
            licence: Some(licence),
            floors: Floors::default(),
            holders: vec![Share::from_bps(second.pubkey(), SECOND_BPS)],
            parents: Vec::new(),
            pay_in: vec![self.mint],
        };
        self.mint(stage, first, &plan, subject.dataset.clone()).await
    }

    /// The trainer mints the model, which owes a part to the dataset.
    pub(super) async fn mint_model(
        &self,
        stage: &Stage,
        subject: &Subject,
        artifact: &Artifact,
        dataset: &Minted,
    ) -> Result<Minted> {
        let parent = ParentPlan { share: Share::from_bps(dataset.mint, DATASET_BPS), licence: None };
        let plan = Plan {
            text: text(subject.model_title, "MODEL"),
            metadata: shown(
                subject.model_title,
                artifact.bytes(),
                nft::of_model(&stage.path("none"), artifact, LICENCE, &[]),
            ),
            recipe: Some(recipe(artifact)),
            licence: None,
            floors: Floors::default(),
            holders: vec![Share::from_bps(self.curator.pubkey(), CURATOR_BPS)],
            parents: vec![parent],
            pay_in: vec![self.mint],
        };
        self.mint(stage, &self.trainer, &plan, artifact.bytes().to_vec()).await
    }

    async fn mint(&self, stage: &Stage, creator: &Keypair, plan: &Plan, content: Vec<u8>) -> Result<Minted> {
        let chain = stage.chain().as_ref();
        let pending = Pending::new(stage.path("pending"));
        let mint = Mint { chain, store: stage.store(), creator, consents: &[], pending };
        Ok(mint.mint(plan, content, &|_| {}).await?)
    }

    /// What the trainer asks for the model's use.
    pub(super) fn terms(&self, subject: &Subject) -> Terms {
        let picture = if token::is_sol(&self.mint) { SOL / 1_000 } else { 5 * 10u64.pow(u32::from(DECIMALS) - 2) };
        let price = picture * subject.price_milli / 1_000;
        Terms {
            mint: self.mint,
            base_price: 0,
            input_price: price,
            output_price: price,
            max_input: subject.max_input,
            max_output: subject.max_output,
            royalty_bps: ROYALTY_BPS,
            nodes: 1,
            agree: 1,
            bond: SOL / 10,
            window: 3_000,
        }
    }

    /// Books what lies in the model's inbox, and brings the dataset's part into the dataset's own pool.
    pub(super) async fn sweep(&self, chain: &dyn Chain, dataset: &Minted) -> Result<Vec<Moved>> {
        Ok(royalty::sweep_into(chain, &self.bank, &dataset.pool).await?)
    }

    /// Every holder is paid what it is owed; the bank pays the fees, so that balances move by exactly what was claimed.
    pub(super) async fn claim(&self, chain: &dyn Chain, model: &Minted, dataset: &Minted) -> Result<Vec<Holding>> {
        let [first, second] = &self.contributors;
        let holders = [
            ("trainer", &self.trainer, model),
            ("curator", &self.curator, model),
            ("contributor-1", first, dataset),
            ("contributor-2", second, dataset),
        ];
        let mut holdings = Vec::new();
        for (name, key, asset) in holders {
            let address = key.pubkey();
            let held = royalty::holding(chain, &asset.mint, &address).await?;
            let revenue = royalty::revenue(chain, &asset.pool).await?;
            let one = revenue.mints.iter().find(|one| one.mint.address == self.mint);
            let owed = one.map_or(0, |one| revenue.owed(one, &held.position));
            let before = token::balance(chain, &address, &self.mint).await?;
            let claim = Claim { chain, payer: &self.bank, holder: address, to: None };
            let moved = claim.all(&[asset.pool]).await?;
            let after = token::balance(chain, &address, &self.mint).await?;
            let claimed = after.checked_sub(before).context("a claim made a balance smaller")?;
            let signature = moved.first().map(|moved| moved.signature);
            let bps = view::basis_points(held.position.shares, held.state.total_shares);
            holdings.push(Holding { name, address, bps, owed, claimed, after, signature });
        }
        Ok(holdings)
    }
}

/// What wallets would show; the chain is private, and so is the folder that keeps it.
fn shown(title: &str, content: &[u8], told: Told) -> Metadata {
    let root = merkle::content_root(content).unwrap_or_default();
    let picture = nft::draw(&Portrait { motif: told.motif, title, figures: &told.figures, root: &root });
    Metadata { picture, attributes: told.attributes, hosting: Hosting::Local, ..Metadata::default() }
}

fn text(title: &str, symbol: &str) -> Text {
    let description = "Minted by `provena demo` on a private chain.".into();
    Text { title: title.into(), symbol: symbol.into(), description, licence: LICENCE.into(), resale_bps: 500 }
}
