//! The linker on its own, for use as `-Clinker`.

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    std::process::exit(provena_sbf::linker::run(&args));
}
