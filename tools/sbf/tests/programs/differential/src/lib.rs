//! A program that runs a group of operations on the inputs it is given.
//!
//! Instruction data: one word (group in the low half, mode in the high half), then inputs of
//! [`WORDS`](operations::Input::WORDS) words each. Return data: in mode 0 one digest for each input, in
//! mode 1 all results for the first input. All words are 64-bit little-endian.
#![cfg(target_os = "solana")]

use solana_compiler_builtins as _;

mod heap;
pub mod operations;

use operations::{GROUPS, Input, Results};

#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

unsafe extern "C" {
    fn sol_set_return_data(data: *const u8, length: u64);
}

/// Called by the VM with the serialised accounts and instruction data.
///
/// # Safety
/// `input` points to what the loader of the VM serialises. The program takes no accounts, so that the
/// instruction data begins right behind the number of accounts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    // SAFETY: see above; the data is as long as the word before it says.
    let data = unsafe {
        if input.read() != 0 {
            return 1;
        }
        std::slice::from_raw_parts(input.add(2), (input.add(1).read() / 8) as usize)
    };
    let Some((&command, inputs)) = data.split_first() else { return 2 };
    let Some(&(_, group)) = GROUPS.get((command & 0xffff_ffff) as usize) else { return 3 };
    let mut returned = [0u64; Results::CAPACITY];
    let mut used = 0;
    for words in inputs.chunks_exact(Input::WORDS) {
        let mut results = Results::default();
        group(&Input::from_words(words), &mut results);
        if command >> 32 == 1 {
            let all = results.words();
            returned[..all.len()].copy_from_slice(all);
            used = all.len();
            break;
        }
        returned[used] = results.digest();
        used += 1;
    }
    // SAFETY: the pointer and the length belong together.
    unsafe { sol_set_return_data(returned.as_ptr().cast(), used as u64 * 8) };
    0
}
