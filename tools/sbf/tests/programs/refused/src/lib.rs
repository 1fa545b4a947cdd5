//! Each feature turns on one thing that the VM cannot do. Without any, the program is a good one.
#![no_std]
#![cfg(target_os = "solana")]

use solana_compiler_builtins as _;

#[cfg(feature = "floats")]
#[inline(never)]
fn divides_floats(a: u64, b: u64) -> u64 {
    (a as f64 / b as f64) as u64
}

#[cfg(feature = "recursive-arguments")]
#[inline(never)]
fn takes_six_and_recurs(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
    if a == 0 { b ^ c ^ d ^ e ^ f } else { takes_six_and_recurs(b >> 1, c, d, e, f, a >> 1).wrapping_mul(a) ^ f }
}

#[cfg(feature = "pointer-arguments")]
mod pointer {
    type Six = fn(u64, u64, u64, u64, u64, u64) -> u64;

    #[inline(never)]
    fn takes_six_one_way(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
        a ^ b.rotate_left(1) ^ c ^ d ^ e ^ f
    }

    #[inline(never)]
    fn takes_six_another_way(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
        a & b | c & d | e & f
    }

    pub static WAYS: [Six; 2] = [takes_six_one_way, takes_six_another_way];
}

/// More than the 4,096 bytes of stack that a call has.
#[cfg(feature = "large-frame")]
#[inline(never)]
fn keeps_too_much_on_the_stack(a: u64) -> u64 {
    let mut words = [a; 600];
    words[(a % 600) as usize] = 1;
    core::hint::black_box(&mut words);
    words.iter().fold(0, |sum, word| sum ^ word)
}

#[cfg(feature = "unknown-symbol")]
unsafe extern "C" {
    fn nobody_defines_this(a: u64) -> u64;
}

#[cfg(feature = "type-error")]
const WRONG: u64 = "not a number";

/// # Safety
/// `input` points to at least two readable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    // SAFETY: see above.
    let [a, b] = unsafe { [input.read(), input.add(1).read()] };
    let mut result = a ^ b;
    #[cfg(feature = "floats")]
    {
        result ^= divides_floats(a, b);
    }
    #[cfg(feature = "recursive-arguments")]
    {
        result ^= takes_six_and_recurs(a, b, a, b, !a, !b);
    }
    #[cfg(feature = "pointer-arguments")]
    {
        result ^= pointer::WAYS[(a & 1) as usize](a, b, a, b, !a, !b);
    }
    #[cfg(feature = "large-frame")]
    {
        result ^= keeps_too_much_on_the_stack(b);
    }
    #[cfg(feature = "unknown-symbol")]
    {
        // SAFETY: it is never linked, let alone called.
        result ^= unsafe { nobody_defines_this(a) };
    }
    result &= 1;
    result
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
