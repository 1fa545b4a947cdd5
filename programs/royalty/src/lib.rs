#[cfg(target_arch = "bpf")]
use solana_compiler_builtins as _;
