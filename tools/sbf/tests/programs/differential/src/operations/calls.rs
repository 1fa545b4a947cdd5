//! Arguments and results that take more registers than there are, calls through pointers, recursion.

use super::{Input, Results};

#[inline(never)]
fn seven(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
    [a, b, c, d, e, f, g].iter().zip([3, 5, 7, 11, 13, 17, 19]).fold(0, |sum, (v, k)| sum ^ v.wrapping_mul(k))
}

#[inline(never)]
fn three_wide(a: u128, b: u128, c: u128) -> u128 {
    a.wrapping_mul(b) ^ c.rotate_left(3)
}

/// Three registers of arguments and a result that needs a pointer: one too many together with `d`.
#[inline(never)]
fn five_and_wide_result(a: u64, b: u64, c: u64, d: u64, e: u64) -> u128 {
    u128::from(a) * u128::from(b) + u128::from(c ^ d ^ e)
}

#[inline(never)]
fn wide_chain(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
    seven(f, e, d, c, b, a, a.wrapping_add(f)).wrapping_sub(seven(a, b, c, d, e, f, 1))
}

type Pairing = fn(u64, u64) -> (u64, u64);

#[inline(never)]
fn pair(a: u64, b: u64) -> (u64, u64) {
    (a.wrapping_add(b), a ^ b)
}

#[inline(never)]
fn mixed(a: u64, b: u8) -> (u8, u32, u64) {
    (b.wrapping_add(a as u8), (a >> 13) as u32, a.rotate_left(9))
}

#[inline(never)]
fn maybe_wide(x: u128, limit: u64) -> Option<u128> {
    x.checked_sub(u128::from(limit))
}

#[inline(never)]
fn fallible(a: u64, b: u64) -> Result<u64, u32> {
    a.checked_add(b).ok_or((a >> 32) as u32)
}

#[inline(never)]
fn large(a: u64) -> [u64; 9] {
    std::array::from_fn(|k| a.wrapping_mul(k as u64 + 1))
}

#[derive(Clone, Copy)]
struct Account {
    balance: u128,
    nonce: u32,
    open: bool,
}

#[inline(never)]
fn by_value(account: Account, amount: u64) -> Account {
    Account {
        balance: account.balance.saturating_sub(u128::from(amount)),
        nonce: account.nonce.wrapping_add(1),
        open: account.open && amount & 1 == 0,
    }
}

#[inline(never)]
fn recursive(a: u64, depth: u64) -> u64 {
    if depth == 0 { a } else { recursive(a.wrapping_mul(31).wrapping_add(depth), depth - 1) ^ a }
}

trait Shape {
    fn area(&self, scale: u64) -> u64;
}
struct Square(u64);
struct Disc(u64, u64);
impl Shape for Square {
    fn area(&self, scale: u64) -> u64 {
        self.0.wrapping_mul(self.0).wrapping_mul(scale)
    }
}
impl Shape for Disc {
    fn area(&self, scale: u64) -> u64 {
        self.0.wrapping_mul(self.1) ^ scale
    }
}

fn put_account(r: &mut Results, account: Account) {
    r.put(account.balance);
    r.put(account.nonce);
    r.put(account.open);
}

pub(super) fn calls(i: &Input, r: &mut Results) {
    let (a, b, n) = (i.a, i.b, i.n);
    r.put(seven(a, b, a ^ b, a & b, a | b, !a, !b));
    r.put(three_wide(i.x, i.y, u128::from(a)));
    r.put(five_and_wide_result(a, b, n, i.seed, !n));
    r.put(wide_chain(a, b, n, i.seed, !a, !n));
    r.put(pair(a, b));
    let (p, q, s) = mixed(a, b as u8);
    r.put((p, q));
    r.put(s);
    r.put(maybe_wide(i.x, b));
    match fallible(a, b) {
        Ok(sum) => r.put(sum),
        Err(code) => r.put(code),
    }
    r.put(large(a).iter().fold(b, |sum, word| sum.rotate_left(5) ^ word));
    let account = by_value(Account { balance: i.x, nonce: a as u32, open: b & 1 == 1 }, n);
    put_account(r, account);
    put_account(r, by_value(account, a));
    r.put(recursive(a, n % 20));
    let functions: [Pairing; 2] = [pair, |a, b| (b, a.wrapping_sub(b))];
    r.put(functions[(n % 2) as usize](a, b));
    let shapes: [&dyn Shape; 2] = [&Square(a), &Disc(a, b)];
    r.put(shapes[(i.seed % 2) as usize].area(n));
    // More cases than the backend would put into a jump table.
    r.put(match n % 16 {
        0 => a,
        1 => b,
        2 => a ^ b,
        3 => a & b,
        4 => a.wrapping_mul(b),
        5 => a.wrapping_sub(b),
        6 => a.rotate_left(7),
        7 => b.rotate_left(11),
        8 => a.swap_bytes(),
        9 => b.reverse_bits(),
        10 => a | b,
        11 => !a,
        12 => !b,
        13 => a.wrapping_neg(),
        14 => a.min(b),
        _ => a.max(b),
    });
}
