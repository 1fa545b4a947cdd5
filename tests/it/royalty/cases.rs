//! Every instruction once, each valid where it stands, for tests that spoil one thing after the other.

use anchor_lang::prelude::Address;
use provena_royalty::{
    Holder,
    client::{self, Evidence},
    pda,
};
use provena_tests::{
    World,
    royalty::{Scene, donate},
    tokens::Money,
    world::keypair,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{QUARTER, Stage};

/// An instruction that a world accepts.
pub(crate) struct Case {
    pub name: &'static str,
    pub world: World,
    pub instruction: Instruction,
    pub signers: Vec<Keypair>,
}

impl Case {
    /// The accounts of the royalty program that the instruction reads or writes.
    pub(crate) fn states(&self) -> Vec<Address> {
        let named = self.instruction.accounts.iter().map(|meta| meta.pubkey);
        let ours =
            |address: &Address| self.world.account(address).is_some_and(|account| account.owner == provena_royalty::ID);
        let mut states: Vec<_> = named.filter(ours).collect();
        states.sort();
        states.dedup();
        states
    }

    /// Checks that the world accepts the instruction as it is, and leaves the world as it was.
    #[track_caller]
    pub(crate) fn accepted(&mut self) {
        let unchanged = self.world.svm.clone();
        let signers = self.signers.iter().map(Keypair::insecure_clone).collect::<Vec<_>>();
        let outcome = self.world.send(std::slice::from_ref(&self.instruction), &signers.iter().collect::<Vec<_>>());
        let outcome = outcome.map_err(|failed| format!("{:?}\n{}", failed.err, failed.meta.logs.join("\n")));
        assert!(outcome.is_ok(), "{}: {}", self.name, outcome.expect_err("refused"));
        self.world.svm = unchanged;
    }
}

/// A stage on which everything is possible: money waits in the pool, beside it, in an inbox and in a child's pool.
struct Everything {
    stage: Stage,
    child: Scene,
    cases: Vec<Case>,
}

/// All instructions, in one kind of money.
pub(crate) fn all(stage: Stage) -> Vec<Case> {
    let mut stage = stage;
    let shares = [(stage.scene.pool, QUARTER), (stage.bob.pubkey(), 3 * QUARTER)];
    let child = Scene::new(&mut stage.world, "child", &shares, &[stage.money]);
    let (money, pool) = (stage.money, stage.scene.pool);
    money.give(&mut stage.world, &pool, 1_000);
    for holder in [stage.alice.pubkey(), stage.bob.pubkey()] {
        money.give(&mut stage.world, &holder, 1_000);
    }
    let inbox = stage.scene.open_inbox(&mut stage.world, money);
    donate(&mut stage.world, money, &inbox, 1_000);
    stage.scene.donate(&mut stage.world, money, 1_000);
    child.deposit(&mut stage.world, money, 4_000);
    stage.deposit(4_000);
    let mut everything = Everything { stage, child, cases: Vec::new() };
    everything.authority();
    everything.pools();
    everything.books();
    everything.revenue();
    everything.shares();
    everything.cases
}

impl Everything {
    fn case(&mut self, name: &'static str, instruction: Instruction, signers: &[&Keypair]) {
        let mut world = World::new();
        world.svm = self.stage.world.svm.clone();
        let signers = signers.iter().map(|signer| signer.insecure_clone()).collect();
        self.cases.push(Case { name, world, instruction, signers });
    }

    fn authority(&mut self) {
        let (authority, heir) = (self.stage.authority.insecure_clone(), keypair("heir"));
        let (key, new) = (authority.pubkey(), Money::token(&mut self.stage.world, "new").mint());
        self.case("propose_authority", client::propose_authority(&key, &heir.pubkey()), &[&authority]);
        self.stage.world.accept(&[client::propose_authority(&key, &heir.pubkey())], &[&authority]);
        self.case("cancel_authority", client::cancel_authority(&key), &[&authority]);
        self.stage.world.pass_slots(432_000);
        self.case("accept_authority", client::accept_authority(&heir.pubkey()), &[&heir]);
        self.case("set_pause", client::set_pause(&key, 1), &[&authority]);
        self.case("allow_mint", client::allow_mint(&key, &new), &[&authority]);
        self.stage.world.accept(&[client::allow_mint(&key, &new)], &[&authority]);
        self.case("disallow_mint", client::disallow_mint(&key, &new), &[&authority]);
    }

    fn pools(&mut self) {
        let (creator, asset) = (self.stage.scene.creator.insecure_clone(), keypair("fresh asset"));
        let (key, mint) = (creator.pubkey(), asset.pubkey());
        let half = [Holder::new(self.stage.alice.pubkey(), 5)];
        let create = client::create_pool(&key, &mint, 10, 0, 0, &half);
        self.case("create_pool", create.clone(), &[&creator, &asset]);
        self.stage.world.accept(&[create], &[&creator, &asset]);
        let pool = pda::pool(&mint).0;
        let rest = [Holder::new(self.stage.bob.pubkey(), 5)];
        let add = client::add_holders(&key, &pool, &rest);
        self.case("add_holders", add.clone(), &[&creator]);
        self.stage.world.accept(&[add], &[&creator]);

        let fresh = Scene { pool, asset, creator: creator.insecure_clone(), money: Vec::new() };
        let positions = [&half[0], &rest[0]].map(|holder| fresh.position(&self.stage.world, &holder.holder));
        let state = fresh.state(&self.stage.world);
        let abandon = client::abandon_pool(&pool, &state, &positions, &[Money::Sol.currency()]);
        self.case("abandon_pool", abandon, &[&creator]);
    }

    fn books(&mut self) {
        let (creator, asset) = (self.stage.scene.creator.insecure_clone(), self.stage.scene.asset.pubkey());
        let (key, currency, pool) = (creator.pubkey(), self.stage.money.currency(), self.stage.scene.pool);
        // A second token, which only a child's pool has books for.
        let euro = Money::token(&mut self.stage.world, "second token");
        let allow = client::allow_mint(&self.stage.authority.pubkey(), &euro.mint());
        self.stage.world.accept(&[allow], &[&self.stage.authority]);
        let shares = [(pool, 4 * QUARTER)];
        let other = Scene::new(&mut self.stage.world, "child in euro", &shares, &[euro]);
        other.deposit(&mut self.stage.world, euro, 100);
        let open = |evidence| client::open_books(&key, &asset, euro.currency(), evidence).expect("a token");
        self.case("open_books", open(Evidence::Creator), &[&creator]);
        self.case("open_books for a child's money", open(Evidence::Child(other.pool)), &[&creator]);
        let open = client::open_inbox(&key, &asset, currency, 1);
        self.case("open_inbox", open.clone(), &[&creator]);
        self.stage.world.accept(&[open], &[&creator]);
        self.case("close_inbox", client::close_inbox(&key, &pool, currency, 1), &[&creator]);
    }

    fn revenue(&mut self) {
        let (pool, child, currency) = (self.stage.scene.pool, self.child.pool, self.stage.money.currency());
        let (alice, bob) = (self.stage.alice.insecure_clone(), self.stage.bob.insecure_clone());
        self.case("deposit", client::deposit(&alice.pubkey(), &pool, currency, 100), &[&alice]);
        self.case("sync", client::sync(&pool, currency, &[0]), &[]);
        self.case("collect", client::collect(&pool, currency), &[]);
        self.case("sweep", client::sweep(&child, &pool, currency), &[]);
        let elsewhere = currency.account_of(&alice.pubkey());
        self.case("claim", client::claim_to(&bob.pubkey(), &pool, currency, &elsewhere), &[&bob]);
        let mut many = client::claim_many(&bob.pubkey(), &[pool, child], currency, true);
        many.accounts[1].pubkey = elsewhere;
        self.case("claim_many", many, &[&bob]);
    }

    fn shares(&mut self) {
        let (alice, bob, pool) =
            (self.stage.alice.insecure_clone(), self.stage.bob.insecure_clone(), self.stage.scene.pool);
        let (give, carol) =
            (client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &pool, 5), keypair("carol").pubkey());
        self.case("transfer_shares", give, &[&alice]);
        let give = client::transfer_shares(&alice.pubkey(), &carol, &pool, 5);
        self.case("transfer_shares to somebody new", give, &[&alice]);
        self.case("approve", client::approve(&alice.pubkey(), &pool, &bob.pubkey(), 5), &[&alice]);
        self.case("revoke", client::revoke(&alice.pubkey(), &pool), &[&alice]);

        let (creator, other) = (self.stage.scene.creator.pubkey(), self.child.pool);
        let all = client::transfer_shares(&bob.pubkey(), &alice.pubkey(), &other, 3 * QUARTER);
        let claim = client::claim(&bob.pubkey(), &other, self.stage.money.currency());
        self.stage.world.accept(&[claim, all], &[&bob]);
        let close = client::close_position(&bob.pubkey(), &bob.pubkey(), &creator, &other);
        self.case("close_position", close, &[&bob]);
    }
}
