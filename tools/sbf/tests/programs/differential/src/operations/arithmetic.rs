//! Sums and products.

use super::{Input, Results};

pub(super) fn products_64(i: &Input, r: &mut Results) {
    let (a, b) = (i.a, i.b);
    let (s, t) = (a as i64, b as i64);
    r.put(u128::from(a) * u128::from(b));
    r.put(i128::from(s) * i128::from(t));
    r.put(i128::from(s) * i128::from(b));
    r.put((u128::from(a) * (i.x >> 64)) >> 64);
    r.put(a.wrapping_mul(b));
    r.put(a.checked_mul(b));
    r.put(s.checked_mul(t));
    r.put(a.overflowing_mul(b));
    r.put(s.overflowing_mul(t));
    r.put(a.saturating_mul(b));
    r.put(s.saturating_mul(t));
    r.put(a.checked_mul(1_000_000_007));
    r.put(s.checked_mul(-3));
    r.put(a.checked_pow(3));
    r.put(s.checked_pow(2));
    r.put(a.carrying_mul_add_by_hand(b, i.n));
    r.put((u128::from(a) * 10_000 / 7) as u64);
}

trait CarryingByHand {
    fn carrying_mul_add_by_hand(self, factor: u64, carry: u64) -> (u64, u64);
}

impl CarryingByHand for u64 {
    fn carrying_mul_add_by_hand(self, factor: u64, carry: u64) -> (u64, u64) {
        let wide = u128::from(self) * u128::from(factor) + u128::from(carry);
        (wide as Self, (wide >> 64) as Self)
    }
}

pub(super) fn products_128(i: &Input, r: &mut Results) {
    let (x, y) = (i.x, i.y);
    let (s, t) = (x as i128, y as i128);
    r.put(x.wrapping_mul(y));
    r.put(s.wrapping_mul(t));
    r.put(x.checked_mul(y));
    r.put(s.checked_mul(t));
    r.put(x.overflowing_mul(y));
    r.put(s.overflowing_mul(t));
    r.put(x.saturating_mul(y));
    r.put(s.saturating_mul(t));
    r.put(x.checked_mul(u128::from(i.a)));
    r.put(s.checked_mul(i128::from(i.a as i64)));
    r.put(x.checked_mul(1_000_000_000));
    r.put(s.checked_mul(-10_000));
    r.put(x.wrapping_mul(x));
    r.put(s.checked_mul(s));
    r.put(x.checked_pow(2));
    r.put(x.wrapping_mul(0xdead_beef_0000_0001_0000_0000_ffff_ffff));
    r.put(u128::from(i.a).checked_mul(u128::from(i.b)));
}

pub(super) fn sums(i: &Input, r: &mut Results) {
    let (a, b, x, y) = (i.a, i.b, i.x, i.y);
    let (s, t, u, v) = (a as i64, b as i64, x as i128, y as i128);
    r.put(a.checked_add(b));
    r.put(a.checked_sub(b));
    r.put(s.checked_add(t));
    r.put(s.checked_sub(t));
    r.put(a.overflowing_add(b));
    r.put(s.overflowing_sub(t));
    r.put(a.saturating_add(b));
    r.put(a.saturating_sub(b));
    r.put(s.saturating_add(t));
    r.put(s.saturating_sub(t));
    r.put(x.checked_add(y));
    r.put(x.checked_sub(y));
    r.put(u.checked_add(v));
    r.put(u.checked_sub(v));
    r.put(x.overflowing_add(y));
    r.put(x.overflowing_sub(y));
    r.put(u.overflowing_add(v));
    r.put(u.overflowing_sub(v));
    r.put(x.saturating_add(y));
    r.put(x.saturating_sub(y));
    r.put(u.saturating_add(v));
    r.put(u.saturating_sub(v));
    r.put(x.wrapping_add(y));
    r.put(u.wrapping_neg());
    r.put(u.checked_abs());
    r.put(u.unsigned_abs());
    r.put(x.abs_diff(y));
    r.put(u.abs_diff(v));
    r.put(s.checked_neg());
    r.put(s.unsigned_abs());
    r.put(a.abs_diff(b));
    r.put(s.abs_diff(t));
    r.put(x.checked_add_signed(v));
    r.put(a.checked_add_signed(t));
    r.put(a.midpoint(b));
    r.put(u64::try_from(x).ok());
    r.put(i64::try_from(u).ok());
    r.put(i64::try_from(a).ok());
}

macro_rules! narrow {
    ($i:ident, $r:ident, $($ty:ty)*) => { $({
        let (a, b) = ($i.a as $ty, $i.b as $ty);
        $r.put(a.wrapping_add(b));
        $r.put(a.wrapping_mul(b));
        $r.put(a.checked_add(b));
        $r.put(a.checked_sub(b));
        $r.put(a.checked_mul(b));
        $r.put(a.saturating_sub(b));
        $r.put(a.saturating_mul(b));
        $r.put(<$ty>::try_from($i.a).ok());
        $r.put(<$ty>::try_from($i.x as i128).ok());
    })* };
}

pub(super) fn narrow(i: &Input, r: &mut Results) {
    narrow!(i, r, u8 i8 u16 i16 u32 i32);
}
