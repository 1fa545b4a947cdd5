//! `acknowledge`, `demand_answer`, `put_answer`, `seal_answer`, `prove_length`, `default_answer`, `close_answer`.

use anchor_lang::prelude::Address;
use provena_arith::{hash::sha256, merkle};
use provena_common::error::CommonError;
use provena_market::{
    client,
    error::MarketError,
    fees::Work,
    pda,
    state::{Answer, JobState, Party},
};
use provena_tests::{
    market::{ALL_MONEY, DONE, PaidIn, Scene, answer_bytes, expected, quorum, terms},
    transactions::{MAX_TRANSACTION_LEN, transaction_len},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// A scene with a job of one seat that node 0 answered with 1.
fn answered(paid_in: PaidIn) -> (Scene, Address) {
    let mut scene = Scene::new(paid_in, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    (scene, job)
}

/// Puts the answer on chain as a node; does not seal it.
fn put(scene: &mut Scene, job: Address, node: usize, bytes: &[u8]) -> solana_instruction::Instruction {
    let (parts, seal) = client::put_answer(scene.authority(node), job, bytes);
    for part in parts {
        scene.world.accept(&[part], &[&scene.nodes[node]]);
    }
    seal
}

#[test]
fn pay_waits_for_the_payer_or_for_1500_slots() {
    let (mut scene, job) = answered(PaidIn::Sol);
    scene.world.pass_slots(1_500);
    let collect = scene.collecting(&scene.job(&job), Party::Seat(0));
    scene.world.refuses(std::slice::from_ref(&collect), &[], MarketError::StillWaiting);
    scene.world.pass_slots(1);
    scene.world.accept(&[collect], &[]);
    assert_eq!(scene.node(0).locked, 0);
}

#[test]
fn acknowledge_rejects_strangers_and_a_second_time() {
    let (mut scene, job) = answered(PaidIn::Sol);
    let stranger = scene.world.wallet("stranger");
    let acknowledge = client::acknowledge(stranger.pubkey(), job);
    scene.world.refuses(&[acknowledge], &[&stranger], MarketError::NotPayer);
    let acknowledge = client::acknowledge(scene.payer.pubkey(), job);
    let mut unsigned = acknowledge.clone();
    unsigned.accounts[0].is_signer = false;
    scene.world.refuses(&[unsigned], &[], InstructionError::MissingRequiredSignature);
    scene.world.accept(std::slice::from_ref(&acknowledge), &[&scene.payer]);
    scene.world.refuses(&[acknowledge], &[&scene.payer], MarketError::AlreadyAcknowledged);
    let demand = client::demand_answer(scene.payer.pubkey(), job);
    scene.world.refuses(&[demand], &[&scene.payer], MarketError::AlreadyAcknowledged);
    let open = scene.post(1);
    for instruction in
        [client::acknowledge(scene.payer.pubkey(), open), client::demand_answer(scene.payer.pubkey(), open)]
    {
        scene.world.refuses(&[instruction], &[&scene.payer], MarketError::WrongState);
    }
}

#[test]
fn a_demanded_answer_comes_on_chain_and_its_poster_is_paid() {
    for paid_in in ALL_MONEY {
        let (mut scene, job) = answered(paid_in);
        let before = scene.balances(&[job]);
        scene.demand(job);
        let moved = [("payer", -60_000), ("job 0", 60_000)];
        assert_eq!(scene.lamport_changes(&[job], &before), expected(&moved));
        let seal = put(&mut scene, job, 0, &answer_bytes(1));
        let address = pda::answer(&job, &scene.authority(0)).0;
        let account = scene.world.account(&address).expect("it is there");
        // Discriminator, header, length, and the 2,000 bytes that the payer reads.
        assert_eq!(account.data.len(), 8 + 144 + 4 + 2_000);
        assert_eq!(account.data[156..], answer_bytes(1));
        scene.world.accept(std::slice::from_ref(&seal), &[&scene.nodes[0]]);
        let rent = i64::try_from(account.lamports).expect("small");
        let moved = [("payer", -60_000), ("node 0", 60_000 - rent)];
        let before_rent = scene.world.account(&address).expect("it stays").lamports;
        assert_eq!(before_rent, account.lamports);
        assert_eq!(rent, (128 + 2_156) * 6_960);
        let changes = scene.balances(&[job]);
        assert_eq!(changes.lamports("payer") + 60_000, before.lamports("payer"), "{moved:?}");
        assert_eq!(changes.lamports("node 0") + 15_896_640, before.lamports("node 0") + 60_000);
        assert_eq!(changes.lamports("job 0"), before.lamports("job 0"));
        // What was shown settles the job: the payer has had his answer.
        scene.world.refuses(&[seal], &[&scene.nodes[0]], MarketError::NotDemanded);
        scene.collect_all(&job);
        assert_eq!(scene.job(&job).job.state(), Ok(JobState::Agreed));
        // It stays for 1,500 slots; then anybody returns its rent.
        let close = client::close_answer(scene.authority(0), job);
        scene.world.pass_slots(1_500);
        scene.world.refuses(std::slice::from_ref(&close), &[], MarketError::AnswerInUse);
        scene.world.pass_slots(1);
        scene.world.accept(&[close], &[]);
        let end = scene.balances(&[job]);
        let fee = if paid_in == PaidIn::Sol { 5_428_887 } else { 0 };
        assert_eq!(end.lamports("node 0"), before.lamports("node 0") + 60_000 + fee);
    }
}

#[test]
fn default_answer_rejects_before_its_time_and_costs_the_bonds() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, quorum(3, 2));
        if paid_in == PaidIn::Sol {
            scene.open_inboxes();
        } else {
            scene.open_sol_inbox();
        }
        let before = scene.balances(&[]);
        let job = scene.post(0);
        scene.work(job, &[1, 2, 1]);
        scene.demand(job);
        scene.world.pass_slots(750);
        let default = client::default_answer(&scene.job(&job));
        assert_eq!(default.accounts.len(), 3, "the job and the two that agreed");
        scene.world.refuses(std::slice::from_ref(&default), &[], MarketError::TooEarly);
        scene.world.pass_slots(1);
        let mut missing = default.clone();
        missing.accounts.pop();
        scene.world.refuses(&[missing], &[], MarketError::MissingNodes);
        let mut wrong = default.clone();
        wrong.accounts[2].pubkey = pda::node(&scene.authority(1)).0;
        scene.world.refuses(&[wrong], &[], MarketError::WrongNode);
        scene.world.accept(std::slice::from_ref(&default), &[]);
        scene.world.refuses(&[default], &[], MarketError::WrongState);
        let record = scene.job(&job);
        assert_eq!(record.job.state(), Ok(JobState::Defaulted));
        // Nobody is asked for the answer any more.
        let late = client::put_answer(scene.authority(0), job, b"late").0.remove(0);
        scene.world.refuses(&[late], &[&scene.nodes[0]], MarketError::NotDemanded);
        scene.collect_all(&job);
        for seat in [0, 2] {
            let collect = client::collect_seat(&record, seat, scene.token_program());
            scene.world.refuses(&[collect], &[], MarketError::NothingOwed);
        }
        scene.close(&job);
        // Deposit and the demand's 60,000 are the payer's again; the treasury has two bonds; the minority lost nothing.
        let moved = [("stake 0", -400_000_000), ("stake 2", -400_000_000), ("treasury inbox", 800_000_000)];
        assert_eq!(scene.lamport_changes(&[], &before), expected(&moved), "{paid_in:?}");
        assert_eq!(scene.token_changes(&[], &before), []);
        assert_eq!((scene.node(1).stake, scene.node(1).locked), (5_000_000_000, 0));
    }
}

