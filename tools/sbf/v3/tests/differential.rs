//! Every operation on bytecode v3, under the newest VM. `cargo xtask test` builds the program.

use std::path::Path;

use litesvm::LiteSVM;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_transaction::Transaction;

use self::shared::{Machine, compare};

#[path = "../../tests/shared/differential.rs"]
mod shared;

#[test]
fn every_operation_gives_in_the_vm_what_it_gives_on_the_host() {
    compare(&mut Vm::new());
}

/// The VM with the program in it.
struct Vm {
    svm: LiteSVM,
    program: Address,
    payer: Address,
}

impl Vm {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/differential/v3/differential.so");
        let mut svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let program = Address::new_from_array([7; 32]);
        svm.add_program_from_file(program, &path)
            .unwrap_or_else(|error| panic!("{}: {error:?}; run `cargo xtask test`", path.display()));
        let payer = Address::new_from_array([5; 32]);
        svm.airdrop(&payer, 500_000_000_000_000).expect("an airdrop");
        Self { svm, program, payer }
    }
}

impl Machine for Vm {
    fn send(&mut self, words: &[u64]) -> Result<(Vec<u8>, u64), String> {
        let data = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let instruction = Instruction { program_id: self.program, accounts: Vec::new(), data };
        let mut message = Message::new(&[instruction], Some(&self.payer));
        message.recent_blockhash = self.svm.latest_blockhash();
        let sent = self.svm.send_transaction(Transaction::new_unsigned(message));
        let done = sent.map_err(|failed| format!("{:?} {:?}", failed.err, failed.meta.logs))?;
        Ok((done.return_data.data, done.compute_units_consumed))
    }
}
