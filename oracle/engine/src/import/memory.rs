//! Memory that was freed goes back to the system.

/// Gives back what the allocator keeps for later. Importing goes through phases that need quite different memory: what
/// one of them freed would otherwise count on top of what the next one needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_back() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> i32;
    }
    // SAFETY: it takes the allocator's own locks and touches nothing that is in use; whether it found something to give
    // back is of no interest.
    unsafe { malloc_trim(0) };
}

/// Other systems' allocators decide that for themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