#[test]
fn who_defaults_loses_its_part_of_others_forfeits_and_the_minority_keeps_its_own() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(5, 3));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1, 1, 2, 1]);
    for node in 0..4 {
        scene.reveal(job, node, provena_tests::market::seat(node), if node == 3 { 2 } else { 1 });
    }
    scene.world.pass_slots(151);
    scene.finalize(&job);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Agreed));
    scene.collect(&job, Party::Seat(3));
    scene.demand(job);
    scene.world.pass_slots(751);
    let default = client::default_answer(&scene.job(&job));
    scene.world.accept(&[default], &[]);
    scene.collect_all(&job);
    scene.close(&job);
    let moved = [
        ("node 3", 30_000),
        ("stake 0", -400_000_000),
        ("stake 1", -400_000_000),
        ("stake 2", -400_000_000),
        ("stake 4", -400_000_000),
        ("treasury inbox", 1_600_000_000 - 30_000),
    ];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

#[test]
fn demand_answer_rejects_a_second_one_and_a_late_one() {
    let (mut scene, job) = answered(PaidIn::Sol);
    let stranger = scene.world.wallet("stranger");
    scene.world.refuses(&[client::demand_answer(stranger.pubkey(), job)], &[&stranger], MarketError::NotPayer);
    let demand = client::demand_answer(scene.payer.pubkey(), job);
    scene.world.pass_slots(1_501);
    scene.world.refuses(std::slice::from_ref(&demand), &[&scene.payer], MarketError::WindowOver);

    let (mut scene, job) = answered(PaidIn::Sol);
    scene.world.pass_slots(1_500);
    scene.world.accept(&[demand], &[&scene.payer]);
    let again = client::demand_answer(scene.payer.pubkey(), job);
    scene.world.refuses(&[again], &[&scene.payer], MarketError::AlreadyDemanded);
    // While the answer is awaited, nobody is paid, and the payer cannot take his deposit back by acknowledging.
    scene.world.pass_slots(700);
    for party in [Party::Seat(0), Party::Royalty, Party::Protocol, Party::Payer] {
        let collect = scene.collecting(&scene.job(&job), party);
        scene.world.refuses(&[collect], &[], MarketError::StillWaiting);
    }
    let acknowledge = client::acknowledge(scene.payer.pubkey(), job);
    scene.world.refuses(&[acknowledge], &[&scene.payer], MarketError::AnswerDemanded);
    let close = scene.closing(&scene.payer, &job);
    scene.world.refuses(&[close], &[&scene.payer], MarketError::NotPaidOut);
}

