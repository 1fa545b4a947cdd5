//! Shifts, counts and comparisons.

use super::{Input, Results};

pub(super) fn shifts(i: &Input, r: &mut Results) {
    let (a, x, y, n) = (i.a, i.x, i.y, i.n as u32);
    let s = x as i128;
    r.put(x.wrapping_shl(n));
    r.put(x.wrapping_shr(n));
    r.put(s.wrapping_shr(n));
    r.put(x.checked_shl(n));
    r.put(s.checked_shr(n));
    r.put(x.rotate_left(n));
    r.put(x.rotate_right(n));
    r.put(x.wrapping_shl(n) | y.wrapping_shr(n));
    r.put(1u128.wrapping_shl(n));
    r.put(i128::MIN.wrapping_shr(n));
    r.put(u128::from(a).wrapping_shl(n));
    // Constant amounts, around the boundary between the halves.
    r.put((x << 1, x >> 1));
    r.put((x << 63, x >> 63));
    r.put((x << 64, x >> 64));
    r.put((x << 65, x >> 65));
    r.put((x << 127, x >> 127));
    r.put((s >> 1, s >> 63));
    r.put((s >> 64, s >> 127));
    r.put(x.rotate_left(17));
    r.put(x.rotate_right(100));
    r.put(a.wrapping_shl(n));
    r.put(a.wrapping_shr(n));
    r.put((a as i64).wrapping_shr(n));
    r.put(a.rotate_left(n));
    r.put((a as u32).wrapping_shl(n));
    r.put((a as i32).wrapping_shr(n));
    r.put((a as u32).rotate_right(n));
    r.put((a as u16).rotate_left(n));
    r.put((a as u8).rotate_left(n));
    r.put((a as i8).wrapping_shr(n));
    r.put((a as i16).wrapping_shr(n));
}

macro_rules! counts {
    ($r:ident, $($value:expr),*) => { $({
        let value = $value;
        $r.put(value.leading_zeros());
        $r.put(value.trailing_zeros());
        $r.put(value.leading_ones());
        $r.put(value.count_ones());
        $r.put(value.swap_bytes());
        $r.put(value.reverse_bits());
        $r.put(value.to_be());
        $r.put(value.checked_ilog2());
    })* };
}

pub(super) fn counts(i: &Input, r: &mut Results) {
    counts!(r, i.a as u8, i.a as u16, i.a as u32, i.a, i.x, i.x as i128, i.a as i64);
    r.put(i.a.is_power_of_two());
    r.put(i.x.checked_next_power_of_two());
    r.put(u64::from_be_bytes(i.b.to_le_bytes()));
    r.put(u128::from_be_bytes(i.y.to_le_bytes()));
}

macro_rules! compare {
    ($r:ident, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        $r.put(a < b);
        $r.put(a <= b);
        $r.put(a == b);
        $r.put(a.cmp(&b));
        $r.put(a.min(b));
        $r.put(a.max(b));
    }};
}

pub(super) fn comparisons(i: &Input, r: &mut Results) {
    compare!(r, i.x, i.y);
    compare!(r, i.x as i128, i.y as i128);
    compare!(r, i.x, u128::from(i.a));
    compare!(r, i.x as i128, i128::from(i.a as i64));
    compare!(r, i.a, i.b);
    compare!(r, i.a as i64, i.b as i64);
    compare!(r, i.a as u32, i.b as u32);
    compare!(r, i.a as i32, i.b as i32);
    compare!(r, i.a as i16, i.b as i16);
    compare!(r, i.a as i8, i.b as i8);
    r.put((i.x as i128).signum());
    r.put(i.x.clamp(u128::from(i.a.min(i.b)), u128::from(i.a.max(i.b))));
}
