//! The VM's heap: memory is handed out and never taken back.

use std::{
    alloc::{GlobalAlloc, Layout},
    ptr,
};

const START: usize = 0x3_0000_0000;
const SIZE: usize = 32 * 1024;

/// Hands out memory from the end of the heap downwards; the first word holds the position.
pub struct Heap;

// SAFETY: no two allocations overlap, because the position only ever sinks; the VM has one thread and clears
// the heap before each call.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let position = START as *mut usize;
        // SAFETY: the VM maps the heap there, writable.
        unsafe {
            let end = if *position == 0 { START + SIZE } else { *position };
            let start = end.saturating_sub(layout.size()) & !(layout.align() - 1);
            if start < START + size_of::<usize>() {
                return ptr::null_mut();
            }
            *position = start;
            start as *mut u8
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
