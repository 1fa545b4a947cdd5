//! What the processor can do at all, on as many threads as the CPU backend uses.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Peak;

/// Bytes that each run copies, over all threads: more than any cache holds.
const COPY_BYTES: usize = 256 << 20;
/// Rounds of the dot product probe, each of [`CHAINS`] instructions.
const DOT_ROUNDS: usize = 2_000_000;
/// Accumulators, enough to hide an instruction's latency.
const CHAINS: usize = 12;
const RUNS: usize = 7;

/// Measures packed dot products and a copy.
pub(crate) fn measure() -> Peak {
    let threads = rayon::current_num_threads();
    let (dot, lanes) = INSTRUCTIONS.iter().find(|i| (i.there)()).map_or((FALLBACK, 1), |i| (*i, i.lanes));
    let seconds = least(|| together(threads, |_| (dot.run)(DOT_ROUNDS)));
    let operations = 2 * lanes * CHAINS * DOT_ROUNDS * threads;
    Peak {
        gops: operations as f64 / seconds / 1e9,
        shared_gops: None,
        busy_gops: None,
        copy_gbytes: copy(threads),
        dot: dot.name,
    }
}

/// Billions of bytes per second, reads and writes both counted.
fn copy(threads: usize) -> f64 {
    let from = vec![1u8; COPY_BYTES];
    let mut to = vec![0u8; COPY_BYTES];
    let part = COPY_BYTES.div_ceil(threads);
    let mut seconds = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (from, to) in from.chunks(part).zip(to.chunks_mut(part)) {
                scope.spawn(move || black_box(to).copy_from_slice(black_box(from)));
            }
        });
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    2.0 * COPY_BYTES as f64 / seconds / 1e9
}

fn least(run: impl Fn()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(once).min().unwrap_or(Duration::MAX).as_secs_f64()
}

/// Runs the same on each of several threads.
fn together(threads: usize, run: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let run = &run;
            scope.spawn(move || run(thread));
        }
    });
}

/// A way to multiply and add bytes.
#[derive(Clone, Copy)]
struct Instruction {
    name: &'static str,
    /// Products of one instruction.
    lanes: usize,
    there: fn() -> bool,
    run: fn(usize),
}

const FALLBACK: Instruction = Instruction {
    name: "scalar",
    lanes: 1,
    there: || true,
    run: |rounds| {
        let mut sums = [0i32; CHAINS];
        let (a, b) = (black_box(3i32), black_box(5i32));
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = black_box(*sum).wrapping_add(a.wrapping_mul(b));
            }
        }
        black_box(sums);
    },
};

#[cfg(not(target_arch = "x86_64"))]
const INSTRUCTIONS: [Instruction; 0] = [];

/// The best first.
#[cfg(target_arch = "x86_64")]
const INSTRUCTIONS: [Instruction; 3] = [
    Instruction {
        name: "avx512vnni",
        lanes: 64,
        there: || std::arch::is_x86_feature_detected!("avx512vnni") && std::arch::is_x86_feature_detected!("avx512f"),
        // SAFETY: only called where `there` found both features.
        run: |rounds| unsafe { x86::avx512vnni(rounds) },
    },
    Instruction {
        name: "avxvnni",
        lanes: 32,
        there: || std::arch::is_x86_feature_detected!("avxvnni") && std::arch::is_x86_feature_detected!("avx2"),
        // SAFETY: only called where `there` found both features.
        run: |rounds| unsafe { x86::avxvnni(rounds) },
    },
    Instruction {
        name: "avx2",
        lanes: 16,
        there: || std::arch::is_x86_feature_detected!("avx2"),
        // SAFETY: only called where `there` found the feature.
        run: |rounds| unsafe { x86::avx2(rounds) },
    },
];

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_add_epi32, _mm256_dpbusd_avx_epi32, _mm256_madd_epi16, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm512_dpbusd_epi32, _mm512_set1_epi8, _mm512_setzero_si512,
    };
    use std::hint::black_box;

    use super::CHAINS;

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn avx512vnni(rounds: usize) {
        let mut sums: [__m512i; CHAINS] = [_mm512_setzero_si512(); CHAINS];
        let (a, b) = (black_box(_mm512_set1_epi8(3)), black_box(_mm512_set1_epi8(5)));
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, a, b);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2,avxvnni")]
    pub(super) fn avxvnni(rounds: usize) {
        let mut sums: [__m256i; CHAINS] = [_mm256_setzero_si256(); CHAINS];
        let (a, b) = (black_box(_mm256_set1_epi8(3)), black_box(_mm256_set1_epi8(5)));
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_dpbusd_avx_epi32(*sum, a, b);
            }
        }
        black_box(sums);
    }

    /// Products of sixteen words, the widest that need no care for saturation.
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(rounds: usize) {
        let mut sums: [__m256i; CHAINS] = [_mm256_setzero_si256(); CHAINS];
        let b = black_box(_mm256_set1_epi8(5));
        for _ in 0..rounds {
            for sum in &mut sums {
                // The operand depends on the sum, so that the product cannot move out of the loop.
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(*sum, b));
            }
        }
        black_box(sums);
    }
}