#[test]
fn put_answer_rejects_what_is_not_demanded_and_what_does_not_fit() {
    let (mut scene, job) = answered(PaidIn::Sol);
    let node = scene.authority(0);
    let part = |bytes: &[u8]| client::put_answer(node, job, bytes).0.remove(0);
    let early = part(b"answer");
    scene.world.refuses(&[early], &[&scene.nodes[0]], MarketError::NotDemanded);
    scene.demand(job);
    let raw = |offset: u32, bytes: &[u8], len: u32| {
        let mut put = part(b"answer");
        put.data = anchor_lang::InstructionData::data(&provena_market::instruction::PutAnswer {
            offset,
            bytes: bytes.to_vec(),
            len,
        });
        put
    };
    for (offset, bytes, len) in [(0, &b"x"[..], 0), (0, b"x", 8_193), (0, b"xx", 1), (1, b"x", 1), (u32::MAX, b"x", 8)]
    {
        scene.world.refuses(&[raw(offset, bytes, len)], &[&scene.nodes[0]], MarketError::AnswerLength);
    }
    scene.world.accept(&[raw(0, b"xx", 8_192)], &[&scene.nodes[0]]);
    // The first part fixed the length.
    scene.world.refuses(&[raw(0, b"x", 8_191)], &[&scene.nodes[0]], MarketError::AnswerLength);
    // Another signer's account, another address, another kind of account.
    let mut others = client::put_answer(scene.authority(1), job, b"y").0.remove(0);
    others.accounts[2].pubkey = pda::answer(&job, &node).0;
    scene.world.refuses(&[others], &[&scene.nodes[1]], MarketError::WrongPoster);
    let mut elsewhere = client::put_answer(scene.authority(1), job, b"y").0.remove(0);
    elsewhere.accounts[2].pubkey = keypair("elsewhere").pubkey();
    scene.world.refuses(&[elsewhere], &[&scene.nodes[1]], CommonError::WrongPda);
    let mut wrong = raw(0, b"x", 8_192);
    wrong.accounts[2].pubkey = pda::node(&node).0;
    scene.world.refuses(&[wrong], &[&scene.nodes[0]], InstructionError::InvalidAccountData);
}

#[test]
fn parts_of_an_answer_fit_into_transactions() {
    let (mut scene, job) = answered(PaidIn::Sol);
    scene.demand(job);
    let (parts, seal) = client::put_answer(scene.authority(0), job, &[7; 8_192]);
    assert_eq!(parts.len(), 11);
    for part in parts.iter().chain([&seal]) {
        let len = transaction_len(std::slice::from_ref(part), &[&scene.nodes[0]]);
        assert!(len <= MAX_TRANSACTION_LEN - 40, "{len}: a limit of compute units must fit as well");
    }
}

#[test]
fn the_longest_answer_can_be_put_on_chain() {
    let bytes: Vec<u8> = (0..8_192u32).map(|i| i.to_le_bytes()[0] ^ 5).collect();
    let root = merkle::content_root(&bytes).expect("it is not empty");
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let answer = client::answer(scene.authority(0), job, root, DONE);
    scene.world.accept(&[answer], &[&scene.nodes[0]]);
    scene.demand(job);
    let seal = put(&mut scene, job, 0, &bytes);
    scene.world.accept(&[seal], &[&scene.nodes[0]]);
    scene.collect(&job, Party::Seat(0));
}

