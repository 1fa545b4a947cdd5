//! Plain loops, which compilers turn into what every processor of the architecture has.

use super::{Dots, Isa, Mix, Tiles};

/// Any processor.
pub(crate) struct Portable;

impl Isa for Portable {
    const OFFSET: i32 = 0;
    const LANES: usize = 0;
    const GROUP: usize = 1;

    #[inline(always)]
    fn dots(job: Dots<'_>) {
        job.check();
        for n in 0..job.outputs {
            let weight = &job.weight[n * job.weight_stride..][..job.inputs];
            for r in 0..job.rows {
                let x = &job.x[r * job.x_stride..][..job.inputs];
                let products = x.iter().zip(weight).map(|(a, b)| i32::from(*a) * i32::from(*b));
                job.out[r * job.out_stride + n] = products.fold(0i32, i32::wrapping_add);
            }
        }
    }

    #[inline(always)]
    fn tiles(_: Tiles<'_>) {
        unreachable!("nothing is packed for this level");
    }

    #[inline(always)]
    fn mix(job: Mix<'_>) {
        job.check();
        job.rest(0);
    }

    #[inline(always)]
    fn word(inputs: [i8; 4]) -> u32 {
        inputs[0] as u32
    }
}
