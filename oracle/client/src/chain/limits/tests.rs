use super::*;
use solana_instruction::AccountMeta;

fn of(program: Pubkey, discriminator: &[u8], accounts: usize) -> Instruction {
    let accounts = (0..accounts).map(|_| AccountMeta::new(Pubkey::new_unique(), false)).collect();
    Instruction { program_id: program, accounts, data: [discriminator, &[1, 2, 3]].concat() }
}

fn ours(name: &str) -> &'static Ours {
    OURS.iter().find(|ours| ours.name == name).unwrap()
}

#[test]
fn the_highest_case_of_an_instruction_counts() {
    let report = r#"{ "a.b": {"total": 5, "ours": 5}, "a.b.token.x": {"total": 9, "ours": 1},
        "a.b.c": {"total": 7, "ours": 7}, "a.bb": {"total": 99, "ours": 1} }"#;
    let figures = figures(report);
    assert_eq!((figures["a.b"], figures["a.bb"], figures.len()), (9, 99, 2));
}

#[test]
fn no_two_instructions_are_one() {
    for (index, one) in OURS.iter().enumerate() {
        let same = |other: &Ours| {
            one.name == other.name || (one.program == other.program && one.discriminator == other.discriminator)
        };
        assert!(!OURS[index + 1..].iter().any(same), "{}", one.name);
        assert_eq!(one.discriminator.len(), 8, "{}", one.name);
    }
    let known = |(name, ..): &(&str, usize, u64)| OURS.iter().any(|ours| ours.name == *name);
    assert!(VARIABLE.iter().all(known));
}

#[test]
fn others_have_fixed_sums_and_what_is_unknown_gets_200_000() {
    let system = of(Pubkey::default(), &[], 2);
    let stranger = of(Pubkey::new_from_array([9; 32]), &[], 2);
    let nobody = of(provena_market::ID, &[0xff; 8], 2);
    assert_eq!(compute_limit(&[], 2), 300);
    assert_eq!(compute_limit(&[system.clone(), system.clone()], 1), 450);
    assert_eq!(compute_limit(&[system, stranger.clone(), nobody], 0), 400_150);
    assert_eq!(compute_limit(&vec![stranger; 8], 2), 1_400_000);
}

#[test]
fn searches_of_addresses_are_paid_for() {
    let mut create = of(provena_market::ID, &[], 2);
    assert_eq!(searches(&create), 0);
    create.accounts.push(AccountMeta::new_readonly(TOKEN_PROGRAM, false));
    assert_eq!(searches(&create), 20);
    create.accounts.push(AccountMeta::new_readonly(Pubkey::default(), false));
    assert_eq!(searches(&create), 25);
}

#[test]
fn further_accounts_are_paid_for() {
    let finalize = |accounts| beyond("market.finalize", &of(provena_market::ID, &[], accounts));
    assert_eq!([1, 2, 6].map(finalize), [0, 1_500, 7_500]);
    assert_eq!(beyond("market.reveal", &of(provena_market::ID, &[], 6)), 0);
}

#[test]
fn longer_data_than_was_measured_is_paid_for() {
    let update = |text: usize| {
        let data = [ours("market.update_node").discriminator, &vec![b'x'; text]].concat();
        beyond("market.update_node", &Instruction { program_id: provena_market::ID, accounts: Vec::new(), data })
    };
    assert_eq!([0, 1, 96].map(update), [0, 20, 1_920]);
}

/// The report is `docs/compute-units.json`; `cargo xtask cu` writes it.
#[test]
fn every_instruction_has_a_figure_in_the_committed_report() {
    let without = OURS.iter().filter(|ours| ours.figure.is_none());
    let without: Vec<&str> = without.map(|ours| ours.name.as_str()).collect();
    assert!(without.is_empty(), "not measured, see docs/COMPUTE_UNITS.md: {without:?}");
    let reveal = ours("market.reveal");
    let figure = reveal.figure.unwrap();
    // Its data is three bytes long, at 20 each.
    assert_eq!(limit(&of(reveal.program, reveal.discriminator, 3)), figure + figure.div_ceil(10) + 60);
}

/// The interface descriptions are `app/idl/*.json`; `cargo xtask idl` writes them.
#[test]
fn every_instruction_of_the_interface_descriptions_is_known() {
    #[derive(Deserialize)]
    struct Interface {
        instructions: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        name: String,
        discriminator: Vec<u8>,
        accounts: Vec<serde_json::Value>,
    }
    let interfaces = [
        ("registry", include_str!("../../../../../app/idl/provena_registry.json")),
        ("royalty", include_str!("../../../../../app/idl/provena_royalty.json")),
        ("market", include_str!("../../../../../app/idl/provena_market.json")),
    ];
    let mut described = 0;
    for (program, text) in interfaces {
        let Interface { instructions } = serde_json::from_str(text).unwrap();
        described += instructions.len();
        for Entry { name, discriminator, accounts } in instructions {
            let name = format!("{program}.{name}");
            let known = OURS.iter().find(|ours| ours.name == name);
            assert_eq!(known.map(|ours| ours.discriminator), Some(discriminator.as_slice()), "{name}");
            let variable = VARIABLE.iter().find(|(variable, ..)| *variable == name);
            assert!(variable.is_none_or(|(_, fixed, _)| *fixed == accounts.len()), "{name}: {}", accounts.len());
        }
    }
    assert_eq!(described, OURS.len());
}