#[test]
fn seal_answer_rejects_another_answer_and_a_late_one() {
    let (mut scene, job) = answered(PaidIn::Sol);
    scene.demand(job);
    let mut wrong = answer_bytes(1);
    wrong[1_999] ^= 1;
    let seal = put(&mut scene, job, 0, &wrong);
    scene.world.refuses(std::slice::from_ref(&seal), &[&scene.nodes[0]], MarketError::WrongAnswer);
    // The right bytes over the wrong ones.
    let seal = put(&mut scene, job, 0, &answer_bytes(1));
    let mut others = seal.clone();
    others.accounts[0].pubkey = scene.authority(1);
    scene.world.refuses(&[others], &[&scene.nodes[1]], MarketError::WrongPoster);
    scene.world.pass_slots(750);
    scene.world.accept(&[seal], &[&scene.nodes[0]]);

    let (mut scene, job) = answered(PaidIn::Sol);
    scene.demand(job);
    let seal = put(&mut scene, job, 0, &answer_bytes(1));
    scene.world.pass_slots(751);
    scene.world.refuses(&[seal], &[&scene.nodes[0]], MarketError::DeadlinePassed);
}

#[test]
fn an_answer_of_another_job_is_not_this_ones() {
    let (mut scene, job) = answered(PaidIn::Sol);
    let other = scene.post(1);
    scene.take(other, 1, 0);
    scene.answer(other, 1, 1);
    scene.demand(job);
    scene.demand(other);
    let seal = put(&mut scene, other, 1, &answer_bytes(1));
    let mut swapped = seal;
    swapped.accounts[1].pubkey = job;
    scene.world.refuses(&[swapped], &[&scene.nodes[1]], MarketError::WrongPoster);
}

#[test]
fn prove_length_rejects_what_is_not_longer() {
    let bytes = vec![9u8; 8_193];
    let tree = sha256(&[&[0], &bytes]);
    let root = merkle::content_root(&bytes).expect("it is not empty");
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let answer = client::answer(scene.authority(0), job, root, Work::new(8, 4));
    scene.world.accept(&[answer], &[&scene.nodes[0]]);
    let helper = scene.world.wallet("helper");
    let prove = |len: u64, tree: [u8; 32]| client::prove_length(helper.pubkey(), job, len, tree);
    scene.world.refuses(&[prove(8_193, tree)], &[&helper], MarketError::NotDemanded);
    scene.demand(job);
    scene.world.refuses(&[prove(8_192, tree)], &[&helper], MarketError::AnswerLength);
    scene.world.refuses(&[prove(8_194, tree)], &[&helper], MarketError::WrongAnswer);
    scene.world.refuses(&[prove(8_193, [0; 32])], &[&helper], MarketError::WrongAnswer);
    let before = scene.world.lamports(&helper.pubkey());
    scene.world.accept(&[prove(8_193, tree)], &[&helper]);
    assert_eq!(scene.world.lamports(&helper.pubkey()) - before, 60_000);
    scene.collect_all(&job);
    // A job of the whole deposit.
    assert_eq!(scene.job(&job).job.split(&scene.job(&job).seats).expect("ended").refund.0, 0);
}

#[test]
fn close_answer_rejects_another_poster_and_returns_the_rent() {
    let (mut scene, job) = answered(PaidIn::Sol);
    scene.demand(job);
    let (payer, node) = (scene.payer.pubkey(), scene.authority(0));
    let (parts, _) = client::put_answer(payer, job, &[0; 100]);
    scene.world.accept(&parts, &[&scene.payer]);
    let close = client::close_answer(payer, job);
    scene.world.refuses(std::slice::from_ref(&close), &[], MarketError::AnswerInUse);
    let mut theft = close.clone();
    theft.accounts[0].pubkey = node;
    theft.accounts[0].is_signer = true;
    scene.world.refuses(&[theft], &[&scene.nodes[0]], MarketError::WrongPoster);
    let mut elsewhere = close.clone();
    elsewhere.accounts[1].pubkey = keypair("another job").pubkey();
    scene.world.refuses(&[elsewhere], &[], MarketError::WrongPoster);
    // Its poster may take back what is not sealed.
    let mut signed = close.clone();
    signed.accounts[0].is_signer = true;
    scene.world.accept(&[signed], &[&scene.payer]);
    // And anybody returns it when the job is gone.
    scene.world.accept(&parts, &[&scene.payer]);
    scene.world.pass_slots(751);
    let default = client::default_answer(&scene.job(&job));
    scene.world.accept(&[default], &[]);
    scene.collect_all(&job);
    scene.close(&job);
    scene.world.accept(&[close], &[]);
    assert_eq!(size_of::<Answer>(), 144);
}
