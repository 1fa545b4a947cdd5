//! Every operation on bytecode v0, in the VM that the main suite uses.

use litesvm::LiteSVM;
use provena_sbf::Arch;
use solana_keypair::Keypair;
use solana_message::{Address, Instruction, Message};
use solana_signer::Signer;
use solana_transaction::Transaction;

use self::shared::{Machine, compare};
use crate::programs;

#[path = "../shared/differential.rs"]
mod shared;

#[test]
fn every_operation_gives_in_the_vm_what_it_gives_on_the_host() {
    let built = programs::build("differential", Arch::V0);
    compare(&mut Vm::new(&built.path));
}

/// The VM with the program in it.
struct Vm {
    svm: LiteSVM,
    program: Address,
    payer: Keypair,
}

impl Vm {
    fn new(path: &std::path::Path) -> Self {
        let mut svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let program = Address::new_from_array([7; 32]);
        svm.add_program_from_file(program, path).expect("the VM accepts the program");
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 500_000_000_000_000).expect("an airdrop");
        Self { svm, program, payer }
    }
}

impl Machine for Vm {
    fn send(&mut self, words: &[u64]) -> Result<(Vec<u8>, u64), String> {
        let data = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let instruction = Instruction { program_id: self.program, accounts: Vec::new(), data };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        let sent = self.svm.send_transaction(transaction);
        let done = sent.map_err(|failed| format!("{:?} {:?}", failed.err, failed.meta.logs))?;
        Ok((done.return_data.data, done.compute_units_consumed))
    }
}
