//! Quotients and remainders.

use super::{Input, Results};

macro_rules! divide {
    ($r:ident, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        $r.put(a.checked_div(b));
        $r.put(a.checked_rem(b));
        $r.put(a.checked_div_euclid(b));
        $r.put(a.checked_rem_euclid(b));
    }};
}

pub(super) fn narrow(i: &Input, r: &mut Results) {
    let (a, b) = (i.a, i.b);
    divide!(r, a as u8, b as u8);
    divide!(r, a as i8, b as i8);
    divide!(r, a as u16, b as u16);
    divide!(r, a as i16, b as i16);
    divide!(r, a as u32, b as u32);
    divide!(r, a as i32, b as i32);
    divide!(r, a, b);
    divide!(r, a as i64, b as i64);
    // By constants, which compilers like to turn into something else.
    r.put(a / 10);
    r.put(a % 10_000);
    r.put(a as i64 / 7);
    r.put(a as i64 % -1000);
    r.put(a as i32 / 16);
    r.put(a as i16 % 8);
    r.put(a as i8 / -3);
    r.put((a as i64).checked_div(-1));
    r.put((a as i64).wrapping_rem(-1));
    r.put(a.div_ceil(3));
    r.put(a.checked_next_multiple_of(b));
    r.put(a.is_multiple_of(b));
    r.put(a.isqrt());
}

pub(super) fn wide(i: &Input, r: &mut Results) {
    let (x, y) = (i.x, i.y);
    divide!(r, x, y);
    divide!(r, x as i128, y as i128);
    divide!(r, x, u128::from(i.a));
    divide!(r, x as i128, i128::from(i.b as i64));
    divide!(r, u128::from(i.a), y);
    r.put(x / 10);
    r.put(x % 1_000_000_007);
    r.put(x as i128 / -1_000_000_000);
    r.put(x as i128 % 10_000);
    r.put((u128::from(i.a) * u128::from(i.b)).checked_div(u128::from(i.n)));
}
