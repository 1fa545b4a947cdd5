//! A drop-in for Solana's `cargo build-sbf` that needs nothing but stock Rust.

fn main() {
    provena_sbf::linker::run_if_called_as_linker();
    std::process::exit(provena_sbf::cli::run(std::env::args().collect()));
}
